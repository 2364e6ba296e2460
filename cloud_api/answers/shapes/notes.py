"""Shapes of notes: what people say of what the machines did, and what it explains."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from cloud_api.answers.shapes.ledger import Envelope, Money, Time


class NoteRef(Struct, frozen=True, kw_only=True):
    """A note beside a figure. `to` null: it has no end of its own."""

    id: int
    kind: str
    text: str
    from_: Time = field(name="from")
    to: Time | None
    href: str


class NoteRow(Struct, frozen=True, kw_only=True):
    """What somebody said: a decision with its context, a cause, a fix."""

    id: int
    site: str
    kind: str
    text: str
    machine: str | None
    line: str | None
    product: str | None
    order: str | None
    from_: Time = field(name="from")
    to: Annotated[Time | None, Meta(description="End, exclusive; null: no end of its own.")]
    explains_to: Annotated[
        Time, Meta(description="It explains nothing from here on: `to`, or the end of its production day.")
    ]
    trade_off: str | None
    expected_effect: str | None
    author: Annotated[
        str | None, Meta(description="Told to the own line only, unless the author released the name.")
    ]
    released: bool
    source: Annotated[
        Literal["person", "answer", "like", "decision"],
        Meta(
            description="person: written freely; answer: of a question; like: that answer, for segments like "
            "the one asked about; decision: a detected decision that was confirmed."
        ),
    ]
    question: Annotated[int | None, Meta(description="The question that it answers.")]
    like_of: Annotated[int | None, Meta(description="The note of the answer that reaches this far.")]
    causes: Annotated[list[str] | None, Meta(description="Causes it is about; null: all its kind can move.")]
    created_at: Time
    changed_at: Time | None
    withdrawn_at: Time | None
    segments: Annotated[str, Meta(description="Address of the segments that it names.")]


class Notes(Envelope, frozen=True, kw_only=True):
    """Notes, newest first."""

    rows: list[NoteRow]


class Explained(Struct, frozen=True, kw_only=True):
    """What a word explains by now: the spans it names and the cells its kind can move."""

    spans: Annotated[int, Meta(description="Segments of the evidence that it touches in these cells.")]
    hours: Decimal
    amount: Annotated[Money | None, Meta(description="Their cost; null where amounts are not shown.")]
    causes: list[str]
    said: Annotated[str, Meta(description="The same as a sentence, in the language asked for.")]


class Noted(Struct, frozen=True, kw_only=True):
    """A note as it stands after what was done, and what it explains."""

    note: NoteRow
    explains: Explained


class NewNote(Struct, frozen=True, kw_only=True):
    """A note to be kept. `from` absent: now."""

    kind: str
    text: str = ""
    site: str | None = None
    machine: str | None = None
    line: str | None = None
    product: str | None = None
    order: str | None = None
    from_: str | None = field(name="from", default=None)
    to: str | None = None
    trade_off: str | None = None
    expected_effect: str | None = None
    author: str | None = None
    released: bool = False
    request: Annotated[
        str | None,
        Meta(description="An id of your own, or as Idempotency-Key: what is sent twice is kept once."),
    ] = None


class CorrectedNote(Struct, frozen=True, kw_only=True):
    """What of a note is said anew; what is absent stays, null takes away."""

    kind: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    machine: str | UnsetType | None = UNSET
    line: str | UnsetType | None = UNSET
    product: str | UnsetType | None = UNSET
    order: str | UnsetType | None = UNSET
    from_: str | UnsetType = field(name="from", default=UNSET)
    to: str | UnsetType | None = UNSET
    trade_off: str | UnsetType | None = UNSET
    expected_effect: str | UnsetType | None = UNSET
    author: str | UnsetType | None = UNSET
    released: bool | UnsetType = UNSET


class Withdrawal(Struct, frozen=True, kw_only=True):
    """Why a note is withdrawn."""

    why: str = ""
