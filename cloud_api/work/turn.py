"""One turn at a machine: some of its marked hours are interpreted and written, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.answers.posting import closings_at
from cloud_api.interpret.interpretation import interpret
from cloud_api.interpret.model import Boundary, Evidence, HourResult
from cloud_api.interpret.standards import Book
from cloud_api.store import context, evidence, ledger, marks, periods, plant, pool
from cloud_api.store.evidence import Subject
from cloud_api.store.periods import Closings
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, hour_of, to_us
from cloud_api.work.allowing import Allowing
from cloud_api.work.passes import Done, advance
from shared.units import HOUR_US

MOST_SAMPLES = 10_000
"""A turn in history reads about so many samples, so that live hours never wait long."""
MOST_HOURS = 7 * 24
SPARE_HOURS = 6
"""So many hours are read beyond the marked ones, to see whether what follows is as stored."""
LOOKED_AT_US = 24 * HOUR_US
"""What is written of the last day is looked at for decisions anyway (work/decisions.py)."""
NEAR_HOURS = 12
"""A live hour is interpreted from a boundary at most so far back; from further away it is shown ahead."""


@dataclass(slots=True)
class Books:
    """The compiled plant model of each site, built once a version."""

    _books: dict[str, tuple[object, Book]] = field(default_factory=dict)

    def of(self, connection: Connection[TupleRow], site: str) -> Book | None:
        """The book of a site as this transaction sees it, with what its locked and closed periods keep; None
        without a plant model."""
        version, kept = plant.latest_version(connection, site), periods.kept_rows(connection, site)
        if version is None:
            return None
        known = self._books.get(site)
        if known is not None and known[0] == (version, kept):
            return known[1]
        book = periods.book_of(connection, site, kept, version)
        if book is not None:
            self._books[site] = (version, kept), book
        return book


@dataclass(frozen=True, slots=True)
class Stored:
    """The database as the ground of a pass."""

    connection: Connection[TupleRow]
    who: Subject
    closings: Closings
    kept: Callable[[Sequence[HourResult]], None]
    now: datetime

    def evidence(self, from_us: int, to_us: int) -> Evidence:
        return evidence.evidence(self.connection, self.who, from_us, to_us)

    def boundary_before(self, hour_us: int) -> Boundary | None:
        return evidence.boundary_before(self.connection, self.who.machine_id, hour_us)

    def boundaries(self, from_us: int, to_us: int) -> Mapping[int, Boundary]:
        return evidence.boundaries(self.connection, self.who.machine_id, from_us, to_us)

    def keep(self, from_us: int, last_hour_us: int, hours: Sequence[HourResult], ends: bool) -> None:
        site, machine = self.who.site, (self.who.machine_id, self.who.machine)
        ledger.replace_hours(self.connection, site, machine, from_us, last_hour_us, hours, self.closings)
        ledger.set_boundaries(self.connection, machine[0], [hour.begin for hour in hours])
        self.kept(hours)
        if from_us < to_us(self.now) - LOOKED_AT_US:
            context.past_due(self.connection, machine[0], from_us)
        if ends:
            ledger.clear_after(self.connection, site, machine, last_hour_us, self.closings)

    def keep_boundary(self, boundary: Boundary) -> None:
        ledger.set_boundaries(self.connection, self.who.machine_id, [boundary])


@contextmanager
def claimed(connection: Connection[TupleRow], machine_id: int) -> Iterator[bool]:
    """Whether this session has the machine to itself; it must be in no transaction. Taken before any
    snapshot, so that the snapshot holds all that an earlier holder wrote."""
    at = {"machine_id": machine_id}
    found = connection.execute(statement("work.claim"), at).fetchone()
    held = bool(found and found[0])
    try:
        yield held
    finally:
        if held and not connection.closed and not connection.broken:
            connection.execute(statement("work.release"), at)


class Turns:
    """Takes turns at machines over one connection in autocommit, alone or beside others that do the same."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        self.connection = connection
        self.books = Books()
        self.allowing = Allowing()
        self._shown: dict[int, int] = {}

    def live(self, machine_id: int, now: datetime) -> bool:
        """Interprets the current and the last hour of a machine. False: nothing was there to do, or another
        has it."""
        with claimed(self.connection, machine_id) as held:
            if not held:
                return False
            with self.allowing.committed(), pool.snapshot(self.connection):
                return self._live(machine_id, now)

    def history(self, machine_id: int, now: datetime) -> bool:
        """Interprets a bounded piece from the first marked hour on. False: as in `live`."""
        with claimed(self.connection, machine_id) as held:
            if not held:
                return False
            with self.allowing.committed(), pool.snapshot(self.connection):
                return self._history(machine_id, now)

    def _live(self, machine_id: int, now: datetime) -> bool:
        marked = marks.of_machine(self.connection, machine_id)
        ready = self._ready(machine_id, now, marked)
        if ready is None:
            return False
        who, book = ready
        since = live_from(now)
        fresh = [(mark, to_us(hour)) for mark, hour in marked if to_us(hour) >= since]
        if not fresh:
            return False
        first = min(hour for _, hour in fresh)
        before = self._boundary(who, first)
        near = before is not None and first - before.hour_us <= NEAR_HOURS * HOUR_US
        near = near or (before is None and first - hour_of(who.first_us) <= NEAR_HOURS * HOUR_US)
        if near:
            self._work(who, book, before, [hour for _, hour in fresh], marked, None, now)
            return True
        newest = max(mark for mark, _ in fresh)
        if self._shown.get(machine_id) == newest:
            return False
        self._show(who, book, first, now)
        self._shown[machine_id] = newest
        return True

    def _history(self, machine_id: int, now: datetime) -> bool:
        marked = marks.of_machine(self.connection, machine_id)
        ready = self._ready(machine_id, now, marked)
        if ready is None:
            return False
        who, book = ready
        hours = [to_us(hour) for _, hour in marked]
        self._work(who, book, self._boundary(who, hours[0]), hours, marked, MOST_SAMPLES, now)
        return True

    def _boundary(self, who: Subject, hour_us: int) -> Boundary | None:
        """Where to begin so that an hour is computed: never at or beyond the end of the time line."""
        hour_us = min(hour_us, hour_of(who.watermark_us - 1))
        return evidence.boundary_before(self.connection, who.machine_id, hour_us)

    def _ready(
        self, machine_id: int, now: datetime, marked: list[tuple[int, datetime]]
    ) -> tuple[Subject, Book] | None:
        """The machine and the book of its site; marks of a machine without data are taken away."""
        if not marked:
            return None
        found = self.connection.execute(
            "select site from machines where machine_id = %s", (machine_id,)
        ).fetchone()
        book = self.books.of(self.connection, found[0]) if found else None
        who = evidence.subject(self.connection, machine_id, book.plant if book else None, now)
        if who is None:
            marks.remove(self.connection, [mark for mark, _ in marked])
        return None if who is None or book is None else (who, book)

    def _work(
        self,
        who: Subject,
        book: Book,
        begin: Boundary | None,
        hours: Sequence[int],
        marked: Sequence[tuple[int, datetime]],
        most_samples: int | None,
        now: datetime,
    ) -> None:
        """A regular pass: takes away the marks that it served, leaves one where it must go on."""
        dirty = _last_in_a_row(sorted(set(hours)))
        start = hour_of(who.first_us) if begin is None else begin.hour_us
        most_hours = min(MOST_HOURS, (dirty - start) // HOUR_US + SPARE_HOURS)
        end = evidence.chunk_end(self.connection, who, start, most_samples, max(1, most_hours))
        closings = closings_at(self.connection, who.site, book, now)
        ground = Stored(self.connection, who, closings, partial(self._allow, who, book), now)
        done = advance(ground, who.machine, book, who.first_us, begin, dirty, end)
        served = [mark for mark, hour in marked if _serves(done, to_us(hour))]
        marks.remove(self.connection, served)
        if done.to_us is None:
            ledger.set_computed(self.connection, who.machine_id, who.watermark_us)
        elif not done.settled:
            marks.append(self.connection, [(who.machine_id, from_us(done.to_us))])

    def _show(self, who: Subject, book: Book, first: int, now: datetime) -> None:
        """Shows live hours ahead of the history that they follow: no boundary is kept and no mark is served,
        so that they are computed again when history reaches them."""
        begin = Boundary(hour_us=first)
        to_us_ = hour_of(who.watermark_us) + HOUR_US
        seen = evidence.evidence(self.connection, who, first, to_us_)
        result = interpret(who.machine, book, seen, begin)
        closings = closings_at(self.connection, who.site, book, now)
        machine = who.machine_id, who.machine
        ledger.replace_hours(self.connection, who.site, machine, first, to_us_ - 1, result.hours, closings)
        self._allow(who, book, result.hours)

    def _allow(self, who: Subject, book: Book, hours: Sequence[HourResult]) -> None:
        self.allowing.keep(self.connection, who.site, (who.machine_id, who.machine), book, hours)


def live_from(now: datetime) -> int:
    """The hours from this one on are live: the last and the current one."""
    return hour_of(to_us(now)) - HOUR_US


def _serves(done: Done, hour_us: int) -> bool:
    return hour_us >= done.from_us and (done.to_us is None or hour_us < done.to_us)


def _last_in_a_row(hours: Sequence[int]) -> int:
    """The last hour of the unbroken row of hours that begins with the first."""
    last = hours[0]
    for hour in hours[1:]:
        if hour != last + HOUR_US:
            break
        last = hour
    return last
