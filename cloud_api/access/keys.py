"""API keys: 256 random bits, shown once, kept as a hash; bound to a role and, where wished, to sites; the
floor's to lines too."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from cloud_api.access.roles import KeyRole
from cloud_api.errors import CloudError
from cloud_api.store.plant import snapshot
from cloud_api.store.statements import statement

PREFIX = "plk_"
"""Every key begins so: a scanner for leaked secrets finds it, and a person knows what it is."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the service knows it: never its text. `sites` None means every site, `lines` None every
    line of them. Times are UTC."""

    key_id: int
    name: str
    role: KeyRole
    sites: frozenset[str] | None
    lines: frozenset[str] | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def create(
    connection: Connection[TupleRow],
    role: str,
    sites: Iterable[str] = (),
    *,
    lines: Iterable[str] = (),
    name: str = "",
    by: int | None = None,
    subject: str | None = None,
) -> str:
    """Makes a key and gives its text, the only time that it exists in the clear.

    `by` is the key that asks for it, `subject` whom an identity provider named; neither: the command line.
    Raises CloudError for a role, a site or a line that is not known. The caller's transaction commits it.
    """
    kind = _role(role)
    bound = sorted(set(sites)) or None
    _refuse_unknown_sites(connection, bound)
    own = sorted(set(lines)) or None
    _refuse_lines(connection, kind, bound or [], own or [])
    text = PREFIX + secrets.token_urlsafe(32)
    row = connection.execute(
        statement("access.create"),
        {"name": name, "hash": digest(text), "role": kind.value, "sites": bound, "lines": own},
    ).fetchone()
    assert row is not None
    record(
        connection,
        "key created",
        by=by,
        subject=subject,
        detail={
            "key_id": row[0],
            "before": None,
            "after": {"role": kind.value, "sites": bound, "lines": own, "name": name},
        },
    )
    return text


def revoke(
    connection: Connection[TupleRow], key_id: int, *, by: int | None = None, subject: str | None = None
) -> bool:
    """Ends a key at once. False where there is none, or it has ended before."""
    row = connection.execute(statement("access.revoke"), {"key_id": key_id}).fetchone()
    if row is None:
        return False
    said = {"key_id": key_id, "before": "living", "after": "revoked"}
    record(connection, "key revoked", by=by, subject=subject, detail=said)
    return True


def find(connection: Connection[TupleRow], text: str) -> Key | None:
    """The living key with this text, or None. Notes when it was last used, to the minute."""
    if not text.startswith(PREFIX):
        return None
    row = connection.execute(statement("access.find"), {"hash": digest(text)}).fetchone()
    if row is None:
        return None
    connection.execute(statement("access.used"), {"key_id": row[0]})
    return key_of(row)


def listed(connection: Connection[TupleRow]) -> list[Key]:
    """Every key that was ever made, oldest first."""
    return [key_of(row) for row in connection.execute(statement("access.listed")).fetchall()]


def record(
    connection: Connection[TupleRow],
    action: str,
    *,
    by: int | None = None,
    subject: str | None = None,
    site: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Writes one line of the audit, in the transaction of what it tells of. Never holds a key's text.

    `by` is the key that acts, `subject` whom an identity provider named; neither: the command line.
    """
    connection.execute(
        statement("access.record"),
        {
            "key_id": by,
            "subject": subject,
            "site": site,
            "action": action,
            "detail": Jsonb(detail or {}, dumps=_json),
        },
    )


def _json(value: object) -> str:
    return json.dumps(value, default=str)


def digest(text: str) -> bytes:
    """SHA-256 of a key's text: the text is random, so a slow hash would add nothing."""
    return hashlib.sha256(text.encode()).digest()


def key_of(row: Sequence[object]) -> Key:
    """A key out of its row."""
    key_id, name, role, sites, lines, *times = row
    bound, own = (None if names is None else frozenset(names) for names in (sites, lines))  # type: ignore[call-overload]
    return Key(key_id, name, KeyRole(role), bound, own, *times)  # type: ignore[arg-type]


def _role(text: str) -> KeyRole:
    try:
        return KeyRole(text)
    except ValueError:
        raise CloudError("no such role", repr(text), f"use one of {', '.join(KeyRole)}") from None


def _refuse_unknown_sites(connection: Connection[TupleRow], sites: Sequence[str] | None) -> None:
    if not sites:
        return
    known = {row[0] for row in connection.execute(statement("access.sites")).fetchall()}
    if unknown := [site for site in sites if site not in known]:
        raise CloudError("no such site", ", ".join(unknown), "load its plant model first, or check the name")


def _refuse_lines(
    connection: Connection[TupleRow], role: KeyRole, sites: Sequence[str], lines: Sequence[str]
) -> None:
    if not lines:
        return
    if role is not KeyRole.FLOOR:
        raise CloudError("only a key of the floor is bound to a line", role, "leave the line out")
    if len(sites) != 1:
        raise CloudError("a line is one of one site", ", ".join(lines), "name its site, and no other")
    plant = snapshot(connection, sites[0])
    known = {line.id for line in plant.lines} if plant is not None else set()
    if unknown := [line for line in lines if line not in known]:
        mend = f"known are {', '.join(sorted(known))}" if known else "load its plant model first"
        raise CloudError("no such line", f"{sites[0]}: {', '.join(unknown)}", mend)
