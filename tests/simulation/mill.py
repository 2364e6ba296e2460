"""Five weeks of four machines that each work alone, with eight causes put in on known days.

Money of what was put in is reckoned here by hand: hours x (rate + crew x wage), kWh x tariff. Days begin at
06:00, two shifts, Monday to Friday; counters are told every half hour and wherever a state begins.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

SITE = "mill"
FIRST, LAST = date(2026, 3, 27), date(2026, 4, 30)
"""The end is that of a fiscal month, so that nothing is left to be projected."""
ENDS = datetime(2026, 5, 1, 5, 30, tzinfo=UTC)
HOURS = 16
RATE, WAGE, CREW, TARIFF = 90.0, 30.0, 2, 0.2
CYCLE_S, KWH, SCRAP, SETUP_MIN = 36.0, 0.5, 0.02, 20.0
PER_HOUR = RATE + CREW * WAGE

MODEL = f"""\
site: {SITE}
time_zone: UTC
currency: EUR
calendar:
  day_start: "06:00"
  shifts:
    - {{name: early, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}}
    - {{name: late, days: [mon, tue, wed, thu, fri], start: "14:00", end: "22:00"}}
labour: [{{from: 2026-01-01, standard: {WAGE}, actual: {WAGE}}}]
energy: [{{from: 2026-01-01, standard: {TARIFF}, actual: {TARIFF}}}]
materiality: {{amount: 250, share: 0.02}}
lines:
"""
STANDARDS = (
    "product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,"
    "energy_kwh"
)


@dataclass(frozen=True, slots=True)
class Injected:
    """A cause put in: what it should be called, since when, and what it cost in all."""

    machine: str
    cause: str
    verdict: str
    since: date
    amount: float


@dataclass(slots=True)
class Mill:
    """The stories of one seed: the working day (counted from 0) on which each begins."""

    seed: int
    days: list[date] = field(default_factory=list)
    slow_from: int = 0
    jam_on: int = 0
    wear_from: int = 0
    setup_from: int = 0
    energy_from: int = 0
    starved_from: int = 0
    crew_from: int = 0

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        count = (LAST - FIRST).days + 1
        self.days = [day for n in range(count) if (day := FIRST + timedelta(days=n)).weekday() < 5]
        self.slow_from, self.setup_from = chance.randint(9, 13), chance.randint(8, 13)
        self.energy_from, self.crew_from = chance.randint(8, 13), chance.randint(8, 13)
        self.wear_from, self.jam_on = chance.randint(5, 8), chance.randint(4, 7)
        self.starved_from = chance.randint(7, 12)

    def write(self, folder: Path) -> tuple[Path, Path, list[Injected]]:
        """Writes plant model and history; tells them and what was put in."""
        plant = folder / SITE
        plant.mkdir(parents=True)
        lines = "".join(
            f"  - {{id: l{n}, machines: [{{id: m{n}, rate: [{{from: 2026-01-01, standard: {RATE}, "
            f"actual: {RATE}}}]}}]}}\n"
            for n in (1, 2, 3, 4)
        )
        (plant / "site.yaml").write_text(MODEL + lines, encoding="utf-8")
        cards = [
            f"P,m{n},2026-01-01,{CYCLE_S},{CREW},{SCRAP},0,{SETUP_MIN},700,0.98,{KWH}" for n in range(1, 5)
        ]
        (plant / "standards.csv").write_text("\n".join([STANDARDS, *cards, ""]), encoding="utf-8")
        history = folder / "history.csv"
        injected: list[Injected] = []
        with history.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(("time", "machine", "role", "value"))
            for number in (1, 2, 3, 4):
                run = _Run(self, number)
                table.writerows(run.rows())
                injected += run.injected()
        return plant, history, injected


class _Run:
    """One machine through all days."""

    def __init__(self, mill: Mill, number: int) -> None:
        self.mill, self.number, self.name = mill, number, f"m{number}"
        self.chance = random.Random(f"{mill.seed}/{number}")
        self.good, self.scrap, self.kwh, self.part = 5000, 200, 900.0, 0.0
        self.bad_part = 0.0
        self.put_in: dict[str, float] = {}

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        for number, day in enumerate(self.mill.days):
            yield from self._day(number, day)

    def injected(self) -> list[Injected]:
        """What was put in, with its money."""
        mill, days = self.mill, self.mill.days
        told = {
            "slow": ("speed_loss", "structural", days[mill.slow_from]),
            "jam": ("downtime", "isolated", days[mill.jam_on]),
            "wear": ("scrap", "drift", days[mill.wear_from]),
            "monday": ("downtime", "recurring", next(day for day in days if day.weekday() == 0)),
            "setup": ("changeover", "structural", days[mill.setup_from]),
            "energy": ("usage", "structural", days[mill.energy_from]),
            "starved": ("waiting", "temporary", days[mill.starved_from]),
            "crew": ("crew", "structural", days[mill.crew_from]),
        }
        return [
            Injected(self.name, cause, verdict, since, self.put_in[story])
            for story, (cause, verdict, since) in told.items()
            if story in self.put_in
        ]

    def _book(self, story: str, amount: float) -> None:
        self.put_in[story] = self.put_in.get(story, 0.0) + amount

    def _day(self, number: int, day: date) -> Iterator[tuple[str, str, str, str]]:
        at = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
        end = at + timedelta(hours=HOURS)
        crew = CREW
        if self.number == 4 and number >= self.mill.crew_from:
            crew += 1
        yield self._told(at, "crew", crew)
        yield self._told(at, "product", "P")
        yield self._told(at, "order", f"{self.name}-{day:%m%d}")
        if number == 0:
            yield from self._counters(at)
        pace = CYCLE_S * self.chance.gauss(1.01, 0.006)
        slow = 1.15 if self.number == 1 and number >= self.mill.slow_from else 1.0
        for state, hours in self._stops(number, day):
            stop_at = at + timedelta(hours=hours * (slow if state == "running" else 1.0))
            if crew > CREW:
                self._book("crew", (stop_at - at).total_seconds() / 3600 * WAGE)
            if state == "running":
                yield from self._running(number, at, stop_at, pace * slow, slow > 1.0)
            else:
                yield self._told(at, "state", state)
            at = stop_at
        assert at < end
        yield self._told(at, "state", "idle")

    def _stops(self, number: int, day: date) -> Iterator[tuple[str, float]]:
        """States and hours of one day's work at the usual pace; idle time takes up what it takes longer."""
        mill = self.mill
        if self.number == 2 and day.weekday() == 0:
            self._book("monday", 1.5 * PER_HOUR)
            yield "down", 1.5
        for _ in range(2):
            yield "running", 2.5
            yield "down", max(0.05, self.chance.gauss(0.16, 0.02))
            yield "running", 2.3
            minutes = SETUP_MIN * self.chance.gauss(1.02, 0.04)
            if self.number == 3 and number >= mill.setup_from:
                minutes += 18.0
                self._book("setup", 18.0 / 60 * PER_HOUR)
            yield "changeover", minutes / 60
        if self.number == 1 and number == mill.jam_on:
            self._book("jam", 3.0 * PER_HOUR)
            yield "down", 3.0
        if self.number == 4 and mill.starved_from <= number < mill.starved_from + 5:
            self._book("starved", 3.0 * PER_HOUR)
            yield "waiting", 3.0

    def _running(
        self, number: int, at: datetime, until: datetime, pace: float, slow: bool
    ) -> Iterator[tuple[str, str, str, str]]:
        if until <= at:
            return
        yield self._told(at, "state", "running")
        while at < until:
            step = min(until, at + timedelta(minutes=30))
            self._make(number, (step - at).total_seconds(), pace, slow)
            at = step
            yield from self._counters(at - timedelta(milliseconds=1))

    def _counters(self, at: datetime) -> Iterator[tuple[str, str, str, str]]:
        yield self._told(at, "good_count", self.good)
        yield self._told(at, "scrap_count", self.scrap)
        yield self._told(at, "energy", round(self.kwh, 4))

    def _make(self, number: int, seconds: float, pace: float, slow: bool) -> None:
        mill = self.mill
        self.part += seconds / pace
        units = int(self.part)
        self.part -= units
        worn = 0.0
        if self.number == 2 and number >= mill.wear_from:
            worn = 0.004 * (number - mill.wear_from + 1)
        self.bad_part += units * (SCRAP * self.chance.gauss(1.0, 0.3) + worn)
        bad = max(0, int(self.bad_part))
        self.bad_part -= bad
        if worn:
            self._book("wear", units * worn * (CYCLE_S / 3600 * PER_HOUR + KWH * TARIFF))
        self.scrap += bad
        self.good += units - bad
        use = KWH * self.chance.gauss(1.0, 0.01)
        if self.number == 3 and number >= mill.energy_from:
            self._book("energy", units * 0.15 * TARIFF)
            use += 0.15
        self.kwh += units * use
        if slow:
            self._book("slow", seconds * (1 - 1 / 1.15) / 3600 * PER_HOUR)

    def _told(self, at: datetime, role: str, value: object) -> tuple[str, str, str, str]:
        return (at.isoformat(timespec="milliseconds"), self.name, role, str(value))
