"""Holds what is stored against what the PLCs say they did."""

from __future__ import annotations

import bisect
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SECOND = 1_000_000
BUSY_US = 2 * SECOND
"""A machine that is busy may cost an agent some scans; a gap that says so is honest, and short."""
CLOCK_SLACK_US = 5_000
"""A step is logged a moment before or after it can be read; both clocks are this machine's."""


@dataclass(frozen=True, slots=True)
class Change:
    """A value the PLC held during [from_us, to_us)."""

    signal: str
    value: int
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Row:
    signal: str
    time_us: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Span:
    from_us: int
    to_us: int


def read_truth(log: Path) -> list[Change]:
    """Changes of a PLC's log; without the last of each signal, since nobody knows how long it held."""
    last: dict[str, tuple[int, int]] = {}
    changes = []
    for line in log.read_text(encoding="utf-8").splitlines():
        step = json.loads(line)
        signal, value, t_us = step["signal"], step["value"], step["t_us"]
        if signal in last:
            changes.append(Change(signal, last[signal][0], last[signal][1], t_us))
        last[signal] = (value, t_us)
    return changes


def faults_of(
    changes: Sequence[Change],
    rows: Sequence[Row],
    covered: Sequence[Span],
    outages: Sequence[Span],
    scan_us: int,
    mark_us: int,
) -> list[str]:
    """Everything that is not as promised, in words; empty when all is well.

    covered: spans in which the agent says it watched this PLC. outages: spans in which the harness kept it
    from watching, one after another.
    """
    need_us = scan_us * 5 // 4 + 150_000
    return [
        *_missing(owed(changes, covered, need_us, outages), rows, need_us),
        *_doubled(rows),
        *_untrue(changes, rows, scan_us),
        *_unexplained_holes(covered, outages, mark_us),
    ]


def owed(
    changes: Iterable[Change], covered: Sequence[Span], need_us: int, outages: Sequence[Span] = ()
) -> list[Change]:
    """Changes that were held long enough while the agent watched, and nothing kept it from doing so.

    A failed scan that is repaired within the grace of its source is no loss by contract; an outage as short
    as that therefore stays covered, and owes nothing.
    """
    starts = [span.from_us for span in covered]

    def watched(change: Change) -> bool:
        place = bisect.bisect_right(starts, change.from_us) - 1
        return place >= 0 and change.from_us + need_us <= covered[place].to_us and not disturbed(change)

    def disturbed(change: Change) -> bool:
        return any(
            outage.from_us <= change.from_us + need_us and change.from_us <= outage.to_us + need_us
            for outage in outages
        )

    return [change for change in changes if change.to_us - change.from_us >= need_us and watched(change)]


def _missing(owing: Sequence[Change], rows: Sequence[Row], need_us: int) -> list[str]:
    seen: dict[tuple[str, float], list[int]] = {}
    for row in rows:
        if row.value is not None:
            seen.setdefault((row.signal, row.value), []).append(row.time_us)
    found = []
    for change in owing:
        times = [
            time_us
            for time_us in seen.get((change.signal, float(change.value)), [])
            if change.from_us - CLOCK_SLACK_US <= time_us <= change.from_us + need_us
        ]
        if not times:
            found.append(f"lost: {change.signal} = {change.value} at {change.from_us}")
    return found


def _doubled(rows: Sequence[Row]) -> list[str]:
    counts = Counter((row.signal, row.time_us) for row in rows)
    return [f"stored {count} times: {signal} at {t}" for (signal, t), count in counts.items() if count > 1]


def _untrue(changes: Sequence[Change], rows: Sequence[Row], scan_us: int) -> list[str]:
    """A stored value must have been true at its time, or at most a scan before."""
    truth = {(change.signal, float(change.value)): change for change in changes}
    found = []
    for row in rows:
        change = truth.get((row.signal, row.value)) if row.value is not None else None
        if change is None:
            continue
        if not change.from_us - CLOCK_SLACK_US <= row.time_us <= change.to_us + scan_us:
            found.append(f"untrue: {row.signal} = {row.value} at {row.time_us}, held from {change.from_us}")
    return found


def _unexplained_holes(covered: Sequence[Span], outages: Sequence[Span], mark_us: int) -> list[str]:
    found = []
    for before, after in itertools.pairwise(covered):
        hole = Span(before.to_us, after.from_us)
        if hole.to_us - hole.from_us <= BUSY_US:
            continue
        if not any(
            outage.from_us - mark_us <= hole.from_us and hole.to_us <= outage.to_us + mark_us
            for outage in outages
        ):
            found.append(f"a gap that no fault explains: {hole}")
    for outage in outages:
        watched = sum(
            max(0, min(span.to_us, outage.to_us) - max(span.from_us, outage.from_us)) for span in covered
        )
        allowed = min(mark_us, outage.to_us - outage.from_us)
        if outage.to_us - outage.from_us > SECOND and watched > allowed:
            found.append(f"an outage that was passed off as watched: {outage}, {watched} us of it covered")
    return found
