"""Shape of the brief: five sentences for whoever has a minute."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import Envelope

Topic = Literal["moved", "known", "coming", "owner", "decide"]


class Sentence(Struct, frozen=True, kw_only=True):
    """One sentence, and where its figures come from."""

    topic: Annotated[
        Topic,
        Meta(description="What moved, what became known, what hits period end, whose it is, what to decide."),
    ]
    text: str
    amount: Annotated[Decimal | None, Meta(description="The figure that it is about, in `currency`.")]
    tone: Annotated[Literal["loss", "gain", "none"], Meta(description="Whether it is bad news.")]
    page: Annotated[str, Meta(description="The page that opens it.")]
    rows: Annotated[str, Meta(description="The answer of the API that holds its figures.")]


class Brief(Envelope, frozen=True, kw_only=True):
    """Five sentences, one a topic; `rows` in the order in which they are read."""

    rows: list[Sentence]
