"""Shapes of keys: who may ask, never the keys themselves. Times are RFC 3339, UTC."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import Stated, Time

Role = Literal["finance", "engineer", "floor", "it"]
Name = Annotated[str, Meta(max_length=100)]


class KeyRow(Struct, frozen=True, kw_only=True):
    """A key that opens, or opened, something of the sites asked for."""

    id: int
    name: str
    role: Role
    sites: Annotated[list[str] | None, Meta(description="Of those that you may see; null: every site.")]
    lines: Annotated[list[str] | None, Meta(description="Null: every line of its sites.")]
    created_at: Time
    last_used_at: Annotated[Time | None, Meta(description="To the minute; null: never.")]
    revoked_at: Time | None


class Keys(Stated, frozen=True, kw_only=True):
    """Keys, oldest first."""

    next_cursor: str | None
    rows: list[KeyRow]


class NewKey(Struct, frozen=True, kw_only=True):
    """A key to make."""

    role: Role
    name: Annotated[Name, Meta(description="What it is for.")] = ""
    sites: Annotated[list[str], Meta(description="Sites that it is bound to; none named: every site.")] = []
    lines: Annotated[list[str], Meta(description="Lines that a key of the floor is bound to.")] = []


class MadeKey(Struct, frozen=True, kw_only=True):
    """A new key, which is shown this once."""

    role: Role
    name: str
    sites: list[str]
    lines: list[str]
    key: str


class RevokedKey(Struct, frozen=True, kw_only=True):
    """A key that has ended. `webhooks` that it kept go on: end those that nobody wants."""

    id: int
    webhooks: list[int]
