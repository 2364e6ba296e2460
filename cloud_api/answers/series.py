"""What each production day of a scope made and cost: the series that verdicts and forecasts are told on.

A scope's output is counted where its line ends (see `interpret.variance.machines_counted`) and in *equivalent
units*: each good unit weighs its standard unit cost against the mean of the window, at the standards last
recorded at its end. What these standards allow a cause for the mix of a day is taken off its amount, and
what they allow on average is put back: a day with dearer products is no change.

A day without units, or with less than a third of the usual time at work, is missing: it is left out, never
zero. A cause without cost on a day that counts is zero.
Adjustments of closed periods count where they belong, not where they were booked.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from psycopg import Connection

from cloud_api.answers.facts import machines_at
from cloud_api.answers.grouping import filters
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.memory import remembered
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question
from cloud_api.answers.standing import data_spans
from cloud_api.interpret.allowance import Allowances
from cloud_api.interpret.money import exactly
from cloud_api.interpret.standards import Book
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us

Array = NDArray[np.float64]
Key = tuple[Any, ...]
Cause = tuple[str, str]

BACK = dt.timedelta(days=182)
"""How far a series reaches back from its end, where its question does not say."""
PRESENT = 1 / 3
"""Share of the median time at work below which a day is missing."""


class Made(Struct, frozen=True, gc=False):
    """What a machine made of a product on a production day; hours are machine hours, person-hours cost;
    `slack_h` is scheduled time waiting or idle."""

    site: str
    line: str
    machine: str
    product: str | None
    day: dt.date
    shift: str | None
    good: float
    scrap: float
    rework: float
    run_h: float
    present_h: float
    person_h: float
    slack_h: float

    def key(self, by: Sequence[str]) -> Key:
        """The scope that it belongs to."""
        return tuple(getattr(self, name) for name in by)


@dataclass(slots=True)
class Series:
    """The days of one scope, in order; those before `end` that are not among them made nothing worth telling.
    `units` are equivalent good units, `worth` their standard cost; `excess` is cost by resource and cause
    less what the standard allows the mix of the day, `allowed` what it allows an equivalent unit on average;
    all in the site's currency. `short` has the equivalent units of days that are left out as too short."""

    key: Key
    site: Site
    days: list[dt.date]
    end: dt.date
    units: Array
    worth: Array
    good: Array
    scrap: Array
    run_h: Array
    ideal_h: Array
    present_h: Array
    person_h: Array
    ideal_s: float
    excess: dict[Cause, Array] = field(default_factory=dict)
    allowed: dict[Cause, float] = field(default_factory=dict)
    short: dict[dt.date, float] = field(default_factory=dict)

    def unit_cost(self, cells: Iterable[Cause]) -> Array:
        """Cost per equivalent unit of some cells together."""
        named = list(cells)
        level = sum(self.allowed.get(cell, 0.0) for cell in named)
        return level + self.excess_of(named) / self.units

    def excess_of(self, cells: Iterable[Cause]) -> Array:
        """Cost beyond what the standard allows, of some cells together."""
        whole = np.zeros(len(self.days))
        for cell in cells:
            if cell in self.excess:
                whole = whole + self.excess[cell]
        return whole


def window_days(
    question: Question, site: Site, now: dt.datetime, known: dt.datetime | None
) -> tuple[dt.date, dt.date]:
    """First production day of the series, and the day after its last: the question's window as far as data is
    `known`, back at least to `BACK` before its end. The production day that is not over does not count."""
    end = site.day_of(to_us(now))
    for limit_us in (question.to_us, None if known is None else to_us(known)):
        if limit_us is not None:
            end = min(end, site.day_of(limit_us - 1) + dt.timedelta(days=1))
    first = end - BACK
    if question.from_us is not None:
        first = min(first, site.day_of(question.from_us))
    return first, end


