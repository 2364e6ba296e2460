"""Observations of one assumption over time, drawn on the server: dots, the line that is assumed, the onset
and the line that was observed since. Colour repeats what position and words already say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from html import escape

from cloud_api.answers.shapes.assumptions import Observation
from cloud_api.pages.words import day, number

HEIGHT, TOP, FOOT = 170, 22, 24
"""Pixels: of the picture, free above, and below for the dates."""
LEFT = Decimal(3)
"""Percent that stays free at either side."""
PLACES = 4


def drift(
    series: Sequence[Observation],
    assumed: Decimal,
    observed: Decimal | None,
    since: dt.date | None,
    unit: str,
) -> str:
    """The picture; `since` None: it holds, and no onset is drawn."""
    if len(series) < 2:
        return ""
    first, last = series[0].time, series[-1].time
    levels = [*(one.value for one in series), assumed, *([observed] if observed is not None else [])]
    low, high = min(levels), max(levels)
    reach = (high - low) or Decimal(1)

    def x(at: dt.datetime) -> str:
        share = Decimal(repr((at - first) / (last - first))) if last > first else Decimal(0)
        return f"{LEFT + share * (100 - 2 * LEFT):.2f}%"

    def y(value: Decimal) -> str:
        return f"{TOP + (high - value) / reach * (HEIGHT - TOP - FOOT):.1f}"

    onset = _onset(series, since)
    label = f"{len(series)} observations, assumed {number(assumed, PLACES)} {unit}"
    parts = [f'<svg class="drift" width="100%" height="{HEIGHT}" role="img" aria-label="{escape(label)}">']
    if onset is not None and observed is not None:
        parts += [
            f'<line class="onset" x1="{x(onset)}" x2="{x(onset)}" y1="{TOP - 8}" y2="{HEIGHT - FOOT}"/>',
            f'<line class="observed" x1="{x(onset)}" x2="97%" y1="{y(observed)}" y2="{y(observed)}"/>',
        ]
    parts.append(f'<line class="allowed" x1="3%" x2="97%" y1="{y(assumed)}" y2="{y(assumed)}"/>')
    for one in series:
        late = onset is not None and one.time >= onset
        parts.append(
            f'<circle class="{"late" if late else "calm"}" cx="{x(one.time)}" cy="{y(one.value)}" r="3">'
            f"<title>{escape(day(one.time.date()))}: {number(one.value, PLACES)}</title></circle>"
        )
    parts += [
        f'<text class="note" x="3%" y="{HEIGHT - 4}">{escape(day(first.date()))}</text>',
        f'<text class="note num" x="97%" y="{HEIGHT - 4}">{escape(day(last.date()))}</text>',
    ]
    return "".join([*parts, "</svg>"])


def _onset(series: Sequence[Observation], since: dt.date | None) -> dt.datetime | None:
    """The first observation of the onset's day, or after it."""
    if since is None:
        return None
    return next((one.time for one in series if one.time.date() >= since), None)
