"""Which product, shift, machine or reason is behind a change, as it leaves the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import Envelope, Money, Share

Dimension = Literal["product", "machine", "shift", "reason"]


class RankedDimension(Struct, frozen=True, kw_only=True):
    """How far one dimension tells the change apart; the one that a single value explains best is first."""

    dimension: Dimension
    change: Annotated[Money, Meta(description="What its rows add up to.")]
    concentration: Annotated[
        Share | None, Meta(description="Largest |change| of a row / sum of all |changes|; null without any.")
    ]
    leads: Annotated[str | None, Meta(description="The value behind most of it.")]
    causes: Annotated[
        list[str] | None,
        Meta(
            description="The causes that it compares; null: all. Shifts are compared only for causes that a "
            "shift controls, without reasons that it does not; reasons stand for stops."
        ),
    ]


class RankedRow(Struct, frozen=True, kw_only=True):
    """What one value of a dimension adds to the change; positive: cost more."""

    dimension: Dimension
    value: Annotated[str | None, Meta(description="Null: none, such as a stop without a reason.")]
    start: Money
    end: Money
    change: Money
    share: Annotated[Decimal | None, Meta(description="change / change of the dimension; null without one.")]
    segments: Annotated[str, Meta(description="Address of the segments behind it.")]


class Ranking(Envelope, frozen=True, kw_only=True):
    """Contributions to the change of a bridge, by dimension, largest first. Rows of a dimension add up to its
    change; no person is a dimension."""

    measure: str
    base: str
    change: Annotated[Money, Meta(description="Of the whole bridge.")]
    dimensions: list[RankedDimension]
    rows: list[RankedRow]
