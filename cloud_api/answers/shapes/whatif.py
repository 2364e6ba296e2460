"""Shapes of what-if: the same ledger, had a product run otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

from cloud_api.answers.shapes.ledger import Envelope, Money, Share


class WhatIfBody(Struct, frozen=True, kw_only=True):
    """What to try. What is absent stays as it is."""

    from_: Annotated[str, Meta(description="First day or time of the window to try it on.")] = field(
        name="from"
    )
    to: Annotated[str, Meta(description="Its end, exclusive.")]
    machine: str
    product: str
    site: str | None = None
    cycle_s: Annotated[Decimal | None, Meta(description="Ideal cycle, seconds.")] = None
    yield_: Annotated[Decimal | None, Meta(description="good / (good + scrap), above 0 to 1.")] = field(
        name="yield", default=None
    )
    crew: Annotated[Decimal | None, Meta(description="People.")] = None
    lot_size: Annotated[Decimal | None, Meta(description="Good units to a changeover.")] = None
    price: Annotated[Decimal | None, Meta(description="Sales price of a unit.")] = None
    relief_h: Annotated[Decimal | None, Meta(description="Hours a year more at the constraint.")] = None
    investment: Annotated[Decimal | None, Meta(description="What it takes, once.")] = None
    years: Annotated[Decimal | None, Meta(description="Years that it lasts, for the net present value.")] = (
        None
    )
    rate: Annotated[Decimal | None, Meta(description="Interest a year; 0.08 is 8 %.")] = None


class WhatIfFigures(Struct, frozen=True, kw_only=True):
    """The figures of the product and of its line, as they were or would have been."""

    unit_cost: Annotated[Money, Meta(description="Cost of the product / good units; no machine waiting.")]
    variable_unit_cost: Annotated[
        Money, Meta(description="Material, energy in running and charges; labour where it is variable.")
    ]
    price: Annotated[Money | None, Meta(description="List price; null without one.")]
    margin: Annotated[Money | None, Meta(description="price - unit_cost.")]
    price_floor: Annotated[
        Money,
        Meta(
            description="Below it the plant earns more without it: variable unit cost, and where the "
            "constraint is full what its time at the constraint earns with the other products."
        ),
    ]
    constraint: Annotated[str | None, Meta(description="The machine of the line that is busiest.")]
    load: Annotated[Share | None, Meta(description="Its busy hours / its scheduled hours but planned stops.")]
    next_constraint: Annotated[str | None, Meta(description="The one after it.")]
    contribution_per_constraint_hour: Annotated[
        Money | None, Meta(description="(price - variable unit cost) x good units / busy hours there.")
    ]
    yield_: Annotated[Share | None, Meta(description="On the machine.")] = field(name="yield")
    cycle_s: Decimal
    crew: Annotated[Decimal, Meta(description="Mean people at the machine.")]
    lot_size: Annotated[Decimal | None, Meta(description="Good units to a changeover.")]


class WhatIfRow(Struct, frozen=True, kw_only=True):
    """A cell of the ledger, as it was and would have been, over the window."""

    machine: str | None
    resource: str
    cause: str
    now: Money
    then: Money


class YearlyItem(Struct, frozen=True, kw_only=True):
    """A part of the yearly value."""

    item: Annotated[str, Meta(description="price, variable_cost, constraint_hours.")]
    amount: Money
    said: Annotated[str, Meta(description="How it is made.")]


class WhatIfChange(Struct, frozen=True, kw_only=True):
    """What one change does among those tried: its Shapley value, whatever the order of telling."""

    change: Annotated[str, Meta(description="cycle_s, yield, crew, lot_size, price, relief_h.")]
    unit_cost: Annotated[Money, Meta(description="Its part of then.unit_cost - now.unit_cost.")]
    yearly_value: Annotated[Money, Meta(description="Its part of `yearly_value`.")]


class WhatIf(Envelope, frozen=True, kw_only=True):
    """The same window, had it run otherwise. Rows of `now` add up to unit cost x good units."""

    site: str
    line: str
    machine: str
    product: str
    good_units: Decimal
    now: WhatIfFigures
    then: WhatIfFigures
    demand_limited: Annotated[
        bool, Meta(description="The constraint is idle for a tenth of its time: freed hours earn nothing.")
    ]
    rows: list[WhatIfRow]
    yearly: list[YearlyItem]
    yearly_value: Annotated[Money, Meta(description="The sum of `yearly`.")]
    changes: Annotated[
        list[WhatIfChange], Meta(description="What each change does; they add up to what all of them do.")
    ]
    payback_years: Annotated[Decimal | None, Meta(description="investment / yearly_value.")]
    net_present_value: Annotated[Money | None, Meta(description="Over `years` at `rate`.")]
