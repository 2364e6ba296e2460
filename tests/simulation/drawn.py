"""Series drawn as the bar on verdicts says: 60 to 250 days, noise of Student's t with 5 degrees of freedom,
correlation 0 to 0.3, a weekday season, one day in twenty missing; a third each without a change, with a pulse
of 2 to 8 and with a shift of 1.5 to 4 standard deviations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cloud_api.interpret.persistence import Persistence, persistence
from cloud_api.interpret.persistence_search import Array

NONE, PULSE, SHIFT = "none", "pulse", "shift"
WARM = 50


@dataclass(frozen=True, slots=True)
class Drawn:
    """A series with what is in it; `onset` is the index of the first day that is there and has it."""

    values: Array
    weekdays: list[str]
    kind: str
    size: float
    onset: int | None


@dataclass(slots=True)
class Errors:
    """How often verdicts were wrong."""

    without: int = 0
    false: int = 0
    shifts: int = 0
    missed: int = 0
    dated: int = 0

    def judge(self, series: Drawn, found: Persistence) -> None:
        """Counts one; shifts count from 2 standard deviations and 10 observations on."""
        structural = found.verdict == "structural"
        if series.kind != SHIFT:
            self.without += 1
            self.false += structural
        elif series.size >= 2 and series.onset is not None and len(series.values) - series.onset >= 10:
            self.shifts += 1
            self.missed += not structural
            near = found.effect is not None and abs(found.effect.onset - series.onset) <= 2
            self.dated += structural and near


def drawn(seed: int, steps: bool = False) -> Drawn:
    """The series of a seed; with `steps` a pulse is a level of 1.5 to 4 that comes back after 2 to 8 days."""
    chance = np.random.default_rng(seed)
    count, memory = int(chance.integers(60, 251)), chance.uniform(0, 0.3)
    noise = chance.standard_t(5, size=count + WARM) / np.sqrt(5 / 3) * np.sqrt(1 - memory**2)
    for at in range(1, count + WARM):
        noise[at] += memory * noise[at - 1]
    weekday = np.arange(count) % 7
    values = noise[WARM:] + chance.normal(size=7)[weekday]
    kind, size = (NONE, PULSE, SHIFT)[seed % 3], 0.0
    onset: int | None = None
    sign = chance.choice([-1, 1])
    if kind == PULSE:
        size, onset = chance.uniform(2, 8), int(chance.integers(5, count))
        days = 1
        if steps:
            size, days = chance.uniform(1.5, 4), int(chance.integers(2, 9))
            onset = min(onset, count - days)
        values[onset : onset + days] += sign * size
    elif kind == SHIFT:
        size, onset = chance.uniform(1.5, 4), int(chance.integers(10, count - 9))
        values[onset:] += sign * size
    there = chance.random(count) > 0.05
    first = None if onset is None else int(there[:onset].sum())
    return Drawn(values[there], [str(day) for day in weekday[there]], kind, size, first)


def judged(seeds: range, steps: bool = False) -> Errors:
    """Verdicts on the series of some seeds."""
    errors = Errors()
    for seed in seeds:
        series = drawn(seed, steps)
        errors.judge(series, persistence(series.values.tolist(), series.weekdays))
    return errors
