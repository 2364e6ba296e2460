"""Works drawn at random, with causes put in on known days: other calendars, machines, products and noises in
each seed. It knows no interpretation; money of what was put in is reckoned here, by hand.

Every machine is a line of its own. Days, shifts and breaks are of the site's zone; money is in its currency.
`works_course` lives the days of one machine, `works_stories` are the causes."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = ("UTC", "Europe/Berlin", "America/Chicago", "Asia/Kolkata", "Australia/Sydney")
MONTH_ENDS = (date(2026, 1, 31), date(2026, 3, 31), date(2026, 4, 30), date(2026, 6, 30), date(2026, 10, 31))
"""Histories end with a fiscal month, so that nothing is left to be projected; two see clocks change."""
MODEL_FROM = "2025-01-01"
MULTIPLIER = 1.5


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of the site: days of the week, wall clock, breaks of so many minutes that begin at a time."""

    name: str
    days: tuple[str, ...]
    start: str
    end: str
    breaks: tuple[tuple[str, int], ...] = ()


PATTERNS: dict[str, tuple[str, tuple[Shift, ...]]] = {
    "two": (
        "06:00",
        (
            Shift("early", DAYS[:5], "06:00", "14:00", (("09:30", 30),)),
            Shift("late", DAYS[:5], "14:00", "22:00", (("18:00", 30),)),
        ),
    ),
    "three": (
        "22:00",
        (
            Shift("night", ("sun", *DAYS[:4]), "22:00", "06:00"),
            Shift("early", DAYS[:5], "06:00", "14:00"),
            Shift("late", DAYS[:5], "14:00", "22:00"),
        ),
    ),
    "around": (
        "07:00",
        (
            Shift("day", DAYS, "07:00", "19:00", (("12:00", 30),)),
            Shift("night", DAYS, "19:00", "07:00", (("00:30", 30),)),
        ),
    ),
    "six": ("00:00", (Shift("day", DAYS[:6], "07:00", "17:30", (("12:00", 30),)),)),
}
"""Start of the production day, and shifts."""


@dataclass(frozen=True, slots=True)
class Window:
    """Time in which machines are manned, [begin, end) in UTC; `day` is its production day."""

    begin: datetime
    end: datetime
    day: date
    shift: str


