"""Drift of what finance assumes: tabular CUSUM and EWMA as published, and the status of an assumption.

CUSUM (Page 1954; tabular form as in NIST/SEMATECH e-Handbook 6.3.2.3), with slack K and limit H in the unit
of the observations x, target T:

    high = max(0, high + x - T - K)        low = max(0, low + T - K - x)        alarm: above H

EWMA (Roberts 1959; NIST 6.3.2.4): z = lambda x + (1 - lambda) z, limits at T -+ L sigma sqrt(lambda /
(2 - lambda)).

The run length between false alarms is Siegmund's approximation (Sequential Analysis, 1985; Montgomery,
Introduction to Statistical Quality Control, ch. 9). These are statistics, floats; money comes in and goes
out as Decimal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from statistics import fmean, median

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.interpret.money import exactly
from shared.units import DAY_US

MAD_TO_SIGMA = 1.4826
"""Standard deviations per median absolute deviation of a normal distribution."""
RANGE_TO_SIGMA = 1 / 1.128
"""Standard deviations per mean moving range of two."""
SLACK, LIMIT = 0.5, 5.0
"""k and h of the published examples, in standard deviations."""
CALM = 5
"""Observations within one sigma after which a broken assumption holds again."""
SIGNS = (1, -1)
"""Above and below the assumption."""
TRIMMED = 0.1
"""Share of observations that the robust mean leaves out at each end."""


class Point(Struct, frozen=True):
    """The sums after one observation, in its unit."""

    high: float
    low: float
    alarm: bool


class Smoothed(Struct, frozen=True):
    """The moving average after each observation and its limits."""

    values: tuple[float, ...]
    lower: float
    upper: float

    def alarms(self) -> list[int]:
        """Indices of observations after which the average lies outside its limits."""
        return [at for at, z in enumerate(self.values) if not self.lower <= z <= self.upper]


def cusum(observations: Sequence[float], target: float, slack: float, limit: float) -> list[Point]:
    """The tabular CUSUM; all in the unit of the observations."""
    high = low = 0.0
    points = []
    for x in observations:
        high = max(0.0, high + x - target - slack)
        low = max(0.0, low + target - slack - x)
        points.append(Point(high, low, max(high, low) > limit))
    return points


def ewma(
    observations: Sequence[float], target: float, sigma: float, weight: float = 0.3, width: float = 3.0
) -> Smoothed:
    """The exponentially weighted moving average, begun at the target; `weight` is lambda, `width` L."""
    z, values = target, []
    for x in observations:
        z = weight * x + (1 - weight) * z
        values.append(z)
    reach = width * sigma * math.sqrt(weight / (2 - weight))
    return Smoothed(tuple(values), target - reach, target + reach)


def robust_sigma(reference: Sequence[float]) -> float:
    """Standard deviation of the reference window from its median absolute deviation; from its mean moving
    range where more than half of it is one value. 0: it never moved.

    Raises ValueError when the window is empty."""
    if not reference:
        raise ValueError("no sigma: the reference window is empty: choose one with observations")
    middle = median(reference)
    spread = median(abs(x - middle) for x in reference)
    if spread or len(reference) < 2:
        return spread * MAD_TO_SIGMA
    steps = [abs(after - before) for before, after in pairwise(reference)]
    return fmean(steps) * RANGE_TO_SIGMA


def robust_mean(observations: Sequence[float]) -> float:
    """The mean without the lowest and highest tenth."""
    cut = int(len(observations) * TRIMMED)
    return fmean(sorted(observations)[cut : len(observations) - cut])


def autocorrelation(reference: Sequence[float]) -> float:
    """Correlation of neighbours (lag 1), within 0 and 0.95; below 0 it would only make alarms rarer."""
    if len(reference) < 3:
        return 0.0
    mean = fmean(reference)
    variance = sum((x - mean) ** 2 for x in reference)
    if not variance:
        return 0.0
    products = ((before - mean) * (after - mean) for before, after in pairwise(reference))
    return min(0.95, max(0.0, sum(products) / variance))


def run_length(limit: float, slack: float = SLACK) -> float:
    """Mean observations between false alarms of the two-sided CUSUM, limit and slack in sigma (Siegmund):
    for one side (exp(2 k b) - 2 k b - 1) / (2 k^2), b = h + 1.166; half of it for two."""
    drift = 2 * slack * (limit + 1.166)
    return (math.exp(drift) - drift - 1) / (4 * slack**2)


def limit_for(observations_between: float, correlation: float = 0.0) -> float:
    """The limit h, in sigma, at which false alarms are `observations_between` apart on average. With
    neighbours correlated (a first-order process) sums wander as if sigma were sqrt((1 + r) / (1 - r)) times
    as large: slack keeps its size in sigma, h is solved for in the larger one. That errs on the quiet side:
    measured, alarms are as rare as asked at r = 0, twice as rare at 0.5, three to four times at 0.85."""
    wider = math.sqrt((1 + correlation) / (1 - correlation))
    low, high = 0.0, 10_000.0 * SLACK
    for _ in range(80):
        middle = (low + high) / 2
        drift = 2 * SLACK / wider * (middle + 1.166)
        enough = drift > 600 or run_length(middle, SLACK / wider) >= observations_between
        low, high = (low, middle) if enough else (middle, high)
    return high * wider


class Spell(Struct, frozen=True):
    """A time during which the assumption did not hold: `onset` is the first observation after the sum was
    last zero, `alarm` the one that crossed the limit, `end` the one after which it held again or had moved to
    the other side (None: it lasts). `side` is 1 above the assumption, -1 below."""

    onset: int
    alarm: int
    end: int | None
    side: int


def spells(
    observations: Sequence[float],
    assumed: float,
    sigma: float,
    limit: float = LIMIT,
) -> list[Spell]:
    """The spells of a series; limit in sigma (sigma 0: any lasting difference is a spell).

    A spell ends when its sum is zero, with five observations within one sigma in a row since its alarm (both
    sums then begin anew), or where the sum of the other side crosses the limit, which is a spell of its
    own."""
    found: list[Spell] = []
    sums, onsets, calm = [0.0, 0.0], [0, 0], 0
    opened: int | None = None
    for at, x in enumerate(observations):
        for side, sign in enumerate(SIGNS):
            if not sums[side]:
                onsets[side] = at
            sums[side] = max(0.0, sums[side] + sign * (x - assumed) - SLACK * sigma)
        calm = calm + 1 if abs(x - assumed) <= sigma else 0
        next_side = int(sums[1] > sums[0]) if opened is None else 1 - opened
        if sums[next_side] > limit * sigma:
            if opened is not None:
                found[-1] = replace(found[-1], end=at)
                sums[opened] = 0.0
            found.append(Spell(onsets[next_side], at, None, SIGNS[next_side]))
            opened, calm = next_side, 0
        elif opened is not None and (not sums[opened] or calm >= CALM):
            found[-1] = replace(found[-1], end=at)
            opened, sums = None, [0.0, 0.0]
    return found


class Stake(Struct, frozen=True, kw_only=True):
    """What an assumption is worth: `per_unit_day` is cost per day (site's currency) of a deviation of one
    unit, `standard_cost` that of its scope in the period; material is at least `amount` and at least `share`
    of it. Times are integer microseconds."""

    per_unit_day: Decimal
    period_end_us: int
    standard_cost: Decimal
    amount: Decimal
    share: Decimal


class Assessment(Struct, frozen=True, kw_only=True):
    """`status` holding, watch or broken; `observed` is the robust mean since onset (of everything while it
    holds), `since` the index of the onset. Costs are signed, positive = unfavourable where a higher value
    costs more; `cost_to_period_end` runs from the onset."""

    status: str
    assumed: float
    observed: float | None
    since: int | None
    cost_per_day: Decimal
    cost_to_period_end: Decimal
    history: tuple[Spell, ...]


@exactly
def assess(
    times_us: Sequence[int],
    observations: Sequence[float],
    assumed: float,
    sigma: float,
    stake: Stake,
    limit: float = LIMIT,
    mean: Callable[[Sequence[float]], float] = robust_mean,
) -> Assessment:
    """The standing of an assumption after its last observation: `broken` outside its limit and material,
    `watch` outside its limit only, else `holding`. `mean` tells where observations are."""
    history = tuple(spells(observations, assumed, sigma, limit=limit))
    current = history[-1] if history and history[-1].end is None else None
    since = current.onset if current else None
    watched = observations[since or 0 :]
    observed = mean(watched) if watched else None
    per_day = to_end = Decimal(0)
    if since is not None and observed is not None:
        per_day = (Decimal(repr(observed)) - Decimal(repr(assumed))) * stake.per_unit_day
        days = Decimal(max(0, stake.period_end_us - times_us[since])) / DAY_US
        to_end = per_day * days
    status = "holding" if current is None else "broken" if material(to_end, stake) else "watch"
    return Assessment(
        status=status,
        assumed=assumed,
        observed=observed,
        since=since,
        cost_per_day=per_day,
        cost_to_period_end=to_end,
        history=history,
    )


def material(cost: Decimal, stake: Stake) -> bool:
    """Whether a cost, of either sign, is at least the amount and the share that matter."""
    return abs(cost) >= stake.amount and abs(cost) >= stake.share * stake.standard_cost
