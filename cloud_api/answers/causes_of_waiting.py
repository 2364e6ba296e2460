"""The cause of each wait on a page of segments: the neighbour in the line that stood."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from psycopg import Connection

from cloud_api.answers.places import Site
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.ledger import CausedBy, SegmentRow
from cloud_api.interpret.model import CAUSE_OF_STATE
from cloud_api.interpret.waiting import CauseOfWaiting, Stay, cause_of_waiting
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us
from shared.units import HOUR_US

LONGEST_STAY_US = HOUR_US
"""Stored spans are cut at hours: none is longer."""


def with_causes(
    connection: Connection[Any], question: Question, rows: Sequence[SegmentRow]
) -> list[SegmentRow]:
    """The rows, those that wait with `caused_by` where their line shows it."""
    lines: dict[tuple[str, str], list[SegmentRow]] = defaultdict(list)
    for row in rows:
        if row.state == "waiting" and row.line is not None:
            lines[row.site, row.line].append(row)
    causes: dict[tuple[str, str, Any], CausedBy | None] = {}
    for site in question.sites:
        for line in site.lines:
            waits = lines.get((site.name, line))
            if waits:
                causes.update(_of_line(connection, site, line, waits))
    return [
        replace(row, caused_by=causes.get((row.site, row.machine, row.from_)))
        if row.state == "waiting"
        else row
        for row in rows
    ]


def _of_line(
    connection: Connection[Any], site: Site, line: str, waits: Sequence[SegmentRow]
) -> dict[tuple[str, str, Any], CausedBy | None]:
    names = {machine.machine_id: machine.name for machine in site.machines if machine.line == line}
    order = [machine.id for machine in site.book.lines[line].machines] if site.book is not None else []
    asked = {
        "machines": list(names),
        "from": min(row.from_ for row in waits),
        "to": max(row.to for row in waits),
    }
    stays: dict[str, list[Stay]] = defaultdict(list)
    for machine_id, begin, end, state, reason in connection.execute(statement("products.stays"), asked):
        stays[names[machine_id]].append(Stay(to_us(begin), to_us(end), state, reason))
    found = {}
    for row in waits:
        span = (to_us(row.from_), to_us(row.to))
        near = {name: _near(own, span) for name, own in stays.items()}
        found[row.site, row.machine, row.from_] = _told(cause_of_waiting(row.machine, span, order, near))
    return found


def _near(stays: Sequence[Stay], span: tuple[int, int]) -> Sequence[Stay]:
    first = bisect_left(stays, span[0] - LONGEST_STAY_US, key=lambda stay: stay.from_us)
    return stays[first : bisect_left(stays, span[1], key=lambda stay: stay.from_us)]


def _told(cause: CauseOfWaiting | None) -> CausedBy | None:
    if cause is None:
        return None
    return CausedBy(
        kind=cause.kind,  # type: ignore[arg-type]
        machine=cause.machine,
        state=cause.state,
        cause=CAUSE_OF_STATE[cause.state],
        reason=cause.reason,
    )
