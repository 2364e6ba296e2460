"""Drawn lines of several machines in a row with room for units between them, one story a line, of which it is
known beforehand which machine decides output: it knows no interpretation.

    plain       one machine is slower than all others
    overtime    the slowest keeps up by work beyond its shifts: in these the next slowest is all that is seen
    stock       the slowest made units before the window began; the next slowest lives on them
    starved     the first machine gets nothing to work on for hours on end; one machine is the slowest besides

`flow_course` lives the days of a line unit by unit. Time is seconds since `Flow.start`; money is in EUR."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

STORIES = ("plain", "overtime", "stock", "starved")
HOUR = 3600.0
DAY = 24 * HOUR
MULTIPLIER = 1.5
MODEL_FROM = "2026-01-01"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
Span = tuple[float, float]
BEYOND = ("declared", "off", "saturday")
"""How a line works beyond its shifts: in an overtime shift of every day, outside all shifts, or on a Saturday
that an exception adds."""


@dataclass(frozen=True, slots=True)
class Station:
    """A machine: seconds of a unit and of a changeover by product, running seconds between its stops and
    their mean length, share of scrap, and what it costs."""

    name: str
    cycle_s: dict[str, float]
    setup_s: dict[str, float]
    between_s: float
    repair_s: float
    scrap: float
    kwh: float
    rate: float
    crew: int


@dataclass(slots=True)
class Row:
    """A line. `slow` is the machine with the least capacity in its shifts, `next_` the one after it (places);
    `room` holds so many units before each machine but the first; `stock` units lie before one at the start;
    `beyond` is what the slow machine works besides, `outages` when nothing comes in."""

    name: str
    story: str
    stations: list[Station]
    slow: int
    next_: int
    room: list[int]
    lots: list[tuple[str, int]]
    stock: tuple[int, int] = (0, 0)
    beyond: list[Span] = field(default_factory=list)
    outages: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class Flow:
    """The site of a seed: a line for each story."""

    seed: int
    stories: tuple[str, ...] = STORIES
    days: int = 4
    start: datetime = datetime(2026, 3, 2, tzinfo=UTC)
    wage: float = 0.0
    tariff: float = 0.0
    price: float = 0.0
    shifts: list[tuple[str, float, float]] = field(default_factory=list)
    by: str = ""
    over: Span = (0.0, 0.0)
    products: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(f"flow {self.seed}")
        self.wage, self.tariff = round(chance.uniform(20, 45), 1), round(chance.uniform(0.1, 0.3), 3)
        self.price = round(chance.uniform(0.5, 2.5), 2)
        self.by = chance.choice(BEYOND)
        begin = chance.choice((5.0, 6.0, 7.0))
        self.shifts = [("A", begin, begin + 8)]
        if chance.random() < 0.3:
            self.shifts.append(("B", begin + 8, begin + 13))
        self.products = ("P", "Q", "R")[: chance.randint(1, 3)]
        if self.by == "saturday":
            self.days = 5
        self.rows = [_row(self, chance, number, story) for number, story in enumerate(self.stories, 1)]

    @property
    def site(self) -> str:
        """Its name."""
        return f"flow{self.seed}"

    @property
    def hours(self) -> float:
        """Hours of the shifts of a day."""
        return sum(end - begin for _, begin, end in self.shifts)

    @property
    def regular(self) -> list[Span]:
        """The time in shifts, joined where they follow each other."""
        first, last = self.shifts[0][1], self.shifts[-1][2]
        return [(day * DAY + first * HOUR, day * DAY + last * HOUR) for day in range(self.days)]

    @property
    def scheduled_beyond(self) -> list[Span]:
        """Overtime that the calendar knows."""
        return [] if self.by == "off" else self.overtime

    @property
    def overtime(self) -> list[Span]:
        """Work beyond shifts, for the line that takes it."""
        days = [5] if self.by == "saturday" else range(self.days)
        return [(day * DAY + self.over[0] * HOUR, day * DAY + self.over[1] * HOUR) for day in days]

    def write(self, folder: Path, samples: list[tuple[float, str, str, str]]) -> tuple[Path, Path]:
        """Plant model and history."""
        plant = folder / self.site
        plant.mkdir(parents=True)
        (plant / "site.yaml").write_text(self._site(), encoding="utf-8")
        cards = [
            "product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,"
            "availability,energy_kwh"
        ]
        cards += [
            f"{product},{one.name},{MODEL_FROM},{cycle},{one.crew},0,0,0,,1,{one.kwh}"
            for row in self.rows
            for one in row.stations
            for product, cycle in one.cycle_s.items()
        ]
        (plant / "standards.csv").write_text("\n".join([*cards, ""]), encoding="utf-8")
        bill = [
            f"{product},{row.stations[0].name},blank,{MODEL_FROM},1"
            for row in self.rows
            for product in _made(row)
        ]
        (plant / "bill.csv").write_text("\n".join(["product,machine,material,from,quantity", *bill, ""]))
        (plant / "prices.csv").write_text(
            f"material,from,standard,actual\nblank,{MODEL_FROM},{self.price},{self.price}\n"
        )
        prices = [
            f"{product},{MODEL_FROM},{9 + 2 * self.price}" for row in self.rows for product in _made(row)
        ]
        (plant / "products.csv").write_text("\n".join(["product,from,sales_price", *prices, ""]))
        history = folder / f"{self.site}.csv"
        with history.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(("time", "machine", "role", "value"))
            for at, *said in samples:
                when = self.start + timedelta(microseconds=round(at * 1000) * 1000)
                table.writerow((when.isoformat(timespec="milliseconds"), *said))
        return plant, history

    def _site(self) -> str:
        shifts = [(name, begin, end, "") for name, begin, end in self.shifts]
        exceptions = ""
        if self.by == "declared":
            shifts.append(("O", *self.over, ", overtime: true"))
        elif self.by == "saturday":
            extra = _shift("S", self.over[0], self.over[1], ", overtime: true")
            exceptions = (
                f"  exceptions: [{{date: {(self.start + timedelta(days=5)).date()}, shifts: [{extra}]}}]\n"
            )
        days = f", days: [{', '.join(WEEKDAYS)}]"
        lines = [
            f"site: {self.site}\ntime_zone: UTC\ncurrency: EUR\ncalendar:\n  shifts:",
            *(f"    - {_shift(name, begin, end, days + more)}" for name, begin, end, more in shifts),
            f"{exceptions}labour: [{{from: {MODEL_FROM}, standard: {self.wage}, actual: {self.wage}, "
            f"overtime_multiplier: {MULTIPLIER}}}]\n"
            f"energy: [{{from: {MODEL_FROM}, standard: {self.tariff}, actual: {self.tariff}}}]\nlines:",
        ]
        for row in self.rows:
            lines.append(f"  - id: {row.name}\n    machines:")
            lines += [
                f"      - {{id: {one.name}, "
                f"rate: [{{from: {MODEL_FROM}, standard: {one.rate}, actual: {one.rate}}}]}}"
                for one in row.stations
            ]
        return "\n".join([*lines, ""])


def _shift(name: str, begin: float, end: float, more: str) -> str:
    return f'{{name: {name}, start: "{_clock(begin)}", end: "{_clock(end)}"{more}}}'


def _clock(hours: float) -> str:
    return f"{int(hours) % 24:02d}:{round(hours % 1 * 60):02d}"


def _made(row: Row) -> list[str]:
    return sorted(row.stations[0].cycle_s)


def _row(flow: Flow, chance: random.Random, number: int, story: str) -> Row:
    """A line whose slowest machine takes `pace` seconds a good unit, the next slowest 1 / `ahead` of that."""
    count = chance.randint(3, 5)
    slow, next_ = chance.sample(range(count), 2)
    if story == "stock" and next_ < slow:
        slow, next_ = next_, slow
    pace = chance.uniform(60, 140)
    ahead = 1.16 if flow.by == "saturday" and story == "overtime" else chance.uniform(1.25, 1.5)
    paces = [pace / (ahead * chance.uniform(1.2, 1.6)) for _ in range(count)]
    paces[slow], paces[next_] = pace, pace / ahead
    lot = chance.uniform(0.8, 2.0) * HOUR
    products = [f"{name}{number}" for name in flow.products]
    lots = [
        (chance.choice(products), max(10, int(lot * chance.uniform(0.7, 1.3) / pace))) for _ in range(200)
    ]
    stations = [
        _station(chance, f"l{number}m{place + 1}", own, products, lot) for place, own in enumerate(paces)
    ]
    room = [chance.randint(2, 15) for _ in stations]
    row = Row(f"l{number}", story, stations, slow, next_, room, lots)
    day = flow.hours * HOUR / pace
    if story == "starved":
        first = flow.shifts[0][1] * HOUR
        row.outages = [
            (
                begin := day * DAY + first + chance.uniform(0.5, 2.5) * HOUR,
                begin + chance.uniform(1, 3) * HOUR,
            )
            for day in range(flow.days)
        ]
    if story == "overtime":
        missing = flow.hours * (ahead - 1) * 1.06
        whole = missing * flow.days if flow.by == "saturday" else missing
        begin = 7.0 if flow.by == "saturday" else flow.shifts[-1][2]
        flow.over = (begin, begin + round(whole * 4) / 4)
        row.beyond = flow.overtime
    if story in ("overtime", "stock"):
        whole_days = flow.days if story == "stock" or flow.by == "saturday" else 1
        ahead_by = int(day * (ahead - 1) * whole_days * 1.15) + 20
        if story == "overtime":
            row.room[slow] = 2 * ahead_by
        if next_ > slow:
            row.room[slow + 1] = 2 * ahead_by
            row.stock = (slow + 1, ahead_by)
    return row


def _station(chance: random.Random, name: str, pace: float, products: list[str], lot: float) -> Station:
    """A machine that makes a good unit in `pace` seconds, stops and changeovers included."""
    up = chance.uniform(0.9, 0.97)
    setup = chance.uniform(0.03, 0.1) * lot if len(products) > 1 else 0.0
    scrap = round(chance.uniform(0.0, 0.02), 4)
    share = setup * (1 - 1 / len(products)) / lot
    cycle = pace * (1 - share) * up * (1 - scrap)
    between = chance.uniform(0.5, 1.5) * HOUR
    return Station(
        name=name,
        cycle_s={product: round(cycle * chance.uniform(0.95, 1.05), 2) for product in products},
        setup_s={product: round(setup * chance.uniform(0.7, 1.3), 1) for product in products},
        between_s=between,
        repair_s=between * (1 / up - 1),
        scrap=scrap,
        kwh=round(chance.uniform(0.05, 0.6), 3),
        rate=round(chance.uniform(30, 160), 1),
        crew=chance.randint(1, 3),
    )
