"""Which recording of a standard, price, wage or rate is in force on a site date, as then known or as known
now.

`ante` (ex-ante) is what the plant knew: a row recorded after its effective date counts from the day on
which it was recorded; the first recording of a key counts from its effective date, whenever it came. `post`
(ex-post) is the last recorded. Actual columns are simply replaced. Source: standard costing with planning
and operational variances."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.interpret.adjustments import Kept
from cloud_api.interpret.calendar import Almanac, GridCell
from cloud_api.interpret.plant import (
    BillItem,
    ChangeoverPair,
    Dated,
    Labour,
    Line,
    Machine,
    Plant,
    Priced,
    Standard,
)

Basis = Literal["ante", "post"]
Row = TypeVar("Row", bound=Dated)


class Pair(Struct, frozen=True):
    """A standard and an actual price of one unit of a resource; `multiplier` of labour in overtime."""

    standard: Decimal
    actual: Decimal
    multiplier: Decimal = Decimal(1)


def _rank(_: Dated) -> int:
    return 0


def in_force(
    rows: Sequence[Row],
    date: dt.date,
    basis: Basis,
    recorded_date: Callable[[Row], dt.date],
    rank: Callable[[Dated], int] = _rank,
) -> Row | None:
    """The row in force on the site date among recordings of one key; the highest rank wins, then the latest
    effective date. None before the first effective date."""
    rows = [row for row in rows if row.effective_from <= date]
    if not rows:
        return None
    if basis == "ante":
        first = min(row.recorded_at for row in rows)
        rows = [row for row in rows if row.recorded_at == first or recorded_date(row) <= date]
    top = max((rank(row), row.effective_from) for row in rows)
    same = sorted(
        (row for row in rows if (rank(row), row.effective_from) == top),
        key=lambda row: (row.recorded_at, row.version),
    )
    if basis == "post":
        return same[-1]
    later = [row for row in same[1:] if recorded_date(row) >= row.effective_from]
    return later[-1] if later else same[0]


def _labour_rank(row: Dated) -> int:
    return 2 * (row.line is not None) + (row.shift is not None) if isinstance(row, Labour) else 0


class Chapter(Struct, frozen=True):
    """Production days [first_day, end_day) of a locked or closed period, and the book that it keeps."""

    period: str
    first_day: dt.date
    end_day: dt.date
    closed: bool
    book: Book


def _first_day(chapter: Chapter) -> dt.date:
    return chapter.first_day


class Book:
    """Look-ups in one plant snapshot. Build once per snapshot: it remembers what it has looked up.

    `chapters`: the locked and closed periods, in order, each with the book that it keeps; see `at`."""

    def __init__(self, plant: Plant, kept: Sequence[Kept] = ()) -> None:
        self.plant = plant
        books: dict[int, Book] = {id(plant): self}
        self.chapters: tuple[Chapter, ...] = tuple(
            Chapter(
                one.period,
                one.first_day,
                one.end_day,
                one.closed,
                books.get(id(one.plant)) or books.setdefault(id(one.plant), Book(one.plant)),
            )
            for one in sorted(kept, key=lambda one: one.first_day)
        )
        self.almanac = Almanac(plant.calendar, plant.time_zone)
        self.lines: dict[str, Line] = {line.id: line for line in plant.lines}
        self.machines: dict[str, Machine] = {m.id: m for line in plant.lines for m in line.machines}
        self._standards = _by(plant.standards, lambda row: (row.machine, row.product))
        self._bill = _by(plant.bill, lambda row: (row.machine, row.product))
        self._prices = _by(plant.prices, lambda row: (row.material,))
        self._pairs = _by(plant.changeovers, lambda row: (row.machine, row.from_product, row.to_product))
        self._dates: dict[dt.datetime, dt.date] = {}
        self._standard: dict[tuple[str, str, dt.date, Basis], Standard | None] = {}
        self._billed: dict[tuple[str, str, dt.date, Basis], dict[str, Decimal]] = {}
        self._priced: dict[tuple[object, ...], Pair | None] = {}

    def at(self, day: dt.date) -> Book:
        """The book that prices a production day: that of its period where one is kept, else this one."""
        place = bisect_right(self.chapters, day, key=_first_day) - 1
        if place >= 0 and day < self.chapters[place].end_day:
            return self.chapters[place].book
        return self

    def grid(
        self, from_us: int, to_us: int, cuts: tuple[int, ...] = (), marks: tuple[int, ...] = ()
    ) -> list[GridCell]:
        """As `Almanac.grid`, each period by the calendar that it keeps."""
        cells: list[GridCell] = []
        at = from_us
        for chapter in self.chapters:
            begins = self.almanac.day_span(chapter.first_day).from_us
            ends = self.almanac.day_span(chapter.end_day).from_us
            if chapter.book is self or ends <= at or begins >= to_us:
                continue
            for almanac, end in ((self.almanac, begins), (chapter.book.almanac, min(ends, to_us))):
                if end > at:
                    cells += _renumbered(almanac.grid(at, end, _between(cuts, at, end), marks), len(cells))
                    at = end
        if at < to_us:
            cells += _renumbered(self.almanac.grid(at, to_us, _between(cuts, at, to_us), marks), len(cells))
        return cells

    def production_day(self, time_us: int) -> dt.date:
        """The production day of an instant."""
        return self.almanac.production_day(time_us)

    def effective(self, time_us: int) -> dt.date:
        """The site date of an instant: whose rows are in force."""
        return self.almanac.site_date(time_us)

    def scheduled_us(self, from_us: int, to_us: int) -> int:
        """Scheduled time in a span, in microseconds."""
        return self.almanac.scheduled_us(from_us, to_us)

    def _recorded_date(self, row: Dated) -> dt.date:
        date = self._dates.get(row.recorded_at)
        if date is None:
            date = self._dates[row.recorded_at] = row.recorded_at.astimezone(self.almanac.zone).date()
        return date

    def standard(self, machine: str, product: str | None, date: dt.date, basis: Basis) -> Standard | None:
        """The standard cost card in force, or None."""
        if product is None:
            return None
        key = (machine, product, date, basis)
        if key not in self._standard:
            rows = self._standards.get((machine, product), ())
            self._standard[key] = in_force(rows, date, basis, self._recorded_date)
        return self._standard[key]

    def bill(self, machine: str, product: str | None, date: dt.date, basis: Basis) -> dict[str, Decimal]:
        """Quantity by material in one unit of the product."""
        if product is None:
            return {}
        key = (machine, product, date, basis)
        if key not in self._billed:
            self._billed[key] = self._bill_in_force(machine, product, date, basis)
        return self._billed[key]

    def _bill_in_force(self, machine: str, product: str, date: dt.date, basis: Basis) -> dict[str, Decimal]:
        rows: list[BillItem] = [
            row for row in self._bill.get((machine, product), ()) if row.effective_from <= date
        ]
        if basis == "ante" and rows:
            first = min(row.recorded_at for row in rows)
            rows = [row for row in rows if row.recorded_at == first or self._recorded_date(row) <= date]
        bill = {}
        for material in sorted({row.material for row in rows}):
            same = [row for row in rows if row.material == material]
            row = in_force(same, date, basis, self._recorded_date)
            if row is not None and row.quantity:
                bill[material] = row.quantity
        return bill

    def pair_minutes(
        self, machine: str, from_product: str | None, to_product: str | None, date: dt.date
    ) -> Decimal | None:
        """Standard minutes of a changeover between two products as then known, None where it has none."""
        if from_product is None or to_product is None:
            return None
        rows = self._pairs.get((machine, from_product, to_product), ())
        row: ChangeoverPair | None = in_force(rows, date, "ante", self._recorded_date)
        return None if row is None else row.minutes

    def rate(self, machine: str, date: dt.date, basis: Basis) -> Pair | None:
        """Standard and actual cost of a machine hour."""
        known = self.machines.get(machine)
        return self._pair(("rate", machine, date, basis), known.rates if known else (), date, basis)

    def tariff(self, date: dt.date, basis: Basis) -> Pair | None:
        """Standard and actual price of a kWh."""
        return self._pair(("tariff", None, date, basis), self.plant.energy, date, basis)

    def price(self, material: str, date: dt.date, basis: Basis) -> Pair | None:
        """Standard and actual price of a unit of material."""
        return self._pair(("price", material, date, basis), self._prices.get((material,), ()), date, basis)

    def wage(self, machine: str, shift: str | None, date: dt.date, basis: Basis) -> Pair | None:
        """Standard and actual wage of a person-hour, and the overtime multiplier."""
        line = self.machines[machine].line if machine in self.machines else None
        key = ("wage", line, shift, date, basis)
        if key not in self._priced:
            rows = tuple(
                row for row in self.plant.labour if row.line in (None, line) and row.shift in (None, shift)
            )
            self._priced[key] = self._priced_from(rows, date, basis, _labour_rank)
        return self._priced[key]

    def _pair(
        self,
        key: tuple[object, ...],
        rows: Sequence[Priced],
        date: dt.date,
        basis: Basis,
    ) -> Pair | None:
        if key not in self._priced:
            self._priced[key] = self._priced_from(rows, date, basis, _rank)
        return self._priced[key]

    def _priced_from(
        self,
        rows: Sequence[Priced],
        date: dt.date,
        basis: Basis,
        rank: Callable[[Dated], int],
    ) -> Pair | None:
        row = in_force(rows, date, basis, self._recorded_date, rank)
        last = in_force(rows, date, "post", self._recorded_date, rank)
        if row is None or last is None:
            return None
        known = in_force(rows, date, "ante", self._recorded_date, rank) or row
        actual = known.standard if last.actual is None else last.actual
        multiplier = last.overtime_multiplier if isinstance(last, Labour) else Decimal(1)
        return Pair(row.standard, actual, multiplier)


def is_unchanged(
    book: Book,
    machine: str,
    products: Iterable[str | None],
    shift: str | None,
    date: dt.date,
    used: Iterable[str],
) -> bool:
    """Whether everything that prices these products, and materials that are used outside of their bills, was
    known then as it is recorded last."""
    items: set[str] = set(used)
    for product in set(products):
        if book.standard(machine, product, date, "ante") != book.standard(machine, product, date, "post"):
            return False
        bill = book.bill(machine, product, date, "ante")
        if bill != book.bill(machine, product, date, "post"):
            return False
        items |= bill.keys()
    return (
        book.rate(machine, date, "ante") == book.rate(machine, date, "post")
        and book.wage(machine, shift, date, "ante") == book.wage(machine, shift, date, "post")
        and book.tariff(date, "ante") == book.tariff(date, "post")
        and all(book.price(item, date, "ante") == book.price(item, date, "post") for item in items)
    )


def _between(cuts: Iterable[int], from_us: int, to_us: int) -> tuple[int, ...]:
    return tuple(cut for cut in cuts if from_us <= cut < to_us)


def _renumbered(cells: list[GridCell], most: int) -> list[GridCell]:
    """Cells whose kinds are none of those of `most` cells before them."""
    return [replace(cell, kind=cell.kind + most) for cell in cells] if most else cells


def _by(rows: Iterable[Row], key: Callable[[Row], tuple[str, ...]]) -> dict[tuple[str, ...], list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)
