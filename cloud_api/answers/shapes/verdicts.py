"""Shapes of verdicts: structural or temporary, since when, what it costs by period end.

A production day is a date of the site; sizes are in the `unit` that the row names; money is in the answer's
currency with 4 decimals, positive is unfavourable.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from cloud_api.answers.shapes.ledger import Envelope, Money, Share
from cloud_api.answers.shapes.notes import NoteRef

Verdict = Literal[
    "structural", "temporary", "drift", "recurring", "seasonal", "isolated", "undetermined", "steady"
]
Since = Annotated[
    dt.date | None, Meta(description="Production day of its onset; null where nothing changed.")
]
Projected = Annotated[
    Money | None,
    Meta(description="Extra cost from its onset to the end of the fiscal period, as its verdict has it."),
]


class Persistence(Struct, frozen=True, kw_only=True):
    """Whether what a bar shows will last."""

    verdict: Verdict
    since: Since
    confidence: Annotated[Share, Meta(description="Weight of evidence for the verdict.")]
    projected: Projected


class VerdictRow(Struct, frozen=True, kw_only=True):
    """The verdict on one cause in one scope."""

    scope: Annotated[str, Meta(description="What it is about: the columns of `by`, joined.")]
    site: str | UnsetType = UNSET
    line: str | UnsetType = UNSET
    machine: str | UnsetType = UNSET
    product: str | UnsetType | None = UNSET
    resource: str | UnsetType = UNSET
    cause: Annotated[str | None, Meta(description="Null for measures other than unit_cost.")]
    verdict: Verdict
    since: Since
    until: Annotated[dt.date | None, Meta(description="Last production day of what came and went.")]
    tied_to: Annotated[
        str | None, Meta(description="What a recurring cause is tied to, such as `weekday Mon`.")
    ]
    size: Annotated[
        Decimal | None,
        Meta(
            description="Change in `unit`; of a drift, the whole change since its onset; of what came and "
            "went, that of the day on which it was largest."
        ),
    ]
    unit: str
    effect: Annotated[Literal["worse", "better"] | None, Meta(description="Whether the change is a loss.")]
    level: Annotated[Decimal | None, Meta(description="What the measure was before, in `unit`.")]
    confidence: Share
    so_far: Annotated[
        Money | None, Meta(description="Extra cost from its onset to the last production day told here.")
    ]
    projected: Projected
    observations: Annotated[int, Meta(description="Production days behind it; missing days are left out.")]
    remarks: Annotated[list[str], Meta(description="What could not be told, and why.")]
    notes: list[NoteRef]
    segments: Annotated[str, Meta(description="Address of the segments since its onset.")]


class Verdicts(Envelope, frozen=True, kw_only=True):
    """Structural or temporary, dearest first."""

    measure: str
    rows: list[VerdictRow]
