"""A better standard, from what was observed since an assumption broke: the mean without the lowest and
highest tenth, of at least twenty observations, and how sure it is (standard error of a trimmed mean, Tukey &
McLaughlin 1963: winsorised standard deviation / ((1 - 2 trimmed) sqrt(n)))."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from msgspec import Struct

from cloud_api.interpret.drift import TRIMMED
from cloud_api.interpret.rare_stops import Rare, level

LEAST = 20
"""Observations since onset that a proposal needs."""
DIGITS = 4
"""Significant digits that a standard is proposed with."""


class Proposal(Struct, frozen=True, kw_only=True):
    """`value` in the unit of the assumption, `error` its standard error, from `observations`."""

    value: float
    error: float
    observations: int


def proposal(since: Sequence[float], stops: Rare | None = None) -> Proposal | None:
    """What to assume instead; None with fewer than twenty observations since the onset. Where stops are rare
    it is the mean of all observations (`rare_stops`)."""
    if len(since) < LEAST:
        return None
    error = _error(since) if stops is None else stdev(since) / math.sqrt(len(since))
    return Proposal(value=rounded(level(since, stops)), error=error, observations=len(since))


def rounded(value: float) -> float:
    """To four significant digits."""
    if not value:
        return 0.0
    return round(value, DIGITS - 1 - math.floor(math.log10(abs(value))))


def _error(values: Sequence[float]) -> float:
    ordered = sorted(values)
    cut = int(len(ordered) * TRIMMED)
    low, high = ordered[cut], ordered[len(ordered) - cut - 1]
    tame = [min(high, max(low, value)) for value in ordered]
    mean = fmean(tame)
    spread = math.sqrt(sum((value - mean) ** 2 for value in tame) / (len(tame) - 1))
    return spread / ((1 - 2 * TRIMMED) * math.sqrt(len(tame)))
