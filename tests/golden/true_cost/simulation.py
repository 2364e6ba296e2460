"""A line of two machines, step by step, with its own account of what its products took.

Nothing of the service is used: states, counters and hours are the simulation's own. Counters are told every
two minutes, words at every change, as a historian would.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

STEP_S = 5
TELL_S = 120
SHIFT_S = 8 * 3600
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
BUFFER = 30
CHANGEOVER_S = {"A": 600, "B": 2400}
LOTS = (("A", 500), ("B", 60))
RATES = {"m1": 90.0, "m2": 60.0}
CREWS = {"m1": 2.0, "m2": 1.0}
WAGE = 30.0
SITE = """\
site: simulated
time_zone: UTC
currency: EUR
calendar:
  shifts: [{name: D, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}]
labour: [{from: 2026-01-01, standard: 30, actual: 30}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
lines:
  - id: one
    machines:
      - {id: m1, rate: [{from: 2026-01-01, standard: 90, actual: 90}]}
      - {id: m2, rate: [{from: 2026-01-01, standard: 60, actual: 60}]}
"""
COLUMNS = (
    "product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,"
    "energy_kwh"
)


@dataclass
class Machine:
    """One machine; `cycle_s` by product, `scrap` and `stops_h` its chance of scrap and stops per hour."""

    name: str
    cycle_s: dict[str, float]
    scrap: float
    stops_h: float
    lots: list[tuple[str, int]]
    state: str = "changeover"
    left_s: float = 0.0
    work_s: float = 0.0
    lot: int = 0
    of_lot: int = 0
    good: int = 0
    bad: int = 0

    @property
    def product(self) -> str:
        return self.lots[self.lot][0]

    def next_lot(self) -> None:
        self.lot, self.of_lot = self.lot + 1, 0
        self.state, self.left_s = "changeover", CHANGEOVER_S[self.product]


@dataclass
class Account:
    """What the simulation itself knows: hours by (machine, product, state), good units at the end."""

    hours: dict[tuple[str, str, str], float] = field(default_factory=lambda: defaultdict(float))
    good: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def unit_cost(self, product: str) -> float:
        """Machine time but waiting, and all paid time of people, per good unit."""
        cost = 0.0
        for (machine, own, state), hours in self.hours.items():
            if own == product:
                cost += hours * CREWS[machine] * WAGE
                cost += hours * RATES[machine] if state != "waiting" else 0.0
        return cost / self.good[product]


class Line:
    """Two machines, the slower one named; a buffer of the units between them, in their order."""

    def __init__(self, seed: int, slow: str, days: int) -> None:
        self.draw = random.Random(seed)
        lots = [LOTS[at % len(LOTS)] for at in range(400)]
        paces = {"m1": {"A": 20.0, "B": 26.0}, "m2": {"A": 20.0, "B": 26.0}}
        paces[slow] = {product: cycle * 1.35 for product, cycle in paces[slow].items()}
        self.first = Machine("m1", paces["m1"], 0.02, 1.2, lots)
        self.last = Machine("m2", paces["m2"], 0.01, 1.2, lots)
        self.buffer: list[str] = []
        self.account = Account()
        self.rows: list[tuple[str, ...]] = []
        self.told: dict[tuple[str, str], str] = {}
        self.days = days

    def run(self) -> None:
        for day in range(self.days):
            start = START + timedelta(days=day + 2 * (day // 5))
            for at_s in range(0, SHIFT_S, STEP_S):
                now = start + timedelta(seconds=at_s)
                for machine in (self.last, self.first):
                    self.step(machine)
                    self.tell(machine, now, at_s % TELL_S == 0)
            for machine in (self.first, self.last):
                self.say(machine.name, start + timedelta(seconds=SHIFT_S), state="idle", product="")

    def step(self, machine: Machine) -> None:
        machine.left_s -= STEP_S
        if machine.state in ("down", "changeover") and machine.left_s <= 0:
            machine.state = "running"
        if machine.state in ("running", "waiting"):
            machine.state = "running" if self.can_work(machine) else "waiting"
        if machine.state == "running" and self.draw.random() < machine.stops_h * STEP_S / 3600:
            machine.state, machine.left_s = "down", self.draw.expovariate(1 / 420)
        self.account.hours[machine.name, machine.product, machine.state] += STEP_S / 3600
        if machine.state == "running":
            machine.work_s += STEP_S
            if machine.work_s >= machine.cycle_s[machine.product]:
                machine.work_s -= machine.cycle_s[machine.product]
                self.finish(machine)

    def can_work(self, machine: Machine) -> bool:
        if machine is self.first:
            return len(self.buffer) < BUFFER
        if self.buffer and self.buffer[0] != machine.product:
            machine.next_lot()
            return True
        return bool(self.buffer)

    def finish(self, machine: Machine) -> None:
        scrapped = self.draw.random() < machine.scrap
        machine.bad, machine.good = machine.bad + scrapped, machine.good + (not scrapped)
        if machine is self.first:
            if not scrapped:
                self.buffer.append(machine.product)
            machine.of_lot += 1
            if machine.of_lot >= machine.lots[machine.lot][1]:
                machine.next_lot()
        else:
            product = self.buffer.pop(0)
            self.account.good[product] += not scrapped

    def tell(self, machine: Machine, now: datetime, counts: bool) -> None:
        changed = self.told.get((machine.name, "product")) != machine.product
        self.say(machine.name, now, state=machine.state, product=machine.product)
        if counts or changed:
            at = now - timedelta(seconds=1) if changed else now
            self.say(machine.name, at, good_count=str(machine.good), scrap_count=str(machine.bad))

    def say(self, machine: str, at: datetime, **roles: str) -> None:
        for role, value in roles.items():
            if self.told.get((machine, role)) != value:
                self.told[machine, role] = value
                self.rows.append((at.isoformat(), machine, role, value))


def write(line: Line, folder: Path) -> tuple[Path, Path]:
    """The plant model and the history of a line that has run."""
    plant = folder / "simulated"
    plant.mkdir()
    (plant / "site.yaml").write_text(SITE, encoding="utf-8")
    cards = [
        f"{product},{machine.name},2026-01-01,{cycle},{CREWS[machine.name]},0,0,0,,1,0"
        for machine in (line.first, line.last)
        for product, cycle in machine.cycle_s.items()
    ]
    (plant / "standards.csv").write_text("\n".join([COLUMNS, *cards, ""]), encoding="utf-8")
    (plant / "products.csv").write_text(
        "product,from,sales_price\nA,2026-01-01,9\nB,2026-01-01,9\n", encoding="utf-8"
    )
    history = folder / "history.csv"
    with history.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("time", "machine", "role", "value"), *line.rows])
    return plant, history
