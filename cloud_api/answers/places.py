"""Sites, lines and machines as questions name them, with the plant model and calendar of each site.

Read once for each version of a plant model and kept: a plant model is small, and every answer needs it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Literal

from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.answers.posting import laid_down
from cloud_api.interpret.plant import Plant
from cloud_api.interpret.standards import Book
from cloud_api.store.periods import KeptRow, book_of
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us
from shared.units import DAY_US

Status = Literal["provisional", "locked", "closed"]

Days = tuple[dt.date | None, dt.date | None]
"""Production days [first, end); None: no bound."""


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
    """A site with what its plant model says. Without a plant model: `book` None, dates are UTC days. `bound`:
    the lines that the reader is bound to, `machines` and `lines` being theirs alone; None: to none."""

    name: str
    machines: tuple[Machine, ...]
    periods: tuple[Period, ...]
    book: Book | None = None
    days: tuple[Days, ...] | None = None
    bound: frozenset[str] | None = None

    def parts(self) -> list[Site]:
        """The site once for each plant model that prices days of it: what counts now, and what its locked and
        closed periods keep. `days` of a part are its production days."""
        if self.book is None:
            return [self]
        kept: dict[int, tuple[Book, list[Days]]] = {}
        for chapter in self.book.chapters:
            days = (chapter.first_day, chapter.end_day)
            kept.setdefault(id(chapter.book), (chapter.book, []))[1].append(days)
        kept.pop(id(self.book), None)
        if not kept:
            return [self]
        taken = sorted(day for _, days in kept.values() for day in days)
        ends = [None, *(end for _, end in taken)]
        others = tuple(zip(ends, [*(first for first, _ in taken), None], strict=True))
        return [
            replace(self, days=others),
            *(replace(self, book=book, days=tuple(days)) for book, days in kept.values()),
        ]

    @property
    def has_closed(self) -> bool:
        """Whether a period is closed, so that there may be adjustments."""
        return any(period.status == "closed" for period in self.periods)

    def holds(self, day: dt.date) -> bool:
        """Whether a production day is one of this part."""
        return self.days is None or any(
            (first is None or first <= day) and (end is None or day < end) for first, end in self.days
        )

    @property
    def days_told(self) -> str | None:
        """The production days of this part as PostgreSQL writes a multirange; None: all."""
        if self.days is None:
            return None
        spans = [f"[{first or '-infinity'},{end or 'infinity'})" for first, end in self.days]
        return "{" + ",".join(spans) + "}"

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
        lines = self.plant.lines if self.plant is not None else ()
        return tuple(line.id for line in lines if self.bound is None or line.id in self.bound)

    def bound_to(self, lines: frozenset[str]) -> Site:
        """The site as someone sees it who is bound to some of its lines."""
        own = tuple(machine for machine in self.machines if machine.line in lines)
        return replace(self, machines=own, bound=lines)

    def day_start_us(self, day: dt.date) -> int:
        """When a production day begins, in microseconds UTC."""
        if self.book is not None:
            return self.book.almanac.day_span(day).from_us
        return to_us(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC))

    def day_of(self, us: int) -> dt.date:
        """The production day of an instant."""
        if self.book is not None:
            return self.book.production_day(us)
        return dt.date(1970, 1, 1) + dt.timedelta(days=us // DAY_US)

    def period_of(self, us: int) -> str | None:
        """The fiscal period of an instant, None where none is laid down."""
        at = bisect_right(self.periods, us, key=_begin) - 1
        return self.periods[at].name if at >= 0 and us < self.periods[at].to_us else None


@dataclass(frozen=True, slots=True)
class Places:
    """The sites that a reader may see, by name."""

    sites: tuple[Site, ...]

    def seen_by(self, names: frozenset[str] | None, lines: frozenset[str] | None) -> Places:
        """Only the named sites, and of them only the named lines; None keeps all."""
        seen = tuple(site for site in self.sites if names is None or site.name in names)
        return Places(seen if lines is None else tuple(site.bound_to(lines) for site in seen))


class Atlas:
    """Keeps the compiled plant model of each site until a newer version is loaded. Safe between threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, Book]] = {}
        self._lock = Lock()

    def places(self, connection: Connection[TupleRow]) -> Places:
        """Every site as it stands now."""
        versions: dict[str, int | None] = dict(connection.execute(statement("answers.sites")).fetchall())
        machines = _by_site(Machine(*row) for row in connection.execute(statement("answers.machines")))
        kept: dict[str, list[KeptRow]] = {}
        for site, *said in connection.execute(statement("answers.periods")):
            kept.setdefault(site, []).append(KeptRow(*said))
        sites = []
        for site, version in sorted(versions.items()):
            rows = tuple(kept.get(site, ()))
            book = self._book(connection, site, version, rows)
            own = tuple(machines.get(site, ()))
            periods = () if book is None else tuple(_periods(book, rows))
            sites.append(Site(site, own, periods, book))
        return Places(tuple(sites))

    def _book(
        self, connection: Connection[TupleRow], site: str, version: int | None, kept: tuple[KeptRow, ...]
    ) -> Book | None:
        """The compiled plant model of a site, with what its locked and closed periods keep."""
        if version is None:
            return None
        with self._lock:
            known = self._known.get(site)
        if known is not None and known[0] == (version, kept):
            return known[1]
        book = book_of(connection, site, kept, version)
        if book is not None:
            with self._lock:
                self._known[site] = (version, kept), book
        return book


def _periods(book: Book, kept: tuple[KeptRow, ...]) -> Iterator[Period]:
    status: dict[str, Status] = {row.period: "closed" if row.closed else "locked" for row in kept}
    for name, first, end in laid_down(book, kept):
        begins, ends = book.almanac.day_span(first).from_us, book.almanac.day_span(end).from_us
        yield Period(name, begins, ends, status.get(name, "provisional"))


def _by_site(machines: Iterable[Machine]) -> Mapping[str, list[Machine]]:
    found: dict[str, list[Machine]] = {}
    for machine in machines:
        found.setdefault(machine.site, []).append(machine)
    return found


def zone_of(sites: Sequence[Site]) -> str:
    """IANA name of the one zone of some sites; UTC where they have several, or no plant model."""
    zones = {site.time_zone for site in sites if site.plant is not None}
    return zones.pop() if len(zones) == 1 else "UTC"
