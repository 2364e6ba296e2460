"""Sites, lines and machines as questions name them, with the plant model and calendar of each site.

Read once for each version of a plant model and kept: a plant model is small, and every answer needs it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Literal

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.answers.fiscal import fiscal_periods
from cloud_api.interpret.plant import Plant
from cloud_api.interpret.standards import Book
from cloud_api.store import plant as plants
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us

Status = Literal["provisional", "locked", "closed"]

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that has data or stands in the plant model. `line` None: not in the plant model (yet)."""

    machine_id: int
    name: str
    line: str | None
    site: str


@dataclass(frozen=True, slots=True)
class Period:
    """A fiscal period, [from_us, to_us). `status`: provisional, locked or closed."""

    name: str
    from_us: int
    to_us: int
    status: Status


def _begin(period: Period) -> int:
    return period.from_us


@dataclass(frozen=True, eq=False)
class Site:
    """A site with what its plant model says. Without a plant model: `book` None, dates are UTC days."""

    name: str
    machines: tuple[Machine, ...]
    periods: tuple[Period, ...]
    book: Book | None = None

    @property
    def plant(self) -> Plant | None:
        """The plant model as it counts now."""
        return self.book.plant if self.book is not None else None

    @property
    def currency(self) -> str | None:
        """ISO 4217 code; None without a plant model."""
        return self.plant.currency if self.plant is not None else None

    @property
    def time_zone(self) -> str:
        """IANA name."""
        return self.plant.time_zone if self.plant is not None else "UTC"

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Lines in the order of site.yaml."""
        return tuple(line.id for line in self.plant.lines) if self.plant is not None else ()

    def day_start_us(self, day: dt.date) -> int:
        """When a production day begins, in microseconds UTC."""
        if self.book is not None:
            return self.book.almanac.day_span(day).from_us
        return to_us(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC))

    def day_of(self, us: int) -> dt.date:
        """The production day of an instant."""
        if self.book is not None:
            return self.book.production_day(us)
        return dt.date(1970, 1, 1) + dt.timedelta(days=us // _DAY_US)

    def period_of(self, us: int) -> str | None:
        """The fiscal period of an instant, None where none is laid down."""
        at = bisect_right(self.periods, us, key=_begin) - 1
        return self.periods[at].name if at >= 0 and us < self.periods[at].to_us else None


@dataclass(frozen=True, slots=True)
class Places:
    """The sites that a reader may see, by name."""

    sites: tuple[Site, ...]

    def seen_by(self, names: frozenset[str] | None) -> Places:
        """Only the named sites; None keeps all."""
        if names is None:
            return self
        return Places(tuple(site for site in self.sites if site.name in names))


class Atlas:
    """Keeps the compiled plant model of each site until a newer version is loaded. Safe between threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Book, tuple[Period, ...]]] = {}
        self._lock = Lock()

    def places(self, connection: Connection[TupleRow]) -> Places:
        """Every site as it stands now."""
        versions: dict[str, int | None] = dict(connection.execute(statement("answers.sites")).fetchall())
        machines = _by_site(Machine(*row) for row in connection.execute(statement("answers.machines")))
        periods: dict[str, list[Period]] = {}
        for site, name, starts_at, ends_at, status in connection.execute(statement("answers.periods")):
            periods.setdefault(site, []).append(Period(name, to_us(starts_at), to_us(ends_at), status))
        sites = []
        for site, version in sorted(versions.items()):
            book, laid_down = self._site(connection, site, version)
            own = tuple(machines.get(site, ()))
            sites.append(Site(site, own, tuple(periods.get(site, laid_down)), book))
        return Places(tuple(sites))

    def _site(
        self, connection: Connection[TupleRow], site: str, version: int | None
    ) -> tuple[Book | None, tuple[Period, ...]]:
        """The compiled plant model of a site, and the periods that it lays down."""
        if version is None:
            return None, ()
        with self._lock:
            kept = self._known.get(site)
        if kept is not None and kept[0] == version:
            return kept[1], kept[2]
        plant = plants.snapshot(connection, site)
        if plant is None:
            return None, ()
        book = Book(plant)
        laid_down = tuple(_periods(book))
        with self._lock:
            self._known[site] = (version, book, laid_down)
        return book, laid_down


def _periods(book: Book) -> Iterator[Period]:
    plant = book.plant
    for name, first, end in fiscal_periods(plant.fiscal_pattern, plant.fiscal_year_start):
        yield Period(
            name, book.almanac.day_span(first).from_us, book.almanac.day_span(end).from_us, "provisional"
        )


def _by_site(machines: Iterable[Machine]) -> Mapping[str, list[Machine]]:
    found: dict[str, list[Machine]] = {}
    for machine in machines:
        found.setdefault(machine.site, []).append(machine)
    return found
