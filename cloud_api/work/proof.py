"""Proof of figures: a machine is computed again from its raw samples and held against the ledger."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from cloud_api.answers.posting import closings_at
from cloud_api.interpret.model import Boundary, Entry, Evidence, HourResult, Output, Segment
from cloud_api.interpret.standards import Book
from cloud_api.store import evidence, marks
from cloud_api.store.evidence import Subject
from cloud_api.store.periods import Closings, late_of
from cloud_api.store.rows import facts_row
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, hour_of, to_us
from cloud_api.work.passes import advance
from shared.units import HOUR_US

MOST_SAMPLES = 100_000
MOST_HOURS = 28 * 24
TABLES = ("segments", "outputs", "entries")
_MACHINE_HOUR = 0


@dataclass(slots=True)
class Aside:
    """The ground of a proof: evidence from the database, boundaries and results kept in memory."""

    connection: Connection[TupleRow]
    who: Subject
    hours: dict[int, HourResult] = field(default_factory=dict)
    known: dict[int, Boundary] = field(default_factory=dict)

    def evidence(self, from_us: int, to_us: int) -> Evidence:
        return evidence.evidence(self.connection, self.who, from_us, to_us)

    def boundary_before(self, hour_us: int) -> Boundary | None:
        hour = max((hour for hour in self.known if hour <= hour_us), default=None)
        return None if hour is None else self.known[hour]

    def boundaries(self, from_us: int, to_us: int) -> Mapping[int, Boundary]:
        return {hour: self.known[hour] for hour in self.known if from_us <= hour <= to_us}

    def keep(self, from_us: int, last_hour_us: int, hours: Sequence[HourResult], ends: bool) -> None:
        for hour in [hour for hour in self.hours if from_us <= hour <= last_hour_us]:
            del self.hours[hour]
        for result in hours:
            self.hours[result.hour_us] = result
            self.known[result.hour_us] = result.begin

    def keep_boundary(self, boundary: Boundary) -> None:
        self.known[boundary.hour_us] = boundary


@dataclass(frozen=True, slots=True)
class Difference:
    """A machine-hour and table in which rows differ: those only stored and those only computed."""

    machine: str
    hour: datetime
    table: str
    stored: tuple[str, ...]
    computed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared of a machine. ``waiting``: marked machine-hours; from the first on nothing was."""

    machine: str
    hours: int
    rows: int
    waiting: int
    differences: tuple[Difference, ...]


