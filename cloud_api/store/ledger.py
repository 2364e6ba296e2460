"""The ledger in the database: what the interpretation says of machine-hours, replaced hour by hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.interpret.model import Boundary, Entry, HourResult
from cloud_api.store.periods import Closings, adjust_charges, adjust_hours
from cloud_api.store.rows import Tuple, as_json, copy_rows, entry_row, output_row, segment_row
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us


def replace_hours(
    connection: Connection[TupleRow],
    site: str,
    machine: tuple[int, str],
    from_us_: int,
    last_hour_us: int,
    hours: Sequence[HourResult],
    closings: Closings,
) -> None:
    """Replaces what is stored of every hour of a machine (id and name) in [from_us_, last_hour_us] by these
    hours. Charges and boundaries stay; what closed periods say otherwise becomes adjustments."""
    machine_id = machine[0]
    first, last = from_us(from_us_), from_us(last_hour_us)
    span = {"machine_id": machine_id, "from": first, "to": last, "closed": closings.days}
    for part in ("segments", "outputs", "entries", "facts"):
        connection.execute(statement(f"ledger.clear_{part}"), span)
    copy_rows(connection, "ledger.copy_segments", _segments(machine_id, hours))
    copy_rows(connection, "ledger.copy_outputs", _outputs(site, machine_id, hours, closings))
    copy_rows(connection, "ledger.copy_entries", _entries(site, machine_id, hours, closings))
    if closings.rows:
        adjust_hours(connection, site, machine, (first, last), hours, closings)
    for hour in hours:
        if hour.missing or hour.findings:
            connection.execute(
                statement("ledger.add_facts"),
                {
                    "machine_id": machine_id,
                    "hour": from_us(hour.hour_us),
                    "missing": as_json(hour.missing),
                    "findings": as_json(hour.findings),
                },
            )


def clear_after(
    connection: Connection[TupleRow], site: str, machine: tuple[int, str], hour_us: int, closings: Closings
) -> None:
    """Removes what is stored of a machine (id and name) after an hour, boundaries too: its time line ends in
    that hour."""
    begin = from_us(hour_us + 1)
    span = {"machine_id": machine[0], "from": begin, "to": "infinity", "closed": closings.days}
    for part in ("segments", "outputs", "entries", "facts", "carry"):
        connection.execute(statement(f"ledger.clear_{part}"), span)
    if closings.rows:
        adjust_hours(connection, site, machine, (begin, "infinity"), [], closings)


def set_boundaries(connection: Connection[TupleRow], machine_id: int, boundaries: Sequence[Boundary]) -> None:
    """Stores what is known at the start of machine-hours."""
    connection.execute(
        statement("ledger.set_boundaries"),
        {
            "machine_id": machine_id,
            "hours": [from_us(boundary.hour_us) for boundary in boundaries],
            "states": [as_json(boundary) for boundary in boundaries],
        },
    )


def set_computed(connection: Connection[TupleRow], machine_id: int, through_us: int) -> None:
    """Says that a machine is interpreted up to this watermark."""
    at = {"machine_id": machine_id, "through": from_us(through_us)}
    connection.execute(statement("ledger.set_computed"), at)


def replace_charges(
    connection: Connection[TupleRow],
    site: str,
    machines: dict[str, int],
    entries: Sequence[Entry],
    closings: Closings,
) -> None:
    """Replaces every charge of a site; ``machines`` gives the id of each machine that one names. What closed
    periods say otherwise becomes adjustments."""
    connection.execute(statement("ledger.clear_charges"), {"site": site, "closed": closings.days})
    rows = (
        entry_row(site, None if entry.machine is None else machines[entry.machine], entry)
        for entry in entries
        if closings.of(entry.production_day) is None
    )
    copy_rows(connection, "ledger.copy_entries", rows)
    if closings.rows:
        adjust_charges(connection, site, machines, entries, closings)


def _segments(machine_id: int, hours: Iterable[HourResult]) -> Iterator[Tuple]:
    for hour in hours:
        for part in hour.segments:
            yield segment_row(machine_id, part)


def _outputs(site: str, machine_id: int, hours: Iterable[HourResult], closings: Closings) -> Iterator[Tuple]:
    for hour in hours:
        for part in hour.outputs:
            if closings.of(part.production_day) is None:
                yield output_row(site, machine_id, part)


def _entries(site: str, machine_id: int, hours: Iterable[HourResult], closings: Closings) -> Iterator[Tuple]:
    for hour in hours:
        for entry in hour.entries:
            if closings.of(entry.production_day) is None:
                yield entry_row(site, machine_id, entry)
