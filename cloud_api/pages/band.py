"""The time line of one machine as SVG: a band of its states, marks of what was said and raised, an axis.

Each state has a pattern of its own besides its colour, so that the band is read without telling colours
apart. Every span is a link into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo

BAND = 54
MARKS = 22
AXIS = 20
TICKS = (
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=15),
    dt.timedelta(hours=1),
    dt.timedelta(hours=2),
    dt.timedelta(hours=4),
    dt.timedelta(hours=12),
    dt.timedelta(days=1),
)
MOST_TICKS = 9
LEAST_LABEL = 14
"""Share of the width in percent from which on a span has room for its word."""

PATTERNS = {
    "down": '<path d="M-2 10L10 -2M4 16L16 4" class="ink"/>',
    "changeover": '<path d="M0 3H12M0 9H12" class="ink"/>',
    "waiting": '<circle cx="3" cy="3" r="1.4" class="dots"/><circle cx="9" cy="9" r="1.4" class="dots"/>',
    "planned_stop": '<path d="M3 0V12M9 0V12" class="ink"/>',
    "unknown": '<path d="M0 0L12 12M12 0L0 12" class="ink"/>',
}
"""Strokes over the colour of a state, on tiles of 12 x 12; running and idle are plain."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of one state, where a tap leads, and what it says."""

    from_: dt.datetime
    to: dt.datetime
    state: str
    word: str
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at an instant: kind note or alarm."""

    at: dt.datetime
    kind: str
    title: str
    address: str


def patterns() -> str:
    """The patterns once for a page; a band names them."""
    tiles = "".join(
        f'<pattern id="p-{name}" width="12" height="12" patternUnits="userSpaceOnUse">{marks}</pattern>'
        for name, marks in PATTERNS.items()
    )
    return f'<svg width="0" height="0" aria-hidden="true"><defs>{tiles}</defs></svg>'


def swatch(state: str) -> str:
    """A small square of a state, for a key."""
    size = 'width="16" height="12"'
    return (
        f'<svg {size} aria-hidden="true"><rect class="s-{escape(state)}" {size}/>{_over(state, size)}</svg>'
    )


def _over(state: str, place: str) -> str:
    return f'<rect fill="url(#p-{state})" {place}/>' if state in PATTERNS else ""


def band(
    spans: Sequence[Span],
    marks: Sequence[Mark],
    window: tuple[dt.datetime, dt.datetime],
    zone: str,
    label: str,
) -> str:
    """The band over a window with its marks and axis; times at the site."""
    height = BAND + MARKS + AXIS
    parts = [f'<svg width="100%" height="{height}" role="group" aria-label="{escape(label)}">']
    parts.append(f'<rect class="track" width="100%" height="{BAND}"/>')
    parts += [_span(span, window) for span in spans]
    parts += [_mark(mark, window) for mark in marks]
    parts += [_tick(at, window, zone) for at in ticks(window, zone)]
    return "".join([*parts, "</svg>"])


def _span(span: Span, window: tuple[dt.datetime, dt.datetime]) -> str:
    start, end = _at(span.from_, window), _at(span.to, window)
    width = max(end - start, 0.08)
    place = f'x="{start:.3f}%" y="0" width="{width:.3f}%" height="{BAND}"'
    told = escape(span.title)
    word = ""
    if width >= LEAST_LABEL and span.state not in PATTERNS:
        light = "" if span.state == "idle" else " light"
        word = (
            f'<text class="inside{light}" x="{start + 0.6:.3f}%" y="{BAND - 10}">{escape(span.word)}</text>'
        )
    return (
        f'<a href="{escape(span.address)}" aria-label="{told}"><title>{told}</title>'
        f'<rect class="s-{escape(span.state)}" {place}/>{_over(span.state, place)}{word}</a>'
    )


def _mark(mark: Mark, window: tuple[dt.datetime, dt.datetime]) -> str:
    x = f"{_at(mark.at, window):.3f}%"
    told = escape(mark.title)
    middle = BAND + MARKS // 2
    shape = (
        f'<circle class="mark-note" cx="{x}" cy="{middle}" r="6"/>'
        if mark.kind == "note"
        else f'<line class="mark-alarm" x1="{x}" x2="{x}" y1="{BAND + 3}" y2="{BAND + MARKS - 3}"/>'
    )
    hit = f'<rect class="hit" x="{x}" y="{BAND}" width="16" height="{MARKS}" transform="translate(-8 0)"/>'
    return f'<a href="{escape(mark.address)}" aria-label="{told}"><title>{told}</title>{hit}{shape}</a>'


def _tick(at: dt.datetime, window: tuple[dt.datetime, dt.datetime], zone: str) -> str:
    x = _at(at, window)
    here = at.astimezone(ZoneInfo(zone))
    text = f"{here.day} {here:%b}" if (here.hour, here.minute) == (0, 0) else f"{here:%H:%M}"
    anchor = ' class="note num"' if x > 96 else ' class="note"'
    return (
        f'<line class="zero" x1="{x:.3f}%" x2="{x:.3f}%" y1="{BAND}" y2="{BAND + 5}"/>'
        f'<text{anchor} x="{x:.3f}%" y="{BAND + MARKS + AXIS - 6}">{text}</text>'
    )


def ticks(window: tuple[dt.datetime, dt.datetime], zone: str) -> list[dt.datetime]:
    """Round times at the site inside a window, at most `MOST_TICKS`."""
    length = window[1] - window[0]
    step = next((step for step in TICKS if length / step <= MOST_TICKS), TICKS[-1])
    local = window[0].astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[dt.datetime] = []
    at = midnight
    while at < local + length and len(found) < 4 * MOST_TICKS:
        instant = at.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
        if window[0] <= instant < window[1]:
            found.append(instant)
        at += step
    return found


def _at(at: dt.datetime, window: tuple[dt.datetime, dt.datetime]) -> float:
    """The place of an instant in a window, percent."""
    share = (at - window[0]) / (window[1] - window[0])
    return min(max(share, 0.0), 1.0) * 100