def prove(
    connection: Connection[TupleRow],
    who: Subject,
    book: Book,
    from_us_: int | None = None,
    to_us_: int | None = None,
) -> Proof:
    """Computes a machine from its first sample on and compares the hours in [from_us_, to_us_).

    Of closed periods, the frozen rows with their adjustments are held against what the samples give today.
    Call it inside one REPEATABLE READ transaction. Everything is compared but the version of the calendar,
    which may change without touching an hour.
    """
    waiting = sorted({to_us(hour) for _, hour in marks.of_machine(connection, who.machine_id)})
    first = max(hour_of(who.first_us), hour_of(from_us_ or 0))
    ends = [_settled_end(connection, who), *waiting[:1]]
    if to_us_ is not None:
        ends.append(hour_of(to_us_ - 1) + HOUR_US)
    end = min(ends)
    aside = computed_of(connection, who, book)
    closings = closings_at(connection, who.site, book, from_us(end))
    hours = [hour for at, hour in sorted(aside.hours.items()) if first <= at < end]
    computed = _rows(hours, closings)
    stored = _stored(connection, who.machine_id, first, end, closings)
    differences = (
        *_differences(who.machine, stored, computed),
        *_late(connection, who, hours, (first, end), closings),
    )
    rows = sum(sum(rows.values()) for rows in computed.values())
    return Proof(who.machine, max(0, (end - first) // HOUR_US), rows, len(waiting), differences)


def changed_since_close(connection: Connection[TupleRow], site: str) -> Iterator[str]:
    """Closed periods whose frozen amounts are not those that were recorded at the close, cause by cause."""
    for period, first_day, end_day, recorded in connection.execute(
        statement("periods.frozen"), {"site": site}
    ).fetchall():
        at = {"site": site, "first_day": first_day, "end_day": end_day}
        known = {(resource, cause): Decimal(amount) for resource, cause, amount in recorded}
        rows = connection.execute(statement("periods.totals"), at)
        now = {(resource, cause): amount for resource, cause, amount, _ in rows}
        for cell in sorted(known.keys() | now.keys()):
            if known.get(cell) != now.get(cell):
                yield f"{period} {'/'.join(cell)}: closed with {known.get(cell)}, now {now.get(cell)}"


def computed_of(connection: Connection[TupleRow], who: Subject, book: Book) -> Aside:
    """Every hour of a machine out of its raw samples alone."""
    aside = Aside(connection, who)
    begin: Boundary | None = None
    at: int | None = hour_of(who.first_us)
    while at is not None:
        end = evidence.chunk_end(connection, who, at, MOST_SAMPLES, MOST_HOURS)
        done = advance(aside, who.machine, book, who.first_us, begin, end, end)
        at = done.to_us
        begin = None if at is None else aside.known[at]
    return aside


def _settled_end(connection: Connection[TupleRow], who: Subject) -> int:
    """The end of what was interpreted: the last hour counts only where its watermark has not moved since."""
    found = connection.execute(statement("ledger.computed"), {"machine_id": who.machine_id}).fetchone()
    if found is None:
        return 0
    through = to_us(found[0])
    return hour_of(through - 1) + HOUR_US if through == who.watermark_us else hour_of(through)


Rows = dict[tuple[datetime, str], Counter[tuple[Any, ...]]]


def _rows(hours: Iterable[HourResult], closings: Closings) -> Rows:
    found: Rows = {}
    for hour in hours:
        at = from_us(hour.hour_us)
        for table, rows in (
            ("segments", [_segment(part) for part in hour.segments]),
            ("outputs", [_output(part) for part in hour.outputs if not closings.of(part.production_day)]),
            ("entries", [_entry(part) for part in hour.entries if not closings.of(part.production_day)]),
        ):
            if rows:
                found.setdefault((at, table), Counter()).update(rows)
    return found


def _late(
    connection: Connection[TupleRow],
    who: Subject,
    hours: Sequence[HourResult],
    span: tuple[int, int],
    closings: Closings,
) -> Iterator[Difference]:
    """What the closed periods lack: neither frozen nor booked as an adjustment."""
    if not closings.rows or span[0] >= span[1]:
        return
    named = (who.machine_id, who.machine)
    bounds = (from_us(span[0]), from_us(span[1] - HOUR_US))
    entries, outputs = late_of(connection, who.site, named, bounds, hours, closings)
    for entry in entries:
        shown = _shown(Counter([_entry(entry)]))
        yield Difference(who.machine, from_us(entry.hour_us), "entries of a closed period", (), shown)
    for output in outputs:
        shown = _shown(Counter([_output(output)]))
        yield Difference(who.machine, from_us(output.hour_us), "outputs of a closed period", (), shown)


def _stored(
    connection: Connection[TupleRow], machine_id: int, first: int, end: int, closings: Closings
) -> Rows:
    found: Rows = {}
    at = {
        "machine_id": machine_id,
        "from": from_us(first),
        "to": from_us(max(first, end)),
        "closed": closings.days,
    }
    for table in TABLES:
        for row in connection.execute(statement(f"ledger.{table}_of"), at):
            plain = tuple(_plain(value) for value in row[1:])
            found.setdefault((row[_MACHINE_HOUR], table), Counter())[plain] += 1
    return found


def _segment(part: Segment) -> tuple[Any, ...]:
    return (from_us(part.from_us), from_us(part.to_us), *_facts(part))


def _output(part: Output) -> tuple[Any, ...]:
    return (part.standard_version, *_facts(part))


def _facts(part: Segment | Output) -> tuple[Any, ...]:
    return tuple(_plain(value) for value in facts_row(part))


def _entry(part: Entry) -> tuple[Any, ...]:
    return (
        part.production_day,
        part.product,
        part.order,
        part.shift,
        part.reason,
        part.cost_centre,
        part.resource,
        part.cause,
        part.item,
        part.amount,
        part.quantity,
        part.unit,
        part.rate,
        part.standard_version,
        part.assumed,
    )


def _plain(value: Any) -> Any:
    """JSON in one spelling, everything else as it is."""
    if isinstance(value, Jsonb):
        value = json.loads(value.dumps(value.obj) if value.dumps else json.dumps(value.obj))
    return json.dumps(value, sort_keys=True) if isinstance(value, (list, dict)) else value


def _differences(machine: str, stored: Rows, computed: Rows) -> Iterator[Difference]:
    for at, table in sorted(stored.keys() | computed.keys()):
        old, new = stored.get((at, table), Counter()), computed.get((at, table), Counter())
        if old != new:
            yield Difference(machine, at, table, _shown(old - new), _shown(new - old))


def _shown(rows: Counter[tuple[Any, ...]]) -> tuple[str, ...]:
    return tuple(sorted(" ".join("-" if v is None else str(v) for v in row) for row in rows.elements()))
