"""What a period will have cost at its end, and how sure that is.

The cost of production day t with h scheduled hours (of a usual day: 1) is taken to be

    y_t = h_t (level + sum over changes j of b_j x_j(t)) + noise

whose noise has memory r (a first-order process). The changes are those found in the causes
(`persistence_course`): a step, a slope, a weekday, or what came and went. What a change of one cause makes of
the whole is not its own size: an hour that is lost is an hour that does not produce, and costs the same. It
lies between nothing and its own size s, so b has the prior N(s / 2, (s / 2)^2), and the days of the whole say
the rest: posterior mean and covariance V of level and b by generalised least squares with that prior (the
Bayesian linear model, Gelman et al., Bayesian Data Analysis, ch. 14), noise and memory by iteration. r is
raised by what short series tell it too low, (p + 3 r) / n for p parameters (after Marriott & Pope, Biometrika
41, 1954, whose p is 1).

The sum of days to come is spread by V, by the noise of these days, by the odds that what is undetermined
lasts, and by changes that have not begun: they come as often, and as large, as those of the past came. Its
quantiles are those of Student's t. All amounts are in the site's currency."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cloud_api.interpret.persistence import SINCE
from cloud_api.interpret.persistence_course import WEEKDAY, Course
from cloud_api.interpret.persistence_search import SHIFT, SLOPE

Array = NDArray[np.float64]

TENTH = 1.2815515655446004
"""Standard deviations between the median and the tenth percentile of a normal distribution."""
PASSING = "passing"
PASSES = 8
"""Iterations of noise and memory; both stand after three or four."""
MOST_MEMORY = 0.9
LEAST_NOISE = 1e-4
"""Share of a day's cost that its noise is at least: next to nothing, so that sums stay well conditioned."""


class Range(Struct, frozen=True):
    """Median and the values that one in ten falls below, and one in ten above."""

    p10: float
    expected: float
    p90: float


class Change(Struct, frozen=True, kw_only=True):
    """What was found in a cause: of `kind` shift, slope, weekday or passing, in observations from `onset` to
    `until` (None: it lasts). `size` is what it adds to the cost of a usual day (of a slope: more each day),
    `odds` the probability that it lasts."""

    kind: str
    size: float
    onset: int = 0
    until: int | None = None
    label: str = ""
    odds: float = 1.0

    @property
    def place(self) -> tuple[str, int, int | None, str]:
        """Changes of one place are one to the whole."""
        return self.kind, self.onset, self.until, self.label

    def shape(self, labels: Sequence[str]) -> Array:
        """How much of it is in each observation, known or to come; `labels` are their weekdays."""
        at = np.arange(len(labels))
        if self.kind == WEEKDAY:
            return np.array([float(label == self.label) for label in labels])
        inside = (at >= self.onset) & (at <= (len(labels) if self.until is None else self.until))
        return np.asarray(np.where(inside, at - self.onset + 1 if self.kind == SLOPE else 1.0, 0.0))


class Outlook(Struct, frozen=True):
    """The sum of the days to come, and its standard deviation: that of the normal distribution whose tenth
    percentiles are those of the sum."""

    expected: float
    deviation: float


def changes_of(course: Course, units: float) -> list[Change]:
    """What lasts and what came and went in a cause's unit cost; `units` are those of a usual day."""
    if course.verdict == "recurring" and course.tie is not None:
        tie = course.tie
        return [Change(kind=WEEKDAY, size=tie.size * units, label=tie.label)] if tie.kind == WEEKDAY else []
    if course.found is None:
        return []
    count, seen = len(course.added), course.found.seen
    doubted = course.verdict == "undetermined"
    lasting = [
        Change(
            kind=each.kind,
            size=each.size * units,
            onset=each.onset,
            odds=course.confidence
            if doubted and (each == course.effect or count - each.onset < SINCE)
            else 1.0,
        )
        for each in seen.lasting
    ]
    ends = [(one, count - 1 if one.until is None else one.until) for one in seen.passing]
    passing = [
        Change(
            kind=PASSING,
            size=one.added / (until + 1 - one.since) * units,
            onset=one.since,
            until=until,
        )
        for one, until in ends
    ]
    return lasting + passing


def ahead(
    costs: Array, hours: Array, to_come: Array, labels: Sequence[str], changes: Sequence[Change]
) -> float:
    """What one cause costs on the days to come: its level without its changes, and those that last. As
    `outlook`, whose changes are of all causes."""
    known = len(costs)
    shapes = [(each, each.shape(labels)) for each in changes]
    added = sum((each.size * shape[:known] * hours for each, shape in shapes), np.zeros(known))
    level = float((costs - added).sum() / (hours.sum() or 1.0))
    lasting = math.fsum(each.odds * each.size * float(shape[known:] @ to_come) for each, shape in shapes)
    return level * float(to_come.sum()) + lasting


