"""Random but valid plants with their histories, as files. A seed gives the same plant always.

`make_plant(seed, folder)` writes `folder/plant/*` (site.yaml and CSV files) and `folder/history-*.csv`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from .clock import HOUR_US, ONE_DAY, SiteClock
from .machine_days import MachineScript, history_of
from .workshop import write_csv

# Zone and a first day: plain weeks, days of 23 and 25 hours, a half-hour zone, a skipped and a repeated
# midnight.
PLACES = (
    ("America/New_York", "2026-05-04"),
    ("America/New_York", "2026-03-07"),
    ("America/New_York", "2025-11-01"),
    ("Europe/Berlin", "2026-03-28"),
    ("Europe/Berlin", "2025-10-25"),
    ("Europe/Berlin", "2026-06-11"),
    ("Asia/Kolkata", "2026-02-05"),
    ("America/Santiago", "2025-09-06"),
    ("America/Santiago", "2026-04-04"),
    ("Australia/Lord_Howe", "2026-04-04"),
    ("UTC", "2026-08-20"),
)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ROSTERS = (
    (("A", "06:00", "14:00"), ("B", "14:00", "22:00"), ("C", "22:00", "06:00")),
    (("D", "06:00", "18:00"), ("N", "18:00", "06:00")),
    (("D", "07:00", "15:30"),),
    (("L", "06:00", "06:00"),),
    (("E", "05:45", "13:15"), ("N", "21:30", "03:00")),
    (("Z", "02:30", "10:30"), ("Y", "10:30", "00:15")),
)
BREAKS = {
    "06:00": ("09:00", "12:10"), "14:00": ("17:30", "20:00"), "22:00": ("01:15", "03:30"),
    "18:00": ("22:40", "01:50"), "07:00": ("10:00", "12:30"), "05:45": ("09:20", "13:05"),
    "21:30": ("23:50", "02:45"), "02:30": ("02:30", "07:00"), "10:30": ("12:00", "23:55"),
}  # fmt: skip
PRODUCTS = ("P1", "P2", "P3", "P4")
MATERIALS = ("resin", "film", "dye")
STANDARD_COLUMNS = (
    "product", "machine", "from", "ideal_cycle_s", "crew", "scrap_rate", "rework_rate", "changeover_min",
    "lot_size", "availability", "energy_kwh", "planned_stop", "waiting", "idle_kw",
)  # fmt: skip
DAYS = 3


@dataclass(frozen=True)
class MadePlant:
    """Where the files are, and windows worth asking for: whole, off the hour grid, and the last production
    day (microseconds UTC)."""

    seed: int
    directory: Path
    histories: tuple[Path, ...]
    site: str
    machines: tuple[str, ...]
    window: tuple[int, int]
    odd_window: tuple[int, int]
    day_window: tuple[int, int]


class Maker:
    """Draws the parts of one plant model."""

    def __init__(self, seed: int, days: int = DAYS) -> None:
        self.days = days
        self.draw = random.Random(seed)
        self.seed = seed
        zone, first = PLACES[seed % len(PLACES)]
        self.zone, self.first = zone, date.fromisoformat(first)
        self.before = self.first - timedelta(days=40)
        self.day_start = self.draw.choice(("00:00", "06:00", "05:30", "02:30"))
        self.clock = SiteClock(zone, self.day_start)
        self.products = PRODUCTS[: self.draw.randint(2, 4)]
        self.roster = self.draw.choice(ROSTERS)
        self.lines = self._lines()

    @property
    def machines(self) -> list[str]:
        return [machine for machines in self.lines.values() for machine in machines]

    def _lines(self) -> dict[str, list[str]]:
        count = self.draw.randint(1, 4)
        names = [f"m{number}" for number in range(1, count + 1)]
        cut = self.draw.randint(1, count) if self.draw.random() < 0.5 else count
        return {"L1": names[:cut], **({"L2": names[cut:]} if names[cut:] else {})}

    def number(self, low: float, high: float, places: int = 2) -> str:
        return f"{self.draw.uniform(low, high):.{places}f}"

    def dates(self, inside: float = 0.6) -> list[date]:
        """Effective dates: one before the data, perhaps one or two within it."""
        found = [self.before]
        for day in range(1, self.days):
            if self.draw.random() < inside:
                found.append(self.first + timedelta(days=day))
        return found

    def rates(self, low: float, high: float, **more: Any) -> list[dict[str, Any]]:
        rows = []
        for day in self.dates(0.35):
            row = {"from": day, **more, "standard": float(self.number(low, high))}
            if self.draw.random() < 0.8:
                row["actual"] = float(self.number(low, high))
            rows.append(row)
        return rows

    def calendar(self) -> dict[str, Any]:
        days = list(WEEK) if self.draw.random() < 0.6 else list(WEEK[:5])
        shifts = [self.shift(name, start, end) | {"days": days} for name, start, end in self.roster]
        calendar: dict[str, Any] = {"day_start": self.day_start, "shifts": shifts}
        exceptions = list(self.exceptions())
        if exceptions:
            calendar["exceptions"] = exceptions
        return calendar

    def shift(self, name: str, start: str, end: str) -> dict[str, Any]:
        shift: dict[str, Any] = {"name": name, "start": start, "end": end}
        breaks = [
            {"start": at, "minutes": self.draw.choice((10, 15, 20, 30, 45)), "paid": self.draw.random() < 0.4}
            for at in BREAKS[start]
            if self.draw.random() < 0.7
        ]
        if breaks:
            shift["breaks"] = breaks
        if self.draw.random() < 0.2:
            shift["overtime"] = True
        return shift

    def exceptions(self) -> Any:
        """Closed, closed with other shifts instead, or an overtime shift besides."""
        kind = self.draw.choice(("none", "closed", "replaced", "added"))
        day = self.first + timedelta(days=self.draw.randint(0, self.days - 1))
        if kind == "closed":
            yield {"date": day, "closed": True}
        if kind == "replaced":
            other = {"name": "X", "start": "08:30", "end": "12:00", "overtime": self.draw.random() < 0.5}
            yield {"date": day, "closed": True, "shifts": [other]}
        if kind == "added" and self.roster[0][1] == "07:00":
            extra = {"name": "S", "start": "15:30", "end": "19:15", "overtime": True}
            yield {"date": day, "shifts": [extra]}

    def labour(self) -> list[dict[str, Any]]:
        rows = self.rates(25, 40)
        if self.draw.random() < 0.5:
            rows += self.rates(25, 40, line="L1")
        if self.draw.random() < 0.5:
            rows += self.rates(25, 40, shift=self.roster[-1][0])
        if self.draw.random() < 0.4:
            rows += self.rates(25, 40, line="L1", shift=self.roster[-1][0])
        for row in rows:
            row["overtime_multiplier"] = self.draw.choice((1.25, 1.5, 2))
        return rows

    def site(self, scripts: dict[str, MachineScript]) -> dict[str, Any]:
        return {
            "site": f"site-{self.seed}",
            "time_zone": self.zone,
            "currency": "USD",
            "calendar": self.calendar(),
            "labour": self.labour(),
            "energy": self.rates(0.08, 0.2),
            "lines": [
                {"id": line, "machines": [self.machine_row(name, scripts[name]) for name in names]}
                for line, names in self.lines.items()
            ],
        }

    def machine_row(self, machine: str, script: MachineScript) -> dict[str, Any]:
        row: dict[str, Any] = {"id": machine, "cost_centre": f"CC-{machine}", "rate": self.rates(40, 120)}
        if script.declared:
            row["counters"] = script.declared
        return row

    def standards(self) -> list[list[str]]:
        """Several effective dates; at times a product has no standard yet, or none at a machine."""
        rows = []
        for machine in self.machines:
            for product in self.products:
                fate = self.draw.random()
                if fate < 0.06:
                    continue
                for day in self.dates(0.4)[1 if fate < 0.16 else 0 :]:
                    rows.append([product, machine, day.isoformat(), *self.standard_values()])
        first = [self.products[0], self.machines[0], self.before.isoformat()]
        return rows or [[*first, *self.standard_values()]]

    def standard_values(self) -> list[str]:
        return [
            self.number(4, 60, 1), self.draw.choice(("1", "2", "1.5", "3", "0.5")), self.number(0, 0.08, 3),
            self.number(0, 0.04, 3), self.draw.choice(("0", "20", "45", "12.5")),
            str(self.draw.choice((100, 250, 800))), self.draw.choice(("1", "0.9", "0.85", "0.95")),
            self.number(0, 0.6, 3), self.number(0, 0.1, 3), self.number(0, 0.1, 3), self.number(0, 12, 1),
        ]  # fmt: skip

    def bills(self) -> list[list[str]]:
        return [
            [product, machine, material, day.isoformat(), self.number(0.05, 2, 3)]
            for machine in self.machines
            for product in self.products
            for material in MATERIALS
            if self.draw.random() < 0.4
            for day in self.dates(0.3)
        ]

    def prices(self) -> list[list[str]]:
        return [
            [
                material,
                day.isoformat(),
                self.number(0.5, 6, 3),
                self.number(0.5, 6, 3),
            ]
            for material in MATERIALS
            for day in self.dates(0.4)
        ]

    def pairs(self) -> list[list[str]]:
        return [
            [machine, old, new, self.before.isoformat(), self.draw.choice(("5", "30", "90"))]
            for machine in self.machines
            for old in self.products
            for new in self.products
            if self.draw.random() < 0.3
        ]

    def instant(self) -> int:
        """The time of a charge, sometimes outside the data."""
        minute = self.draw.randint(-30, (self.days + 1) * 24 * 60)
        return self.clock.midnight(self.first) + minute * HOUR_US // 60

    def told(self, at: int) -> str:
        return SiteText(self.clock).offset(at)

    def charges(self) -> list[list[str]]:
        rows = []
        for _ in range(self.draw.randint(0, 4)):
            machine = self.draw.choice([*self.machines, ""])
            product = self.draw.choice(["", *self.products])
            order = self.draw.choice(["", "O1", "O2"])
            cause = self.draw.choice(("downtime", "price", "usage", "changeover"))
            rows.append(
                [self.told(self.instant()), machine, product, order, cause, self.number(-50, 400), "charge"]
            )
        return rows

    def quality(self) -> list[list[str]]:
        """Units that quality moves or holds after the fact, sometimes when nothing runs."""
        return [
            [
                self.told(self.instant()),
                self.draw.choice(self.machines),
                self.draw.choice(self.products),
                self.draw.choice(("", "O1", "O2")),
                str(self.draw.randint(1, 30)),
                self.draw.choice(("scrap", "rework", "accept", "hold", "release")),
                self.draw.choice(("", "crack")),
            ]
            for _ in range(self.draw.randint(0, 4))
        ]

    def maintenance(self) -> list[list[str]]:
        return [
            [
                self.told(at),
                self.told(at + HOUR_US),
                self.draw.choice(self.machines),
                self.draw.choice(("planned", "breakdown")),
                self.number(10, 300),
                self.draw.choice(("true", "false")),
                "visit",
            ]
            for at in (self.instant() for _ in range(self.draw.randint(0, 2)))
        ]


class SiteText:
    """Writes instants as text: with offset, in UTC, or as the site's bare wall clock where that is
    unambiguous."""

    def __init__(self, clock: SiteClock) -> None:
        self.clock = clock

    def offset(self, at: int) -> str:
        return self.clock.shown(at).isoformat()

    def bare(self, at: int) -> str:
        text = self.clock.shown(at).replace(tzinfo=None).isoformat()
        return text if self.clock.instant(text) == at else self.offset(at)

    def utc(self, at: int) -> str:
        return self.clock.shown(at, utc=True).isoformat().replace("+00:00", "Z")


def make_plant(seed: int, folder: Path, days: int = DAYS) -> MadePlant:
    """Writes the plant and history of a seed into a folder."""
    maker = Maker(seed, days)
    start = maker.clock.midnight(maker.first)
    end = maker.clock.midnight(maker.first + days * ONE_DAY)
    scripts = {
        machine: MachineScript(random.Random(f"{seed}/{machine}"), maker.products, MATERIALS, start, end)
        for machine in maker.machines
    }
    directory = folder / "plant"
    write_model(maker, scripts, directory)
    histories = write_histories(maker, scripts, folder)
    odd = (start + 7 * HOUR_US + 1_234_567, end - 5 * HOUR_US - 987_654_321)
    whole = (start - 24 * HOUR_US, end + 24 * HOUR_US)
    last = maker.first + (days - 1) * ONE_DAY
    day = (maker.clock.day_begin(last), maker.clock.day_begin(last + ONE_DAY))
    return MadePlant(seed, directory, histories, f"site-{seed}", tuple(maker.machines), whole, odd, day)


def write_model(maker: Maker, scripts: dict[str, MachineScript], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "site.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(maker.site(scripts), file)
    write_csv(directory / "standards.csv", STANDARD_COLUMNS, maker.standards())
    tables = {
        "bill.csv": ("product machine material from quantity", maker.bills()),
        "prices.csv": ("material from standard actual", maker.prices()),
        "changeovers.csv": ("machine from_product to_product from minutes", maker.pairs()),
        "charges.csv": ("time machine product order cause amount text", maker.charges()),
        "maintenance.csv": ("start end machine kind cost in_rate text", maker.maintenance()),
        "quality.csv": ("time machine product order units disposition reason", maker.quality()),
        "products.csv": (
            "product from sales_price",
            [[product, maker.before.isoformat(), maker.number(5, 90)] for product in maker.products],
        ),
    }
    for name, (columns, rows) in tables.items():
        if rows:
            write_csv(directory / name, columns.split(), rows)


def write_histories(maker: Maker, scripts: dict[str, MachineScript], folder: Path) -> tuple[Path, ...]:
    """One file a machine, or one for all; rows in any order; times bare, in UTC or with offset."""
    together = maker.draw.random() < 0.4
    text = SiteText(maker.clock)
    rows: dict[str, list[list[str]]] = {}
    for machine, script in scripts.items():
        style = maker.draw.choice((text.offset, text.bare, text.utc))
        name = "history-all.csv" if together else f"history-{machine}.csv"
        rows.setdefault(name, []).extend(
            [style(at), machine, role, value, quality] for at, role, value, quality in history_of(script)
        )
    for told in rows.values():
        maker.draw.shuffle(told)
    paths = []
    for name, told in sorted(rows.items()):
        write_csv(folder / name, ("time", "machine", "role", "value", "quality"), told)
        paths.append(folder / name)
    return tuple(paths)
