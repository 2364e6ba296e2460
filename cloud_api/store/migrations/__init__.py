"""The schema as numbered SQL files, applied forward only, each in one transaction, one migrator at a time."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.errors import CloudError
from cloud_api.store.pool import connect

OLDEST_SERVER = 150000
_LOCK = 0x706C616E74
_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql\Z")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, its text."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> bytes:
        """SHA-256 of the text, whatever the line ends."""
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).digest()


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations of this program, in order. Raises CloudError for two of one number."""
    found: dict[int, Migration] = {}
    for file in files(__name__).iterdir():
        match = _FILE.match(file.name)
        if match is None:
            continue
        number = int(match[1])
        if number in found:
            raise CloudError(
                "two migrations of one number", f"{found[number].name}, {file.name}", "renumber one"
            )
        found[number] = Migration(number, file.name, file.read_text(encoding="utf-8"))
    return tuple(found[number] for number in sorted(found))


def migrate(url: str, through: int | None = None) -> list[str]:
    """Brings a database up to this program's schema (or up to number `through`); names what was applied.

    Safe to call from several processes at once. Raises CloudError when the server is too old, when an
    applied file has changed since, or when the database was migrated by a newer program.
    """
    with connect(url, name="migrate", autocommit=True) as connection:
        _refuse_old_server(connection)
        connection.execute("select pg_advisory_lock(%s)", [_LOCK])
        try:
            applied = _applied(connection)
            _refuse_what_differs(applied)
            wanted = [
                migration
                for migration in migrations()
                if migration.number not in applied and (through is None or migration.number <= through)
            ]
            for migration in wanted:
                _apply(connection, migration)
            return [migration.name for migration in wanted]
        finally:
            connection.execute("select pg_advisory_unlock(%s)", [_LOCK])


def pending(connection: Connection[TupleRow]) -> list[str]:
    """Names of the migrations that a database still lacks; nothing is changed."""
    row = connection.execute("select to_regclass('schema_migrations')").fetchone()
    applied = _rows(connection) if row is not None and row[0] is not None else {}
    return [migration.name for migration in migrations() if migration.number not in applied]


def _refuse_old_server(connection: Connection[TupleRow]) -> None:
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise CloudError(
            f"PostgreSQL {version // 10000} is too old", connection.info.host, "use PostgreSQL 15 or newer"
        )


def _applied(connection: Connection[TupleRow]) -> dict[int, tuple[str, bytes]]:
    connection.execute(
        "create table if not exists schema_migrations ("
        " number int primary key, name text not null, checksum bytea not null,"
        " applied_at timestamptz not null default now())"
    )
    return _rows(connection)


def _rows(connection: Connection[TupleRow]) -> dict[int, tuple[str, bytes]]:
    rows = connection.execute("select number, name, checksum from schema_migrations").fetchall()
    return {number: (name, bytes(checksum)) for number, name, checksum in rows}


def _refuse_what_differs(applied: dict[int, tuple[str, bytes]]) -> None:
    ours = {migration.number: migration for migration in migrations()}
    for number, (name, checksum) in sorted(applied.items()):
        if number not in ours:
            raise CloudError(
                "the database was migrated by a newer program", name, "install that version, or a newer one"
            )
        if ours[number].checksum != checksum:
            raise CloudError(
                "an applied migration has changed since",
                ours[number].name,
                "put the old text back and say the change in a new file",
            )


def _apply(connection: Connection[TupleRow], migration: Migration) -> None:
    with connection.transaction():
        connection.execute(migration.text.encode())
        connection.execute(
            "insert into schema_migrations (number, name, checksum) values (%s, %s, %s)",
            [migration.number, migration.name, migration.checksum],
        )
