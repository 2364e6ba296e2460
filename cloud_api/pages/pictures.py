"""Pictures drawn on the server as SVG: bars of cost by cause, columns of variance by day, a strip of states.

Widths are percentages, so that a picture fits a phone and a desk without a script; texts keep their size.
Every mark is a link to its evidence and is named for readers who do not see it. Colour repeats what
position and words already say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from cloud_api.pages.words import day, signed, whole

ZERO = Decimal(0)
KINDS = frozenset({"production", "unexplained"})
"""Causes with a colour of their own; every other is a loss."""

ROW = 50
"""Height of a bar with its words, pixels."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Actual amount of a cause, what the standard allows for it, and where its evidence is."""

    name: str
    word: str
    actual: Decimal
    allowance: Decimal
    variance: Decimal
    address: str


@dataclass(frozen=True, slots=True)
class Column:
    """Variance of one production day."""

    day: dt.date
    variance: Decimal
    address: str


@dataclass(frozen=True, slots=True)
class Stay:
    """A span of one state in a strip."""

    from_: dt.datetime
    to: dt.datetime
    state: str
    title: str


def bars(rows: Sequence[Bar], currency: str) -> str:
    """Horizontal bars, the dearest first, a tick where the standard stands; all on one scale."""
    if not rows:
        return ""
    low = min(ZERO, *(min(row.actual, row.allowance) for row in rows))
    high = max(ZERO, *(max(row.actual, row.allowance) for row in rows))
    reach = (high - low) or Decimal(1)
    zero = -low / reach
    height = ROW * len(rows)
    label = f"Cost by cause, {escape(currency)}; the tick is what the standard allows"
    parts = [f'<svg width="100%" height="{height}" role="group" aria-label="{label}">']
    parts += [_bar(row, index * ROW, zero, reach, currency) for index, row in enumerate(rows)]
    if low:
        parts.append(f'<line class="zero" x1="{_pc(zero)}" x2="{_pc(zero)}" y1="18" y2="{height}"/>')
    return "".join([*parts, "</svg>"])


def _bar(row: Bar, top: int, zero: Decimal, reach: Decimal, currency: str) -> str:
    start = zero + min(ZERO, row.actual) / reach
    length = abs(row.actual) / reach
    allowed = _pc(zero + row.allowance / reach)
    kind = "gain" if row.actual < 0 else row.name if row.name in KINDS else ""
    told = escape(
        f"{row.word}: {currency} {whole(row.actual)}, standard {whole(row.allowance)}, "
        f"variance {signed(row.variance, '1')}"
    )
    beside = f"{signed(row.variance, '1')} against standard" if row.variance else "as standard"
    words = f'{escape(row.word)} <tspan class="note" dx="6">{escape(beside)}</tspan>'
    middle = top + 24
    return (
        f'<a href="{escape(row.address)}" aria-label="{told}"><title>{told}</title>'
        f'<rect class="hit" x="-6" y="{top}" width="100%" height="{ROW - 6}" rx="6"/>'
        f'<text x="0" y="{top + 16}">{words}</text>'
        f'<text class="num" x="100%" y="{top + 16}">{whole(row.actual)}</text>'
        f'<rect class="track" x="0" y="{middle}" width="100%" height="12" rx="3"/>'
        f'<rect class="bar {kind}" x="{_pc(start)}" y="{middle}" width="{_pc(length)}" height="12" rx="2"/>'
        f'<line class="allowed" x1="{allowed}" x2="{allowed}" y1="{top + 20}" y2="{top + 40}"/></a>'
    )


def columns(rows: Sequence[Column], currency: str, height: int = 190) -> str:
    """Variance of each day as a column: above the line it cost more than standard, below less."""
    if not rows:
        return ""
    high = max(ZERO, *(row.variance for row in rows))
    low = min(ZERO, *(row.variance for row in rows))
    reach = (high - low) or Decimal(1)
    top, bottom = 20, height - 26
    line = top + float(high / reach) * (bottom - top)
    step = 100 / len(rows)
    label = f"Variance by production day, {escape(currency)}"
    parts = [f'<svg width="100%" height="{height}" role="group" aria-label="{label}">']
    if high:
        parts.append(f'<text class="note" x="0" y="12">{signed(high, "1")}</text>')
    for index, row in enumerate(rows):
        size = float(abs(row.variance) / reach) * (bottom - top)
        y = line - size if row.variance > 0 else line
        told = escape(f"{day(row.day)}: variance {currency} {signed(row.variance, '1')}")
        kind = "bar" if row.variance > 0 else "bar gain"
        parts.append(
            f'<a href="{escape(row.address)}" aria-label="{told}"><title>{told}</title>'
            f'<rect class="hit" x="{index * step:.3f}%" y="{top - 4}" width="{step:.3f}%" '
            f'height="{bottom - top + 8}"/>'
            f'<rect class="{kind}" x="{(index + 0.125) * step:.3f}%" y="{y:.1f}" width="{step * 0.75:.3f}%" '
            f'height="{max(size, 1.0):.1f}" rx="1.5"/></a>'
        )
    parts.append(f'<line class="zero" x1="0" x2="100%" y1="{line:.1f}" y2="{line:.1f}"/>')
    if low:
        parts.append(f'<text class="note" x="0" y="{bottom + 13}">{signed(low, "1")}</text>')
    parts.append(_dates(rows, height))
    return "".join([*parts, "</svg>"])


def _dates(rows: Sequence[Column], height: int) -> str:
    last = len(rows) - 1
    ends = f'<text class="note num" x="100%" y="{height - 2}">{day(rows[last].day)}</text>'
    if last:
        ends += f'<text class="note" x="0" y="{height - 2}">{day(rows[0].day)}</text>'
    return ends


def strip(stays: Sequence[Stay], from_: dt.datetime, to: dt.datetime, label: str) -> str:
    """States of one machine as a strip of time."""
    length = (to - from_).total_seconds() or 1.0
    name = escape(label)
    parts = [f'<svg width="100%" height="22" role="img" aria-label="{name}"><title>{name}</title>']
    parts.append('<rect class="track" width="100%" height="22"/>')
    for stay in stays:
        start = (stay.from_ - from_).total_seconds() / length * 100
        width = max((stay.to - stay.from_).total_seconds() / length * 100, 0.05)
        parts.append(
            f'<rect class="s-{escape(stay.state)}" x="{start:.3f}%" y="0" width="{width:.3f}%" height="22">'
            f"<title>{escape(stay.title)}</title></rect>"
        )
    return "".join([*parts, "</svg>"])


def _pc(share: Decimal) -> str:
    return f"{float(share) * 100:.2f}%"
