"""Floors drawn at random for a replay of their questions: shifts, machines, stops and reasons by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

Row = tuple[datetime, str, str, str]

CALENDARS = {
    "one": '{name: A, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}',
    "two": '{name: A, days: [mon, tue, wed, thu, fri, sat], start: "06:00", end: "14:00"}, '
    '{name: B, days: [mon, tue, wed, thu, fri], start: "14:00", end: "22:00"}',
    "three": '{name: N, days: [sun, mon, tue, wed, thu], start: "22:00", end: "06:00"}, '
    '{name: A, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}, '
    '{name: B, days: [mon, tue, wed, thu, fri], start: "14:00", end: "22:00"}',
    "long": '{name: D, days: [mon, tue, wed, thu, fri, sat, sun], start: "07:00", end: "19:00"}, '
    '{name: N, days: [mon, tue, wed, thu, fri, sat, sun], start: "19:00", end: "07:00"}',
}
STARTS = {
    "one": (("06:00", 8, range(5)),),
    "two": (("06:00", 8, range(6)), ("14:00", 8, range(5))),
    "three": (("22:00", 8, (6, 0, 1, 2, 3)), ("06:00", 8, range(5)), ("14:00", 8, range(5))),
    "long": (("07:00", 12, range(7)), ("19:00", 12, range(7))),
}
DAY_STARTS = {"one": "00:00", "two": "06:00", "three": "22:00", "long": "07:00"}
ZONES = ("America/New_York", "Europe/Berlin", "UTC", "Asia/Tokyo")
WEEKS = 5
REASONS = ("jam", "no parts", "sensor", "material", "other")


@dataclass(frozen=True, slots=True)
class Floor:
    """A line of machines: shifts, minutes between stops, how many are short, how long the others last
    (median minutes and spread), and how many of those have a reason that says something."""

    seed: int
    calendar: str
    zone: str
    machines: int
    between_min: float
    short: float
    median_min: float
    spread: float
    reasoned: float
    material: int

    @classmethod
    def drawn(cls, seed: int) -> Floor:
        """The floor of a seed."""
        chance = random.Random(f"floor {seed}")
        return cls(
            seed=seed,
            calendar=chance.choice(sorted(CALENDARS)),
            zone=chance.choice(ZONES),
            machines=chance.randint(1, 4),
            between_min=chance.uniform(50, 160),
            short=chance.uniform(0.3, 0.7),
            median_min=chance.uniform(8, 18),
            spread=chance.uniform(0.4, 0.9),
            reasoned=chance.uniform(0.55, 0.85),
            material=chance.choice((0, 150, 250, 600, 1500)),
        )

    @property
    def first(self) -> datetime:
        """The Monday with which it begins."""
        return datetime(2026, 3, 2, tzinfo=ZoneInfo(self.zone))

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Plant model and five weeks of history."""
        model = folder / "floor"
        model.mkdir()
        (model / "site.yaml").write_text(self._site(), encoding="utf-8")
        cards = [f"P,m{n},2026-01-01,30,{1 + n % 2},0,0,0,0,0.9,0" for n in range(self.machines)]
        head = (
            "product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,"
            "availability,energy_kwh"
        )
        (model / "standards.csv").write_text("\n".join([head, *cards, ""]), encoding="utf-8")
        rows = sorted(row for n in range(self.machines) for row in self.samples(f"m{n}"))
        history = folder / "floor.csv"
        text = "".join(f"{time.isoformat()},{','.join(said)}\n" for time, *said in rows)
        history.write_text(f"time,machine,role,value\n{text}", encoding="utf-8")
        return model, history

    def _site(self) -> str:
        machines = "".join(
            f"      - {{id: m{n}, rate: [{{from: 2026-01-01, standard: {rate}, actual: {rate}}}]}}\n"
            for n, rate in enumerate(range(50, 50 + 35 * self.machines, 35))
        )
        material = f"materiality: {{amount: {self.material}, share: 0.02}}\n" if self.material else ""
        return (
            f"site: floor\ntime_zone: {self.zone}\ncurrency: EUR\ncalendar:\n"
            f'  day_start: "{DAY_STARTS[self.calendar]}"\n  shifts: [{CALENDARS[self.calendar]}]\n{material}'
            "labour: [{from: 2026-01-01, standard: 32, actual: 32}]\n"
            "energy: [{from: 2026-01-01, standard: 0.1, actual: 0.1}]\n"
            f"lines:\n  - id: only\n    machines:\n{machines}"
        )

    def samples(self, machine: str) -> Iterator[Row]:
        """Samples of one machine, in order."""
        chance = random.Random(f"{self.seed} {machine}")
        for day in range(7 * WEEKS):
            date = self.first + timedelta(days=day)
            for clock, hours, weekdays in STARTS[self.calendar]:
                if date.weekday() in weekdays:
                    start = date.replace(hour=int(clock[:2])).astimezone(UTC)
                    yield from self._shift(chance, machine, start, start + timedelta(hours=hours))

    def _shift(self, chance: random.Random, machine: str, start: datetime, end: datetime) -> Iterator[Row]:
        yield (start, machine, "state", "running")
        yield (start, machine, "product", "P")
        now = start + timedelta(minutes=chance.expovariate(1 / self.between_min) + 1)
        while now < end - timedelta(minutes=10):
            over = min(now + timedelta(minutes=self._lasts(chance)), end - timedelta(minutes=2))
            yield (now, machine, "state", "down")
            if over - now > timedelta(minutes=4) and chance.random() < self.reasoned:
                yield (now + timedelta(seconds=30), machine, "reason", chance.choice(REASONS))
                yield (over, machine, "reason", "")
            yield (over, machine, "state", "running")
            now = over + timedelta(minutes=chance.expovariate(1 / self.between_min) + 1)
        yield (end, machine, "state", "idle")

    def _lasts(self, chance: random.Random) -> float:
        if chance.random() < self.short:
            return chance.uniform(0.5, 3)
        return min(150, 5 + self.median_min * chance.lognormvariate(-0.4, self.spread))
