"""A drawn line of three machines in a row that makes planned orders: pieces pass from one to the next over
small stores, so that machines starve and block; one of them is slower than the others. What it really did is
kept: when each order was complete, whether it ended short, what the line made, and what each machine would
have made alone. It knows no interpretation."""

from __future__ import annotations

import csv
import math
import random
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from tests.simulation.works import Machine, Window, Works, write_history
from tests.simulation.works_course import Row

MACHINES = 3
STEP = timedelta(minutes=1)
COUNT_EVERY = 10
"""Steps between two counts."""
STORE_H = 0.5
"""What a store between two machines holds, in hours of the slowest."""
SHORT = 0.12
"""Share of orders that are stopped before their units are made."""


@dataclass(frozen=True, slots=True)
class Order:
    """A planned order; `pieces` are started for it at the first machine."""

    name: str
    product: int
    quantity: int
    pieces: int
    begin: datetime
    end: datetime


@dataclass(slots=True)
class Made:
    """What really happened: when an order had its units; orders that ended short, when, and with how many;
    good units of the line by step."""

    complete: dict[str, datetime] = field(default_factory=dict)
    short: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    good: dict[datetime, int] = field(default_factory=lambda: defaultdict(int))

    def between(self, begin: datetime, end: datetime) -> int:
        """Good units of [begin, end)."""
        return sum(count for at, count in self.good.items() if begin <= at < end)


