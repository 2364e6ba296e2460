"""Where the period ends: cost to date and to come by cause, output against plan and constraint, late orders.

Days to come are the production days that the calendar has a shift on, by their scheduled hours. Cost to date
is the ledger's, exact; cost to come is a statistic (`interpret.forecast`): that of the whole is told on the
whole, and what its causes leave of it is production, since time that is lost does not produce.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection

from cloud_api.answers.bridge_budget import budget_of
from cloud_api.answers.envelope import envelope
from cloud_api.answers.forecast_output import at_risk, output_of, planned_units
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.options import Option
from cloud_api.answers.places import Period, Site
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.answers.series import Cause, Series, series_of
from cloud_api.answers.shapes.forecast import Forecast, ForecastCause, Output
from cloud_api.answers.standing import data_spans
from cloud_api.answers.verdicts import judged, usual_units, weekdays
from cloud_api.interpret.forecast import Change, ahead, changes_of, outlook, range_of
from cloud_api.interpret.money import exactly, shown, whole_and_parts
from cloud_api.interpret.persistence import LEAST
from cloud_api.interpret.persistence_course import Course, course
from cloud_api.interpret.rounding import probability
from cloud_api.store.times import from_us, to_us
from shared.units import HOUR_US

HORIZONS = {"period": 1, "quarter": 3, "year": 12}
OPTIONS = (
    Option(
        "horizon", "Up to the end of the fiscal period, quarter or year.", "word", tuple(HORIZONS), "period"
    ),
)
RULES = {
    "structural": "stays at its new level",
    "drift": "goes on moving as it did",
    "temporary": "fades or is over; the level before comes back",
    "isolated": "does not come again",
    "recurring": "comes again as often as it did",
    "undetermined": "counts by the odds that it lasts",
    "steady": "goes on as it was",
}
OLD = dt.timedelta(days=1)
PRODUCTION = "production"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Horizon:
    """[from_us, to_us) of fiscal periods, what they are called, and the present in it."""

    name: str
    from_us: int
    to_us: int
    now_us: int


@dataclass(slots=True)
class Ahead:
    """What one site adds: cost to date and to come by cause, and the deviations of the sum to come."""

    to_date: dict[str, Decimal] = field(default_factory=dict)
    to_come: dict[str, float] = field(default_factory=dict)
    extra: dict[str, float] = field(default_factory=dict)
    courses: dict[str, tuple[Course, Series]] = field(default_factory=dict)
    deviations: list[float] = field(default_factory=list)
    days: float = 0.0
    remarks: list[str] = field(default_factory=list)


@exactly
def forecast(connection: Connection[Any], question: Question, sees_money: bool, now: dt.datetime) -> Forecast:
    """The forecast of the machines asked for. Raises QuestionError where sites with other fiscal periods are
    asked for together, or none has a plant model."""
    horizon_ = question.options.get("horizon", "period")
    about = envelope(connection, question, now)
    through = _present(connection, question, now)
    horizon = _horizon(question, HORIZONS[horizon_], to_us(through))
    parts = [
        _ahead(connection, replace(question, sites=(site,)), site, horizon, now)
        for site in question.sites
        if site.book is not None
    ]
    whole, by_cause = _by_cause(parts)
    to_date = sum((amount for part in parts for amount in part.to_date.values()), ZERO)
    expected = sum(sum(part.to_come.values()) for part in parts)
    reach = range_of(expected, [each for part in parts for each in part.deviations])
    asked = replace(question, from_us=horizon.from_us, to_us=horizon.to_us)
    budget, budgeted = _budget(asked)
    lines = output_of(connection, question, now, horizon.from_us, horizon.now_us, horizon.to_us)
    planned = planned_units(asked, budgeted)
    capacity = [line.capacity_at_constraint for line in lines if line.capacity_at_constraint is not None]
    return Forecast(
        **about,
        horizon=horizon_,  # type: ignore[arg-type]
        period=horizon.name,
        period_from=from_us(horizon.from_us),
        period_to=from_us(horizon.to_us),
        working_days_left=Decimal(repr(max((part.days for part in parts), default=0.0))).quantize(
            Decimal("0.01")
        ),
        actual_to_date=shown(to_date),
        projected=whole,
        p10=_quantile(whole, expected, reach.p10),
        p90=_quantile(whole, expected, reach.p90),
        budget=budget,
        by_cause=by_cause,
        output=Output(
            planned=planned,
            projected=sum((line.projected for line in lines), ZERO),
            capacity_at_constraint=sum(capacity, ZERO) if capacity else None,
            lines=lines,
        ),
        orders_at_risk=at_risk(connection, asked, now, through),
        remarks=[remark for part in parts for remark in part.remarks],
    )


def _present(connection: Connection[Any], question: Question, now: dt.datetime) -> dt.datetime:
    """Where what is known ends and what is to come begins: now, or the last data where that is older than a
    day, so that a history is forecast from its own end."""
    ids = [machine.machine_id for machine in question.machines]
    lasts = [last for _, last in data_spans(connection, ids)]
    last = max(lasts, default=now)
    return last if now - last > OLD else now


def _quantile(whole: Decimal, expected: float, at: float) -> Decimal:
    return shown(whole + Decimal(repr(at - expected)))


def _horizon(question: Question, count: int, now_us: int) -> Horizon:
    spans = {
        _periods(site, count, now_us) for site in question.sites if site.book is not None and site.periods
    }
    if len(spans) != 1:
        message = (
            "the sites have different fiscal periods; name one" if spans else "no site has a plant model"
        )
        raise QuestionError([Mistake("site", message)])
    name, first, end = spans.pop()
    return Horizon(name, first, end, min(max(now_us, first), end))


def _periods(site: Site, count: int, now_us: int) -> tuple[str, int, int]:
    """Name and span of the period, quarter or year that the present lies in."""
    periods = site.periods
    at = next(
        (place for place, one in enumerate(periods) if one.from_us <= now_us < one.to_us), len(periods) - 1
    )
    anchor = _year_start(site, periods)
    first = at - (at - anchor) % count
    chosen = periods[max(0, first) : first + count]
    name = chosen[0].name if len(chosen) == 1 else f"{chosen[0].name} to {chosen[-1].name}"
    return name, chosen[0].from_us, chosen[-1].to_us


def _year_start(site: Site, periods: Sequence[Period]) -> int:
    """The place of a period with which a fiscal year begins."""
    start = site.plant.fiscal_year_start if site.plant is not None else None
    for place, one in enumerate(periods):
        day = site.day_of(one.from_us)
        if day == start or (start is None and day.month == 1 and day.day <= 7):
            return place
    return 0


def _ahead(
    connection: Connection[Any], question: Question, site: Site, horizon: Horizon, now: dt.datetime
) -> Ahead:
    part = Ahead()
    told = replace(question, from_us=horizon.from_us, to_us=horizon.now_us)
    if horizon.now_us > horizon.from_us:
        sums = sums_of(connection, told.grouped("cause"))
        part.to_date = {key[0]: sum_.amount for key, sum_ in sums.items()}
    before = replace(question, from_us=None, to_us=horizon.now_us)
    found = series_of(connection, before, now, ("site",))
    days = days_left(site, horizon.now_us, horizon.to_us)
    part.days = sum(days.values())
    if not found:
        part.remarks.append(f"{site.name}: no production day is known, nothing is expected of those to come")
        return part
    (one,) = found
    _go_on(part, one, days)
    return part


def _go_on(part: Ahead, one: Series, days: Mapping[dt.date, float]) -> None:
    """Each cause of a series over the days to come, and the whole."""
    known, units = _hours(one.site, one.days), usual_units(one)
    usual = float(known.mean()) or 1.0
    hours, to_come = known / usual, _hours(one.site, days) * np.array(list(days.values())) / usual
    labels = weekdays([*one.days, *days])
    cells: dict[str, list[Cause]] = defaultdict(list)
    for cell in sorted(one.excess):
        cells[cell[1]].append(cell)
    whole, all_changes = np.zeros(len(one.days)), list[Change]()
    for cause, own in cells.items():
        values = one.unit_cost(own)
        whole = whole + values * one.units
        found = judged(one, tuple(own), None)
        told = found.course if found is not None else _flat(float(values.mean()), len(values))
        changes = changes_of(told, units)
        all_changes += changes
        part.courses[cause] = (told, one)
        part.to_come[cause] = ahead(values * one.units, hours, to_come, labels, changes)
        part.extra[cause] = float(told.ahead(len(days), labels[len(one.days) :]) @ to_come) * units
    found_whole = outlook(whole, hours, to_come, labels, all_changes)
    part.deviations.append(found_whole.deviation)
    if part.to_come:
        made = (
            PRODUCTION
            if PRODUCTION in part.to_come
            else max(part.to_come, key=lambda each: part.to_come[each])
        )
        part.to_come[made] += found_whole.expected - math.fsum(part.to_come.values())
    if len(one.days) < LEAST:
        part.remarks.append(f"only {len(one.days)} production days are known; the range is a guess")


def _hours(site: Site, days: Iterable[dt.date]) -> NDArray[np.float64]:
    """Scheduled hours of production days."""
    assert site.book is not None
    spans = [site.book.almanac.day_span(day) for day in days]
    return np.array([site.book.scheduled_us(span.from_us, span.to_us) / HOUR_US for span in spans])


def _flat(level: float, count: int) -> Course:
    return course([level] * count, [""] * count) if count else course([], [])


def days_left(site: Site, now_us: int, end_us: int) -> dict[dt.date, float]:
    """Production days to come that the calendar has a shift on, with the share of each that is to come."""
    book = site.book
    assert book is not None
    found: dict[dt.date, float] = {}
    day = site.day_of(now_us)
    while site.day_start_us(day) < end_us:
        span = book.almanac.day_span(day)
        whole = book.scheduled_us(span.from_us, span.to_us)
        left = book.scheduled_us(max(span.from_us, now_us), span.to_us)
        if left:
            found[day] = left / whole
        day += dt.timedelta(days=1)
    return found


def _by_cause(parts: Sequence[Ahead]) -> tuple[Decimal, list[ForecastCause]]:
    causes = sorted({cause for part in parts for cause in (*part.to_date, *part.to_come)})
    dates = [sum((part.to_date.get(cause, ZERO) for part in parts), ZERO) for cause in causes]
    comes = [Decimal(repr(math.fsum(part.to_come.get(cause, 0.0) for part in parts))) for cause in causes]
    whole, projected = whole_and_parts([one + other for one, other in zip(dates, comes, strict=True)])
    _, told_dates = whole_and_parts(dates)
    rows = []
    for cause, date, total in zip(causes, told_dates, projected, strict=True):
        known = [part.courses[cause] for part in parts if cause in part.courses]
        told, one = max(known, key=lambda pair: abs(pair[0].size or 0.0), default=(None, None))
        extra = math.fsum(part.extra.get(cause, 0.0) for part in parts)
        rows.append(
            ForecastCause(
                cause=cause,
                verdict=None if told is None else told.verdict,  # type: ignore[arg-type]
                since=None if told is None or told.since is None or one is None else one.days[told.since],
                confidence=None if told is None else probability(told.confidence),
                actual_to_date=date,
                to_come=total - date,
                projected=total,
                extra_to_come=shown(Decimal(repr(extra))),
                rule="came on no usual day, is not expected" if told is None else RULES[told.verdict],
            )
        )
    rows.sort(key=lambda row: (-abs(row.projected), row.cause))
    return whole, rows


def _budget(question: Question) -> tuple[Decimal | None, Decimal | None]:
    """Budgeted cost and units of the horizon; None where there is no budget for it."""
    try:
        told = budget_of(question, ())
    except QuestionError:
        return None, None
    cost = sum(told.cost.values(), ZERO) + sum(told.fixed.values(), ZERO)
    return shown(cost), sum(told.units.values(), ZERO)
