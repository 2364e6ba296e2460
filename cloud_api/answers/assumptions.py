"""What is breaking right now: every number that finance relies on, held against what the plant did.

Standards are watched per machine and product (`assumptions_streams`), prices, budget and schedule besides
(`assumptions_prices`, `assumptions_plans`); all share one budget of false alarms.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import UNSET
from psycopg import Connection

from cloud_api.answers.assumptions_plans import budgeted, scheduled
from cloud_api.answers.assumptions_prices import prices
from cloud_api.answers.assumptions_streams import Watched, per_day, rows_of, watched
from cloud_api.answers.envelope import envelope
from cloud_api.answers.memory import remembered
from cloud_api.answers.options import Option
from cloud_api.answers.paging import one_page
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question, told
from cloud_api.answers.shapes.assumptions import AssumptionRow, Assumptions, Observation, Proposed, Spell
from cloud_api.answers.standing import data_spans
from cloud_api.interpret.allowance import allowance, unit_cost
from cloud_api.interpret.drift import Stake, cusum
from cloud_api.interpret.drift_watch import Standing, Stream, limits, watch
from cloud_api.interpret.money import exactly, shown
from cloud_api.interpret.rare_stops import level
from cloud_api.interpret.rounding import measured
from cloud_api.store.times import from_us, to_us
from shared.units import DAY_US

OPTIONS = (
    Option("assumption", "Only this kind: cycle, scrap, price, budget, ...", "text", example="cycle"),
    Option("status", "Only these.", "word", ("holding", "watch", "broken")),
    Option("series", "Whether each row tells its observations and sums.", "word", ("yes", "no"), "no"),
)
BACK = dt.timedelta(days=91)
RECENT = dt.timedelta(days=28)
"""Production days whose output is the present rate."""
ORDER = ("broken", "watch", "holding")


@dataclass(frozen=True, slots=True)
class Frame:
    """The days that are looked at, [first, end), and the fiscal period at their end."""

    first: dt.date
    end: dt.date
    period_from_us: int
    period_to_us: int

    @property
    def recent_from(self) -> dt.date:
        """First day of those whose output is the present rate."""
        return max(self.first, self.end - RECENT)

    @property
    def recent_days(self) -> int:
        """Calendar days of the present rate."""
        return max(1, (self.end - self.recent_from).days)

    @property
    def period_days(self) -> Decimal:
        """Length of the fiscal period."""
        return Decimal(self.period_to_us - self.period_from_us) / DAY_US


def assumptions(
    connection: Connection[Any], question: Question, sees_money: bool, now: dt.datetime
) -> Assumptions:
    """Every assumption of the machines asked for: broken ones first, dearest first."""
    rows = found(connection, question, now, question.options.get("series") == "yes")
    kind, status = question.options.get("assumption"), question.options.get("status")
    kept = [
        row
        for row in rows
        if (kind is None or row.assumption == kind) and (status is None or row.status == status)
    ]
    kept.sort(key=lambda row: (ORDER.index(row.status), -row.projected, row.id))
    page, cursor = one_page(kept, question)
    return Assumptions(**envelope(connection, question, now), next_cursor=cursor, rows=page)


@remembered
@remembered
def standing(
    connection: Connection[Any], question: Question, sees_money: bool, now: dt.datetime
) -> Assumptions:
    """The assumptions as they stand at the end of a window, watched from as far back as ever."""
    asked = replace(question.with_options({}), from_us=None, period=None)
    return assumptions(connection, asked, sees_money, now)


@exactly
def found(
    connection: Connection[Any], question: Question, now: dt.datetime, series: bool = False
) -> Sequence[AssumptionRow]:
    """The rows of all sites of a question, in no order; with their observations and sums where `series`."""
    rows: list[AssumptionRow] = []
    for site in question.sites:
        frame = frame_of(connection, question, site, now)
        if site.book is None or frame is None:
            continue
        own = list(watched_at(connection, question, site, frame))
        heights = limits([each.stream for each in own], (frame.end - frame.first).days)
        rows += [
            _row(frame, each, watch(each.stream, _stake(question, frame, each), limit), series)
            for each, limit in zip(own, heights, strict=True)
        ]
        rows += prices(connection, question, site, frame)
        rows += budgeted(connection, question, site, frame, now)
        rows += scheduled(connection, question, site, frame, now)
    return rows


def watched_at(
    connection: Connection[Any], question: Question, site: Site, frame: Frame
) -> Iterator[Watched]:
    """The streams of standards that a question may see."""
    assert site.book is not None
    rows = rows_of(connection, question, site, frame.first, frame.end)
    yield from watched(site, site.book, rows, frame.recent_from)


def frame_of(connection: Connection[Any], question: Question, site: Site, now: dt.datetime) -> Frame | None:
    """The days to look at: up to the window's end or the present, back 13 weeks or to the window's start."""
    if site.book is None:
        return None
    until = min(to_us(now), to_us(now) if question.to_us is None else question.to_us)
    end = site.day_of(until - 1) + dt.timedelta(days=1)
    first = end - BACK
    ids = [machine.machine_id for machine in question.machines if machine.site == site.name]
    firsts = [to_us(begun) for begun, _ in data_spans(connection, ids)]
    first = max(first, site.day_of(min(firsts))) if firsts else first
    if question.from_us is not None:
        first = min(end, site.day_of(question.from_us))
    period = next((one for one in site.periods if one.from_us < until <= one.to_us), None)
    span = (site.day_start_us(first), until) if period is None else (period.from_us, period.to_us)
    return Frame(first, end, *span)


def _stake(question: Question, frame: Frame, each: Watched) -> Stake:
    """What a deviation of one unit costs a calendar day, and what is material."""
    book, plant = each.site.book, each.site.plant
    assert book is not None
    assert plant is not None
    date = frame.end - dt.timedelta(days=1)
    rate, tariff = book.rate(each.machine, date, "post"), book.tariff(date, "post")
    wage = None if "labour" in question.withheld else book.wage(each.machine, None, date, "post")
    standard = each.standard
    hourly = float(rate.standard if rate else 0) + float(
        (standard.crew or 0) * (wage.standard if wage else 0)
    )
    per_kwh = float(tariff.standard) if tariff else 0.0
    material = sum(
        float(quantity) * float(price.standard)
        for item, quantity in book.bill(each.machine, each.product, date, "post").items()
        if (price := book.price(item, date, "post")) is not None
    )
    one_unit = float(standard.ideal_cycle_s) / 3600 * hourly + float(standard.energy_kwh) * per_kwh
    day = per_day(each.recent, frame.recent_days)
    passes = day["good"] + day["scrap"] + day["rework"]
    tried = day["good"] + day["scrap"]
    availability = float(standard.availability)
    cost = {
        "cycle": passes / 3600 * hourly,
        "scrap": tried * (one_unit + material),
        "rework": tried * one_unit,
        "availability": -day["run_h"] / availability**2 * hourly,
        "crew": (day["run_h"] + day["changeover_h"]) * float(wage.standard if wage else 0),
        "changeover": day["changeovers"] / 60 * hourly,
        "energy": passes * per_kwh,
    }[each.kind.name]
    allowed = allowance(book, each.machine, each.product, None, date, "post")
    whole = unit_cost({cell: amount for cell, amount in allowed.items() if cell[0] not in question.withheld})
    return Stake(
        per_unit_day=Decimal(repr(cost)),
        period_end_us=frame.period_to_us,
        standard_cost=whole * Decimal(repr(day["good"])) * frame.period_days,
        amount=plant.materiality_amount or Decimal(0),
        share=plant.materiality_share or Decimal(0),
    )


def _row(frame: Frame, each: Watched, standing: Standing, series: bool) -> AssumptionRow:
    said = standing.assessment
    since = None if said.since is None else each.days[said.since]
    moved = None if standing.moved is None else each.days[standing.moved]
    id_ = f"{each.site.name}:{each.kind.name}:{each.machine}:{each.product}"
    better = standing.proposal
    return AssumptionRow(
        id=id_,
        site=each.site.name,
        assumption=each.kind.name,
        product=each.product,
        machine=each.machine,
        item=None,
        status=said.status,  # type: ignore[arg-type]
        assumed=measured(said.assumed),
        observed=measured(said.observed),
        unit=each.kind.unit,
        since=since,
        moved=moved,
        cost_per_day=shown(said.cost_per_day),
        projected=shown(said.cost_to_period_end),
        observations=len(each.days),
        sigma=measured(standing.sigma),
        limit=measured(standing.limit),
        proposed=None
        if better is None or since is None
        else Proposed(
            value=measured(better.value),
            error=measured(better.error),
            observations=better.observations,
            from_=max(moved or since, each.standard.effective_from),
            accept=f"/v1/assumptions/{quote(id_, safe=':')}/accept",
        ),
        history=_history(each, standing),
        series=_series(each.stream, standing) if series else UNSET,
        evidence=_evidence(each, frame, since),
    )


def _history(each: Watched, standing: Standing) -> list[Spell]:
    """The spells so far, against what is assumed now."""
    values = each.stream.against_last()
    last = each.stream.assumed[-1]
    return [
        Spell(
            since=each.days[spell.onset],
            noticed=each.days[spell.alarm],
            until=None if spell.end is None else each.days[spell.end],
            observed=measured(
                level(values[spell.onset : (spell.end or len(values) - 1) + 1], each.stream.stops)
            ),
            assumed=measured(last),
        )
        for spell in standing.assessment.history
    ]


def _series(stream: Stream, standing: Standing) -> list[Observation]:
    values, last = stream.against_last(), stream.assumed[-1]
    points = cusum(values, last, 0.5 * standing.sigma, standing.limit * standing.sigma)
    return [
        Observation(
            time=from_us(time_us), value=measured(value), assumed=measured(then), high=measured(point.high),
            low=measured(point.low),
        )
        for time_us, value, then, point in zip(
            stream.times_us, stream.values, stream.assumed, points, strict=True
        )
    ]  # fmt: skip


def _evidence(each: Watched, frame: Frame, since: dt.date | None) -> str:
    site = each.site
    parameters = {
        "from": told(site.day_start_us(since or frame.recent_from)) or "",
        "to": told(site.day_start_us(frame.end)) or "",
        "site": site.name,
        "machine": each.machine,
        "product": each.product,
    }
    return f"/v1/segments?{urlencode(parameters)}"


def named(rows: Sequence[AssumptionRow], id_: str) -> AssumptionRow | None:
    """The row of an id."""
    return next((row for row in rows if row.id == id_), None)
