"""Sessions of browsers: opened with a key, ended with it or by its time; and the token that a form must send.

The cookie is HttpOnly, so no script reads it. What a foreign page makes a browser send carries the cookie but
not the form token, which only our own pages hold: it is derived from the session, and kept nowhere.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from types import MappingProxyType

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.access import keys
from cloud_api.access.keys import Key
from cloud_api.access.roles import KeyRole
from cloud_api.store.statements import statement

COOKIE = "plantledger_session"
TOKEN_HEADER = "x-csrf-token"
"""Header in which a script of our own pages sends the form token."""

LIVES: Mapping[KeyRole, dt.timedelta] = MappingProxyType(
    {
        KeyRole.FINANCE: dt.timedelta(hours=12),
        KeyRole.ENGINEER: dt.timedelta(hours=12),
        KeyRole.IT: dt.timedelta(hours=12),
        KeyRole.FLOOR: dt.timedelta(days=30),
    }
)
"""How long a session lives: a working day; on the floor's tablet, which hangs on a wall, a month."""


def open_session(connection: Connection[TupleRow], key: Key, now: dt.datetime) -> tuple[str, dt.timedelta]:
    """Opens a session for a key: its token, the only time in the clear, and how long it lives."""
    token, lives = secrets.token_urlsafe(32), LIVES[key.role]
    connection.execute(statement("access.sessions_sweep"), {"now": now})
    connection.execute(
        statement("access.session_open"),
        {"hash": keys.digest(token), "key_id": key.key_id, "expires_at": now + lives},
    )
    keys.record(connection, "session opened", by=key.key_id)
    return token, lives


def find(connection: Connection[TupleRow], token: str, now: dt.datetime) -> Key | None:
    """The living key of the living session with this token, or None."""
    digest = keys.digest(token)
    row = connection.execute(statement("access.session_find"), {"hash": digest, "now": now}).fetchone()
    if row is None:
        return None
    connection.execute(statement("access.session_used"), {"hash": digest})
    return keys.key_of(row)


def end(connection: Connection[TupleRow], token: str) -> None:
    """Ends a session at once; nothing where it has ended."""
    row = connection.execute(statement("access.session_end"), {"hash": keys.digest(token)}).fetchone()
    if row is not None:
        keys.record(connection, "session ended", by=row[0])


def form_token(token: str) -> str:
    """What a form of this session must send."""
    return hashlib.sha256(b"plantledger form\0" + token.encode()).hexdigest()


def is_own_form(token: str, sent: str | None) -> bool:
    """Whether a form was sent by a page of this session."""
    return sent is not None and hmac.compare_digest(form_token(token), sent)
