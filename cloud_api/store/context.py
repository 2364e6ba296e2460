"""Notes as rows: the one place that writes them; and from when on decisions are to be looked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from cloud_api.store.statements import statement
from cloud_api.store.times import from_us

_DEFAULTS: dict[str, Any] = {
    "text": "",
    "machine": None,
    "line": None,
    "product": None,
    "order": None,
    "ends_at": None,
    "trade_off": None,
    "expected_effect": None,
    "author": None,
    "released": False,
    "causes": None,
    "request": None,
    "question": None,
    "like_of": None,
    "decision": None,
}


def add_note(connection: Connection[Any], site: str, now: datetime, **said: Any) -> int | None:
    """Stores a note, by the names of context.add_note; its id, None where its request was kept before."""
    row = connection.execute(
        statement("context.add_note"), {**_DEFAULTS, "site": site, "now": now, **said}
    ).fetchone()
    return None if row is None else int(row[0])


def note_of_request(connection: Connection[Any], site: str, request: str | None) -> int | None:
    """The note that a request made; None where it made none."""
    if request is None:
        return None
    same = {"site": site, "request": request}
    row = connection.execute(statement("context.note_of_request"), same).fetchone()
    return None if row is None else int(row[0])


def with_likes(connection: Connection[Any], notes: Sequence[int]) -> list[int]:
    """Notes, and those that reach further for them."""
    rows = connection.execute(statement("context.with_likes"), {"notes": list(notes)}).fetchall()
    return [row[0] for row in rows]


def past_due(connection: Connection[Any], machine_id: int, since_us: int) -> None:
    """The past of a machine was written from an instant on: decisions are to be looked for there."""
    connection.execute(statement("context.due"), {"machine": machine_id, "since": from_us(since_us)})
