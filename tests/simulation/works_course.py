"""The days of one machine of drawn works: lots, stops and counters, and the log of what it really did."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.simulation.works import MULTIPLIER, Machine, Window, Works
from tests.simulation.works_stories import Story

Row = tuple[datetime, str, str, str]
HOUR = timedelta(hours=1)
COSTS = frozenset({"running", "changeover"})
"""States that cost time outside shifts."""


@dataclass(slots=True)
class Truth:
    """What a machine really did: hours by production day, product and state; units, kWh; cost of stories."""

    hours: dict[tuple[date, str, str], float] = field(default_factory=lambda: defaultdict(float))
    good: dict[tuple[date, str], int] = field(default_factory=lambda: defaultdict(int))
    scrap: dict[tuple[date, str], int] = field(default_factory=lambda: defaultdict(int))
    cost: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    by_cause: dict[str, dict[date, float]] = field(default_factory=dict)
    booked: dict[str, dict[date, float]] = field(default_factory=dict)
    orders: dict[tuple[date, str, str], dict[str, float]] = field(default_factory=dict)
    """What was seen of each order on a day: hours, units, kWh, changeovers."""
    spent: dict[date, float] = field(default_factory=lambda: defaultdict(float))
    """What all of it cost."""

    def lost(self, cause: str, day: date, amount: float) -> None:
        """Adds to what a cause really cost on a day, stories and all."""
        self.by_cause.setdefault(cause, defaultdict(float))[day] += amount

    def saw(self, day: date, product: str, order: str, **seen: float) -> None:
        """Adds to what was seen of an order."""
        own = self.orders.setdefault((day, product, order), defaultdict(float))
        for name, amount in seen.items():
            own[name] += amount

    def book(self, story: Story, day: date, amount: float) -> None:
        """Adds to what a story cost on a day."""
        own = self.booked.setdefault(story.kind, defaultdict(float))
        own[day] += amount


class Course:
    """One machine through all days; `stories` are what is put in."""

    def __init__(self, works: Works, machine: Machine, stories: Sequence[Story]) -> None:
        self.works, self.machine, self.stories = works, machine, stories
        self.chance = random.Random(f"course {works.seed} {machine.name}")
        self.truth = Truth()
        self.zone, self.working = ZoneInfo(works.zone), works.working_days()
        self.good, self.scrap, self.kwh = self.chance.randint(0, 99999), self.chance.randint(0, 999), 900.0
        self.bad_part = 0.0
        self.product = machine.products[0]
        self.left, self.number, self.pace, self.luck = 0, 0, 1.0, 1.0
        self.to_stop = self._until_stop()
        self.owed: list[tuple[str, float, str, Story | None]] = []
        self.crew, self.state = -1, "idle"
        self.rows: list[Row] = []

    def live(self) -> list[Row]:
        """All samples, in order of time."""
        windows = self.works.windows()
        days: dict[date, list[Window]] = defaultdict(list)
        for window in windows:
            days[window.day].append(window)
        begin = windows[0].begin
        self._say(begin, "state", "idle")
        self._counters(begin)
        self._new_lot()
        self._say(begin, "product", self.product.name)
        self._say(begin, "order", self._order())
        for number, (day, own) in enumerate(sorted(days.items())):
            self._day(number, day, own)
        return sorted(self.rows, key=lambda row: row[0])

    def _day(self, number: int, day: date, windows: Sequence[Window]) -> None:
        shifts = sorted({window.shift for window in windows})
        for place, window in enumerate(windows):
            if place == 0 or windows[place - 1].shift != window.shift:
                self.owed += [(*each, one) for one in self.stories for each in one.stops(number, day, shifts)]
            self._window(number, window)
            more = next((one.beyond(number) for one in self.stories if one.beyond(number)), 0.0)
            if more and place == len(windows) - 1:
                self._window(number, Window(window.end, window.end + more * HOUR, day, "off"), paid_more=True)

    def _window(self, number: int, window: Window, paid_more: bool = False) -> None:
        """From the begin of manned time to its end; what is not over then goes on in the next."""
        now, end = window.begin, window.end
        story = next((one for one in self.stories if one.crew(number)), None)
        crew = self.machine.crew + (story.crew(number) if story is not None else 0)
        if crew != self.crew:
            self._say(now, "crew", str(crew))
            self.crew = crew
        while now < end:
            begun, now = now, self._next(number, window, now)
            if self.state in COSTS or not paid_more:
                self._cost(number, window.day, (now - begun) / HOUR, crew, paid_more)
        self._say(end, "state", "idle")

    def _cost(self, number: int, day: date, hours: float, crew: int, paid_more: bool) -> None:
        """Books hours of machine and people, at the multiplier beyond the last shift."""
        wage = self.works.wage
        labour = hours * crew * wage * (MULTIPLIER if paid_more else 1)
        self.truth.cost["labour"] += labour
        self.truth.cost["machine"] += hours * self.machine.rate
        self.truth.spent[day] += labour + hours * self.machine.rate
        for one in self.stories:
            extra = hours * one.crew(number) * wage
            if extra:
                self.truth.book(one, day, extra)
                self.truth.lost("crew", day, extra)
            if paid_more and one.beyond(number):
                self.truth.book(one, day, hours * crew * wage * (MULTIPLIER - 1))
                self.truth.lost("overtime", day, hours * crew * wage * (MULTIPLIER - 1))

    def _next(self, number: int, window: Window, now: datetime) -> datetime:
        """One stretch of one state, to its end or that of the window."""
        if self.owed and (now > window.begin or self.owed[0][0] == "changeover"):
            return self._stretch(window, now, *self.owed.pop(0))
        if self.left <= 0:
            self._new_lot()
            self._say(now, "product", self.product.name)
            self._say(now, "order", self._order())
            minutes = self.machine.setup_min * self.chance.lognormvariate(-0.02, 0.2)
            story = next((one for one in self.stories if one.setup_min(number)), None)
            if story is not None:
                minutes += story.setup_min(number)
                self._book_hours(story, window.day, story.setup_min(number) / 60)
            self._saw(window.day, changeovers=1)
            return self._stretch(window, now, "changeover", minutes / 60, "", None)
        return self._running(number, window, now)

    def _stretch(
        self, window: Window, now: datetime, state: str, hours: float, reason: str, story: Story | None
    ) -> datetime:
        until = min(window.end, now + hours * HOUR)
        self.state = state
        self._say(now, "state", state)
        if reason:
            self._say(now + timedelta(seconds=20), "reason", reason)
        took = (until - now) / HOUR
        if took < hours - 1e-6:
            self.owed.insert(0, (state, hours - took, reason, story))
        elif reason:
            self._say(until, "reason", "")
        self.truth.hours[window.day, self.product.name, state] += took
        if state in ("down", "changeover"):
            self._saw(window.day, **{f"{state}_h": took})
        cause = {"down": "downtime"}.get(state, state)
        self.truth.lost(cause, window.day, took * self.machine.per_hour(self.works.wage))
        if story is not None:
            self._book_hours(story, window.day, took)
        return until

    def _running(self, number: int, window: Window, now: datetime) -> datetime:
        slower = next((one.slower(number, self.product.name) for one in self.stories
                       if one.slower(number, self.product.name) != 1.0), 1.0)  # fmt: skip
        cycle = self.product.cycle_s * self.pace * slower
        hours = min(self.to_stop, self.left * cycle / 3600, (window.end - now) / HOUR)
        if self.owed:
            hours = min(hours, self.chance.uniform(0.05, 0.6))
        until = now + hours * HOUR
        self.state = "running"
        self._say(now, "state", "running")
        made, tick = 0, now
        while tick < until:
            tick = min(until, self._tick_after(tick))
            whole = int((tick - now).total_seconds() / cycle)
            if tick == until and hours == self.left * cycle / 3600:
                whole = self.left
            self._make(number, window, tick, whole - made, slower)
            made = whole
            self._counters(tick - timedelta(milliseconds=1) if tick == until else tick)
        self.left -= made
        self.to_stop -= hours
        if self.to_stop <= 1e-9 and until < window.end:
            self.to_stop = self._until_stop()
            long = max(0.01, self.chance.lognormvariate(math.log(self.machine.mttr_h) - 0.18, 0.6))
            reason = self.chance.choice(("", "jam", "sensor", "no parts"))
            self.owed.insert(0, ("down", long, reason, None))
        self.truth.hours[window.day, self.product.name, "running"] += hours
        self._saw(window.day, run_h=hours)
        self.truth.lost(
            "speed_loss",
            window.day,
            hours * (1 - 1 / self.pace / slower) * self.machine.per_hour(self.works.wage),
        )
        slow = next((one for one in self.stories if one.slower(number, self.product.name) != 1.0), None)
        if slow is not None:
            self._book_hours(slow, window.day, hours * (1 - 1 / slower))
        return until

    def _tick_after(self, now: datetime) -> datetime:
        step = self.machine.tick_min * 60
        if self.machine.on_edge:
            return now + timedelta(seconds=step)
        return now + timedelta(seconds=step - (now.timestamp() % step) or step)

    def _make(self, number: int, window: Window, at: datetime, units: int, slower: float) -> None:
        if units <= 0:
            return
        product, day = self.product, window.day
        worth = product.cycle_s / 3600 * self.machine.per_hour(self.works.wage)
        worth += product.kwh * self.works.tariff + product.bill * self.works.price
        wild = self.machine.scrap_cv
        before = self.kwh
        self.bad_part += units * product.scrap * self.chance.lognormvariate(-(wild**2) / 2, wild) * self.luck
        for one in self.stories:
            more = one.scrapped(number, window.shift, product.name)
            self.bad_part += units * more
            if more:
                self.truth.book(one, day, units * more * worth)
            kwh = one.kwh_share(number) * product.kwh
            self.kwh += units * kwh
            if kwh:
                self.truth.book(one, day, units * kwh * self.works.tariff)
                self.truth.lost("usage", day, units * kwh * self.works.tariff)
            if one.kind == "price" and at.astimezone(self.zone).date() >= self.working[one.since]:
                dearer = units * product.bill * self.works.price * one.size
                self.truth.book(one, day, dearer)
                self.truth.lost("price", day, dearer)
                self.truth.spent[day] += dearer
        bad = min(units, int(self.bad_part))
        self.bad_part -= bad
        self.truth.lost("scrap", day, bad * worth)
        self.good += units - bad
        self.scrap += bad
        self.truth.good[day, product.name] += units - bad
        self.truth.scrap[day, product.name] += bad
        noise = units * product.kwh * self.chance.gauss(0.0, self.machine.kwh_cv)
        self.truth.lost("usage", day, noise * self.works.tariff)
        self.kwh += units * product.kwh + noise
        self.truth.spent[day] += (self.kwh - before) * self.works.tariff
        self.truth.spent[day] += units * product.bill * self.works.price
        self._saw(day, good=units - bad, scrap=bad, metered=units, metered_kwh=self.kwh - before)

    def _saw(self, day: date, **seen: float) -> None:
        self.truth.saw(day, self.product.name, self._order(), **seen)

    def _book_hours(self, story: Story, day: date, hours: float) -> None:
        self.truth.book(story, day, hours * self.machine.per_hour(self.works.wage))

    def _new_lot(self) -> None:
        self.number += 1
        self.product = self.chance.choice(self.machine.products)
        self.left = max(5, int(self.product.lot * self.chance.uniform(0.7, 1.3)))
        self.pace = self.chance.gauss(1.01, self.machine.noise)
        self.luck = self.chance.lognormvariate(-(self.machine.scrap_cv**2) / 2, self.machine.scrap_cv)

    def _order(self) -> str:
        return f"{self.machine.name}-{self.number}"

    def _until_stop(self) -> float:
        return self.chance.expovariate(1 / self.machine.mtbf_h)

    def _counters(self, at: datetime) -> None:
        self._say(at, "good_count", str(self.good))
        self._say(at, "scrap_count", str(self.scrap))
        self._say(at, "energy", f"{self.kwh:.4f}")

    def _say(self, at: datetime, role: str, value: str) -> None:
        self.rows.append((at, self.machine.name, role, value))
