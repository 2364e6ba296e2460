"""Shapes of questions to the floor: what is asked, what may be answered, what an answer explained."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from cloud_api.answers.shapes.ledger import Envelope, Money, Time
from cloud_api.answers.shapes.notes import Explained, NoteRow


class Choice(Struct, frozen=True, kw_only=True):
    """An answer to tap: what to send, and what to show."""

    answer: str
    word: str


class QuestionRow(Struct, frozen=True, kw_only=True):
    """What the floor should explain."""

    id: int
    site: str
    line: str | None
    machine: str
    from_: Time = field(name="from")
    to: Time
    state: str
    cause: str
    reason: str | None
    product: str | None
    order: str | None
    shift: str | None
    amount: Annotated[
        Money | None, Meta(description="What it cost, with all stops like it; null where it is not shown.")
    ]
    hours: Decimal
    spans: Annotated[int, Meta(description="Stops that it was about when it was asked.")]
    question: str
    rule: Annotated[str, Meta(description="What an answer explains besides.")]
    choices: list[Choice]
    asked_at: Time
    gone_at: Annotated[Time, Meta(description="From then on nobody is asked.")]
    status: Annotated[
        Literal["open", "held", "answered", "gone"],
        Meta(description="held: not asked while the machine is down."),
    ]
    answer: str | None
    note: Annotated[int | None, Meta(description="The note that the answer made.")]
    segments: Annotated[str, Meta(description="Address of the segments that it is about.")]


class Questions(Envelope, frozen=True, kw_only=True):
    """Questions, the dearest first."""

    rows: list[QuestionRow]


class Like(Struct, frozen=True, kw_only=True):
    """A span that an answer explains besides its own."""

    machine: str
    from_: Time = field(name="from")
    to: Time
    note: int


class Answer(Struct, frozen=True, kw_only=True):
    """An answer: one of the choices, words of one's own, or `dont_know`."""

    answer: str
    text: str = ""
    author: str | None = None
    like: Annotated[bool, Meta(description="Whether stops like it are explained too.")] = True
    lang: Literal["en", "es"] = "en"
    request: Annotated[
        str | None, Meta(description="An id of your own: what is sent twice with it is kept once.")
    ] = None


class Answered(Struct, frozen=True, kw_only=True):
    """A question after its answer, and what the answer explained."""

    question: QuestionRow
    note: NoteRow | None
    explains: Explained
    like: Annotated[list[Like], Meta(description="What it explains besides, by the rule of the question.")]


class Undo(Struct, frozen=True, kw_only=True):
    """What is taken back: only what the answer explained besides (`like`), or the whole `answer`."""

    what: Literal["like", "answer"]
    lang: Literal["en", "es"] = "en"
