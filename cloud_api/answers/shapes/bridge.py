"""Shapes of a bridge: why a figure moved, bar by bar, each with its evidence."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from cloud_api.answers.shapes.ledger import Confidence, CountedAt, Envelope, Money, Share, Time
from cloud_api.answers.shapes.notes import NoteRef
from cloud_api.answers.shapes.verdicts import Persistence


class EvidenceRow(Struct, frozen=True, kw_only=True):
    """A part of a bar. The parts of a bar, its rest among them, add up to it."""

    kind: Annotated[
        Literal["segment", "product", "rest"],
        Meta(description="A span of a machine, what one product did, or all that is not listed."),
    ]
    window: Annotated[Literal["end", "start"], Meta(description="Of the window asked, or of its base.")]
    machine: str | None
    from_: Time | None = field(name="from")
    to: Time | None
    state: str | None
    product: str | None
    reason: str | None
    amount: Annotated[Decimal, Meta(description="What it adds to the bar.")]
    cost: Annotated[Money | None, Meta(description="What the segment cost for this cause; null elsewhere.")]
    notes: list[NoteRef]
    text: Annotated[str | None, Meta(description="What a rest is made of.")]
    rows: Annotated[str, Meta(description="Address of the rows behind it.")]


class Split(Struct, frozen=True, kw_only=True):
    """The columns that `by` asked for; null is a value (no product, no order, ...)."""

    site: str | UnsetType | None = UNSET
    line: str | UnsetType | None = UNSET
    machine: str | UnsetType | None = UNSET
    product: str | UnsetType | None = UNSET
    order: str | UnsetType | None = UNSET
    shift: str | UnsetType | None = UNSET
    reason: str | UnsetType | None = UNSET


class BridgeBar(Split, frozen=True, kw_only=True):
    """One step from start to end: what moved, by how much, whose it is, whether it stays."""

    factor: Annotated[
        str,
        Meta(
            description="volume, mix, a cause (price and usage with their resource), lot_size, sequence or "
            "duration of changeovers, standard_vs_budget, list_price, sales_price, stock."
        ),
    ]
    resource: Annotated[str | None, Meta(description="Null where the bar takes several.")]
    cause: Annotated[str | None, Meta(description="Null for volume, mix and the like.")]
    amount: Annotated[Decimal, Meta(description="In the measure's own sign; cost up is positive.")]
    owner: Annotated[str, Meta(description="Who can act on it.")]
    planning: Annotated[
        Decimal | None,
        Meta(description="Of it, the standard was wrong; null where no standard stands behind."),
    ]
    operational: Annotated[Decimal | None, Meta(description="Of it, the run was different.")]
    persistence: Persistence | None
    explained_share: Annotated[
        Share | None, Meta(description="Share of the segments' cost that notes or reasons explain.")
    ]
    evidence: list[EvidenceRow]
    segments: Annotated[str, Meta(description="Address of the segments behind it, in the window asked.")]
    base_segments: Annotated[
        str | None, Meta(description="The same in the base window; null where the base is none.")
    ]


class BridgeGroup(Split, frozen=True, kw_only=True):
    """The figures of one group of `by`: start + its bars = end. Groups add up to the whole."""

    resource: str | UnsetType | None = UNSET
    cause: str | UnsetType | None = UNSET
    start: Decimal
    end: Decimal
    change: Decimal


class Aside(Struct, frozen=True, kw_only=True):
    """Unused capacity: cost that no unit cost holds."""

    machine: str | None
    resource: str
    cause: str
    start: Annotated[Money | None, Meta(description="In the base; null where the base is no window.")]
    end: Money


class StatementLink(Struct, frozen=True, kw_only=True):
    """A number of the statement and the rows that add up to it."""

    text: Annotated[str, Meta(description="As it stands in the statement.")]
    amount: Decimal
    address: Annotated[str, Meta(description="Where the rows are.")]
    rows: Annotated[Literal["rows", "bars", "groups"], Meta(description="Which list of that answer.")]
    field: Annotated[str, Meta(description="Which field of its rows adds up to the amount.")]
    factor: Annotated[str | None, Meta(description="Only rows of this factor; null: all.")] = None


class GoodUnits(Struct, frozen=True, kw_only=True):
    """Good units where they count, at both ends."""

    start: Decimal | None
    end: Decimal


class Bridge(Envelope, frozen=True, kw_only=True):
    """Why a figure changed: start + all bars = end, exactly, whole and in each group of `by`."""

    measure: Annotated[str, Meta(description="unit_cost, total_cost or margin.")]
    base: Annotated[str, Meta(description="standard, budget, previous, or window where one was named.")]
    base_from: Time | None
    base_to: Time | None
    base_confidence: Annotated[Confidence | None, Meta(description="Of the base, where that is a window.")]
    start: Decimal
    end: Decimal
    change: Decimal
    good_units: GoodUnits
    counted_at: list[CountedAt]
    bars: list[BridgeBar]
    groups: list[BridgeGroup] | UnsetType = UNSET
    aside: list[Aside]
    statement: Annotated[str, Meta(description="Two or three plain sentences.")]
    statement_links: list[StatementLink]
