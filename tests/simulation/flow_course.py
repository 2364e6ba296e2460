"""The days of one drawn line, unit by unit: when each begins and ends at each machine (a recursion over units
and machines, with blocking), what that makes of the time of the machines, and what it cost.

A machine that has finished a unit keeps it while there is no room before the next one. Which machine decides
output is told by the line itself: lived again with one machine faster, with the same chances, the one that
makes most more of it."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from tests.simulation.flow import HOUR, MULTIPLIER, Flow, Row, Span, Station

FASTER = 0.92
"""Time of everything at a machine that is tried faster."""
BEFORE = 0.001
"""Seconds before its end at which a unit is counted."""
Sample = tuple[float, str, str, str]


class Clock:
    """The manned time of a machine."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = sorted(spans)
        self.at = 0

    def after(self, now: float) -> float:
        """The first manned instant from one on; never before one asked earlier."""
        while self.at < len(self.spans) and self.spans[self.at][1] <= now:
            self.at += 1
        return max(now, self.spans[self.at][0]) if self.at < len(self.spans) else math.inf

    def take(self, now: float, work: float) -> Iterator[Span]:
        """The spans of so much manned time from an instant on; cut off where there is no more."""
        while work > 1e-6 and (now := self.after(now)) < math.inf:
            until = min(self.spans[self.at][1], now + work)
            yield now, until
            work -= until - now
            now = until


@dataclass(slots=True)
class Stay:
    """A span of a machine in a state, with the product that it is set up for."""

    begin: float
    end: float
    state: str
    product: str


@dataclass(slots=True)
class Place:
    """A machine as it stands."""

    station: Station
    clock: Clock
    chance: random.Random
    to_stop: float
    free: float = 0.0
    product: str = ""
    begun: list[float] = field(default_factory=list)
    passed: int = 0
    stays: list[Stay] = field(default_factory=list)
    counts: list[tuple[float, str, bool]] = field(default_factory=list)
    """When a unit was counted, of which product, and whether it was good."""


class Course:
    """One line through all days; `faster` names a machine to try, `beyond` whether it works beyond shifts."""

    def __init__(self, flow: Flow, row: Row, faster: int | None = None, beyond: bool = True) -> None:
        self.flow, self.row = flow, row
        self.places = []
        for number, station in enumerate(row.stations):
            spans = [*flow.regular, *(row.beyond if beyond and number == row.slow else [])]
            own = _quicker(station) if number == faster else station
            chance = random.Random(f"{flow.seed} {station.name}")
            self.places.append(
                Place(own, Clock(_joined(spans)), chance, chance.expovariate(1 / own.between_s))
            )
        self._live()

    @property
    def output(self) -> int:
        """Good units at the end of the line."""
        return sum(good for _, _, good in self.places[-1].counts)

    def _live(self) -> None:
        stock_at, stock = self.row.stock
        for product in [self.row.lots[0][0]] * stock:
            self._pass(product, stock_at)
        for product, units in self.row.lots:
            for _ in range(units):
                if not self._pass(product, 0):
                    return

    def _pass(self, product: str, first: int) -> bool:
        """A unit through the line from one machine on; whether the first could begin it in time."""
        ready = 0.0
        for number in range(first, len(self.places)):
            place = self.places[number]
            begin, end = self._work(place, product, ready if number else self._supplied(place.free))
            place.begun.append(begin)
            if end == math.inf:
                place.free = end
                return number > first
            good = place.chance.random() >= place.station.scrap
            place.counts.append((end, product, good))
            place.free = ready = end
            if not good:
                return True
            if number + 1 < len(self.places):
                after, room = self.places[number + 1], self.row.room[number + 1]
                stock = self.row.stock[1] if self.row.stock[0] == number + 1 else 0
                behind = place.passed + stock - room
                if behind >= 0:
                    place.free = ready = max(end, after.begun[behind])
            place.passed += 1
        return True

    def _work(self, place: Place, product: str, ready: float) -> tuple[float, float]:
        """Begin and end of a unit at a machine, its changeover and stops besides."""
        if place.product != product:
            if place.product:
                for begin, end in place.clock.take(place.free, place.station.setup_s[product]):
                    place.stays.append(Stay(begin, end, "changeover", product))
                    place.free = end
            place.product = product
        begin = now = place.clock.after(max(place.free, ready))
        left = place.station.cycle_s[product]
        while left > 1e-9 and now < math.inf:
            run = min(left, place.to_stop)
            now = self._stay(place, now, run, "running")
            left, place.to_stop = left - run, place.to_stop - run
            if place.to_stop <= 1e-9:
                place.to_stop = place.chance.expovariate(1 / place.station.between_s)
                repair = place.station.repair_s * place.chance.lognormvariate(-0.18, 0.6)
                now = self._stay(place, now, repair, "down")
        return begin, now

    def _stay(self, place: Place, now: float, work: float, state: str) -> float:
        """Books manned time of a state; its end, never where manned time ends before."""
        done = 0.0
        for begin, end in place.clock.take(now, work):
            place.stays.append(Stay(begin, end, state, place.product))
            done, now = done + end - begin, end
        return now if done >= work - 1e-6 else math.inf

    def _supplied(self, now: float) -> float:
        return next((end for begin, end in self.row.outages if begin <= now < end), now)

    def stays(self, place: Place) -> Iterator[Stay]:
        """All time of a machine, tiled: what it did, waiting where it was manned and did nothing, idle
        besides."""
        now, product = self.flow.regular[0][0], place.stays[0].product
        whole = iter([*place.stays, Stay(math.inf, math.inf, "", "")])
        own = next(whole)
        for begin, end in place.clock.spans:
            if begin > now:
                yield Stay(now, begin, "idle", product)
            now = begin
            while now < end:
                until = min(own.begin, end)
                if until > now + 1e-6:
                    yield Stay(now, until, "waiting", product)
                now = max(now, until)
                if own.begin < end:
                    yield own
                    now, product, own = own.end, own.product, next(whole)


