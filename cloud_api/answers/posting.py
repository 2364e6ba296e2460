"""Where what came too late for a closed period is booked: in the open period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.answers.fiscal import Period, fiscal_periods
from cloud_api.interpret.standards import Book
from cloud_api.store.periods import Booking, Closings, KeptRow, kept_rows
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, hour_of, to_us

_SAME = b"hour as booked_hour, production_day as booked_day, null::text as adjusts"
_LATE = b"period as adjusts"
_SOURCES = {
    b"from ledger_entries": (
        b"from (select *, " + _SAME + b" from entries) as ledger_entries",
        b"from (select *, " + _LATE + b" from adjustments) as ledger_entries",
    ),
    b"from ledger_outputs": (
        b"from (select *, " + _SAME + b" from outputs) as ledger_outputs",
        b"from (select *, " + _LATE + b" from output_adjustments) as ledger_outputs",
    ),
    b"from ledger_days": (
        b"from (select *, production_day as booked_day from entry_days) as ledger_days",
        b"from (select *, 1 as entries from adjustments) as ledger_days",
    ),
    b"from ledger_parts": (
        b"from (select *, production_day as booked_day from entry_parts) as ledger_parts",
        b"from (select *, 1 as entries from adjustments) as ledger_parts",
    ),
    b"from ledger_made": (
        b"from (select *, production_day as booked_day from output_days) as ledger_made",
        b"from late_made as ledger_made",
    ),
}


def read_ledger(
    connection: Connection[TupleRow], name: str, parameters: Mapping[str, object], late: bool
) -> Iterator[TupleRow]:
    """Rows of a named statement over the ledger with its adjustments, table by table: each is planned with
    what PostgreSQL knows of it. A group may come twice. `late`: whether there may be adjustments."""
    text = statement(name)
    view = next(source for source in _SOURCES if source in text)
    for source in _SOURCES[view][: 2 if late else 1]:
        yield from connection.execute(text.replace(view, source), parameters).fetchall()


def closings_at(connection: Connection[TupleRow], site: str, book: Book, now: dt.datetime) -> Closings:
    """The closed periods of a site as this transaction sees them. ``now`` is when something is booked."""
    kept = kept_rows(connection, site)
    return Closings(
        rows=tuple(row for row in kept if row.closed),
        book_at=lambda row: booking(kept, book, row, now),
        now=now,
    )


def booking(kept: Sequence[KeptRow], book: Book, late: KeptRow, now: dt.datetime) -> Booking:
    """The present, if it lies in the open period, which is the first that follows and is not closed; else
    the hour of that period that is nearest to the present."""
    first, end = open_after(kept, book, late)
    from_us_, to_us_ = book.almanac.day_span(first).from_us, book.almanac.day_span(end).from_us
    at = min(max(to_us(now), from_us_), to_us_ - 1)
    return Booking(from_us(hour_of(at)), book.production_day(at))


def open_after(kept: Sequence[KeptRow], book: Book, late: KeptRow) -> tuple[dt.date, dt.date]:
    """Production days [first, end) of the first period that follows and is not closed."""
    closed = [row for row in kept if row.closed]
    for _, first, end in laid_down(book, kept):
        if first >= late.end_day and not any(row.first_day <= first < row.end_day for row in closed):
            return first, end
    last = max(row.end_day for row in closed)
    return last, last + dt.timedelta(days=31)


def laid_down(book: Book, kept: Sequence[KeptRow]) -> list[Period]:
    """All periods of a site in order: those that are rows, and between them those of the fiscal year."""
    rows = [(row.period, row.first_day, row.end_day) for row in kept]
    plant = book.plant
    others = [
        (name, first, end)
        for name, first, end in fiscal_periods(plant.fiscal_pattern, plant.fiscal_year_start)
        if not any(begins < end and first < ends for _, begins, ends in rows)
        and name not in {row.period for row in kept}
    ]
    return sorted([*rows, *others], key=lambda period: period[1])
