"""A believable plant, worked out day by day from a seed: the same seed and day always give the same events.

Two lines of two machines each work in shifts: lots of a product, changeovers, stops with reasons, starved
and blocked neighbours, scrap, crews, energy, material. Some stories are told on top (``Stories``). Nothing
here reads a clock: a day is a list of changes with their times, to be played live or written as history.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from deploy.demo.catalogue import DAY_START, LINES, SATURDAY, WINDOWS, ZONE, Line, Machine, Product

SECOND = 1_000_000
MINUTE = 60 * SECOND
Value = str | float
ENERGY_EVERY = 20 * SECOND
ANALOG_EVERY = 30 * SECOND
WORTH_A_LOT = 45 * MINUTE
"""With less than this left of the day no further order is begun; the last one goes on into stock."""


class Event(NamedTuple):
    """A signal of a machine takes a value, microseconds UTC. role: as in history files."""

    time_us: int
    machine: str
    role: str
    value: Value


@dataclass(frozen=True, slots=True)
class Lot:
    """One order as it ran: quantity planned, of good units; good and scrap as counted at the last machine.
    An order that the end of the day cuts short was planned for what could be made of it."""

    order: str
    product: str
    line: str
    start_us: int
    end_us: int
    quantity: int
    good: int
    scrap: int


@dataclass(frozen=True, slots=True)
class Stories:
    """What went on, dated back from the day on which the history ends."""

    anchor: date

    @property
    def worn_die_from(self) -> date:
        """Since then press-2 scraps three times as many hinge-120."""
        return self.anchor - timedelta(days=12)

    @property
    def slow_press_from(self) -> date:
        """Press-1 was overhauled on this day, a weekday, and has run 9 % slower ever since."""
        day = self.anchor - timedelta(days=25)
        return day - timedelta(days=max(0, day.weekday() - 4))

    def small_lots(self, day: date) -> bool:
        """In the fourth week before the last the stamping line was re-sequenced again and again."""
        return timedelta(days=21) < self.anchor - day <= timedelta(days=28)

    @property
    def overtime_saturday(self) -> date:
        """The stamping line worked on this Saturday, which the calendar has as closed."""
        day = self.anchor - timedelta(days=8)
        return day - timedelta(days=(day.weekday() - 5) % 7)


@dataclass(slots=True)
class DayRun:
    """What one line did on one day, from 05:50 to 05:50."""

    events: list[Event] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)


class Plant:
    """The plant of one seed, with its stories."""

    def __init__(self, stories: Stories, seed: int = 7) -> None:
        self.stories, self.seed = stories, seed
        self._lots: dict[tuple[str, date], list[Lot]] = {}

    def day(self, line: str, day: date, extra: Sequence[tuple[int, int]] = ()) -> DayRun:
        """One line on one day. extra: spans outside the shifts in which it works all the same."""
        planned = self.windows(LINES[line], day)
        windows = sorted([*planned, *extra])
        over_us = planned[-1][1] if planned else start_us(day)
        run = _Shop(self, LINES[line], day, unplanned=windows[:1] == list(extra)[:1]).work(windows, over_us)
        if not extra:
            self._lots[line, day] = run.lots
        return run

    def lots(self, line: str, day: date) -> list[Lot]:
        """The orders of one line on one day."""
        if (line, day) not in self._lots:
            self.day(line, day)
        return self._lots[line, day]

    def events(self, line: str, from_us: int, to_us: int) -> Iterator[Event]:
        """Every change of a line during [from_us, to_us), in order."""
        day = day_of(from_us)
        while start_us(day) < to_us:
            for event in self.day(line, day).events:
                if from_us <= event.time_us < to_us:
                    yield event
            day += timedelta(days=1)

    def works_at(self, line: str, moment_us: int) -> bool:
        """Whether the line is in a shift at this moment."""
        windows = self.windows(LINES[line], day_of(moment_us))
        return any(from_us <= moment_us < to_us for from_us, to_us in windows)

    def windows(self, line: Line, day: date) -> list[tuple[int, int]]:
        """Working time of a line on a day, breaks left out."""
        times = WINDOWS if day.weekday() < 5 else ()
        if day == self.stories.overtime_saturday and line.name == "stamping":
            times = SATURDAY
        return [
            (_us(datetime.combine(day, begin, ZONE)), _us(datetime.combine(day, end, ZONE)))
            for begin, end in times
        ]


def day_of(moment_us: int) -> date:
    """The plant's day (05:50 to 05:50) that holds a moment."""
    local = datetime.fromtimestamp(moment_us / SECOND, UTC).astimezone(ZONE)
    before = local.time() < DAY_START
    return local.date() - timedelta(days=before)


