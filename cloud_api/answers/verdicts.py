"""Structural or temporary: the verdict on every cause of every scope, dearest first.

Series are daily (see `series`), verdicts are those of `interpret.persistence_course`. What recurs with a
product or a shift is looked for on finer observations, as far as the question is small enough for them.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from psycopg import Connection

from cloud_api.answers.courses import kept_course
from cloud_api.answers.envelope import envelope
from cloud_api.answers.grouping import evidence
from cloud_api.answers.options import Option
from cloud_api.answers.paging import one_page
from cloud_api.answers.question import Question
from cloud_api.answers.series import Array, Cause, Series, series_of
from cloud_api.answers.shapes.verdicts import VerdictRow, Verdicts
from cloud_api.answers.verdicts_evidence import notes_of, seasonal
from cloud_api.answers.verdicts_stops import cost_of_stops
from cloud_api.answers.verdicts_ties import Finer
from cloud_api.interpret.money import shown
from cloud_api.interpret.persistence_course import Course
from cloud_api.interpret.rounding import measured, probability

MEASURES = ("unit_cost", "throughput", "yield", "cycle", "labour_hours")
OPTIONS = (
    Option(
        "measure",
        "What changed: cost of each cause per good unit, or good units per hour at work, "
        "good / (good + scrap), seconds per unit while running, person-hours per good unit.",
        "word",
        MEASURES,
        "unit_cost",
    ),
)
BY = ("site", "line", "machine", "product", "resource")
DEFAULT_BY = ("machine",)
UNITS = {
    "unit_cost": "per good unit",
    "throughput": "good units per hour",
    "yield": "share",
    "cycle": "s per unit",
    "labour_hours": "person-hours per good unit",
}
MORE_IS_WORSE = {"unit_cost": 1, "throughput": -1, "yield": -1, "cycle": 1, "labour_hours": 1}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
USUAL_DAYS = 20
"""Last observations whose mean output is what a day to come is expected to make."""
NEGLIGIBLE = 0.0002
"""Share of a scope's cost that a cause must have moved by, over all its days, to be judged."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The course of some cells of a scope (no cells: of another measure), and what it cost so far, and by
    period end."""

    series: Series
    cells: tuple[Cause, ...]
    course: Course
    so_far: Decimal | None
    projected: Decimal | None


def verdicts(connection: Connection[Any], question: Question, sees_money: bool, now: dt.datetime) -> Verdicts:
    """Verdicts by the groups asked for (machines, where none is named), dearest first."""
    measure = question.options.get("measure", "unit_cost")
    by = tuple(name for name in question.by or DEFAULT_BY if name != "resource")
    scopes = series_of(connection, question, now, by, costs=measure == "unit_cost")
    finer = Finer(connection, question, now, by, scopes) if measure == "unit_cost" else None
    told: list[tuple[Judged, VerdictRow]] = []
    for one in scopes:
        for resource, cells in _groups(one, "resource" in question.by, measure):
            found = judged(one, cells, finer) if cells else _measured(one, measure)
            if found is not None:
                cost = cost_of_stops(connection, question, by, found)
                if cost is not None:
                    found = replace(found, so_far=_money(cost), projected=_money(cost))
                told.append((found, _row(connection, question, by, found, resource, measure)))
    told = [(each, seasonal(connection, question, now, by, each, row)) for each, row in told]
    rows = [row for _, row in sorted(told, key=lambda pair: _rank(pair[1]))]
    page, cursor = one_page(rows, question)
    return Verdicts(**envelope(connection, question, now), next_cursor=cursor, measure=measure, rows=page)


def judged(one: Series, cells: tuple[Cause, ...], finer: Finer | None) -> Judged | None:
    """The verdict on some cells of a scope together; None where they never moved enough to matter."""
    values = one.unit_cost(cells)
    if not _matters(one, values):
        return None
    ties = finer.ties(one, cells) if finer is not None else ()
    found = kept_course(values, weekdays(one.days), ties)
    return Judged(one, cells, found, *_cost(one, found))


def _matters(one: Series, values: Array) -> bool:
    moved = float(np.abs(values - np.median(values)) @ one.units)
    return moved > NEGLIGIBLE * float(one.worth.sum()) and bool(np.ptp(values) > 1e-9)


def weekdays(days: Iterable[dt.date]) -> list[str]:
    """Their names, in English."""
    return [WEEKDAYS[day.weekday()] for day in days]


def _groups(one: Series, by_resource: bool, measure: str) -> list[tuple[str | None, tuple[Cause, ...]]]:
    """The cells that make one row each: by cause, or by resource and cause."""
    if measure != "unit_cost":
        return [(None, ())]
    if by_resource:
        return [(cell[0], (cell,)) for cell in sorted(one.excess)]
    causes = sorted({cause for _, cause in one.excess})
    return [(None, tuple(sorted(cell for cell in one.excess if cell[1] == cause))) for cause in causes]


def _measured(one: Series, measure: str) -> Judged | None:
    values = {
        "throughput": lambda: one.units / one.present_h,
        "yield": lambda: one.good / (one.good + one.scrap),
        "cycle": lambda: one.run_h / np.where(one.ideal_h > 0, one.ideal_h, 1.0) * one.ideal_s,
        "labour_hours": lambda: one.person_h / one.units,
    }[measure]()
    if measure == "cycle" and not (one.ideal_h > 0).all():
        return None
    return Judged(one, (), kept_course(values, weekdays(one.days), (), MORE_IS_WORSE[measure]), None, None)


def _cost(one: Series, found: Course) -> tuple[Decimal | None, Decimal | None]:
    """Extra cost since the onset, and with that to the end of the fiscal period of the last day known."""
    if found.since is None:
        return None, None
    past = float(np.array(found.excess) @ one.units) + _on_short_days(one, found)
    days = days_to_come(one)
    ahead = float(found.ahead(len(days), weekdays(days)).sum()) * units_a_day(one) if days else 0.0
    return _money(past), _money(past + ahead)


def _money(amount: float) -> Decimal:
    return shown(Decimal(repr(amount)))


def _on_short_days(one: Series, found: Course) -> float:
    """What a change cost on days that are too short to be told anything on (a Saturday morning): its size on
    the day before, on their units. What recurs is left out, since these days are of no season."""
    if found.tie is not None or found.since is None:
        return 0.0
    first, last = one.days[found.since], one.end if found.until is None else one.days[found.until]
    inside = ((day, units) for day, units in one.short.items() if first <= day <= last)
    return sum(found.added[bisect_right(one.days, day) - 1] * units for day, units in inside)


def usual_units(one: Series) -> float:
    """Equivalent units of a day on which the scope makes any."""
    return float(one.units[-USUAL_DAYS:].mean())


def units_a_day(one: Series) -> float:
    """Equivalent units of a scheduled day to come: what the last of them made in the mean, those included on
    which the scope made little or nothing (a product that is made once a week)."""
    worked, day = 0, one.end
    while worked < USUAL_DAYS and day > one.days[0]:
        day -= dt.timedelta(days=1)
        worked += is_worked(one, day)
    made = float(one.units[bisect_left(one.days, day) :].sum())
    made += sum(units for at, units in one.short.items() if at >= day)
    return made / worked if worked else usual_units(one)


def days_to_come(one: Series) -> list[dt.date]:
    """Scheduled production days after the last that is known, to the end of its fiscal period."""
    site, day = one.site, one.end
    last = site.day_start_us(day - dt.timedelta(days=1))
    period = next((each for each in site.periods if each.from_us <= last < each.to_us), None)
    found = []
    while period is not None and site.day_start_us(day) < period.to_us:
        if is_worked(one, day):
            found.append(day)
        day += dt.timedelta(days=1)
    return found


def is_worked(one: Series, day: dt.date) -> bool:
    """Whether the calendar has a shift on a production day."""
    book = one.site.book
    span = None if book is None else book.almanac.day_span(day)
    return book is not None and span is not None and book.scheduled_us(span.from_us, span.to_us) > 0


def _row(
    connection: Connection[Any],
    question: Question,
    by: Sequence[str],
    found: Judged,
    resource: str | None,
    measure: str,
) -> VerdictRow:
    one, told = found.series, found.course
    cause = found.cells[0][1] if found.cells else None
    since = _day(one, told.since)
    sign = None if told.size is None else told.size * MORE_IS_WORSE[measure]
    group: dict[str, Any] = dict(zip(by, one.key, strict=True))
    columns = {**group, **({} if resource is None else {"resource": resource})}
    return VerdictRow(
        **columns,
        scope=" · ".join(str(part) for part in one.key if part is not None) or one.site.name,
        cause=cause,
        verdict=told.verdict,  # type: ignore[arg-type]
        since=since,
        until=_day(one, told.until),
        tied_to=None if told.tie is None else f"{told.tie.kind} {told.tie.label}",
        size=measured(told.size),
        unit=f"{question.currency} {UNITS[measure]}" if measure == "unit_cost" else UNITS[measure],
        effect=None if sign is None else "worse" if sign > 0 else "better",
        level=measured(told.level),
        confidence=probability(told.confidence),
        so_far=found.so_far,
        projected=found.projected,
        observations=len(one.days),
        remarks=_remarks(told, len(one.days)),
        notes=notes_of(connection, question, one, group, found.cells, since),
        segments=_evidence(question, one, columns, cause, since),
    )


def _evidence(
    question: Question, one: Series, columns: Mapping[str, Any], cause: str | None, since: dt.date | None
) -> str:
    first = since or one.days[0]
    window = replace(
        question,
        sites=(one.site,),
        from_us=one.site.day_start_us(first),
        to_us=one.site.day_start_us(one.days[-1] + dt.timedelta(days=1)),
    )
    group = {**columns, "site": one.site.name, **({} if cause is None else {"cause": cause})}
    return evidence(window, tuple(group), tuple(group.values()))


def _remarks(told: Course, days: int) -> list[str]:
    if told.verdict == "undetermined" and told.since is None:
        return [f"{days} production days are too few to tell anything; it takes 12"]
    if told.verdict == "undetermined":
        return ["too early to tell a lasting change from a passing one"]
    return []


def _rank(row: VerdictRow) -> tuple[bool, Decimal, str, str, str]:
    quiet = row.verdict == "steady"
    return (quiet, -abs(row.projected or Decimal(0)), row.scope, str(row.cause), str(row.resource))


def _day(one: Series, at: int | None) -> dt.date | None:
    return None if at is None else one.days[at]
