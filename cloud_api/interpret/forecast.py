"""What a period will have cost at its end, and how sure that is.

Each cause goes on from its level, and what changed it goes on as its verdict has it (`persistence_course`).
The spread is in closed form: the sum of n days whose noise has memory r (a first-order process) varies by

    s^2 (sum w^2 + 2 sum_{i<j} w_i w_j r^(j-i))

for days of weight w, and the level it goes on from, known from m days, by (sum w)^2 s^2 (1+r) / ((1-r) m);
both are added to what the sizes of lasting changes are uncertain by. Quantiles are those of a normal sum."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .drift import autocorrelation
from .persistence import SLOPE
from .persistence_course import Course

Array = NDArray[np.float64]

TENTH = 1.2815515655446004
"""Standard deviations between the median and the tenth percentile of a normal distribution."""
LASTING = ("structural", "drift", "recurring", "seasonal", "undetermined")


class Range(Struct, frozen=True):
    """Median and the values that one in ten falls below, and one in ten above."""

    p10: float
    expected: float
    p90: float


def daily(course: Course, labels: Sequence[str]) -> Array:
    """What a cause costs per unit on each of the days to come; `labels` are their weekdays."""
    return course.level + course.ahead(len(labels), list(labels))


def residuals(values: Array, units: Array, courses: Sequence[Course]) -> Array:
    """Daily cost less what the levels and lasting changes of all causes explain at mean output: what came and
    went stays in, since the like may come again."""
    fitted = np.zeros(len(values))
    for one in courses:
        fitted = fitted + one.level
        if one.verdict in LASTING:
            fitted = fitted + np.array(one.added)
    rest = values * units - fitted * float(units.mean())
    return np.asarray(rest - rest.mean(), dtype=np.float64)


def spread(rest: Array, weights: Sequence[float]) -> float:
    """Standard deviation of the sum over days to come, each of a weight (1: a whole day)."""
    count = len(rest)
    if count < 2 or not len(weights):
        return 0.0
    memory = autocorrelation(rest.tolist())
    variance = float(rest @ rest) / (count - 1)
    days = np.asarray(weights, dtype=np.float64)
    apart = np.abs(np.subtract.outer(np.arange(len(days)), np.arange(len(days))))
    own = float(days @ (memory**apart) @ days)
    level = float(days.sum()) ** 2 * (1 + memory) / (1 - memory) / count
    return math.sqrt(variance * (own + level))


def uncertain(course: Course, units: float, days: float) -> float:
    """Standard deviation that the size of a lasting change, or whether it lasts at all, adds to the days to
    come."""
    if course.verdict == "undetermined" and course.effect is not None:
        doubt = course.confidence * (1 - course.confidence)
        return math.sqrt(doubt) * abs(course.effect.size) * units * days
    if course.effect is None or course.until is not None or course.verdict not in LASTING:
        return 0.0
    steps = len(course.added) - course.effect.onset if course.effect.kind == SLOPE else 1
    return course.effect.error * steps * units * days


def range_of(expected: float, deviations: Sequence[float]) -> Range:
    """The range of a sum whose parts deviate independently."""
    whole = math.sqrt(sum(each * each for each in deviations))
    return Range(expected - TENTH * whole, expected, expected + TENTH * whole)
