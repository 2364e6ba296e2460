"""Budget lines against the daily unit cost of their product on their machine, and the schedule against when
orders were done."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from psycopg import Connection

from cloud_api.answers.ledger import sums_of
from cloud_api.answers.orders import order_rows
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question, told
from cloud_api.answers.series import made_by_day
from cloud_api.answers.shapes.assumptions import AssumptionRow
from cloud_api.interpret.drift import Stake
from cloud_api.interpret.drift_watch import LEAST_REFERENCE, Stream, limits, watch
from cloud_api.interpret.money import shown
from cloud_api.interpret.rounding import measured
from cloud_api.store.times import to_us

if TYPE_CHECKING:
    from cloud_api.answers.assumptions import Frame

LEAST_OUTPUT = 0.3
"""Share of the median day's output below which a day tells nothing of unit cost."""


def budgeted(
    connection: Connection[Any], question: Question, site: Site, frame: Frame, now: dt.datetime
) -> Iterator[AssumptionRow]:
    """Budgeted unit cost of the month of the last day, by product and machine."""
    plant = site.plant
    month = (frame.end - dt.timedelta(days=1)).replace(day=1)
    lines = {
        (row.machine, row.product): row
        for row in (plant.budget if plant else ())
        if row.month == month and row.resource is None and row.unit_cost > 0
    }
    if not lines or question.withheld or plant is None:
        return
    narrow = replace(
        question,
        sites=(site,),
        from_us=site.day_start_us(frame.first),
        to_us=site.day_start_us(frame.end),
        basis="event",
    )
    good: dict[tuple[str, str | None], dict[dt.date, float]] = defaultdict(dict)
    for made in made_by_day(connection, narrow, site, (frame.first, frame.end)):
        own = good[made.machine, made.product]
        own[made.day] = own.get(made.day, 0.0) + made.good
    cost: dict[tuple[str, str | None], dict[dt.date, float]] = defaultdict(dict)
    for (machine, product, day), sum_ in sums_of(
        connection, narrow.grouped("machine", "product", "day")
    ).items():
        cost[machine, product][day] = float(sum_.amount)
    for (machine, product), line in sorted(lines.items()):
        units = good.get((machine, product), {})
        row = _budget_row(site, frame, line.unit_cost, machine, product, units, cost[machine, product])
        if row is not None:
            yield row


def _budget_row(
    site: Site,
    frame: Frame,
    assumed: Decimal,
    machine: str,
    product: str,
    units: dict[dt.date, float],
    cost: dict[dt.date, float],
) -> AssumptionRow | None:
    plant = site.plant
    usual = median([made for made in units.values() if made > 0] or [0.0])
    days = sorted(day for day, made in units.items() if made > LEAST_OUTPUT * usual and day in cost)
    if len(days) < LEAST_REFERENCE or plant is None:
        return None
    recent = sum(made for day, made in units.items() if day >= frame.recent_from) / frame.recent_days
    stream = Stream(
        times_us=tuple(site.day_start_us(day) for day in days),
        values=tuple(cost[day] / units[day] for day in days),
        assumed=(float(assumed),) * len(days),
    )
    stake = Stake(
        per_unit_day=Decimal(repr(recent)),
        period_end_us=frame.period_to_us,
        standard_cost=assumed * Decimal(repr(recent)) * frame.period_days,
        amount=plant.materiality_amount or Decimal(0),
        share=plant.materiality_share or Decimal(0),
    )
    standing = watch(stream, stake, limits([stream], (frame.end - frame.first).days)[0])
    said = standing.assessment
    since = None if said.since is None else days[said.since]
    return AssumptionRow(
        id=f"{site.name}:budget:{machine}:{product}",
        site=site.name,
        assumption="budget",
        product=product,
        machine=machine,
        item=f"{days[-1]:%Y-%m}",
        status=said.status,  # type: ignore[arg-type]
        assumed=measured(assumed),
        observed=measured(said.observed),
        unit=f"{site.currency} per good unit",
        since=since,
        cost_per_day=shown(said.cost_per_day),
        projected=shown(said.cost_to_period_end),
        observations=len(days),
        sigma=measured(standing.sigma),
        limit=measured(standing.limit),
        proposed=None,
        history=[],
        evidence=_evidence("/v1/costs", site, frame, since, machine=machine, product=product, by="cause"),
    )


def scheduled(
    connection: Connection[Any], question: Question, site: Site, frame: Frame, now: dt.datetime
) -> Iterator[AssumptionRow]:
    """Lateness of the orders done, by the machine where they are counted: assumed is none. It costs nothing
    by itself, so that it is never more than `watch`."""
    plant = site.plant
    if plant is None or not plant.orders:
        return
    narrow = replace(
        question, sites=(site,), from_us=site.day_start_us(frame.recent_from), to_us=min(
            to_us(now), site.day_start_us(frame.end)
        ), options={},
    )  # fmt: skip
    late: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in order_rows(connection, narrow, now, now, False):
        if row.state == "done" and row.machine and row.late_h is not None and row.planned_end is not None:
            late[row.machine].append((to_us(row.planned_end), float(row.late_h)))
    for machine, told_late in sorted(late.items()):
        told_late.sort()
        if len(told_late) < LEAST_REFERENCE:
            continue
        stream = Stream(
            times_us=tuple(at for at, _ in told_late),
            values=tuple(hours for _, hours in told_late),
            assumed=(0.0,) * len(told_late),
        )
        stake = Stake(
            per_unit_day=Decimal(0),
            period_end_us=frame.period_to_us,
            standard_cost=Decimal(0),
            amount=Decimal(1),
            share=Decimal(0),
        )
        standing = watch(stream, stake, limits([stream], frame.recent_days)[0])
        said = standing.assessment
        since = None if said.since is None else site.day_of(stream.times_us[said.since])
        yield AssumptionRow(
            id=f"{site.name}:schedule:{machine}",
            site=site.name,
            assumption="schedule",
            product=None,
            machine=machine,
            item=None,
            status=said.status,  # type: ignore[arg-type]
            assumed=measured(0),
            observed=measured(said.observed),
            unit="h late per order",
            since=since,
            cost_per_day=shown(Decimal(0)),
            projected=shown(Decimal(0)),
            observations=len(told_late),
            sigma=measured(standing.sigma),
            limit=measured(standing.limit),
            proposed=None,
            history=[],
            evidence=_evidence("/v1/orders", site, frame, since, machine=machine),
        )


def _evidence(path: str, site: Site, frame: Frame, since: dt.date | None, **more: str) -> str:
    parameters = {
        "from": told(site.day_start_us(since or frame.recent_from)) or "",
        "to": told(site.day_start_us(frame.end)) or "",
        "site": site.name,
        **more,
    }
    return f"{path}?{urlencode(parameters)}"