def start_us(day: date) -> int:
    """When a day begins."""
    return _us(datetime.combine(day, DAY_START, ZONE))


def _us(moment: datetime) -> int:
    return round(moment.timestamp() * SECOND)


class _Shop:
    """The work of one line through one day; times only move forward. unplanned: it starts with the die that
    is in.
    """

    def __init__(self, plant: Plant, line: Line, day: date, *, unplanned: bool) -> None:
        self._line, self._day, self._stories = line, day, plant.stories
        self._unplanned = unplanned
        self._chance = random.Random(f"{plant.seed}|{line.name}|{day}")
        self._run = DayRun()
        self._now = start_us(day)
        self._held: dict[tuple[str, str], Value] = {}
        self._kwh = {machine.name: 0.0 for machine in line.machines}
        self._used = {name: 0.0 for name, _, _ in line.materials}
        self._oil = 38.0
        self._product: Product | None = None
        self._order, self._lots, self._size, self._left = "", 0, 0, 0
        self._good, self._bad, self._lot_from = 0, 0, 0
        self._setup_us, self._ends_us = 0, 0
        self._next_stop = [self._time_to_stop(machine) for machine in line.machines]

    def work(self, windows: Sequence[tuple[int, int]], over_us: int) -> DayRun:
        """Work through the windows in their order; stand idle outside. over_us: the end of the last shift.
        After it another order of the product that is in begins: the one before is confirmed."""
        for machine in self._line.machines:
            self._stand(machine)
            for role in ("good_count", "scrap_count", "energy", *(f"material:{m}" for m in self._used)):
                if not role.startswith("material:") or machine is self._line.machines[0]:
                    self._say(machine, role, 0.0)
        for number, (from_us, to_us) in enumerate(windows):
            if from_us >= over_us:
                self._close_lot()
            self._now = from_us
            self._ends_us = over_us if from_us < over_us else to_us
            if from_us >= over_us and self._product is not None:
                self._begin(self._product)
            self._man(number)
            self._planned(number, to_us)
            self._through(to_us)
            for machine in self._line.machines:
                self._say(machine, "state", "idle")
        self._close_lot()
        for machine in self._line.machines:
            self._stand(machine)
        self._run.events = _settled(self._run.events)
        return self._run

    def _stand(self, machine: Machine) -> None:
        for role, value in (("state", "idle"), ("product", ""), ("order", ""), ("reason", ""), ("crew", 0.0)):
            self._say(machine, role, value)
        if self._line.analog:
            self._say(machine, "speed_override", 100.0)
            self._say(machine, "alarm", 0.0)

    def _man(self, number: int) -> None:
        """Crews at the start of a window; now and then somebody is lent or missing."""
        for machine in self._line.machines:
            off = self._chance.choices((0, 1, -1), (10, 2, 1))[0] if machine.crew > 1 else 0
            self._say(machine, "crew", float(machine.crew + off))

    def _planned(self, number: int, to_us: int) -> None:
        """A meeting each Monday; the overhaul of press-1."""
        overhaul = self._line.name == "stamping" and self._day == self._stories.slow_press_from
        minutes = 120 if overhaul else 15 if self._day.weekday() == 0 else 0
        if number == 0 and minutes:
            until = min(self._now + minutes * MINUTE, to_us)
            self._phase("planned_stop", until)

    def _through(self, to_us: int) -> None:
        """Set up, run, stop, until the window ends."""
        while self._now < to_us:
            if self._left == 0 and self._setup_us == 0:
                self._left = max(0, self._size - self._good)
            if self._left == 0 and self._setup_us == 0:
                if self._product is not None and self._ends_us - self._now < WORTH_A_LOT:
                    self._left = self._size
                else:
                    self._next_lot()
            if self._setup_us:
                until = min(self._now + self._setup_us, to_us)
                self._setup_us -= until - self._now
                self._phase("changeover", until)
            else:
                self._produce(to_us)

    def _next_lot(self) -> None:
        self._close_lot()
        products = [product for product in self._line.products if product is not self._product]
        chosen = self._chance.choice(products)
        changes = self._product is not None or (self._chance.random() < 0.6 and not self._unplanned)
        small = self._line.name == "stamping" and self._stories.small_lots(self._day)
        self._begin(chosen, 3.2 if small else 1)
        minutes = chosen.changeover_min * self._chance.lognormvariate(-0.01, 0.16)
        self._setup_us = round(minutes * MINUTE) if changes else 0

    def _begin(self, product: Product, smaller: float = 1) -> None:
        self._product, self._lots = product, self._lots + 1
        self._left = self._size = round(product.lot * self._chance.uniform(0.85, 1.15) / smaller)
        self._order = f"{self._line.order_prefix}{self._day:%y%m%d}{self._lots:02d}"
        self._good, self._bad, self._lot_from = 0, 0, self._now
        for machine in self._line.machines:
            self._say(machine, "product", product.name)
            self._say(machine, "order", self._order)

    def _close_lot(self) -> None:
        if self._product is not None and self._now > self._lot_from:
            name, line = self._product.name, self._line.name
            quantity = self._size if self._good >= self._size else self._good
            self._run.lots.append(
                Lot(self._order, name, line, self._lot_from, self._now, quantity, self._good, self._bad)
            )

    def _produce(self, to_us: int) -> None:
        """Run until the lot is done, a machine stops, or the window ends."""
        assert self._product is not None
        pace_us = self._pace_us(self._product)
        place = min((0, 1), key=lambda machine: self._next_stop[machine])
        until = min(to_us, self._now + self._left * pace_us, self._now + self._next_stop[place])
        units = (until - self._now) // pace_us
        if units:
            until = self._now + units * pace_us
        self._left -= units
        began = self._now
        for machine, stop in zip((0, 1), self._next_stop, strict=True):
            self._next_stop[machine] = stop - (until - began)
        self._phase("running", until, pace_us)
        if until < to_us and self._next_stop[place] < pace_us:
            self._break_down(place, to_us)

    def _pace_us(self, product: Product) -> int:
        first, second = product.cycle_s
        if self._line.name == "stamping" and self._day >= self._stories.slow_press_from:
            first *= 1.09
        return round(max(first, second) * self._line.pace * self._chance.uniform(0.99, 1.02) * SECOND)

    def _break_down(self, place: int, to_us: int) -> None:
        machine, other = self._line.machines[place], self._line.machines[1 - place]
        short = self._chance.random() < 0.45
        minutes = self._chance.uniform(0.7, 2.5) if short else self._chance.lognormvariate(2.1, 0.6)
        until = min(self._now + round(min(minutes, 75) * MINUTE), to_us)
        self._next_stop[place] = self._time_to_stop(machine)
        began = self._now
        if until - began > 3 * MINUTE and self._chance.random() < 0.88:
            reason = self._chance.choice(machine.reasons)
            self._say_at(began + 25 * SECOND, machine, "reason", reason)
        if short and self._line.analog:
            self._say(machine, "alarm", 1.0)
        self._power(machine, began, until, machine.kw[1])
        self._power(other, began, until, other.kw[1])
        self._say(machine, "state", "down")
        if until - began > 90 * SECOND:
            self._say_at(began + 40 * SECOND, other, "state", "waiting")
        self._now = until
        self._say(machine, "reason", "")
        if self._line.analog:
            self._say(machine, "alarm", 0.0)

    def _time_to_stop(self, machine: Machine) -> int:
        return round(self._chance.expovariate(1 / machine.mtbf_min) * MINUTE) + 90 * SECOND

    def _phase(self, state: str, until: int, pace_us: int = 0) -> None:
        """Both machines in one state until then; units come at the pace where there is one."""
        kw = {"running": 0, "changeover": 2}.get(state, 1)
        for machine in self._line.machines:
            self._say(machine, "state", state)
            self._power(machine, self._now, until, machine.kw[kw] * self._chance.uniform(0.97, 1.03))
        if pace_us and self._product is not None:
            self._units(self._product, until, pace_us)
        self._now = until

    def _units(self, product: Product, until: int, pace_us: int) -> None:
        first, second = self._line.machines
        bad = self._scrap_rates(product)
        if self._line.analog:
            slowed = product.name == "hinge-120" and self._day >= self._stories.worn_die_from
            self._say(second, "speed_override", 95.0 if slowed else 100.0)
            self._oil_temperature(until)
        for done in range(self._now + pace_us, until + 1, pace_us):
            self._use_material(done - 1)
            if self._chance.random() < bad[0]:
                self._count(done - 1, first, "scrap_count")
                continue
            self._count(done - 1, first, "good_count")
            role = "scrap_count" if self._chance.random() < bad[1] else "good_count"
            self._count(done - 1, second, role)
            self._good += role == "good_count"
            self._bad += role == "scrap_count"

    def _scrap_rates(self, product: Product) -> tuple[float, float]:
        first, second = product.scrap
        if product.name == "hinge-120" and self._day >= self._stories.worn_die_from:
            second *= 3.2
        return first, second

    def _count(self, at: int, machine: Machine, role: str) -> None:
        self._say_at(at, machine, role, float(self._held[machine.name, role]) + 1)

    def _use_material(self, at: int) -> None:
        for name, per_unit, factor in self._line.materials:
            whole = per_unit == 1.0
            used = 1.0 + (self._chance.random() < factor - 1) if whole else per_unit * factor
            if not whole:
                used *= self._chance.uniform(0.97, 1.03)
            self._used[name] += used
            value = math.floor(self._used[name] * 10 + 1e-9) / 10
            self._say_at(at, self._line.machines[0], f"material:{name}", value)

    def _power(self, machine: Machine, from_us: int, to_us: int, kw: float) -> None:
        """The energy counter steps every 20 seconds, and where the power changes."""
        at = from_us
        while at < to_us:
            step = min(ENERGY_EVERY, to_us - at)
            at += step
            self._kwh[machine.name] += kw * step / (3600 * SECOND)
            self._say_at(at - 1, machine, "energy", math.floor(self._kwh[machine.name] * 100) / 100)

    def _oil_temperature(self, until: int) -> None:
        assert self._line.analog is not None
        for at in range(self._now, until, ANALOG_EVERY):
            self._oil += 0.03 * (61 - self._oil) + self._chance.gauss(0, 0.25)
            for machine in self._line.machines:
                self._say_at(at, machine, f"measure:{self._line.analog}", round(self._oil, 1))

    def _say(self, machine: Machine, role: str, value: Value) -> None:
        self._say_at(self._now, machine, role, value)

    def _say_at(self, at: int, machine: Machine, role: str, value: Value) -> None:
        if self._held.get((machine.name, role)) != value:
            self._held[machine.name, role] = value
            self._run.events.append(Event(at, machine.name, role, value))


def _settled(events: list[Event]) -> list[Event]:
    """In order of time; of several at one instant the last counts, and a value that stays is no event."""
    last = {(event.time_us, event.machine, event.role): event for event in events}
    held: dict[tuple[str, str], Value] = {}
    settled = []
    for event in sorted(last.values()):
        if held.get((event.machine, event.role)) != event.value:
            held[event.machine, event.role] = event.value
            settled.append(event)
    return settled