@remembered
def series_of(
    connection: Connection[Any],
    question: Question,
    now: dt.datetime,
    by: Sequence[str],
    *,
    costs: bool = True,
) -> list[Series]:
    """The series of every scope of `by` (of site, line, machine, product; shift where the question is small
    enough for the hourly rows), site by site, as far as there are days."""
    found: list[Series] = []
    for site in question.sites:
        if site.book is None:
            continue
        here = replace(question, sites=(site,))
        spans = data_spans(connection, [machine.machine_id for machine in here.machines])
        first, end = window_days(here, site, now, max((last for _, last in spans), default=None))
        if first < end:
            narrow = replace(
                here,
                from_us=site.day_start_us(first),
                to_us=site.day_start_us(end),
                basis="event",
            )
            found += _of_site(connection, narrow, site, site.book, (first, end), by, costs)
    return found


def _of_site(
    connection: Connection[Any],
    question: Question,
    site: Site,
    book: Book,
    span: tuple[dt.date, dt.date],
    by: Sequence[str],
    costs: bool,
) -> list[Series]:
    made = made_by_day(connection, question, site, span, by_shift="shift" in by)
    scopes: dict[Key, list[Made]] = defaultdict(list)
    for row in made:
        scopes[row.key(by)].append(row)
    cards = Cards(book, span[1] - dt.timedelta(days=1), question)
    series = {
        key: one
        for key, rows in scopes.items()
        if (one := _scope(key, site, span[1], rows, cards)) is not None
    }
    if costs and series:
        sums = sums_of(connection, question.grouped(*by, "resource", "cause", "day"))
        _price(series, sums, scopes, cards)
    return [series[key] for key in sorted(series, key=lambda key: tuple(str(part) for part in key))]


@remembered
def made_by_day(
    connection: Connection[Any],
    question: Question,
    site: Site,
    span: tuple[dt.date, dt.date],
    *,
    by_shift: bool = False,
) -> list[Made]:
    """What machines made by production day and product, in [first, end) of `span`."""
    machines = {one.machine_id: one for one in machines_at(question, site)}
    parameters = {
        **filters(question),
        "site": site.name,
        "machines": list(machines),
        "first_day": span[0],
        "end_day": span[1],
        "by_shift": by_shift,
    }
    return [
        Made(site.name, machines[row[0]].line or "", machines[row[0]].name, row[2], row[1], *row[3:])
        for row in connection.execute(statement("verdicts.days"), parameters)
    ]


class Cards:
    """Standards of one date: allowance, weight and ideal cycle of a product on a machine."""

    def __init__(self, book: Book, date: dt.date, question: Question) -> None:
        self.book, self.date = book, date
        self.withheld = question.withheld
        self.allowances = Allowances(book)
        self._cells: dict[tuple[str, str | None], dict[Cause, float]] = {}

    def cells(self, machine: str, product: str | None) -> Mapping[Cause, float]:
        """What a good unit is allowed, by resource and cause; empty without a standard."""
        key = (machine, product)
        if key not in self._cells:
            self._cells[key] = self._allowed(machine, product)
        return self._cells[key]

    @exactly
    def _allowed(self, machine: str, product: str | None) -> dict[Cause, float]:
        told = self.allowances.of(machine, product, None, self.date, "post")
        return {cell: float(amount) for cell, amount in told.items() if cell[0] not in self.withheld}

    def ideal_h(self, machine: str, product: str | None) -> float:
        """Ideal hours of a unit, 0 without a standard."""
        standard = self.book.standard(machine, product, self.date, "post")
        return 0.0 if standard is None else float(standard.ideal_cycle_s) / 3600

    def counts(self, line: str, product: str | None, machines: frozenset[str]) -> str | None:
        """The machine of a line, among some, at which a product is counted."""
        row = [one.id for one in self.book.lines[line].machines if one.id in machines]
        known = [one for one in row if self.book.standard(one, product, self.date, "post") is not None]
        found = known or row
        return found[-1] if found else None


@dataclass(slots=True)
class _Day:
    good: float = 0.0
    worth: float = 0.0
    scrap: float = 0.0
    run_h: float = 0.0
    ideal_h: float = 0.0
    passes: float = 0.0
    present_h: float = 0.0
    person_h: float = 0.0