def outlook(
    costs: Array, hours: Array, to_come: Array, labels: Sequence[str], changes: Iterable[Change]
) -> Outlook:
    """The sum of the days to come. `costs` are those of the days known, `hours` and `to_come` the scheduled
    hours of days known and to come against a usual one, `labels` the weekdays of both."""
    known = len(costs)
    if known == 0 or len(to_come) == 0:
        return Outlook(0.0, 0.0)
    model = _Model(costs, hours, labels, _placed(changes))
    sums = to_come @ model.shapes[known:]
    expected = float(sums @ model.sizes)
    variance = float(sums @ model.covariance @ sums) + model.variance * _remembered(to_come, model.memory)
    for place, odds in enumerate(model.odds, 1):
        added = float(sums[place] * model.sizes[place])
        expected -= (1 - odds) * added
        variance += odds * (1 - odds) * added**2
    variance += model.begun(to_come)
    return Outlook(expected, math.sqrt(variance) * _student(known - model.parameters))


def range_of(expected: float, deviations: Sequence[float]) -> Range:
    """The range of a sum whose parts deviate independently."""
    whole = math.sqrt(sum(each * each for each in deviations))
    return Range(expected - TENTH * whole, expected, expected + TENTH * whole)


class _Model:
    """Level and changes fitted to the days known; `sizes` are the level and what each change makes of the
    whole, `parameters` how many the data set free."""

    def __init__(
        self,
        costs: Array,
        hours: Array,
        labels: Sequence[str],
        changes: Sequence[tuple[Change, float]],
    ) -> None:
        known = len(costs)
        self.changes = [change for change, _ in changes]
        self.odds = [change.odds for change in self.changes]
        self.shapes = np.column_stack([np.ones(len(labels)), *(each.shape(labels) for each in self.changes)])
        self.memory, self.known = 0.0, known
        self.parameters, rows = 1.0, self.shapes[:known] * hours[:, None]
        prior = np.array([0.0, *(each.size / 2 for each in self.changes)])
        weights = np.array([0.0, *(1 / max(wide, 1e-12) for _, wide in changes)])
        apart = np.abs(np.subtract.outer(np.arange(known), np.arange(known)))
        least = (LEAST_NOISE * float(np.abs(costs).mean())) ** 2 or 1e-12
        self.variance = max(least, float(np.var(costs)))
        for _ in range(PASSES):
            inverse = np.linalg.inv(self.memory**apart) if self.memory else np.eye(known)
            told = rows.T @ inverse
            self.covariance = np.linalg.inv(told @ rows / self.variance + np.diag(weights))
            self.sizes = self.covariance @ (told @ costs / self.variance + weights * prior)
            rest = costs - rows @ self.sizes
            self.parameters = float(np.trace(self.covariance @ (told @ rows))) / self.variance
            free = max(1.0, known - self.parameters)
            self.variance = max(least, float(rest @ inverse @ rest) / free)
            self.memory = _memory(rest, self.parameters)

    def begun(self, to_come: Array) -> float:
        """Variance that changes add which have not begun; the last days are too few to show those that
        began in them."""
        left = np.cumsum(to_come[::-1])
        ramps = np.cumsum(left)
        found = 0.0
        for change, size in zip(self.changes, self.sizes[1:].tolist(), strict=True):
            if change.kind == SHIFT:
                found += size**2 * float(left @ left)
            elif change.kind == SLOPE:
                found += size**2 * float(ramps @ ramps)
            elif change.kind == PASSING and change.until is not None:
                lasted = change.until + 1 - change.onset
                found += (size * lasted) ** 2 * len(to_come)
        return found / max(1, self.known - SINCE)


def _placed(changes: Iterable[Change]) -> list[tuple[Change, float]]:
    """Changes of one place together, with the variance of their prior."""
    found: dict[tuple[str, int, int | None, str], tuple[Change, float]] = {}
    for each in changes:
        other, wide = found.get(each.place, (None, 0.0))
        size, odds = (0.0, 1.0) if other is None else (other.size, other.odds)
        one = Change(
            kind=each.kind,
            size=size + each.size,
            onset=each.onset,
            until=each.until,
            label=each.label,
            odds=min(odds, each.odds),
        )
        found[each.place] = (one, wide + (each.size / 2) ** 2)
    return list(found.values())


def _memory(rest: Array, parameters: float) -> float:
    """Correlation of neighbours, from 0, without the bias of a short series."""
    whole = float(rest @ rest)
    if not whole:
        return 0.0
    seen = float(rest[1:] @ rest[:-1]) / whole
    return min(MOST_MEMORY, max(0.0, seen + (parameters + 3 * max(seen, 0.0)) / len(rest)))


def _remembered(weights: Array, memory: float) -> float:
    """Variance of a weighted sum of noise of variance 1."""
    apart = np.abs(np.subtract.outer(np.arange(len(weights)), np.arange(len(weights))))
    return float(weights @ (memory**apart) @ weights)


def _student(freedom: float) -> float:
    """Tenth percentile of Student's t against the normal one (Abramowitz & Stegun 26.7.5)."""
    z, free = TENTH, max(2.0, freedom)
    return 1 + (z**2 + 1) / (4 * free) + (5 * z**4 + 16 * z**2 + 3) / (96 * free**2)
