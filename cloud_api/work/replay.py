"""Replay of a close: a closed figure computed again from what had been received when it was closed.

Samples, losses and coverage of a machine are taken as they were known at the instant of the close, the plant
model as it counted then; what comes out must be the frozen rows, entry by entry and fact by fact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.interpret.adjustments import entry_difference, output_difference, plant_kept
from cloud_api.interpret.ledger import charge_entries
from cloud_api.interpret.model import Entry, HourResult
from cloud_api.interpret.plant import Plant
from cloud_api.interpret.standards import Book
from cloud_api.store import evidence
from cloud_api.store import plant as plants
from cloud_api.store.evidence import Subject
from cloud_api.store.periods import entry_of, of_one_calendar, output_of
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us
from cloud_api.work.proof import computed_of


@dataclass(frozen=True, slots=True)
class Close:
    """A close as it recorded itself: production days [first_day, end_day), the plant model that counted, the
    instant up to which data was known, and how far each machine was interpreted, by name."""

    period: str
    first_day: date
    end_day: date
    book: Book
    known: datetime
    through: Mapping[str, datetime]

    def holds(self, day: date) -> bool:
        """Whether a production day is one of the period."""
        return self.first_day <= day < self.end_day


def closes_of(connection: Connection[TupleRow], site: str) -> list[Close]:
    """The closes of a site, in the order in which they were made."""
    found = []
    for period, first, end, version, frozen, closed_at in connection.execute(
        statement("replay.closes"), {"site": site}
    ).fetchall():
        known = datetime.fromisoformat(frozen["known"]) if "known" in frozen else closed_at
        through = frozen.get("through", frozen.get("machines", {}))
        model = _plant_then(connection, site, version, frozen.get("plant_latest"), known)
        if model is not None:
            told = {name: datetime.fromisoformat(until) for name, until in through.items()}
            found.append(Close(period, first, end, Book(model), known, told))
    return found


def _plant_then(
    connection: Connection[TupleRow], site: str, version: int, latest: int | None, known: datetime
) -> Plant | None:
    """The plant model that a close kept, with actual prices and events as they were known then."""
    if latest is None:
        at = {"site": site, "known": known}
        row = connection.execute(statement("replay.latest_version"), at).fetchone()
        latest = row[0] if row and row[0] is not None else version
    then = plants.of_version(connection, site, version)
    last = then if latest == version else plants.of_version(connection, site, latest)
    return then if then is None or last is None or last is then else plant_kept(then, last)


@dataclass(slots=True)
class Replay:
    """Replays the closes of one machine, one after another."""

    connection: Connection[TupleRow]
    who: Subject
    differences: list[str] = field(default_factory=list)
    hours: int = 0

    def run(self, closes: Sequence[Close]) -> None:
        """Computes each close anew and notes what differs."""
        for close in closes:
            self._compare(close, self._computed(close))

    def _computed(self, close: Close) -> list[HourResult]:
        """The hours of a period, out of what was known at its close."""
        if self.who.machine not in close.through:
            return []
        plant, watermark = close.book.plant, close.through[self.who.machine]
        who = evidence.subject_as_known(self.connection, self.who, plant, close.known, watermark)
        if who is None:
            return []
        hours = computed_of(self.connection, who, close.book).hours
        parts = [part for _, part in sorted(hours.items())]
        self.hours += len(parts)
        return parts

    def _compare(self, close: Close, parts: Sequence[HourResult]) -> None:
        at = {
            "site": self.who.site,
            "machine_id": self.who.machine_id,
            "first_day": close.first_day,
            "end_day": close.end_day,
        }
        names = {self.who.machine_id: self.who.machine}
        frozen = [entry_of(row, names) for row in self.connection.execute(statement("replay.entries"), at)]
        entries = [entry for part in parts for entry in part.entries if close.holds(entry.production_day)]
        for entry in entry_difference(of_one_calendar(entries), of_one_calendar(frozen)):
            self.differences.append(_entry_told(close, entry))
        rows = self.connection.execute(statement("replay.outputs"), at)
        stood = [output_of(row, self.who.machine) for row in rows]
        outputs = [one for part in parts for one in part.outputs if close.holds(one.production_day)]
        for one in output_difference(of_one_calendar(outputs), of_one_calendar(stood)):
            self.differences.append(
                f"{close.period} {one.machine} {from_us(one.hour_us):%Y-%m-%dT%H:%MZ} {one.state}: the "
                f"replay has {one.duration_us / 1_000_000:+} s, {one.good:+f} good, {one.scrap:+f} scrap"
            )


def charges_differing(connection: Connection[TupleRow], site: str, close: Close) -> Iterator[str]:
    """Charges of a closed period that are not those that the plant model of its close had."""
    at: dict[str, Any] = {
        "site": site,
        "machine_id": None,
        "first_day": close.first_day,
        "end_day": close.end_day,
    }
    names = {number: name for name, number in plants.machine_ids(connection, site).items()}
    frozen = [entry_of(row, names) for row in connection.execute(statement("replay.entries"), at)]
    given = [entry for entry in charge_entries(close.book) if close.holds(entry.production_day)]
    for entry in entry_difference(of_one_calendar(given), of_one_calendar(frozen)):
        yield _entry_told(close, entry)


def _entry_told(close: Close, entry: Entry) -> str:
    where = f"{close.period} {entry.machine or 'site'} {from_us(entry.hour_us):%Y-%m-%dT%H:%MZ}"
    return f"{where} {entry.resource}/{entry.cause}: the replay has {entry.amount:+f}"


def overlapping(closes: Sequence[Close], from_us_: int | None, to_us_: int | None) -> list[Close]:
    """The closes whose days touch a window."""
    found = []
    for close in closes:
        days = close.book.almanac
        begins, ends = days.day_span(close.first_day).from_us, days.day_span(close.end_day).from_us
        if (to_us_ is None or begins < to_us_) and (from_us_ is None or ends > from_us_):
            found.append(close)
    return found
