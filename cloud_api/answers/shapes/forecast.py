"""Shapes of the forecast: what a period will have cost at its end, and what it will have made."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import Envelope, Money, Share, Time
from cloud_api.answers.shapes.verdicts import Verdict


class ForecastCause(Struct, frozen=True, kw_only=True):
    """One cause; `to_come` follows its verdict."""

    cause: str
    verdict: Verdict | None
    since: dt.date | None
    confidence: Share | None
    actual_to_date: Money
    to_come: Annotated[
        Money,
        Meta(
            description="By its verdict; of cause production what the others leave of the whole, since time "
            "that is lost does not produce."
        ),
    ]
    projected: Money
    extra_to_come: Annotated[
        Money, Meta(description="Of `to_come`, what the change that the verdict is about adds.")
    ]
    rule: Annotated[str, Meta(description="How it goes on, in words.")]


class LineOutput(Struct, frozen=True, kw_only=True):
    """Good units of a line in the horizon, counted where it ends."""

    site: str
    line: str
    made: Decimal
    projected: Decimal
    capacity_at_constraint: Annotated[
        Decimal | None,
        Meta(description="Made so far + what the slowest machine gives in the scheduled time left."),
    ]
    constraint: str | None


class Output(Struct, frozen=True, kw_only=True):
    """Good units in the horizon; planned by orders that end in it, else by the budget."""

    planned: Decimal | None
    projected: Decimal
    capacity_at_constraint: Decimal | None
    lines: list[LineOutput]


class OrderAtRisk(Struct, frozen=True, kw_only=True):
    """An order that is or will be late as things stand."""

    order: str
    product: str | None
    line: str | None
    machine: str | None
    planned: Decimal | None
    good: Decimal
    planned_end: Time | None
    completion: Time | None
    late_h: Decimal


class Forecast(Envelope, frozen=True, kw_only=True):
    """Where the period ends if each cause goes on as its verdict has it."""

    horizon: Literal["period", "quarter", "year"]
    period: Annotated[str, Meta(description="The fiscal period, or the first and last of it.")]
    period_from: Time
    period_to: Time
    working_days_left: Decimal
    actual_to_date: Money
    projected: Money
    p10: Annotated[
        Money,
        Meta(description="Four periods in five end within p10 and p90, with new changes as often as so far."),
    ]
    p90: Money
    budget: Annotated[Money | None, Meta(description="Null where budget.csv has nothing for it.")]
    by_cause: list[ForecastCause]
    output: Output
    orders_at_risk: list[OrderAtRisk]
    remarks: list[str]
