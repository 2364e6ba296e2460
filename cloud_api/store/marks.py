"""Marks: machine-hours whose figures must be computed again. Appended, read, and removed by id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.store.statements import statement


def append(connection: Connection[TupleRow], dirty: Iterable[tuple[int, datetime]]) -> None:
    """Marks machine-hours (machine_id, start of the UTC hour), in the caller's transaction."""
    pairs = sorted(set(dirty))
    if pairs:
        connection.execute(
            statement("marks.append"),
            {"machines": [machine for machine, _ in pairs], "hours": [hour for _, hour in pairs]},
        )


def append_span(
    connection: Connection[TupleRow], machines: Sequence[int], starts_at: datetime, ends_at: datetime
) -> None:
    """Marks every UTC hour that [starts_at, ends_at) touches, for each machine."""
    if machines:
        connection.execute(
            statement("marks.append_span"),
            {"machines": sorted(set(machines)), "starts_at": starts_at, "ends_at": ends_at},
        )


def of_machine(connection: Connection[TupleRow], machine_id: int) -> list[tuple[int, datetime]]:
    """(mark_id, hour) of every mark of a machine that the transaction sees, by hour."""
    rows = connection.execute(statement("marks.of_machine"), {"machine_id": machine_id}).fetchall()
    return [(mark_id, hour) for mark_id, hour in rows]


def machines(connection: Connection[TupleRow]) -> list[int]:
    """Machines that have marks, the longest waiting first."""
    return [row[0] for row in connection.execute(statement("marks.machines")).fetchall()]


def remove(connection: Connection[TupleRow], ids: Sequence[int]) -> None:
    """Removes exactly these marks; ones that came meanwhile stay."""
    if ids:
        connection.execute(statement("marks.remove"), {"ids": list(ids)})


def pending_hours(connection: Connection[TupleRow]) -> dict[str, int]:
    """Machine-hours still to be interpreted, per site that has any."""
    rows = connection.execute(statement("marks.pending_hours")).fetchall()
    return {site: count for site, count in rows}  # noqa: C416  a row is a tuple of any length
