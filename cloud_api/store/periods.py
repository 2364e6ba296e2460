"""Locked and closed periods: the plant model that they keep, and the adjustments of what came too late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.interpret.adjustments import Kept, entry_difference, output_difference, plant_kept
from cloud_api.interpret.model import Entry, HourResult, Output
from cloud_api.interpret.plant import Plant
from cloud_api.interpret.standards import Book
from cloud_api.store import plant as plants
from cloud_api.store.rows import copy_rows, entry_row, facts_of, output_row
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us

Row = TypeVar("Row", Entry, Output)


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A period that is locked or closed, production days [first_day, end_day)."""

    period: str
    status: str
    first_day: date
    end_day: date
    plant_version: int
    since: datetime

    @property
    def closed(self) -> bool:
        return self.status == "closed"


@dataclass(frozen=True, slots=True)
class Booking:
    """Where an adjustment is booked: an hour of the open period, and its production day."""

    hour: datetime
    day: date


@dataclass(frozen=True, slots=True)
class Closings:
    """The closed periods of a site, and what says where their adjustments are booked."""

    rows: tuple[KeptRow, ...]
    book_at: Callable[[KeptRow], Booking]
    now: datetime

    @property
    def days(self) -> str:
        """Their production days, as PostgreSQL writes a multirange."""
        return days_of(self.rows)

    def of(self, day: date) -> KeptRow | None:
        """The closed period of a production day."""
        return next((row for row in self.rows if row.first_day <= day < row.end_day), None)


def days_of(rows: Iterable[KeptRow]) -> str:
    """Production days of periods as a multirange."""
    return "{" + ",".join(f"[{row.first_day},{row.end_day})" for row in rows) + "}"


def kept_rows(connection: Connection[TupleRow], site: str) -> tuple[KeptRow, ...]:
    """Locked and closed periods of a site, in order."""
    return tuple(KeptRow(*row) for row in connection.execute(statement("periods.kept"), {"site": site}))


def book_of(
    connection: Connection[TupleRow], site: str, kept: Sequence[KeptRow], version: int | None
) -> Book | None:
    """The plant model of a site as it counts now, compiled, with what its periods keep. ``version``: its
    latest."""
    now = plants.snapshot(connection, site)
    if now is None:
        return None
    models: dict[int, Plant] = {} if version is None else {version: now}
    for row in kept:
        if row.plant_version not in models:
            then = plants.of_version(connection, site, row.plant_version)
            models[row.plant_version] = now if then is None else plant_kept(then, now)
    return Book(
        now,
        [Kept(row.period, row.first_day, row.end_day, models[row.plant_version], row.closed) for row in kept],
    )


def adjust_hours(
    connection: Connection[TupleRow],
    site: str,
    named: tuple[int, str],
    span: tuple[datetime | str, datetime | str],
    hours: Sequence[HourResult],
    closings: Closings,
) -> None:
    """Books what the hours of a machine (id and name) now say otherwise, as far as they lie in closed
    periods. ``span``: first and last hour; hours in it that are not given are gone."""
    entries, outputs = late_of(connection, site, named, span, hours, closings)
    _book_entries(connection, site, {named[1]: named[0]}, entries, closings)
    rows = (
        (*_booking(closings, output.production_day), *output_row(site, named[0], output))
        for output in outputs
    )
    copy_rows(connection, "periods.copy_output_adjustments", rows)


def late_of(
    connection: Connection[TupleRow],
    site: str,
    named: tuple[int, str],
    span: tuple[datetime | str, datetime | str],
    hours: Sequence[HourResult],
    closings: Closings,
) -> tuple[list[Entry], list[Output]]:
    """What hours say otherwise than the frozen rows with the adjustments that are booked, as in
    `adjust_hours`."""
    machine_id, machine = named
    at = {"site": site, "machine_id": machine_id, "from": span[0], "to": span[1], "days": closings.days}
    names = {machine_id: machine}
    entries = [e for hour in hours for e in hour.entries if closings.of(e.production_day)]
    known = [entry_of(row, names) for row in connection.execute(statement("periods.entries_of_closed"), at)]
    outputs = [o for hour in hours for o in hour.outputs if closings.of(o.production_day)]
    stood = [
        output_of(row, machine) for row in connection.execute(statement("periods.outputs_of_closed"), at)
    ]
    return (
        entry_difference(of_one_calendar(entries), of_one_calendar(known)),
        output_difference(of_one_calendar(outputs), of_one_calendar(stood)),
    )


def of_one_calendar(rows: Iterable[Row]) -> list[Row]:
    """Rows without the version of the calendar, which may change without touching an hour."""
    return [msgspec.structs.replace(row, calendar_version=0) for row in rows]


def adjust_charges(
    connection: Connection[TupleRow],
    site: str,
    machines: dict[str, int],
    entries: Iterable[Entry],
    closings: Closings,
) -> None:
    """Books what the charges of closed periods now say otherwise; ``machines``: ids by name."""
    names = {machine_id: machine for machine, machine_id in machines.items()}
    at = {"site": site, "days": closings.days}
    known = [entry_of(row, names) for row in connection.execute(statement("periods.charges_of_closed"), at)]
    given = [entry for entry in entries if closings.of(entry.production_day)]
    late = entry_difference(of_one_calendar(given), of_one_calendar(known))
    _book_entries(connection, site, machines, late, closings)


def _book_entries(
    connection: Connection[TupleRow],
    site: str,
    machines: dict[str, int],
    entries: Iterable[Entry],
    closings: Closings,
) -> None:
    rows = (
        (
            *_booking(closings, entry.production_day),
            *entry_row(site, None if entry.machine is None else machines[entry.machine], entry),
        )
        for entry in entries
    )
    copy_rows(connection, "periods.copy_adjustments", rows)


def _booking(closings: Closings, day: date) -> tuple[Any, ...]:
    row = closings.of(day)
    assert row is not None
    booking = closings.book_at(row)
    return row.period, closings.now, booking.hour, booking.day


def entry_of(row: TupleRow, machines: dict[int, str]) -> Entry:
    """An entry from the columns of periods.entries_of_closed; ``machines``: names by id."""
    _, machine_id, hour, day, product, order, shift, reason, centre, resource, cause, item = row[:12]
    amount, quantity, unit, rate, standard, calendar, assumed = row[12:]
    return Entry(
        machine=None if machine_id is None else machines[machine_id],
        hour_us=to_us(hour),
        production_day=day,
        product=product,
        order=order,
        shift=shift,
        reason=reason,
        cost_centre=centre,
        resource=resource,
        cause=cause,
        item=item,
        amount=amount,
        quantity=quantity,
        unit=unit,
        rate=rate,
        standard_version=standard,
        calendar_version=calendar,
        assumed=assumed,
    )


def output_of(row: TupleRow, machine: str) -> Output:
    """An output from the columns of periods.outputs_of_closed."""
    _, _, hour, standard, calendar_version, *facts = row
    return Output(
        machine=machine,
        hour_us=to_us(hour),
        standard_version=standard,
        calendar_version=calendar_version,
        **facts_of(tuple(facts)),
    )