def _scope(key: Key, site: Site, end: dt.date, rows: Sequence[Made], cards: Cards) -> Series | None:
    """The days of a scope that count; None where none does."""
    machines = frozenset(row.machine for row in rows)
    counted = {(row.line, row.product): cards.counts(row.line, row.product, machines) for row in rows}
    weight = _weights(counted, machines, cards)
    days: dict[dt.date, _Day] = defaultdict(_Day)
    for row in rows:
        _add(days[row.day], row, counted[row.line, row.product] == row.machine, weight, cards)
    usual = median(day.present_h for day in days.values())
    kept = sorted(day for day, one in days.items() if one.worth > 0 and one.present_h >= PRESENT * usual)
    if not kept:
        return None
    ordered = [days[day] for day in kept]
    good = np.array([day.good for day in ordered])
    worth = np.array([day.worth for day in ordered])
    passes = sum(day.passes for day in ordered)
    weight_of_one = float(good.sum() / worth.sum())
    return Series(
        key=key,
        site=site,
        days=kept,
        end=end,
        units=worth * weight_of_one,
        worth=worth,
        good=good,
        scrap=np.array([day.scrap for day in ordered]),
        run_h=np.array([day.run_h for day in ordered]),
        ideal_h=np.array([day.ideal_h for day in ordered]),
        present_h=np.array([day.present_h for day in ordered]),
        person_h=np.array([day.person_h for day in ordered]),
        ideal_s=sum(day.ideal_h for day in ordered) / passes * 3600 if passes else 0.0,
        short={day: days[day].worth * weight_of_one for day in sorted(days.keys() - set(kept))},
    )


def _weights(
    counted: Mapping[tuple[str, str | None], str | None], machines: frozenset[str], cards: Cards
) -> Callable[[str, str | None], float]:
    """Weight of a good unit by line and product: its standard cost in the scope, 1 where there is none."""
    worth = {
        (line, product): sum(
            sum(cards.cells(machine.id, product).values())
            for machine in cards.book.lines[line].machines
            if machine.id in machines
        )
        for line, product in counted
        if line in cards.book.lines
    }
    known = [value for value in worth.values() if value > 0]
    fallback = sum(known) / len(known) if known else 1.0
    return lambda line, product: worth.get((line, product), 0.0) or fallback


def _add(
    day: _Day, row: Made, counts: bool, weight: Callable[[str, str | None], float], cards: Cards
) -> None:
    if counts and row.good > 0:
        day.good += row.good
        day.worth += row.good * weight(row.line, row.product)
    passes = row.good + row.scrap + row.rework
    ideal = cards.ideal_h(row.machine, row.product)
    if ideal:
        day.run_h += row.run_h
        day.ideal_h += passes * ideal
        day.passes += passes
    day.scrap += row.scrap
    day.present_h += row.present_h
    day.person_h += row.person_h


def _price(
    series: Mapping[Key, Series],
    sums: Mapping[Key, Any],
    scopes: Mapping[Key, Sequence[Made]],
    cards: Cards,
) -> None:
    """Cost by cell and day, less what the standard allows for the mix of the day."""
    places = {key: {day: at for at, day in enumerate(one.days)} for key, one in series.items()}
    for (*scope, resource, cause, day), sum_ in sums.items():
        key = tuple(scope)
        at = places.get(key, {}).get(day)
        if at is not None:
            one = series[key]
            one.excess.setdefault((resource, cause), np.zeros(len(one.days)))[at] += float(sum_.amount)
    for key, one in series.items():
        _allow(one, places[key], scopes[key], cards)


def _allow(one: Series, places: Mapping[dt.date, int], rows: Sequence[Made], cards: Cards) -> None:
    """Takes what the standard allows for the mix of each day off its cost; row by row, in their order."""
    whole = float(one.units.sum())
    counted = [row for row in rows if row.good and row.day in places]
    at = np.array([places[row.day] for row in counted], dtype=np.intp)
    good = np.array([row.good for row in counted])
    kinds = {(row.machine, row.product): number for number, row in enumerate(counted)}
    numbers = {kind: number for number, kind in enumerate(kinds)}
    which = np.array([numbers[row.machine, row.product] for row in counted], dtype=np.intp)
    cells = [cards.cells(*kind) for kind in kinds]
    for cell, excess in one.excess.items():
        if not any(cell in each for each in cells):
            continue
        allowed = good * np.array([each.get(cell, 0.0) for each in cells])[which]
        np.subtract.at(excess, at, allowed)
        one.allowed[cell] = float(np.cumsum(allowed / whole)[-1])
