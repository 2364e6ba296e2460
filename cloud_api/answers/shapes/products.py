"""True cost of products as it leaves the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import CountedAt, Envelope, Money

UnitCost = Annotated[Decimal | None, Meta(description="Per good unit; null without a good unit.")]


class Variability(Struct, frozen=True, kw_only=True):
    """How much orders of a product differ; a mean hides it. Orders of fewer than 20 units are left out."""

    orders: int
    cycle_time_cv: Annotated[
        Decimal | None,
        Meta(description="Deviation / mean of running time per unit by order; null below two orders."),
    ]
    unit_cost_cv: Annotated[
        Decimal | None, Meta(description="Deviation / mean of actual unit cost by order; null below two.")
    ]
    unit_cost_low: Annotated[Money | None, Meta(description="Of the cheapest order.")]
    unit_cost_high: Annotated[Money | None, Meta(description="Of the dearest order.")]


class Supervision(Struct, frozen=True, kw_only=True):
    """What people had to step in for: a memo cut out of labour, never added. Assumed, not measured."""

    interventions: Annotated[int, Meta(description="Alarms, overrides, stops below 5 min and notes.")]
    alarms: int
    overrides: Annotated[int, Meta(description="Changes of a speed override to other than 100 %.")]
    short_stops: Annotated[int, Meta(description="Stops below 5 min.")]
    notes: Annotated[int, Meta(description="Notes of decisions that began in it.")]
    per_run_hour: Annotated[Decimal | None, Meta(description="Interventions per hour of running.")]
    minutes_each: Annotated[Decimal, Meta(description="`intervention_min` of site.yaml.")]
    amount: Annotated[
        Money | None, Meta(description="interventions x minutes x wage; null where wages are withheld.")
    ]
    assumed: bool = True


class Disruption(Struct, frozen=True, kw_only=True):
    """Changeovers beyond plan, a memo cut out of what changeovers cost; and how late its orders are."""

    changeovers: int
    planned_changeovers: Annotated[
        Decimal | None, Meta(description="Good units / lot size; null where no standard has one.")
    ]
    beyond_plan: Decimal
    amount: Annotated[Money, Meta(description="Their share of the actual cost of changeovers.")]
    late_h: Annotated[Decimal, Meta(description="Sum of `late_h` of its orders in the window.")]


class ProductRow(Struct, frozen=True, kw_only=True):
    """One product: what it really cost, beside standard and average."""

    product: str
    good_units: Annotated[Decimal, Meta(description="Where they are counted; see `counted_at`.")]
    standard_unit_cost: UnitCost
    averaged_unit_cost: Annotated[
        Decimal | None,
        Meta(
            description="Standard material + all conversion cost of its line, idle included, spread on "
            "standard run hours; null where no run hours have a standard."
        ),
    ]
    actual_unit_cost: Annotated[
        Decimal | None, Meta(description="All its entries except machine/waiting, per good unit.")
    ]
    normalised_unit_cost: Annotated[
        Decimal | None, Meta(description="Without what was isolated or temporary; see `set_aside`.")
    ]
    actual_cost: Annotated[Money, Meta(description="All its entries except machine/waiting.")]
    set_aside: Annotated[
        dict[str, Money],
        Meta(
            description="Isolated and temporary cost by cause: actual - normalised, in all; told on the last "
            "half year of the window."
        ),
    ]
    revenue: Annotated[Money | None, Meta(description="Good units at list price; null without a price.")]
    margin: Annotated[Money | None, Meta(description="revenue - actual_cost.")]
    unit_margin: Annotated[Money | None, Meta(description="margin per good unit.")]
    averaged_unit_margin: Annotated[
        Money | None, Meta(description="What averaged cost would make of it, per good unit.")
    ]
    burden: Annotated[
        dict[str, Money],
        Meta(description="actual_cost by cause, without production: what it does to the line."),
    ]
    variability: Variability
    supervision: Supervision
    disruption: Disruption
    segments: Annotated[str, Meta(description="Address of its segments.")]
    variances: Annotated[str, Meta(description="Address of its variances by cause.")]


class CapacityRow(Struct, frozen=True, kw_only=True):
    """Capacity or labour that made nothing: never spread over products."""

    machine: str
    cause: str
    hours: Annotated[Decimal, Meta(description="Machine hours; of labour, person-hours.")]
    amount: Money
    segments: str


class Unassigned(Struct, frozen=True, kw_only=True):
    """Cost that has no product: stops before a product was known, charges to a machine or the site."""

    machine: str | None
    resource: str
    cause: str
    amount: Money


class Products(Envelope, frozen=True, kw_only=True):
    """True cost of products. Exact: actual_cost of all rows + unused_capacity + idle_labour + unassigned =
    total; a filter by product chooses rows and changes none."""

    total: Annotated[Money, Meta(description="All cost of the machines in the window.")]
    rows: list[ProductRow]
    unused_capacity: list[CapacityRow]
    idle_labour: list[CapacityRow]
    unassigned: list[Unassigned]
    counted_at: list[CountedAt]
