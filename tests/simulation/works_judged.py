"""Verdicts on drawn works, from what machines really did and cost: without a database, so that many can be
drawn. What a product or a shift brings along takes finer observations than these, and is left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from cloud_api.interpret.persistence_course import Array, course
from tests.simulation.works import Injected, Works
from tests.simulation.works_course import Course
from tests.simulation.works_plan import Plan

FINER = ("shift", "product")
LEAST_SIGMAS = 2.0
WITHIN = 0.05
"""Share of its money within which a cause should be."""
NEAR = 2
"""Production days within which an onset is right."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Unit cost of a cause on a machine by working day, units, and what was put in (None: nothing)."""

    machine: str
    cause: str
    days: list[date]
    values: Array
    units: Array
    injected: Injected | None
    sigmas: float
    oracle: float


@dataclass(slots=True)
class Judged:
    """`right` of `told` causes put in, by story, and how far off their money was; shifts of two standard
    deviations with twelve observations since, how many were found within two days; machines and causes into
    which nothing was put, and how many of them were called structural or drift. `money` has of each cause its
    size in standard deviations of a day, how far off its money was, and `standard_error`."""

    told: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    off: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    money: list[tuple[float, float, float]] = field(default_factory=list)
    shifts: int = 0
    found: int = 0
    quiet: int = 0
    false: int = 0


def lived(seed: int, quiet: bool = False, days: int = 35) -> Plan:
    """The works of a seed, whose truth is known."""
    plan = Plan.drawn(Works(seed, days=days), quiet)
    for machine in plan.works.machines:
        one = Course(plan.works, machine, plan.stories[machine.name])
        one.live()
        plan.truths[machine.name] = one.truth
    return plan


def cells(plan: Plan) -> Iterator[Cell]:
    """Every cause that any machine had, with what was put in."""
    days = plan.works.working_days()
    put_in = {(one.machine, one.cause): one for one in plan.injected()}
    for machine in plan.works.machines:
        truth = plan.truths[machine.name]
        cycles = {one.name: one.cycle_s for one in machine.products}
        made = dict.fromkeys(days, 0.0)
        for (day, product), good in truth.good.items():
            made[day] += good * cycles[product] / float(np.mean(list(cycles.values())))
        kept = [day for day in days if made[day] > 0]
        units = np.array([made[day] for day in kept])
        for cause, cost in truth.by_cause.items():
            one = put_in.get((machine.name, cause))
            if one is None or one.story not in FINER:
                values = np.array([cost.get(day, 0.0) for day in kept]) / units
                known = (0.0, 0.0) if one is None else (plan.sigmas(one), plan.oracle(one))
                yield Cell(machine.name, cause, kept, values, units, one, *known)


def judged(seeds: Iterable[int], quiet: bool = False) -> Judged:
    """Verdicts on the works of some seeds."""
    all_ = Judged()
    for seed in seeds:
        for cell in cells(lived(seed, quiet)):
            if np.ptp(cell.values) > 1e-9:
                _judge(all_, cell)
    return all_


def _judge(all_: Judged, cell: Cell) -> None:
    found = course(cell.values, [f"{day:%a}" for day in cell.days])
    one = cell.injected
    if one is None:
        all_.quiet += 1
        all_.false += found.verdict in ("structural", "drift")
        return
    at = next(place for place, day in enumerate(cell.days) if day >= one.since)
    right = found.verdict == one.verdict
    if one.verdict == "structural" and cell.sigmas >= LEAST_SIGMAS and len(cell.days) - at >= 12:
        all_.shifts += 1
        all_.found += right and found.since is not None and abs(found.since - at) <= NEAR
    if cell.sigmas >= LEAST_SIGMAS:
        all_.told[one.story] += 1
        all_.right[one.story] += right
        money = float(np.array(found.excess) @ cell.units) / one.amount - 1
        all_.off.setdefault(one.story, []).append((money, cell.oracle - 1))
        all_.money.append((cell.sigmas, money, standard_error(cell, one)))


def standard_error(cell: Cell, one: Injected) -> float:
    """Share of its money by which a cause is off for whoever knows its n days and the m others, with the
    noise of a day sd: sd x sqrt(1 / n + 1 / m) / size. No method that goes by days is better."""
    inside = np.array([day in one.daily for day in cell.days])
    count, rest = int(inside.sum()), int((~inside).sum())
    if rest < 2:
        return 0.0
    size = one.amount / float(cell.units[inside].sum())
    return float(cell.values[~inside].std(ddof=1)) * math.sqrt(1 / count + 1 / rest) / abs(size)


def within(errors: Iterable[float], share: float = WITHIN) -> float:
    """Share of causes that normal noise leaves within so much, by their standard errors."""
    chances = [math.erf(share / error / math.sqrt(2)) if error > 1e-9 else 1.0 for error in errors]
    return float(np.mean(chances))
