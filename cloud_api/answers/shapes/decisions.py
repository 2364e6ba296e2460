"""Shapes of decisions: what was decided or detected, what it was to bring, what the ledger measured."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from cloud_api.answers.shapes.ledger import Envelope, Money, Time
from cloud_api.answers.shapes.notes import Noted


class Measured(Struct, frozen=True, kw_only=True):
    """Variance of the cells that the kind of decision can move, on its machines, per production day; positive
    is unfavourable. Null where there is no day to measure."""

    before: Annotated[Money | None, Meta(description="A day, over up to five days before.")]
    during: Annotated[Money | None, Meta(description="A day, over the days that it touches.")]
    after: Annotated[Money | None, Meta(description="A day, over up to five days after.")]
    effect: Annotated[
        Money | None, Meta(description="(during - before) x days; of a fix (after - before) x days after.")
    ]
    days: Annotated[int, Meta(description="Production days of `effect`.")]
    days_after: Annotated[int, Meta(description="Production days of `after`.")]


class DecisionRow(Struct, frozen=True, kw_only=True):
    """A decision: a note that somebody kept, or a draft of what the data shows."""

    id: Annotated[int | None, Meta(description="The draft; null: nobody but a person told of it.")]
    note: Annotated[int | None, Meta(description="The note; null: detected, not known.")]
    site: str
    line: str | None
    machine: str | None
    kind: str
    from_: Time = field(name="from")
    to: Time | None
    product: str | None
    order: str | None
    status: Annotated[
        Literal["detected", "confirmed", "known", "dismissed"],
        Meta(description="known: told by a person; confirmed: detected, then told; detected: only data."),
    ]
    text: str
    trade_off: str | None
    expected_effect: str | None
    in_force: bool
    expired_running: Annotated[
        bool,
        Meta(
            description="Its end is over, and the data shows that it still goes on: the same was detected "
            "since, or at least half of a material effect is still there on three days or more after it."
        ),
    ]
    measured: Annotated[Measured | None, Meta(description="Null where amounts are not shown.")]
    segments: str


class Decisions(Envelope, frozen=True, kw_only=True):
    """Decisions, the newest first."""

    rows: list[DecisionRow]


class Confirmation(Struct, frozen=True, kw_only=True):
    """What a person adds to a draft that is right. `to` absent: the end that the data shows."""

    text: str | None = None
    to: str | None = None
    trade_off: str | None = None
    expected_effect: str | None = None
    author: str | None = None
    lang: Literal["en", "es"] = "en"
    request: Annotated[
        str | None, Meta(description="An id of your own: what is sent twice with it is kept once.")
    ] = None


class Dismissal(Struct, frozen=True, kw_only=True):
    """A draft that is wrong, or worth no word."""

    why: str = ""
    lang: Literal["en", "es"] = "en"


class Decided(Struct, frozen=True, kw_only=True):
    """A draft after its tap; with the note that it became."""

    decision: DecisionRow
    noted: Noted | None