class LineWorks(Works):
    """Works whose machines stand in one line; the slowest is `slowest`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        chance = random.Random(f"line {self.seed}")
        self.slowest = chance.randrange(MACHINES)
        cycles = [chance.uniform(25, 70) for _ in range(2)]
        slower = [1.0 if at == self.slowest else chance.uniform(0.6, 0.85) for at in range(MACHINES)]
        self.machines = [
            replace(
                machine,
                mtbf_h=chance.uniform(1.5, 4),
                mttr_h=chance.uniform(0.08, 0.2),
                setup_min=round(chance.uniform(10, 25), 1),
                products=tuple(
                    replace(machine.products[0], name=f"P{number}", cycle_s=round(cycle * slower[at], 2),
                            bill=0.0, kwh=0.05, lot=max(20, int(chance.uniform(4, 8) * 3600 / cycle)))
                    for number, cycle in enumerate(cycles, 1)
                ),
            )
            for at, machine in enumerate(self.machines[:MACHINES])
        ]  # fmt: skip

    def lines(self) -> list[str]:
        """The line, in the plant model."""
        machines = ", ".join(
            f"{{id: {one.name}, rate: [{{from: 2025-01-01, standard: {one.rate}, actual: {one.rate}}}]}}"
            for one in self.machines
        )
        return [f"  - {{id: row, machines: [{machines}]}}"]


def drawn(seed: int, days: int = 30) -> tuple[LineWorks, list[Order]]:
    """A line and its orders. The planner's pace is off, so that some lines fall behind their plan and others
    are ahead of it."""
    works = LineWorks(seed, machine_count=MACHINES, days=days)
    chance = random.Random(f"orders {seed}")
    pace, slow = chance.uniform(0.95, 1.3), works.machines[works.slowest]
    windows, found = works.windows(), list[Order]()
    spent, whole = 0.0, sum(_hours(window) for window in windows)
    while spent < 1.4 * whole:
        at = chance.randrange(len(slow.products))
        product = slow.products[at]
        quantity = int(product.lot * chance.uniform(0.6, 1.4))
        up = slow.mtbf_h / (slow.mtbf_h + slow.mttr_h)
        hours = (slow.setup_min / 60 + quantity * product.cycle_s / 3600 / up) * pace
        lost = math.prod(1 - machine.products[at].scrap for machine in works.machines)
        pieces = math.ceil(quantity / lost * 1.02)
        if chance.random() < SHORT:
            pieces = int(pieces * chance.uniform(0.5, 0.85))
        begin, end = _after(windows, spent), _after(windows, spent + hours + 1.5)
        found.append(Order(f"O{len(found) + 1}", at, quantity, pieces, begin, end))
        spent += hours
    return works, found


def write(
    folder: Path, works: LineWorks, orders: Sequence[Order], rows: Sequence[Row], until: datetime
) -> tuple[Path, Path]:
    """Writes plant model, orders and what was seen before an instant."""
    plant = works.write_model(folder)
    with (plant / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("order", "product", "machine", "planned_start", "planned_end", "quantity"))
        for one in orders:
            name = works.machines[-1].products[one.product].name
            times = one.begin.isoformat(), one.end.isoformat()
            table.writerow((one.name, name, works.machines[-1].name, *times, one.quantity))
    seen = [row for row in rows if row[0] < until]
    return plant, write_history(folder / f"{works.site}.csv", seen)


@dataclass(slots=True)
class _Station:
    """One machine of the line: the order it has, pieces of it that are still to pass, its store before it."""

    machine: Machine
    chance: random.Random
    store: deque[tuple[int, int]] = field(default_factory=deque)
    order: int = -1
    part: float = 0.0
    bad_part: float = 0.0
    lost: float = 0.0
    owed: float = 0.0
    owed_state: str = ""
    to_stop: float = 0.0
    pace: float = 1.0
    good: int = 500
    scrap: int = 20
    state: str = ""

    def stored(self, order: int) -> int:
        """Pieces of an order before it."""
        return sum(count for one, count in self.store if one == order)

    def take(self, order: int, count: int) -> None:
        """Takes pieces of the order at the head of its store."""
        one, there = self.store.popleft()
        assert one == order
        if there > count:
            self.store.appendleft((order, there - count))


class Line:
    """The life of a line; `alone` is the index of a machine that never starves nor blocks, the others then do
    nothing."""

    def __init__(self, works: LineWorks, orders: Sequence[Order], alone: int | None = None) -> None:
        self.works, self.orders = works, orders
        numbers = range(MACHINES) if alone is None else [alone]
        self.stations = [
            _Station(works.machines[at], random.Random(f"station {works.seed} {at}")) for at in numbers
        ]
        for one in self.stations:
            one.to_stop = one.chance.expovariate(1 / one.machine.mtbf_h)
        self.stations[0].store.extend((number, order.pieces) for number, order in enumerate(orders))
        self.had: dict[int, int] = defaultdict(int)
        self.made, self.rows = Made(), list[Row]()

    def live(self) -> list[Row]:
        """All samples, in order of time."""
        for window in self.works.windows():
            at, steps = window.begin, 0
            while at < window.end:
                for place in reversed(range(len(self.stations))):
                    self._step(place, at)
                steps += 1
                at += STEP
                if steps % COUNT_EVERY == 0 or at >= window.end:
                    for one in self.stations:
                        self._count(one, min(at, window.end) - timedelta(milliseconds=5))
            for one in self.stations:
                self._be(one, window.end, "idle")
        return sorted(self.rows, key=lambda row: row[0])

    def _step(self, place: int, at: datetime) -> None:
        one = self.stations[place]
        if one.owed > 0:
            one.owed -= STEP / timedelta(hours=1)
            self._be(one, at, one.owed_state)
            return
        if not one.store or (one.store[0][0] != one.order and not self._next_order(place, at)):
            self._be(one, at, "waiting")
            return
        if one.owed > 0:
            self._be(one, at, one.owed_state)
            return
        product = one.machine.products[self.orders[one.order].product]
        want = STEP.total_seconds() / (product.cycle_s * one.pace)
        one.part = min(one.part + want, want + 1)
        made = min(int(one.part), one.store[0][1], self._room(place))
        held_up = made < int(one.part)
        one.part = min(one.part - made, 1.0)
        one.lost += max(0.0, 1 - made / want) if held_up else 0.0
        waits = one.lost >= 1
        one.lost -= waits
        self._be(one, at, "waiting" if waits else "running")
        if made:
            self._pass(place, at, made)
        if not waits:
            one.to_stop -= STEP / timedelta(hours=1)
            if one.to_stop <= 0:
                one.to_stop = one.chance.expovariate(1 / one.machine.mtbf_h)
                one.owed = one.chance.lognormvariate(math.log(one.machine.mttr_h) - 0.18, 0.6)
                one.owed_state = "down"

    def _next_order(self, place: int, at: datetime) -> bool:
        """Begins with the order at the head of the store: its changeover."""
        one = self.stations[place]
        if place == len(self.stations) - 1 and one.order >= 0:
            self._ends(one.order, at)
        number = one.store[0][0]
        self._count(one, at - timedelta(milliseconds=5))
        one.order, one.part = number, 0.0
        one.pace = one.chance.gauss(1.01, 0.015)
        order = self.orders[number]
        self._say(one, at, "product", one.machine.products[order.product].name)
        self._say(one, at, "order", order.name)
        one.owed = one.machine.setup_min / 60 * one.chance.lognormvariate(-0.02, 0.2)
        one.owed_state = "changeover"
        return True

    def _ends(self, number: int, at: datetime) -> None:
        order = self.orders[number]
        if self.had[number] < order.quantity:
            self.made.short[order.name] = at, self.had[number]

    def _room(self, place: int) -> int:
        """Pieces that the store behind a machine still takes."""
        if place == len(self.stations) - 1:
            return 10**9
        after = self.stations[place + 1]
        cycle = self.works.machines[self.works.slowest].products[0].cycle_s
        return max(0, int(STORE_H * 3600 / cycle) - sum(count for _, count in after.store))

    def _pass(self, place: int, at: datetime, made: int) -> None:
        one = self.stations[place]
        one.take(one.order, made)
        one.bad_part += made * one.machine.products[self.orders[one.order].product].scrap
        bad = min(made, int(one.bad_part))
        one.bad_part -= bad
        good = made - bad
        one.good, one.scrap = one.good + good, one.scrap + bad
        if place < len(self.stations) - 1:
            if good:
                self.stations[place + 1].store.append((one.order, good))
            return
        self.made.good[at] += good
        order, before = self.orders[one.order], self.had[one.order]
        self.had[one.order] += good
        if before < order.quantity <= self.had[one.order]:
            self.made.complete[order.name] = at + STEP

    def _be(self, one: _Station, at: datetime, state: str) -> None:
        if one.state != state:
            one.state = state
            self._count(one, at - timedelta(milliseconds=5))
            self._say(one, at, "state", state)

    def _count(self, one: _Station, at: datetime) -> None:
        self._say(one, at, "good_count", str(one.good))
        self._say(one, at, "scrap_count", str(one.scrap))

    def _say(self, one: _Station, at: datetime, role: str, value: str) -> None:
        self.rows.append((at, one.machine.name, role, value))


def _hours(window: Window) -> float:
    return (window.end - window.begin) / timedelta(hours=1)


def _after(windows: Sequence[Window], hours: float) -> datetime:
    """The instant by which so many manned hours have passed; beyond the last, by the clock."""
    for window in windows:
        if hours < _hours(window):
            return window.begin + timedelta(hours=hours)
        hours -= _hours(window)
    return windows[-1].end + timedelta(hours=3 * hours)
