"""Shapes of the present of a line: what its machines are in, and how far their orders are."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import Stated, Time


class NowRow(Struct, frozen=True, kw_only=True):
    """A machine at this moment, as far as its data goes."""

    site: str
    line: str | None
    machine: str
    state: str
    word: Annotated[str, Meta(description="The state in the language asked for.")]
    since: Annotated[Time | None, Meta(description="Null: for longer than a day.")]
    through: Annotated[Time, Meta(description="So far its data goes.")]
    stale: Annotated[bool, Meta(description="Its data ends more than ten minutes ago.")]
    reason: str | None
    product: str | None
    order: str | None
    good: Annotated[Decimal | None, Meta(description="Good units of the order here; null without one.")]
    planned: Annotated[Decimal | None, Meta(description="Units of the order; null: not in orders.csv.")]
    due: Annotated[
        Decimal | None, Meta(description="Units due by now, evenly from planned start to planned end.")
    ]


class NowAnswer(Stated, frozen=True, kw_only=True):
    """The machines asked for, in the order of their lines."""

    at: Time
    rows: list[NowRow]
