"""Observations that standards are held against: per order and production day, longer where that shows too
little.

An observation closes when it has seen enough for its kind (see `KINDS`): half an hour of running for a cycle,
so many units that two scrapped ones are to be expected, four hours for availability, one changeover.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from psycopg import Connection

from cloud_api.answers.facts import machines_at
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question
from cloud_api.interpret.drift_watch import LEAST_REFERENCE, Stream
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.rare_stops import rare
from cloud_api.interpret.standards import Book
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us


@dataclass(slots=True)
class Seen:
    """What a machine did with a product; hours, units, kWh."""

    run_h: float = 0.0
    down_h: float = 0.0
    changeover_h: float = 0.0
    good: float = 0.0
    scrap: float = 0.0
    rework: float = 0.0
    metered_kwh: float = 0.0
    metered: float = 0.0
    manned_h: float = 0.0
    watched_h: float = 0.0
    changeovers: float = 0.0

    @property
    def passes(self) -> float:
        """Units that passed the machine, reworked ones each time."""
        return self.good + self.scrap + self.rework

    def add(self, other: Seen) -> None:
        """Adds another."""
        self.run_h += other.run_h
        self.down_h += other.down_h
        self.changeover_h += other.changeover_h
        self.good += other.good
        self.scrap += other.scrap
        self.rework += other.rework
        self.metered_kwh += other.metered_kwh
        self.metered += other.metered
        self.manned_h += other.manned_h
        self.watched_h += other.watched_h
        self.changeovers += other.changeovers


@dataclass(frozen=True, slots=True)
class Row:
    """What was seen of one order on one production day; `date` is the site date of its standard."""

    machine: str
    product: str
    day: dt.date
    date: dt.date
    time_us: int
    seen: Seen


@dataclass(frozen=True, slots=True)
class Kind:
    """One assumption of a standard: its column, what is observed of it, and when an observation has seen
    enough; `enough` gets what is assumed besides."""

    name: str
    column: str
    unit: str
    observe: Callable[[Seen], float]
    enough: Callable[[Seen, float], bool]


KINDS = (
    Kind(
        "cycle",
        "ideal_cycle_s",
        "s per unit",
        lambda seen: seen.run_h * 3600 / seen.passes,
        lambda seen, _: seen.run_h >= 0.5 and seen.passes >= 10,
    ),
    Kind(
        "scrap",
        "scrap_rate",
        "share",
        lambda seen: seen.scrap / (seen.good + seen.scrap),
        lambda seen, assumed: seen.good + seen.scrap >= max(30.0, 2 / max(assumed, 0.002)),
    ),
    Kind(
        "rework",
        "rework_rate",
        "share",
        lambda seen: seen.rework / (seen.good + seen.scrap),
        lambda seen, assumed: seen.good + seen.scrap >= max(30.0, 2 / max(assumed, 0.002)),
    ),
    Kind(
        "availability",
        "availability",
        "share",
        lambda seen: seen.run_h / (seen.run_h + seen.down_h),
        lambda seen, _: seen.run_h + seen.down_h >= 4.0,
    ),
    Kind(
        "crew",
        "crew",
        "people",
        lambda seen: seen.manned_h / seen.watched_h,
        lambda seen, _: seen.watched_h >= 6.0,
    ),
    Kind(
        "changeover",
        "changeover_min",
        "min",
        lambda seen: seen.changeover_h * 60 / seen.changeovers,
        lambda seen, _: seen.changeovers >= 1,
    ),
    Kind(
        "energy",
        "energy_kwh",
        "kWh per unit",
        lambda seen: seen.metered_kwh / seen.metered,
        lambda seen, _: seen.metered >= 10,
    ),
)
"""Assumptions of a standard cost card that execution can tell."""


@dataclass(slots=True)
class Watched:
    """A stream of one kind on one machine and product; `days` are the production days of its observations;
    `seen` is all that the machine did with the product since `first`."""

    site: Site
    machine: str
    product: str
    kind: Kind
    stream: Stream
    days: list[dt.date]
    seen: Seen
    recent: Seen
    first: dt.date
    standard: Standard = field(kw_only=True)


def rows_of(
    connection: Connection[Any], question: Question, site: Site, first: dt.date, end: dt.date
) -> list[Row]:
    """What machines of a site did in [first, end), in the order of machine, product and time."""
    machines = {one.machine_id: one.name for one in machines_at(question, site)}
    wanted = question.names("product")
    parameters = {"site": site.name, "machines": list(machines), "first_day": first, "end_day": end}
    found = []
    for row in connection.execute(statement("assumptions.observed"), parameters):
        machine_id, day, product, _, date, hour, *seen = row
        if wanted is None or product in wanted:
            found.append(Row(machines[machine_id], product, day, date, to_us(hour), Seen(*seen)))
    return found


def watched(site: Site, book: Book, rows: Iterable[Row], recent_from: dt.date) -> list[Watched]:
    """The streams of every machine and product that have enough observations to be watched."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.machine, row.product].append(row)
    found = []
    for (machine, product), own in sorted(groups.items()):
        last = book.standard(machine, product, own[-1].date, "post")
        if last is None:
            continue
        whole, recent = Seen(), Seen()
        for row in own:
            whole.add(row.seen)
            if row.day >= recent_from:
                recent.add(row.seen)
        for kind in KINDS:
            told = _stream(book, kind, own)
            if told is not None:
                stream, days = told
                found.append(
                    Watched(
                        site, machine, product, kind, stream, days, whole, recent, own[0].day, standard=last
                    )
                )
    return found


def _stream(book: Book, kind: Kind, rows: Sequence[Row]) -> tuple[Stream, list[dt.date]] | None:
    """The observations of one kind; None where there are too few, or nothing is assumed or measured."""
    times: list[int] = []
    values: list[float] = []
    assumed: list[float] = []
    days: list[dt.date] = []
    hours: list[float] = []
    held = Seen()
    for row in rows if kind.name != "changeover" else _by_changeover(rows):
        standard = book.standard(row.machine, row.product, row.date, "post")
        number = None if standard is None else getattr(standard, kind.column)
        if number is None or (kind.name == "energy" and not number):
            continue
        held.add(row.seen)
        if kind.enough(held, float(number)):
            times.append(row.time_us)
            values.append(kind.observe(held))
            assumed.append(float(number))
            days.append(row.day)
            hours.append(held.run_h + held.down_h)
            held = Seen()
    silent = kind.name == "rework" and not any(values) and not any(assumed)
    if len(values) < LEAST_REFERENCE or silent:
        return None
    stops = rare(values, hours, assumed[-1]) if kind.name == "availability" else None
    return Stream(times_us=tuple(times), values=tuple(values), assumed=tuple(assumed), stops=stops), days


def _by_changeover(rows: Sequence[Row]) -> list[Row]:
    """Rows joined so that a changeover across days is one: each row begins where a changeover does."""
    joined: list[Row] = []
    for row in rows:
        if not row.seen.changeovers and not joined:
            continue
        if row.seen.changeovers or not joined:
            joined.append(Row(row.machine, row.product, row.day, row.date, row.time_us, Seen()))
        joined[-1].seen.add(row.seen)
    return joined


def per_day(seen: Seen, days: int) -> Mapping[str, float]:
    """Rates per calendar day of what costs are reckoned from."""
    return {one.name: getattr(seen, one.name) / max(1, days) for one in fields(seen)}
