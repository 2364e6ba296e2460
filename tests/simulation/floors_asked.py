"""Five weeks of a drawn floor asked by the hour without a database: stops that nobody explained, questions
within the limits, each answered, and carried on to those like it.

Every stop has a true cause, drawn apart from its length and cost; a question is answered by what caused most
of the cost it is about. What an answer explains of another cause is explained wrongly."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from cloud_api.interpret.asking import (
    FRESH_US,
    SHORT_US,
    Asked,
    Group,
    ShiftSpan,
    Stop,
    days_explained,
    like,
    to_ask,
)
from cloud_api.store.times import to_us
from shared.units import HOUR_US, MINUTE_US
from tests.integration.context.floors import DAY_STARTS, STARTS, WEEKS, Floor

SILENT = (None, "other")
CAUSES = ("jam", "no parts", "sensor", "material", "operator")
CAUSES_OF = {"lasting": (0.85, 7.0), "mixed": (0.6, 3.0), "any": (0.0, 1.0)}
"""Share of the stops of a machine, short or longer, without a reason or with one that says nothing, which
their prevailing cause has (the rest any cause), and the days until another prevails, on average."""


@dataclass(slots=True)
class Replay:
    """Cost of unexplained stops, how much of it answers explained, and questions by shift."""

    whole: Decimal = Decimal(0)
    said: Decimal = Decimal(0)
    right: Decimal = Decimal(0)
    questions: Counter[int] = field(default_factory=Counter)

    @property
    def explained(self) -> float:
        """Share of the cost that is explained in the end."""
        return float(self.said / self.whole)

    @property
    def precision(self) -> float:
        """Share of the explained cost that was explained by its true cause."""
        return float(self.right / self.said) if self.said else 1.0


def asked(seed: int, world: str = "lasting") -> Replay:
    """Lives the floor of a seed."""
    floor = Floor.drawn(seed)
    shifts, open_, before = _shifts(floor), _stops(floor), list[Asked]()
    truth, told = _truth(seed, world, open_), dict[int, str]()
    replay = Replay(whole=sum((stop.amount for stop in open_), Decimal(0)))
    material = Decimal(floor.material) if floor.material else None
    now = to_us(floor.first) + 50 * MINUTE_US
    while now < to_us(floor.first + timedelta(weeks=WEEKS, days=1)):
        recent = [one for one in before if one.asked_us > now - 72 * HOUR_US]
        over = [stop for stop in open_ if now - FRESH_US < stop.to_us < now]
        done: dict[int, tuple[Stop, str]] = {}
        for one in recent:
            for stop in like(over, one, _until(floor, one)):
                done.setdefault(id(stop), (stop, told[id(one)]))
        shift = next((one for one in shifts if one.from_us <= now < one.to_us), None)
        if shift is not None:
            left = [stop for stop in over if id(stop) not in done]
            for group in to_ask(left, recent, shift, now, frozenset(), material):
                question = _asked(group, shift, now)
                before.append(question)
                told[id(question)] = _answer(group, truth)
                done.update({id(stop): (stop, told[id(question)]) for stop in group.stops})
                replay.questions[shift.from_us] += 1
        for stop, cause in done.values():
            replay.said += stop.amount
            replay.right += stop.amount if truth[stop.machine, stop.from_us] == cause else 0
        open_ = [stop for stop in open_ if id(stop) not in done]
        now += HOUR_US
    return replay


def _answer(group: Group, truth: dict[tuple[str, int], str]) -> str:
    """What caused most of the cost of some stops."""
    sums: dict[str, Decimal] = {}
    for stop in group.stops:
        cause = truth[stop.machine, stop.from_us]
        sums[cause] = sums.get(cause, Decimal(0)) + stop.amount
    return max(sums, key=lambda cause: (sums[cause], cause))


def _truth(seed: int, world: str, stops: list[Stop]) -> dict[tuple[str, int], str]:
    """What really caused each stop, by machine and begin."""
    share, days = CAUSES_OF[world]
    chance = random.Random(f"causes of floor {seed}")
    prevails: dict[tuple[str, str | None, bool], tuple[int, str]] = {}
    truth: dict[tuple[str, int], str] = {}
    for stop in sorted(stops, key=lambda stop: (stop.machine, stop.from_us)):
        kind = stop.machine, stop.reason, stop.to_us - stop.from_us < SHORT_US
        until, cause = prevails.get(kind, (0, ""))
        if stop.from_us >= until:
            cause = chance.choice(CAUSES)
            prevails[kind] = stop.from_us + int(chance.expovariate(1 / days) * 24 * HOUR_US), cause
        truth[stop.machine, stop.from_us] = cause if chance.random() < share else chance.choice(CAUSES)
    return truth


def _until(floor: Floor, asked: Asked) -> int:
    zone = ZoneInfo(floor.zone)
    begins = datetime.fromtimestamp(asked.day_from_us / 1e6, zone).replace(tzinfo=None)
    return to_us((begins + timedelta(days=days_explained(asked.pattern))).replace(tzinfo=zone))


def _asked(group: Group, shift: ShiftSpan, now: int) -> Asked:
    first = group.first
    return Asked(
        machine=first.machine,
        from_us=first.from_us,
        to_us=first.to_us,
        pattern=group.pattern,
        shift_from_us=first.shift_from_us,
        asked_in_us=shift.from_us,
        day_from_us=first.day_from_us,
        asked_us=now,
    )


def _shifts(floor: Floor) -> list[ShiftSpan]:
    found = []
    for number in range(-1, 7 * WEEKS + 1):
        date = floor.first + timedelta(days=number)
        for clock, hours, weekdays in STARTS[floor.calendar]:
            if date.weekday() in weekdays:
                begin = to_us(date.replace(hour=int(clock[:2])).astimezone(UTC))
                found.append(ShiftSpan(begin, begin + hours * HOUR_US, clock))
    return sorted(found, key=lambda shift: shift.from_us)


def _stops(floor: Floor) -> list[Stop]:
    """Stops without a reason that says something."""
    shifts, found = _shifts(floor), list[Stop]()
    for number in range(floor.machines):
        rate = 50 + 35 * number + 32 * (1 + number % 2)
        for begin, end, reason in _down(floor, f"m{number}"):
            if reason in SILENT:
                shift = next(one for one in shifts if one.from_us <= to_us(begin) < one.to_us)
                found.append(_stop(floor, f"m{number}", begin, end, reason, shift, rate))
    return found


def _down(floor: Floor, machine: str) -> Iterator[tuple[datetime, datetime, str | None]]:
    begun: datetime | None = None
    reason: str | None = None
    for time, _, role, value in floor.samples(machine):
        if role == "reason" and value:
            reason = value
        elif role == "state":
            if begun is not None:
                yield begun, time, reason
            begun, reason = (time, None) if value == "down" else (None, None)


def _stop(
    floor: Floor,
    machine: str,
    begin: datetime,
    end: datetime,
    reason: str | None,
    shift: ShiftSpan,
    rate: int,
) -> Stop:
    early = timedelta(hours=int(DAY_STARTS[floor.calendar][:2]))
    day = (begin.astimezone(ZoneInfo(floor.zone)) - early).replace(hour=0, minute=0, second=0, microsecond=0)
    return Stop(
        machine=machine,
        from_us=to_us(begin),
        to_us=to_us(end),
        state="down",
        cause="downtime",
        reason=reason,
        product="P",
        order=None,
        shift=shift.name,
        shift_from_us=shift.from_us,
        day_from_us=to_us(day + early),
        amount=Decimal(round((end - begin).total_seconds() * rate / 3600, 4)),
    )
