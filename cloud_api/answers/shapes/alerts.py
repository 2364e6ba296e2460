"""Shapes of webhooks: what is asked to be told, what is raised, what was sent. Times are RFC 3339, UTC."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import Stated, Time

Kind = Literal["broken_assumption", "unexplained_cost", "silent_agent", "low_coverage"]
Digest = Literal["none", "hour", "day"]


class NewHook(Struct, frozen=True, kw_only=True):
    """A webhook: where to send what. `secret` is made and shown once where none is given."""

    url: Annotated[str, Meta(description="https address that takes a POST with JSON.", max_length=2000)]
    kinds: Annotated[list[Kind], Meta(description="What to be told of; all where none is named.")] = []
    site: Annotated[str | None, Meta(description="Site; the only one where there is one.")] = None
    secret: Annotated[str, Meta(min_length=16, max_length=200)] | None = None
    quiet_from: Annotated[
        str | None, Meta(description="Start of quiet hours, HH:MM of the site.", examples=["22:00"])
    ] = None
    quiet_to: Annotated[str | None, Meta(description="Their end.", examples=["06:00"])] = None
    digest: Annotated[Digest, Meta(description="Gather events for an hour or a day before sending.")] = "none"


class Hook(Struct, frozen=True, kw_only=True):
    """A webhook as it was kept."""

    id: int
    site: str
    url: str
    kinds: list[str]
    quiet_from: str | None
    quiet_to: str | None
    digest: Digest
    created_at: Time


class KeptHook(Hook, frozen=True, kw_only=True):
    """A new webhook with its secret, which is shown this once."""

    secret: str


class Raised(Struct, frozen=True, kw_only=True):
    """Something that stands and is not over."""

    id: int
    site: str
    kind: Kind
    subject: str
    detail: dict[str, Any]
    raised_at: Time


class Delivery(Struct, frozen=True, kw_only=True):
    """What was sent to a webhook, or waits to be."""

    id: int
    hook: int
    events: list[str]
    attempts: int
    due_at: Time
    tried_at: Time | None
    delivered_at: Time | None
    gave_up_at: Time | None
    answer: Annotated[str | None, Meta(description="What the receiver said last, or why it was not reached.")]


class Alerts(Stated, frozen=True, kw_only=True):
    """Webhooks, what is raised now, and the last deliveries."""

    rows: list[Hook]
    raised: list[Raised]
    deliveries: list[Delivery]


class Nothing(Struct, frozen=True, kw_only=True):
    """An empty body."""


class Done(Struct, frozen=True, kw_only=True):
    """It was done."""

    id: int


class Tried(Struct, frozen=True, kw_only=True):
    """What came of a test: whether the receiver took it, and what it said."""

    delivered: bool
    answer: str


def clock(value: dt.time | None) -> str | None:
    """A wall time as HH:MM."""
    return None if value is None else value.strftime("%H:%M")
