"""Rows of the plant model in the database: what counts now, what counted before an instant, new versions.

A row's body holds its columns as text, flags and lists (numbers as exact text), and `source` ('file:line').
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from cloud_api.interpret.plant import Plant
from cloud_api.store.plant_model import assemble
from cloud_api.store.statements import statement

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One recording of one row of the plant model; `row_id` is the version that entries name."""

    row_id: int
    kind: str
    key: tuple[str, ...]
    effective: date | None
    version: int
    recorded_at: datetime
    body: Body


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row to be recorded."""

    kind: str
    key: tuple[str, ...]
    effective: date | None
    recorded_at: datetime
    body: Body


@dataclass(frozen=True, slots=True)
class MachineSpan:
    """A machine that has data: first sample and watermark."""

    machine_id: int
    machine: str
    first_sample: datetime
    watermark: datetime


def snapshot(
    connection: Connection[TupleRow], site: str, recorded_before: datetime | None = None
) -> Plant | None:
    """The plant model of a site as it counts now, or as it counted just before an instant; None without."""
    return assemble(site, rows(connection, site, recorded_before))


def of_version(connection: Connection[TupleRow], site: str, version: int) -> Plant | None:
    """The plant model of a site as a version of it left it; None without."""
    return assemble(site, rows_at(connection, site, version))


def rows_at(connection: Connection[TupleRow], site: str, version: int) -> list[StoredRow]:
    """Every row that counted at a version, in the order of its recording."""
    return _stored(connection.execute(statement("plant.rows_of_version"), {"site": site, "version": version}))


def rows(
    connection: Connection[TupleRow], site: str, recorded_before: datetime | None = None
) -> list[StoredRow]:
    """Every row that counts (or counted just before an instant), in the order of its recording."""
    if recorded_before is None:
        found = connection.execute(statement("plant.open_rows"), {"site": site})
    else:
        found = connection.execute(statement("plant.rows_before"), {"site": site, "before": recorded_before})
    return _stored(found)


def _stored(found: Iterable[TupleRow]) -> list[StoredRow]:
    return [
        StoredRow(row_id, kind, tuple(key), effective, version, recorded_at, body)
        for row_id, kind, key, effective, version, recorded_at, body in found
    ]


def exists(connection: Connection[TupleRow], site: str) -> bool:
    """Whether anything is known of a site."""
    return connection.execute("select from sites where site = %s", (site,)).fetchone() is not None


def latest_version(connection: Connection[TupleRow], site: str) -> int | None:
    """The number of the last load of a site; None before the first."""
    found = connection.execute(statement("plant.latest_version"), {"site": site}).fetchone()
    return found[0] if found else None


def lock_site(connection: Connection[TupleRow], site: str) -> None:
    """Creates the site if it is new; one writer of its plant model at a time, until the transaction ends."""
    connection.execute(statement("plant.lock_site"), {"site": site})


def add_version(
    connection: Connection[TupleRow],
    site: str,
    *,
    correction: bool,
    digest: bytes,
    author: str,
    recorded_at: datetime | None,
) -> tuple[int, datetime]:
    """Records a load; gives its number and when it was recorded (now, unless told)."""
    found = connection.execute(
        statement("plant.add_version"),
        {
            "site": site,
            "recorded_at": recorded_at,
            "correction": correction,
            "digest": digest,
            "author": author,
        },
    ).fetchone()
    assert found is not None
    return found[0], found[1]


def write_rows(
    connection: Connection[TupleRow],
    site: str,
    version: int,
    *,
    new: Sequence[NewRow],
    ended: Sequence[int],
) -> None:
    """Records new rows under a version and ends the rows (by row_id) that it replaces."""
    if ended:
        connection.execute(statement("plant.end_rows"), {"version": version, "rows": list(ended)})
    if new:
        with connection.cursor() as cursor, cursor.copy(statement("plant.copy_rows")) as copy:
            for row in new:
                body = Jsonb(dict(row.body))
                key = list(row.key)
                copy.write_row((site, row.kind, key, row.effective, version, row.recorded_at, body))


def set_machines(
    connection: Connection[TupleRow], site: str, machines: Iterable[tuple[str, str, int, str | None]]
) -> None:
    """Creates or updates machines: (machine, line, place in its line, cost centre)."""
    given = list(machines)
    connection.execute(
        statement("plant.set_machines"),
        {
            "site": site,
            "machines": [machine for machine, _, _, _ in given],
            "lines": [line for _, line, _, _ in given],
            "places": [place for _, _, place, _ in given],
            "cost_centres": [centre for _, _, _, centre in given],
        },
    )


def spans(connection: Connection[TupleRow], site: str) -> list[MachineSpan]:
    """The machines of a site that have data."""
    return [MachineSpan(*row) for row in connection.execute(statement("plant.spans"), {"site": site})]


def machine_ids(connection: Connection[TupleRow], site: str) -> dict[str, int]:
    """Machines of a site by name."""
    found = connection.execute(statement("plant.machine_ids"), {"site": site}).fetchall()
    return {row[0]: row[1] for row in found}


def counting_twice(connection: Connection[TupleRow], site: str) -> list[str]:
    """Machines whose data names both good_count and total_count."""
    return [row[0] for row in connection.execute(statement("plant.counting_roles"), {"site": site})]
