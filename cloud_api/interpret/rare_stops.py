"""Availability where stops are rare: most observations saw none, and a few of them all there is.

A robust spread is next to nothing there, and a mean without its lowest tenth leaves the stops out: such an
assumption would be told as better than the standard again and again. So the spread is that of stops by
chance: in h hours of work (1 - a) h are expected to be lost; where stops come as Poisson has it and each
takes m hours in the mean, exponentially, that varies by 2 (1 - a) h m, and availability by the square root
of 2 (1 - a) m / h. The mean is that of all observations, one that lost more than a few times what is usual
counting as that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

from msgspec import Struct

from cloud_api.interpret.drift import robust_mean

WITHOUT = 1 / 3
"""Share of observations without any stop from which on stops are rare."""
SHORT = 4
"""Part of the observations with a stop that lost less than what counts as one stop: others may have seen two,
or a kind that is new."""
UNSEEN_H = 0.25
"""Hours that a stop is taken to last where none was seen."""
USUAL = 4.0
"""Times the usual loss of an observation with a stop that one may count with."""


class Rare(Struct, frozen=True, kw_only=True):
    """`sigma` is the least standard deviation of an observation, `least` the lowest that counts as it is."""

    sigma: float
    least: float


def rare(values: Sequence[float], hours: Sequence[float], assumed: float) -> Rare | None:
    """The stream of availabilities seen in so many hours of running and standing each; None where stops are
    common."""
    losses = [1 - value for value in values if value < 1]
    if len(values) - len(losses) < WITHOUT * len(values):
        return None
    lost = sorted((1 - value) * each for value, each in zip(values, hours, strict=True) if value < 1)
    stood = lost[len(lost) // SHORT] if lost else UNSEEN_H
    sigma = math.sqrt(2 * max(0.0, 1 - assumed) * stood / fmean(hours))
    return Rare(sigma=sigma, least=1 - USUAL * median(losses) if losses else 0.0)


def level(values: Sequence[float], stops: Rare | None) -> float:
    """Where observations are: the mean without the ends, or of all of them where stops are rare."""
    if stops is None:
        return robust_mean(values)
    return fmean(max(value, stops.least) for value in values)
