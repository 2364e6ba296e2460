"""A bridge as a waterfall, drawn on the server: a row for the start, one for each bar, one for the end.

Rows lie below one another, so that a phone shows words and figures whole. The scale begins below the lowest
level, not at zero: a bridge is about the steps. Colour repeats what the sign says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

ZERO = Decimal(0)
ROW = 46
MARGIN = Decimal("0.04")
"""Share of the reach that is left free on the left."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A step: how far it moves the level, how that is said, whether it is a gain, where it opens."""

    word: str
    amount: Decimal
    said: str
    gain: bool
    address: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """A level: the start or the end."""

    word: str
    amount: Decimal
    said: str


def waterfall(start: Level, falls: Sequence[Fall], end: Level, label: str) -> str:
    """The picture."""
    levels = [start.amount]
    for fall in falls:
        levels.append(levels[-1] + fall.amount)
    low, high = min(levels), max(levels)
    reach = (high - low) or abs(high) or Decimal(1)
    foot = low - reach * MARGIN
    reach = high - foot or Decimal(1)

    def place(level: Decimal) -> Decimal:
        return (level - foot) / reach

    height = ROW * (len(falls) + 2)
    parts = [f'<svg width="100%" height="{height}" role="group" aria-label="{escape(label)}">']
    parts.append(_level(start, 0, place(start.amount)))
    for index, fall in enumerate(falls):
        before, after = place(levels[index]), place(levels[index + 1])
        parts.append(_fall(fall, (index + 1) * ROW, before, after))
    parts.append(_level(end, (len(falls) + 1) * ROW, place(levels[-1])))
    return "".join([*parts, "</svg>"])


def _level(level: Level, top: int, at: Decimal) -> str:
    return (
        f'<text x="0" y="{top + 16}" class="strong">{escape(level.word)}</text>'
        f'<text class="num strong" x="100%" y="{top + 16}">{escape(level.said)}</text>'
        f'<rect class="bar production" x="0" y="{top + 23}" width="{_pc(at)}" height="12" rx="2"/>'
    )


def _fall(fall: Fall, top: int, before: Decimal, after: Decimal) -> str:
    left, width = min(before, after), max(abs(after - before), Decimal("0.003"))
    told = escape(f"{fall.word}: {fall.said}{f', {fall.note}' if fall.note else ''}")
    kind = "bar gain" if fall.gain else "bar"
    note = f' <tspan class="note" dx="6">{escape(fall.note)}</tspan>' if fall.note else ""
    return (
        f'<a href="{escape(fall.address)}" aria-label="{told}"><title>{told}</title>'
        f'<rect class="hit" x="-6" y="{top}" width="100%" height="{ROW - 4}" rx="6"/>'
        f'<text x="0" y="{top + 16}">{escape(fall.word)}{note}</text>'
        f'<text class="num" x="100%" y="{top + 16}">{escape(fall.said)}</text>'
        f'<rect class="track" x="0" y="{top + 23}" width="100%" height="12" rx="3"/>'
        f'<rect class="{kind}" x="{_pc(left)}" y="{top + 23}" width="{_pc(width)}" height="12" rx="2"/>'
        f'<line class="allowed" x1="{_pc(after)}" x2="{_pc(after)}" y1="{top + 21}" y2="{top + 37}"/></a>'
    )


def _pc(share: Decimal) -> str:
    return f"{float(share) * 100:.2f}%"
