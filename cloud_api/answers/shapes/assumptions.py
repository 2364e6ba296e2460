"""Shapes of assumptions: what finance relies on, whether it holds, and what would be a better number."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from cloud_api.answers.shapes.ledger import Envelope, Money, Time

AssumptionStatus = Literal["holding", "watch", "broken"]


class Proposed(Struct, frozen=True, kw_only=True):
    """A better number: the mean of the observations since the onset without the extreme tenths."""

    value: Annotated[Decimal, Meta(description="In the unit of the assumption.")]
    error: Annotated[Decimal, Meta(description="Its standard error.")]
    observations: int
    from_: Annotated[
        dt.date,
        Meta(
            description="The date from which it would hold: its onset, or `moved`; never before that of the "
            "standard that it mends."
        ),
    ] = field(name="from")
    accept: Annotated[str, Meta(description="POST here to record it as a standard.")]


class Spell(Struct, frozen=True, kw_only=True):
    """A time during which the assumption did not hold."""

    since: dt.date
    noticed: Annotated[dt.date, Meta(description="When it crossed its limit.")]
    until: Annotated[dt.date | None, Meta(description="Null: it lasts.")]
    observed: Decimal
    assumed: Decimal


class Observation(Struct, frozen=True, kw_only=True):
    """One observation, what was assumed of it, and the two sums after it (in the unit of the assumption)."""

    time: Time
    value: Decimal
    assumed: Decimal
    high: Decimal
    low: Decimal


class AssumptionRow(Struct, frozen=True, kw_only=True):
    """One assumption. `broken`: beyond its limit and material; `watch`: beyond its limit only."""

    id: str
    site: str
    assumption: Annotated[
        str,
        Meta(
            description="cycle, scrap, rework, availability, crew, changeover, energy; price, tariff, wage, "
            "rate; budget; schedule."
        ),
    ]
    product: str | None
    machine: str | None
    item: Annotated[str | None, Meta(description="Material of a price, line of a wage, month of a budget.")]
    status: AssumptionStatus
    assumed: Decimal
    observed: Decimal | None
    unit: str
    since: Annotated[dt.date | None, Meta(description="Production day of the onset; null while it holds.")]
    moved: Annotated[
        dt.date | None,
        Meta(description="When the level moved again after the onset, to `observed`; null: it did not."),
    ] = None
    cost_per_day: Annotated[Money, Meta(description="Per calendar day at the present rate of output.")]
    projected: Annotated[Money, Meta(description="From the onset to the end of the fiscal period.")]
    observations: int
    sigma: Annotated[
        Decimal | None, Meta(description="Robust, of the reference window; null: of a price list.")
    ]
    limit: Annotated[Decimal | None, Meta(description="Decision limit h, in sigma.")]
    proposed: Proposed | None
    history: list[Spell]
    series: list[Observation] | UnsetType = UNSET
    evidence: str


class Assumptions(Envelope, frozen=True, kw_only=True):
    """What is breaking, dearest first; then what is to be watched, then what holds."""

    rows: list[AssumptionRow]


class Acceptance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to record: the proposal as it stands, or another number and date."""

    value: Annotated[Decimal | None, Meta(description="Null: the proposed one.")] = None
    from_: Annotated[dt.date | None, Meta(description="Null: the onset.")] = field(name="from", default=None)


class Accepted(Struct, frozen=True, kw_only=True):
    """What was recorded."""

    id: str
    machine: str
    product: str
    column: str
    before: Decimal
    after: Decimal
    from_: dt.date = field(name="from")
    version: Annotated[int | None, Meta(description="Plant version; null: it stood there already, or waits.")]
    waits_for_second_person: bool = False