@dataclass(frozen=True, slots=True)
class Product:
    """A product on one machine, as it really is."""

    name: str
    cycle_s: float
    scrap: float
    kwh: float
    bill: float
    lot: int


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine is and costs; `noise` is the spread of its paces, `mtbf_h` and `mttr_h` of its stops,
    `scrap_cv` and `kwh_cv` of its scrap and of its energy from one count to the next."""

    name: str
    rate: float
    crew: int
    setup_min: float
    mtbf_h: float
    mttr_h: float
    noise: float
    scrap_cv: float
    kwh_cv: float
    tick_min: int
    on_edge: bool
    products: tuple[Product, ...]

    def per_hour(self, wage: float) -> float:
        """Cost of an hour, with its standard crew."""
        return self.rate + self.crew * wage


@dataclass(frozen=True, slots=True)
class Injected:
    """A cause put in: its cause in the ledger, what it should be called, since when, and what it cost in all;
    `daily` is that cost by production day."""

    machine: str
    story: str
    cause: str
    verdict: str
    since: date
    amount: float
    daily: Mapping[date, float] = field(default_factory=dict)


@dataclass(slots=True)
class Works:
    """One seed: a site with its machines and its days."""

    seed: int
    machine_count: int = 6
    days: int = 35
    pattern: str = ""
    zone: str = ""
    end: date = date(2026, 4, 30)
    wage: float = 0.0
    tariff: float = 0.0
    price: float = 0.0
    machines: list[Machine] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(f"works {self.seed}")
        self.pattern = self.pattern or chance.choice(sorted(PATTERNS))
        self.zone = chance.choice(ZONES)
        self.end = chance.choice(MONTH_ENDS)
        self.wage, self.tariff = round(chance.uniform(20, 48), 1), round(chance.uniform(0.08, 0.35), 3)
        self.price = round(chance.uniform(0.5, 3), 2)
        self.machines = [_machine(chance, number) for number in range(1, self.machine_count + 1)]

    @property
    def site(self) -> str:
        """Its name."""
        return f"works{self.seed}"

    @property
    def first(self) -> date:
        """The first production day."""
        return self.end - timedelta(days=self.days - 1)

    @property
    def present(self) -> datetime:
        """The first instant after the last production day."""
        return _instant(self.end + timedelta(days=1), PATTERNS[self.pattern][0], self.zone)

    def windows(self) -> list[Window]:
        """Manned time without breaks, in order."""
        day_start, shifts = PATTERNS[self.pattern]
        found = []
        for number in range(-1, self.days + 2):
            start = self.first + timedelta(days=number)
            for shift in shifts:
                if DAYS[start.weekday()] in shift.days:
                    day = start if shift.start >= day_start else start - timedelta(days=1)
                    found += _cut(start, shift, self.zone, day)
        return sorted((one for one in found if self.first <= one.day <= self.end), key=lambda one: one.begin)

    def working_days(self) -> list[date]:
        """Production days on which somebody works."""
        return sorted({window.day for window in self.windows()})

    def write_model(self, folder: Path, standards: Mapping[tuple[str, str], float] | None = None) -> Path:
        """Writes the plant model; `standards` are cycles that finance has wrong, by machine and product."""
        plant = folder / self.site
        plant.mkdir(parents=True)
        (plant / "site.yaml").write_text(self._site(), encoding="utf-8")
        (plant / "standards.csv").write_text(self._standards(standards or {}), encoding="utf-8")
        bill = [
            f"{product.name},{machine.name},steel,{MODEL_FROM},{product.bill}"
            for machine in self.machines
            for product in machine.products
            if product.bill
        ]
        (plant / "bill.csv").write_text("\n".join(["product,machine,material,from,quantity", *bill, ""]))
        self.write_prices(plant, None, 1.0)
        return plant

    def write_prices(self, plant: Path, since: date | None, factor: float) -> None:
        """Writes what steel costs; from a date on, that times a factor."""
        rows = [f"steel,{MODEL_FROM},{self.price},{self.price}"]
        if since is not None:
            rows.append(f"steel,{since},{self.price},{round(self.price * factor, 4)}")
        (plant / "prices.csv").write_text("\n".join(["material,from,standard,actual", *rows, ""]))

    def _site(self) -> str:
        day_start, shifts = PATTERNS[self.pattern]
        lines = [
            f"site: {self.site}\ntime_zone: {self.zone}\ncurrency: EUR\ncalendar:",
            f'  day_start: "{day_start}"\n  shifts:',
        ]
        for shift in shifts:
            breaks = ", ".join(f'{{start: "{start}", minutes: {minutes}}}' for start, minutes in shift.breaks)
            lines.append(
                f"    - {{name: {shift.name}, days: [{', '.join(shift.days)}], "
                f'start: "{shift.start}", end: "{shift.end}", breaks: [{breaks}]}}'
            )
        lines.append(
            f"labour: [{{from: {MODEL_FROM}, standard: {self.wage}, actual: {self.wage}, "
            f"overtime_multiplier: {MULTIPLIER}}}]\n"
            f"energy: [{{from: {MODEL_FROM}, standard: {self.tariff}, actual: {self.tariff}}}]\n"
            "materiality: {amount: 250, share: 0.02}\nlines:"
        )
        return "\n".join([*lines, *self.lines(), ""])

    def lines(self) -> list[str]:
        """The lines of the plant model: each machine one of its own."""
        return [
            f"  - {{id: l{one.name}, machines: [{{id: {one.name}, "
            f"rate: [{{from: {MODEL_FROM}, standard: {one.rate}, actual: {one.rate}}}]}}]}}"
            for one in self.machines
        ]

    def _standards(self, wrong: Mapping[tuple[str, str], float]) -> str:
        rows = [
            "product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,"
            "availability,energy_kwh"
        ]
        for one in self.machines:
            up = one.mtbf_h / (one.mtbf_h + one.mttr_h)
            rows += [
                f"{product.name},{one.name},{MODEL_FROM},"
                f"{wrong.get((one.name, product.name), product.cycle_s)},{one.crew},{product.scrap},0,"
                f"{one.setup_min},{product.lot},{up:.4f},{product.kwh}"
                for product in one.products
            ]
        return "\n".join([*rows, ""])


def write_history(path: Path, rows: Sequence[tuple[datetime, str, str, str]]) -> Path:
    """Writes samples as a history file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("time", "machine", "role", "value"))
        table.writerows((at.isoformat(timespec="milliseconds"), *said) for at, *said in rows)
    return path


def _machine(chance: random.Random, number: int) -> Machine:
    loud = chance.choice((1.0, 1.0, 2.0, 4.0))
    cycle = 10 ** chance.uniform(0.7, 1.9)
    lots = chance.uniform(2.0, 6.0)
    products = tuple(
        Product(
            name=f"P{place}",
            cycle_s=round(own := cycle * chance.uniform(0.8, 1.3), 2),
            scrap=round(chance.uniform(0.005, 0.04), 4),
            kwh=round(chance.uniform(0.01, 0.06) * own, 4),
            bill=0.0 if number % 2 else round(chance.uniform(0.2, 1.5) * own / 30, 3),
            lot=max(10, int(lots * 3600 / own)),
        )
        for place in range(1, chance.randint(1, 3) + 1)
    )
    return Machine(
        name=f"m{number}",
        rate=round(chance.uniform(35, 190), 1),
        crew=chance.randint(1, 4),
        setup_min=round(chance.uniform(8, 35), 1),
        mtbf_h=round(chance.uniform(1.2, 5), 2),
        mttr_h=round(chance.uniform(0.06, 0.2) * loud**0.5, 3),
        noise=chance.uniform(0.004, 0.02) * loud,
        scrap_cv=chance.uniform(0.1, 0.3) * loud,
        kwh_cv=chance.uniform(0.01, 0.04) * loud,
        tick_min=chance.choice((3, 5, 10)),
        on_edge=chance.random() < 0.5,
        products=products,
    )


def _cut(start: date, shift: Shift, zone: str, day: date) -> list[Window]:
    """The manned time of one shift, without its breaks."""
    after = start + timedelta(days=1)
    begin = _instant(start, shift.start, zone)
    end = _instant(start if shift.end > shift.start else after, shift.end, zone)
    found = []
    for clock, minutes in shift.breaks:
        rest = _instant(start if clock >= shift.start else after, clock, zone)
        found.append(Window(begin, rest, day, shift.name))
        begin = rest + timedelta(minutes=minutes)
    return [*found, Window(begin, end, day, shift.name)]


def _instant(day: date, clock: str, zone: str) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)
