"""Orders as they leave the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import Envelope, Money, Time

State = Literal["planned", "begun", "done", "left"]


class OrderRow(Struct, frozen=True, kw_only=True):
    """One order from its first minute to the end of the window, whenever the window begins."""

    site: str
    order: str
    product: Annotated[str | None, Meta(description="As planned, else what it made most of.")]
    line: str | None
    machine: Annotated[str | None, Meta(description="Where its units are counted.")]
    state: Annotated[
        State,
        Meta(
            description="done: the planned units were made; left: its machine went on to another order a day "
            "ago or longer, and it lacks units."
        ),
    ]
    planned: Annotated[Decimal | None, Meta(description="Units; null where no plan names the order.")]
    good: Decimal
    standard_cost: Annotated[Money | None, Meta(description="good x standard unit cost.")]
    actual_to_date: Annotated[Money | None, Meta(description="All entries with the order.")]
    variance: Annotated[Money | None, Meta(description="actual_to_date - standard_cost.")]
    estimate_at_completion: Annotated[
        Money | None,
        Meta(
            description="actual_to_date + units still to make x unit cost so far (standard before the first "
            "20 units); null where neither is known, or no plan names the order."
        ),
    ]
    sales_price: Annotated[Money | None, Meta(description="List price of a unit at the planned end.")]
    margin: Annotated[Money | None, Meta(description="planned x sales_price - estimate_at_completion.")]
    planned_margin: Annotated[Money | None, Meta(description="planned x (sales_price - standard unit cost).")]
    planned_start: Time | None
    planned_end: Time | None
    completion: Annotated[
        Time | None,
        Meta(
            description="When good reached planned, or the order was left; else the forecast; see `forecast`."
        ),
    ]
    forecast: Annotated[bool, Meta(description="Whether `completion` is still to come.")]
    late_h: Annotated[
        Decimal | None,
        Meta(
            description="max(0, completion - planned_end) in hours; without a forecast what is late by now."
        ),
    ]
    segments: Annotated[str, Meta(description="Address of its segments.")]
    variances: Annotated[str, Meta(description="Address of its variances by cause.")]


class Orders(Envelope, frozen=True, kw_only=True):
    """Orders that were worked on, or planned, in the window; by planned end."""

    rows: list[OrderRow]
