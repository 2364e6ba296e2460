"""Forecasts of drawn works whose last days are held back, from what they really cost: without a database, so
that many can be drawn."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from cloud_api.interpret.forecast import Change, changes_of, outlook, range_of
from cloud_api.interpret.persistence_course import Array, course
from tests.simulation.works import Machine, Works
from tests.simulation.works_course import Course
from tests.simulation.works_plan import Plan

HELD_BACK = 20
"""Working days."""
KNOWN = (30, 50)
WEEK = {"six": 6, "around": 7}
"""Working days of a week, where they are not five."""
WORLDS = ("quiet", "begun", "any")
"""Nothing is put in; ten causes that all begin on days known; ten that begin on any day, held back or not."""


@dataclass(frozen=True, slots=True)
class Told:
    """Truth of the days held back, and what was told of it."""

    truth: float
    p10: float
    expected: float
    p90: float

    @property
    def inside(self) -> bool:
        """Whether it lies within p10 to p90."""
        return self.p10 <= self.truth <= self.p90

    @property
    def error(self) -> float:
        """Share of the truth by which the expected was above it."""
        return self.expected / self.truth - 1

    @property
    def width(self) -> float:
        """Half the range, as a share of the truth."""
        return (self.p90 - self.p10) / 2 / self.truth


@dataclass(slots=True)
class Days:
    """Working days of a site: hours scheduled, worth of good units at standard, cost by cause."""

    days: list[date]
    hours: Array
    units: Array
    costs: dict[str, Array]


def forecasts(seeds: Iterable[int], world: str) -> list[Told]:
    """The forecast of each seed's works."""
    return [told(lived(seed, world)) for seed in seeds]


def lived(seed: int, world: str) -> Plan:
    """The works of a seed, with all their days."""
    known = random.Random(f"known {seed}").randint(*KNOWN)
    week = WEEK.get(Works(seed).pattern, 5)
    works = Works(seed, days=math.ceil((known + HELD_BACK) * 7 / week) + 1)
    plan = Plan.drawn(works, world == "quiet", HELD_BACK if world == "begun" else 0)
    for machine in works.machines:
        one = Course(works, machine, plan.stories[machine.name])
        one.live()
        plan.truths[machine.name] = one.truth
    return plan


def told(plan: Plan) -> Told:
    """What is told of the days held back, on the others."""
    all_ = observed(plan)
    known, labels = len(all_.days) - HELD_BACK, [f"{day:%a}" for day in all_.days]
    hours = all_.hours / all_.hours[:known].mean()
    changes: list[Change] = []
    for cost in all_.costs.values():
        values = cost[:known] / all_.units[:known]
        if np.ptp(values) > 1e-9:
            changes += changes_of(course(values, labels[:known]), float(all_.units[:known][-20:].mean()))
    whole = np.sum(list(all_.costs.values()), axis=0)
    found = outlook(whole[:known], hours[:known], hours[known:], labels, changes)
    reach = range_of(found.expected, [found.deviation])
    return Told(float(whole[known:].sum()), reach.p10, reach.expected, reach.p90)


def observed(plan: Plan) -> Days:
    """What works did and cost by day; what no cause had is production."""
    days = plan.works.working_days()
    at = {day: place for place, day in enumerate(days)}
    hours, units = np.zeros(len(days)), np.zeros(len(days))
    costs: dict[str, Array] = defaultdict(lambda: np.zeros(len(days)))
    for window in plan.works.windows():
        hours[at[window.day]] += (window.end - window.begin).total_seconds() / 3600
    for machine in plan.works.machines:
        truth, worth = plan.truths[machine.name], _worth(plan.works, machine)
        for (day, product), good in truth.good.items():
            units[at[day]] += good * worth[product]
        for day, cost in truth.spent.items():
            costs["production"][at[day]] += cost
        for cause, own in truth.by_cause.items():
            for day, cost in own.items():
                costs[cause][at[day]] += cost
                costs["production"][at[day]] -= cost
    return Days(days, hours, units, dict(costs))


def _worth(works: Works, machine: Machine) -> dict[str, float]:
    """Standard cost of a good unit, without its changeovers."""
    up = machine.mtbf_h / (machine.mtbf_h + machine.mttr_h)
    hour = machine.per_hour(works.wage) / up / 3600
    return {
        one.name: (one.cycle_s * hour + one.kwh * works.tariff + one.bill * works.price) / (1 - one.scrap)
        for one in machine.products
    }
