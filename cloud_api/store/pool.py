"""Connections: one pool a role, sessions in UTC, broken connections replaced before they are handed out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from psycopg import Connection, IsolationLevel, OperationalError
from psycopg import connect as _connect
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool

from cloud_api.errors import CloudError

Row = TupleRow
Pool = ConnectionPool[Connection[TupleRow]]

set_json_loads(msgspec.json.decode)

_SESSION = {"options": "-c timezone=UTC -c client_encoding=UTF8", "connect_timeout": 10}


def connect(url: str, *, name: str = "command", autocommit: bool = False) -> Connection[TupleRow]:
    """One connection. Raises CloudError when the server cannot be reached."""
    try:
        return _connect(url, autocommit=autocommit, application_name=f"plantledger {name}", **_SESSION)  # type: ignore[arg-type]
    except OperationalError as error:
        raise CloudError(
            "the database cannot be reached",
            str(error).strip(),
            "check PLANTLEDGER_DATABASE_URL and the server",
        ) from error


def open_pool(url: str, *, name: str, size: int, wait_s: float = 30.0) -> Pool:
    """A pool of at most `size` connections, open and tried.

    Raises CloudError when no connection comes within wait_s. A connection that the server dropped is
    replaced before it is handed out, so a restart of the database costs errors only in its midst.
    """
    pool: Pool = ConnectionPool(
        url,
        kwargs={"application_name": f"plantledger {name}", **_SESSION},
        min_size=1,
        max_size=size,
        timeout=wait_s,
        reconnect_timeout=60.0,
        check=ConnectionPool.check_connection,
        name=name,
        open=False,
    )
    try:
        pool.open(wait=True, timeout=wait_s)
    except Exception as error:
        pool.close()
        raise CloudError(
            "the database cannot be reached",
            str(error).strip(),
            "check PLANTLEDGER_DATABASE_URL and the server",
        ) from error
    return pool


@contextmanager
def snapshot(connection: Connection[TupleRow]) -> Iterator[Connection[TupleRow]]:
    """One REPEATABLE READ transaction: every statement sees the same instant. Commits at its end."""
    before = connection.isolation_level
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            yield connection
    finally:
        if not connection.closed:
            connection.isolation_level = before
