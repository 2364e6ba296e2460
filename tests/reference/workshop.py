"""A small plant with round numbers, written as files, for hand-computed cases.

Machine m1 (and m2 behind it where asked): rate 60 standard; wage 30, crew 2; tariff 0.10; product P: cycle
36 s (0.01 h), energy 0.5 kWh, 0.2 kg of resin at 5.00. Shift D from 06:00 to 14:00 every day, zone UTC
unless told. Times of samples are HH:MM[:SS] on Monday 2 March 2026, or full times.
"""

from __future__ import annotations

import csv
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from .clock import SiteClock
from .result import Result, compute

DAY = "2026-03-02"
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
SITE: dict[str, Any] = {
    "site": "workshop",
    "time_zone": "UTC",
    "currency": "USD",
    "calendar": {"shifts": [{"name": "D", "days": WEEK, "start": "06:00", "end": "14:00"}]},
    "labour": [{"from": "2026-01-01", "standard": 30, "actual": 30, "overtime_multiplier": 1.5}],
    "energy": [{"from": "2026-01-01", "standard": 0.10, "actual": 0.10}],
    "lines": [
        {
            "id": "L1",
            "machines": [
                {
                    "id": "m1",
                    "cost_centre": "C1",
                    "rate": [{"from": "2026-01-01", "standard": 60, "actual": 60}],
                }
            ],
        }
    ],
}
STANDARD = {
    "product": "P", "machine": "m1", "from": "2026-01-01", "ideal_cycle_s": "36", "crew": "2",
    "scrap_rate": "0", "rework_rate": "0", "changeover_min": "30", "lot_size": "100", "availability": "1",
    "energy_kwh": "0.5",
}  # fmt: skip
COLUMNS = {
    "bill.csv": ("product", "machine", "material", "from", "quantity"),
    "prices.csv": ("material", "from", "standard", "actual"),
    "changeovers.csv": ("machine", "from_product", "to_product", "from", "minutes"),
    "charges.csv": ("time", "machine", "product", "order", "cause", "amount", "text"),
    "maintenance.csv": ("start", "end", "machine", "kind", "cost", "in_rate", "text"),
    "confirmations.csv": ("time", "order", "machine", "good", "scrap"),
}


class Workshop:
    """Collects plant rows and samples; `result` writes the files into the folder and computes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = deepcopy(SITE)
        self.standards: list[dict[str, str]] = [dict(STANDARD)]
        self.tables: dict[str, list[tuple]] = {name: [] for name in COLUMNS}
        self.samples: list[tuple[str, str, str, str, str]] = []
        self.bill("P", "resin", "0.2")
        self.tables["prices.csv"].append(("resin", "2026-01-01", "5", "5"))

    @property
    def calendar(self) -> dict[str, Any]:
        return self.site["calendar"]

    @property
    def machine(self) -> dict[str, Any]:
        return self.site["lines"][0]["machines"][0]

    def bill(self, product: str, material: str, quantity: str, machine: str = "m1") -> None:
        self.tables["bill.csv"].append((product, machine, material, "2026-01-01", quantity))

    def standard(self, **changes: str) -> None:
        """One more row of standards.csv, or, for the same product, machine and date, in place of it."""
        row = {**STANDARD, **changes}
        same = ("product", "machine", "from")
        kept = [old for old in self.standards if any(old[name] != row[name] for name in same)]
        self.standards = [*kept, row]

    def second_machine(self, **changes: str) -> None:
        """m2 after m1 on the same line, rate 40, product P at the same cycle unless told."""
        rate = [{"from": "2026-01-01", "standard": 40, "actual": 40}]
        self.site["lines"][0]["machines"].append({"id": "m2", "cost_centre": "C2", "rate": rate})
        self.standard(machine="m2", **changes)

    def say(self, at: str, role: str, value: Any, machine: str = "m1", quality: str = "") -> None:
        time = at if "T" in at else f"{DAY}T{at}"
        self.samples.append((time, machine, role, str(value), quality))

    def run(self, start: str, end: str, product: str = "P", then: str = "idle", machine: str = "m1") -> None:
        """Running with a product from start on, another state at the end; the counter stands at 0."""
        for role, value in (("product", product), ("state", "running"), ("good_count", 0)):
            self.say(start, role, value, machine)
        self.say(end, "state", then, machine)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "site.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(self.site, file)
        columns = list(dict.fromkeys(name for row in self.standards for name in row))
        rows = [[row.get(name, "") for name in columns] for row in self.standards]
        write_csv(folder / "standards.csv", columns, rows)
        for name, told in self.tables.items():
            if told:
                write_csv(folder / name, COLUMNS[name], told)
        return folder

    def result(
        self,
        start: str = "2026-03-01",
        end: str = "2026-03-04",
        earlier: tuple[Path, int] | None = None,
        recorded: str = "2026-03-20",
    ) -> Result:
        """The window between two site times, by default with all of the day in it. `earlier` is a load that
        came before, (directory, recorded_at_us); `recorded` is when the present plant was recorded."""
        plant = self.write(self.folder / "plant")
        history = self.folder / "history.csv"
        write_csv(history, ("time", "machine", "role", "value", "quality"), self.samples)
        clock = SiteClock(self.site["time_zone"])
        loads = [(plant, clock.instant(recorded))]
        return compute(
            [earlier, *loads] if earlier else loads, [history], clock.instant(start), clock.instant(end)
        )


def write_csv(path: Path, columns: Any, rows: Any) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