def samples(flow: Flow, course: Course) -> Iterator[Sample]:
    """What the machines of a line tell: states and products as they change, each unit as it is made."""
    for place in course.places:
        name, state, product = place.station.name, "", ""
        begin = flow.regular[0][0]
        yield from ((begin, name, role, "0") for role in ("good_count", "scrap_count"))
        for stay in course.stays(place):
            if stay.product != product:
                yield stay.begin, name, "product", stay.product
            if stay.state != state:
                yield stay.begin, name, "state", stay.state
            state, product = stay.state, stay.product
        yield max(*(end for _, end in place.clock.spans), flow.regular[-1][1]), name, "state", "idle"
        told = {True: 0, False: 0}
        for at, _, good in place.counts:
            told[good] += 1
            yield at - BEFORE, name, "good_count" if good else "scrap_count", str(told[good])


@dataclass(slots=True)
class Account:
    """Cost of each product of a line without machines that wait, and its good units at the end."""

    cost: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    good: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def account(flow: Flow, course: Course) -> Account:
    """By hand: hours x (rate + crew x wage), energy and blanks of all units."""
    own = Account()
    for number, place in enumerate(course.places):
        station = place.station
        for stay in course.stays(place):
            if stay.state == "idle":
                continue
            for hours, beyond in _parts(flow, stay):
                if beyond == "off" and stay.state not in ("running", "changeover"):
                    continue
                factor = MULTIPLIER if beyond else 1.0
                own.cost[stay.product] += hours * station.crew * flow.wage * factor
                own.cost[stay.product] += hours * station.rate * (stay.state != "waiting")
        for _, product, good in place.counts:
            own.cost[product] += station.kwh * flow.tariff + (flow.price if number == 0 else 0.0)
            own.good[product] += good and number == len(course.places) - 1
    return own


def _parts(flow: Flow, stay: Stay) -> Iterator[tuple[float, str]]:
    """Hours of a stay in shifts, in scheduled overtime and outside all of it."""
    left = stay.end - stay.begin
    for spans, word in ((flow.regular, ""), (flow.scheduled_beyond, "overtime")):
        inside = sum(max(0.0, min(end, stay.end) - max(begin, stay.begin)) for begin, end in spans)
        left -= inside
        yield inside / HOUR, word
    yield max(0.0, left) / HOUR, "off"


def beyond_h(flow: Flow, row: Row, course: Course) -> float:
    """Hours that the slow machine ran or changed over beyond its shifts."""
    stays = course.stays(course.places[row.slow])
    working = (stay for stay in stays if stay.state in ("running", "changeover"))
    return sum(hours for stay in working for hours, word in _parts(flow, stay) if word)


def from_stock(course: Course, number: int) -> float:
    """Units that left the line, or were lost on their way, without having passed a machine, against those
    that did."""
    made = sum(good for _, _, good in course.places[number].counts)
    lost = sum(not good for place in course.places[number + 1 :] for _, _, good in place.counts)
    return (course.output + lost) / made - 1


def gains(flow: Flow, row: Row, beyond: bool = True) -> list[float]:
    """Share of output that each machine would add if it were faster."""
    now = Course(flow, row, None, beyond).output
    return [Course(flow, row, number, beyond).output / now - 1 for number in range(len(row.stations))]


def _quicker(station: Station) -> Station:
    return replace(
        station,
        cycle_s={name: value * FASTER for name, value in station.cycle_s.items()},
        setup_s={name: value * FASTER for name, value in station.setup_s.items()},
        between_s=station.between_s * FASTER,
        repair_s=station.repair_s * FASTER,
    )


def _joined(spans: Sequence[Span]) -> list[Span]:
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and found[-1][1] >= begin:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found
