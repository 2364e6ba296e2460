"""Output to come: what lines make as they do now, what their slowest machine could, what the plan needs, and
which orders are late."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.orders import order_rows
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question
from cloud_api.answers.series import Cards, Made, made_by_day
from cloud_api.answers.shapes.forecast import LineOutput, OrderAtRisk
from cloud_api.answers.shapes.orders import OrderRow
from cloud_api.answers.standing import data_spans
from cloud_api.store.times import to_us
from shared.units import HOUR_US

RECENT = dt.timedelta(days=28)
UNITS = Decimal("0.01")
NEARLY = Decimal("0.95")
"""Share of its plan with which an order past its end counts as closed."""
ZERO = Decimal(0)


@dataclass(slots=True)
class _Pace:
    """What a machine did of late."""

    good: float = 0.0
    present_h: float = 0.0
    slack_h: float = 0.0

    def rate(self) -> float | None:
        """Good units per scheduled hour without waiting and idleness: what it can give as it is now."""
        hours = self.present_h - self.slack_h
        return self.good / hours if hours > 0 and self.good > 0 else None


def output_of(
    connection: Connection[Any],
    question: Question,
    now: dt.datetime,
    from_us_: int,
    now_us: int,
    end_us: int,
) -> list[LineOutput]:
    """Output of each line in [from_us_, end_us): made, expected at the recent pace per scheduled hour, and at
    the pace of the machine that can give least."""
    found: list[LineOutput] = []
    for site in question.sites:
        if site.book is None or now_us <= from_us_:
            continue
        today = site.day_of(now_us - 1) + dt.timedelta(days=1)
        first = site.day_of(from_us_)
        rows = made_by_day(connection, question, site, (min(first, today - RECENT), today))
        cards = Cards(site.book, today - dt.timedelta(days=1), question)
        left = site.book.scheduled_us(now_us, end_us) / HOUR_US
        spans = data_spans(connection, [machine.machine_id for machine in site.machines])
        since = max(site.day_start_us(today - RECENT), to_us(min((one for one, _ in spans), default=now)))
        lines: dict[str, list[Made]] = defaultdict(list)
        for row in rows:
            lines[row.line].append(row)
        found += [
            _line(site, line, own, cards, (first, today - RECENT), left, (since, now_us))
            for line, own in sorted(lines.items())
        ]
    return found


def _line(
    site: Site,
    line: str,
    rows: Sequence[Made],
    cards: Cards,
    since: tuple[dt.date, dt.date],
    left_h: float,
    past: tuple[int, int],
) -> LineOutput:
    machines = frozenset(row.machine for row in rows)
    first, recent = since
    made = lately = 0.0
    paces: dict[str, _Pace] = defaultdict(_Pace)
    for row in rows:
        if cards.counts(row.line, row.product, machines) == row.machine:
            made += row.good if row.day >= first else 0.0
            lately += row.good if row.day >= recent else 0.0
        if row.day >= recent:
            pace = paces[row.machine]
            pace.good += row.good
            pace.present_h += row.present_h
            pace.slack_h += row.slack_h
    begun = min((row.day for row in rows if row.day >= recent), default=recent)
    known_h = 0.0
    if site.book is not None:
        known_h = site.book.scheduled_us(max(past[0], site.day_start_us(begun)), past[1]) / HOUR_US
    rates = {name: rate for name, pace in sorted(paces.items()) if (rate := pace.rate()) is not None}
    slowest = min(rates, key=lambda name: (rates[name], name), default=None)
    return LineOutput(
        site=site.name,
        line=line,
        made=_units(made),
        projected=_units(made + (lately / known_h * left_h if known_h > 0 else 0.0)),
        capacity_at_constraint=None if slowest is None else _units(made + rates[slowest] * left_h),
        constraint=slowest,
    )


def planned_units(question: Question, budgeted: Decimal | None) -> Decimal | None:
    """Units of orders whose planned end lies in the window; where there are none, those of the budget."""
    planned: Decimal | None = None
    machines = {(machine.site, machine.name) for machine in question.machines}
    products = question.names("product")
    for site in question.sites:
        latest = {row.order: row for row in (site.plant.orders if site.plant else ())}
        for row in latest.values():
            inside = (question.from_us or 0) <= to_us(row.planned_end) < (question.to_us or 0)
            if (
                inside
                and (site.name, row.machine) in machines
                and (products is None or row.product in products)
            ):
                planned = (planned or ZERO) + row.quantity
    return planned if planned is not None else budgeted


def at_risk(
    connection: Connection[Any], question: Question, now: dt.datetime, through: dt.datetime
) -> list[OrderAtRisk]:
    """Orders that are not done and are or will be late, the latest first."""
    asked = replace(question, options={})
    return sorted(
        (
            OrderAtRisk(
                order=row.order,
                product=row.product,
                line=row.line,
                machine=row.machine,
                planned=row.planned,
                good=row.good,
                planned_end=row.planned_end,
                completion=row.completion,
                late_h=row.late_h,
            )
            for row in order_rows(connection, asked, now, through, False)
            if row.state != "done" and row.late_h is not None and row.late_h > 0 and not _short(row, through)
        ),
        key=lambda row: (-row.late_h, row.order),
    )


def _short(row: OrderRow, through: dt.datetime) -> bool:
    """Whether an order was closed a little short: past its end with nearly all of it made."""
    past = row.planned_end is not None and row.planned_end < through
    return past and row.planned is not None and row.good >= NEARLY * row.planned


def _units(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(UNITS)
