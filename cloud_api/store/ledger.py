"""The ledger in the database: what the interpretation says of machine-hours, replaced hour by hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from cloud_api.interpret.model import Boundary, Entry, Facts, HourResult
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us

Tuple = tuple[Any, ...]


def replace_hours(
    connection: Connection[TupleRow],
    site: str,
    machine_id: int,
    from_us_: int,
    last_hour_us: int,
    hours: Sequence[HourResult],
) -> None:
    """Replaces what is stored of every machine-hour in [from_us_, last_hour_us] by these hours. Charges and
    boundaries stay."""
    span = {"machine_id": machine_id, "from": from_us(from_us_), "to": from_us(last_hour_us)}
    for part in ("segments", "outputs", "entries", "facts"):
        connection.execute(statement(f"ledger.clear_{part}"), span)
    _copy(connection, "ledger.copy_segments", _segments(machine_id, hours))
    _copy(connection, "ledger.copy_outputs", _outputs(site, machine_id, hours))
    entries = (_entry(site, machine_id, entry) for hour in hours for entry in hour.entries)
    _copy(connection, "ledger.copy_entries", entries)
    for hour in hours:
        if hour.missing or hour.findings:
            connection.execute(
                statement("ledger.add_facts"),
                {
                    "machine_id": machine_id,
                    "hour": from_us(hour.hour_us),
                    "missing": _json(hour.missing),
                    "findings": _json(hour.findings),
                },
            )


def clear_after(connection: Connection[TupleRow], machine_id: int, hour_us: int) -> None:
    """Removes what is stored of a machine after an hour, boundaries too: its time line ends in that hour."""
    span = {"machine_id": machine_id, "from": from_us(hour_us + 1), "to": "infinity"}
    for part in ("segments", "outputs", "entries", "facts", "carry"):
        connection.execute(statement(f"ledger.clear_{part}"), span)


def set_boundaries(connection: Connection[TupleRow], machine_id: int, boundaries: Sequence[Boundary]) -> None:
    """Stores what is known at the start of machine-hours."""
    connection.execute(
        statement("ledger.set_boundaries"),
        {
            "machine_id": machine_id,
            "hours": [from_us(boundary.hour_us) for boundary in boundaries],
            "states": [_json(boundary) for boundary in boundaries],
        },
    )


def set_computed(connection: Connection[TupleRow], machine_id: int, through_us: int) -> None:
    """Says that a machine is interpreted up to this watermark."""
    at = {"machine_id": machine_id, "through": from_us(through_us)}
    connection.execute(statement("ledger.set_computed"), at)


def replace_charges(
    connection: Connection[TupleRow], site: str, machines: dict[str, int], entries: Iterable[Entry]
) -> None:
    """Replaces every charge of a site; ``machines`` gives the id of each machine that one names."""
    connection.execute(statement("ledger.clear_charges"), {"site": site})
    rows = (
        _entry(site, None if entry.machine is None else machines[entry.machine], entry) for entry in entries
    )
    _copy(connection, "ledger.copy_entries", rows)


def _segments(machine_id: int, hours: Iterable[HourResult]) -> Iterator[Tuple]:
    for hour in hours:
        for part in hour.segments:
            span = (from_us(part.hour_us), from_us(part.from_us), from_us(part.to_us))
            yield (machine_id, *span, *facts_row(part))


def _outputs(site: str, machine_id: int, hours: Iterable[HourResult]) -> Iterator[Tuple]:
    for hour in hours:
        for part in hour.outputs:
            versions = (part.standard_version, part.calendar_version)
            yield (site, machine_id, from_us(part.hour_us), *versions, *facts_row(part))


def facts_row(facts: Facts) -> Tuple:
    """Facts in the order of the columns from production_day to late_seen."""
    return (
        facts.production_day,
        facts.effective,
        facts.state,
        facts.product,
        facts.order,
        facts.made_product,
        facts.made_order,
        facts.reason,
        facts.shift,
        facts.calendar,
        facts.overtime,
        facts.paid,
        facts.crew,
        facts.duration_us,
        facts.crew_assumed_us,
        facts.uncertain_us,
        facts.good,
        facts.scrap,
        facts.rework,
        facts.energy_kwh,
        facts.energy_assumed,
        _json(facts.material),
        _json(facts.changeovers),
        facts.late_seen,
    )


def _entry(site: str, machine_id: int | None, entry: Entry) -> Tuple:
    return (
        site,
        machine_id,
        from_us(entry.hour_us),
        entry.production_day,
        entry.product,
        entry.order,
        entry.shift,
        entry.reason,
        entry.cost_centre,
        entry.resource,
        entry.cause,
        entry.item,
        entry.amount,
        entry.quantity,
        entry.unit,
        entry.rate,
        entry.standard_version,
        entry.calendar_version,
        entry.assumed,
    )


def _json(value: object) -> Jsonb:
    return Jsonb(value, dumps=msgspec.json.encode)


def _copy(connection: Connection[TupleRow], name: str, rows: Iterable[Tuple]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement(name)) as copy:
        for row in rows:
            copy.write_row(row)
