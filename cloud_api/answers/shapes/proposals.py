"""Shapes of the standards proposal pack: what would be a better standard, why, and what it would change."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from cloud_api.answers.shapes.assumptions import Observation
from cloud_api.answers.shapes.ledger import Envelope, Money, Share, Stated, Time, VarianceTotal


class ProposalRow(Struct, frozen=True, kw_only=True):
    """One number of a standard cost card, what would be better, and what that would change."""

    id: Annotated[str, Meta(description="The assumption, as in /v1/assumptions.")]
    site: str
    line: str
    machine: str
    product: str
    assumption: str
    column: Annotated[str, Meta(description="Column of standards.csv.")]
    unit: str
    status: str
    assumed: Decimal
    observed: Decimal | None
    proposed: Annotated[
        Decimal | None, Meta(description="Null: too few observations; a person's own number.")
    ]
    value: Annotated[Decimal, Meta(description="What would be recorded: the proposed number, or another.")]
    from_: Annotated[dt.date, Meta(description="Date from which it would hold.")] = field(name="from")
    error: Annotated[Decimal | None, Meta(description="Standard error of the proposed number.")]
    low: Annotated[Decimal | None, Meta(description="Nine of ten observations since then lie above.")]
    high: Annotated[Decimal | None, Meta(description="Nine of ten observations since then lie below.")]
    sigma: Annotated[Decimal | None, Meta(description="Usual spread of an observation, robust.")]
    observations: Annotated[int, Meta(description="Observations since then.")]
    since: Annotated[dt.date | None, Meta(description="Production day of the onset.")]
    moved: Annotated[dt.date | None, Meta(description="When the level moved again; null: it did not.")]
    cost_per_day: Money
    projected: Annotated[Money, Meta(description="From the onset to the end of the fiscal period.")]
    planning: Annotated[
        Money,
        Meta(description="Variance of the window that becomes planning's instead of the floor's."),
    ]
    variance: Annotated[Money, Meta(description="Change of the variance itself: of days from today on.")]
    unit_cost_before: Annotated[Money, Meta(description="Standard cost of a good unit at the machine.")]
    unit_cost_change: Annotated[Money, Meta(description="Of it; proposals of one card one after another.")]
    segments: Annotated[str, Meta(description="Address of the segments behind it.")]
    series: list[Observation] | UnsetType = UNSET


class PriceEffect(Struct, frozen=True, kw_only=True):
    """What the price list says of a product, at the standard as it is and as it would be. A key that may not
    read wages gets no margin."""

    product: str
    line: str
    machines: Annotated[list[str], Meta(description="Machines whose standards make its unit cost.")]
    sales_price: Annotated[Money | None, Meta(description="products.csv; null without one.")]
    unit_cost_before: Annotated[Money, Meta(description="Standard unit cost over the machines of the line.")]
    unit_cost_after: Money
    margin_before: Money | None
    margin_after: Money | None
    margin_share_before: Share | None
    margin_share_after: Share | None
    price_floor_before: Annotated[
        Money,
        Meta(
            description="Truly variable cost of a good unit at the standard: material and energy in running, "
            "labour where it is variable. /v1/whatif has it as it was, with what the constraint could earn."
        ),
    ]
    price_floor_after: Money
    same_margin_price: Annotated[
        Money | None, Meta(description="Price that would keep the share of the margin.")
    ]


class StandardRow(Struct, frozen=True, kw_only=True):
    """A row of standards.csv."""

    product: str
    machine: str
    from_: dt.date = field(name="from")
    ideal_cycle_s: Decimal
    crew: Decimal | None
    scrap_rate: Decimal
    rework_rate: Decimal
    changeover_min: Decimal
    lot_size: Decimal | None
    availability: Decimal
    energy_kwh: Decimal
    planned_stop: Decimal
    waiting: Decimal
    idle_kw: Decimal


class StandardRows(Stated, frozen=True, kw_only=True):
    """Rows that a load of standards.csv takes as they are."""

    rows: list[StandardRow]


class Asked(Struct, frozen=True, kw_only=True):
    """What one person has approved and waits for a second one."""

    asked_by: str
    asked_at: Time
    proposals: list[Wish]


class Left(Struct, frozen=True, kw_only=True):
    """A proposal that is not in the pack."""

    id: str
    machine: str
    product: str
    assumption: str
    unit: str
    assumed: Decimal
    value: Decimal
    from_: dt.date = field(name="from")


class ProposalPack(Envelope, frozen=True, kw_only=True):
    """The proposals of a site with their evidence, and what they would change together. Nothing is changed.
    `before` and `after` are totals of /v1/variances over the window; `planning` of the rows adds up to
    their difference."""

    site: str
    period: Annotated[str | None, Meta(description="Fiscal period that is looked at; null: another window.")]
    before: VarianceTotal
    after: VarianceTotal
    prices: list[PriceEffect]
    standards: Annotated[list[StandardRow], Meta(description="What would be recorded.")]
    waiting: list[Asked]
    left: Annotated[list[Left], Meta(description="Proposals of broken assumptions that are not in it.")]
    rows: list[ProposalRow]


class Wish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A proposal to take: as it stands, or with another number and date."""

    id: Annotated[str, Meta(description="As in /v1/proposals.")]
    value: Annotated[Decimal | None, Meta(description="Null: the proposed one.")] = None
    from_: Annotated[dt.date | None, Meta(description="Null: the proposed one.")] = field(
        name="from", default=None
    )


class Simulation(Struct, frozen=True, kw_only=True):
    """Which proposals to try, over which window."""

    proposals: Annotated[list[Wish], Meta(description="Those to try; none named: all that are broken.")] = []
    site: Annotated[str | None, Meta(description="Site; the only one where there is one.")] = None
    from_: Annotated[
        str | None, Meta(description="First day or time of the window; absent: the open period.")
    ] = field(name="from", default=None)
    to: Annotated[str | None, Meta(description="Its end, exclusive.")] = None
    period: Annotated[str | None, Meta(description="A fiscal period instead.")] = None


class Approval(Struct, frozen=True, kw_only=True):
    """Which proposals become standards."""

    proposals: Annotated[list[Wish], Meta(description="Those to record; at least one.")]
    site: Annotated[str | None, Meta(description="Site; the only one where there is one.")] = None


class Recorded(Struct, frozen=True, kw_only=True):
    """One number that was recorded, or waits to be."""

    id: str
    machine: str
    product: str
    column: str
    before: Decimal
    after: Decimal
    from_: dt.date = field(name="from")


class Approved(Struct, frozen=True, kw_only=True):
    """What was recorded, all in one version of the plant model."""

    site: str
    version: Annotated[int | None, Meta(description="Null: it stood there already, or waits.")]
    waits_for_second_person: bool
    rows: list[Recorded]
