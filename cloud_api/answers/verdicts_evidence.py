"""What stands beside a verdict: what people said of the same machine and days, and earlier years."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace as with_
from psycopg import Connection

from cloud_api.answers.notes import by_id, ref, said_at
from cloud_api.answers.question import Question
from cloud_api.answers.series import Cause, Series, series_of
from cloud_api.answers.shapes.notes import NoteRef
from cloud_api.answers.shapes.verdicts import VerdictRow
from cloud_api.answers.standing import data_spans
from cloud_api.interpret.seasons import CYCLES, is_seasonal
from cloud_api.store.times import to_us

if TYPE_CHECKING:
    from cloud_api.answers.verdicts import Judged

YEAR = dt.timedelta(days=364)
"""A cycle: 52 weeks, so that weekdays meet weekdays."""
MOST_NOTES = 10
LASTS = ("structural", "drift", "temporary")


def notes_of(
    connection: Connection[Any],
    question: Question,
    one: Series,
    group: Mapping[str, Any],
    cells: Sequence[Cause],
    since: dt.date | None,
) -> list[NoteRef]:
    """Living notes that touch the scope since the onset, and whose kind can move the cells; newest first."""
    if since is None:
        return []
    begin = one.site.day_start_us(since)
    end = one.site.day_start_us(one.days[-1] + dt.timedelta(days=1))
    machines = [
        machine
        for machine in question.machines
        if machine.site == one.site.name
        and group.get("machine", machine.name) == machine.name
        and group.get("line", machine.line) == machine.line
    ]
    product = group.get("product")
    fitting = [
        said.note_id
        for said in said_at(connection, one.site, begin, end)
        if said.span.from_us < end
        and said.span.to_us > begin
        and any(said.is_at(machine.name, machine.line) for machine in machines)
        and (product is None or said.product in (None, product))
        and (not cells or any(said.moves(*cell) for cell in cells))
    ]
    if not fitting:
        return []
    return [ref(row) for row in by_id(connection, [one.site], fitting, frozenset())[:MOST_NOTES]]


def seasonal(
    connection: Connection[Any],
    question: Question,
    now: dt.datetime,
    by: Sequence[str],
    found: Judged,
    row: VerdictRow,
) -> VerdictRow:
    """The row with verdict seasonal where two earlier years had the same, or with what keeps that from being
    told."""
    if row.verdict not in LASTS or row.since is None:
        return row
    years = earlier_years(connection, question, found.series, row.since)
    if years < CYCLES:
        return with_(
            row,
            remarks=[
                *row.remarks,
                f"whether it is seasonal takes two earlier years of data; there are {years}",
            ],
        )
    if was_seasonal(connection, question, now, by, found) == "seasonal":
        return with_(row, verdict="seasonal")
    return row


def was_seasonal(
    connection: Connection[Any], question: Question, now: dt.datetime, by: Sequence[str], found: Judged
) -> str:
    """`seasonal` where the same change was there in the two years before, else the verdict as it is."""
    told, one = found.course, found.series
    if told.verdict not in LASTS or told.since is None or told.size is None or not found.cells:
        return told.verdict
    since = one.days[told.since]
    if earlier_years(connection, question, one, since) < CYCLES:
        return told.verdict
    last = one.days[-1] if told.until is None else one.days[told.until]
    changes = [
        _change(connection, question, now, by, found, since - number * YEAR, last - number * YEAR)
        for number in range(1, CYCLES + 1)
    ]
    return "seasonal" if is_seasonal(told.size, changes) else told.verdict


def earlier_years(connection: Connection[Any], question: Question, one: Series, since: dt.date) -> int:
    """Whole years of data before an onset, with the four weeks that its level before takes."""
    ids = [machine.machine_id for machine in question.machines if machine.site == one.site.name]
    firsts = [to_us(first) for first, _ in data_spans(connection, ids)]
    if not firsts:
        return 0
    data = one.site.day_of(min(firsts)) + dt.timedelta(days=28)
    return max(0, (since - data) // YEAR)


def _change(
    connection: Connection[Any],
    question: Question,
    now: dt.datetime,
    by: Sequence[str],
    found: Judged,
    since: dt.date,
    last: dt.date,
) -> float | None:
    """Mean unit cost in [since, last] less that of the four weeks before."""
    site = found.series.site
    asked = replace(
        question,
        sites=(site,),
        from_us=site.day_start_us(since - dt.timedelta(days=28)),
        to_us=site.day_start_us(last + dt.timedelta(days=1)),
    )
    one = next((each for each in series_of(connection, asked, now, by) if each.key == found.series.key), None)
    if one is None:
        return None
    values, days = one.unit_cost(found.cells), np.array([day.toordinal() for day in one.days])
    inside = days >= since.toordinal()
    before = ~inside & (days >= since.toordinal() - 28)
    if not inside.any() or not before.any():
        return None
    return float(values[inside].mean() - values[before].mean())
