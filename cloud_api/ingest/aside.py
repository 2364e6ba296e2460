"""Messages set aside: kept with their bytes where a person can see them; those of a conflict come back."""

from __future__ import annotations

import hashlib

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.ingest.message import Incoming
from cloud_api.store.statements import statement

MOST_WITHOUT_SEQ = 1_000
"""Unresolved messages of one agent id that do not say which batch they are; further ones are only counted."""
MOST_DETAIL = 500

UNUSABLE, CONFLICT = "unusable", "conflict"


def set_aside(connection: Connection[TupleRow], incoming: Incoming, reason: str, detail: str) -> None:
    """Keeps a message with its bytes, in the caller's transaction. The same message again is counted."""
    payload, front, run = incoming.message.payload, incoming.front, incoming.run
    connection.execute(
        statement("set_aside.add"),
        {
            "site": incoming.site,
            "agent": incoming.agent,
            "kind": str(incoming.kind),
            "reason": reason,
            "detail": detail.replace("\x00", "\ufffd")[:MOST_DETAIL],
            "digest": hashlib.sha256(payload).digest()[:16],
            "message": payload,
            "stream": None if front is None else front.stream,
            "seq": None if front is None else front.seq,
            "instance": None if run is None else run[0],
            "start": None if run is None else run[1],
            "most": MOST_WITHOUT_SEQ,
        },
    )
