"""A change for good that brings noise of its own: a new kind of breakdown comes twice a day, or not at all.

A search that takes noise to be even holds the days of such a cause for a few bad ones: the least of them are
as large as the largest before. Ranks do not mind how far days lie apart. After Mann & Whitney (On a test of
whether one of two random variables is stochastically larger than the other, Annals of Mathematical Statistics
18, 1947) the days from an onset on are held against those before it, at every onset; what came and went again
does not pass, since its last days are as those before it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST = 6
"""Observations on either side of an onset."""
FAR = 3.3
"""Standard errors by which the ranks must lie apart: about one onset in a thousand."""
ABOVE = 0.9
"""Share of the pairs of a day since and a day before of which that since must be the larger."""
LAST = 3
"""Last observations, of which most must lie where hardly any did before."""
QUIET = 1e-4
"""Share of the variance of a series below which that of a side counts as this."""
HARDLY = 0.9
"""Share of the observations before that lie below it."""


class Raised(Struct, frozen=True, kw_only=True):
    """`onset` is the first observation of the new level, `size` by how much the mean is higher since (below
    0: lower), `error` its standard error where noise differs, `level` the mean before, `weight` the least
    probability that chance would not have shown it at any onset."""

    onset: int
    size: float
    error: float
    level: float
    weight: float


def raised(series: Array) -> Raised | None:
    """The onset since which a series lies above, or below, nearly all that was before; None without one. Of
    onsets whose ranks lie far enough apart it is the most likely one, were either side normal with a spread
    of its own."""
    if len(series) < 2 * LEAST:
        return None
    apart = [*_onsets(series), *_onsets(-series)]
    if not apart:
        return None
    onset, far = min(apart, key=lambda each: _unlikely(series, each[0]))
    return _told(series, onset, far)


def _onsets(series: Array) -> Iterator[tuple[int, float]]:
    """Onsets since which it lies above, and how far apart ranks lie there, in standard errors."""
    count = len(series)
    since = np.cumsum(_ranks(series)[::-1])[::-1]
    for onset in range(LEAST, count - LEAST + 1):
        after, pairs = count - onset, onset * (count - onset)
        larger = float(since[onset]) - after * (after + 1) / 2
        far = (larger - pairs / 2) / math.sqrt(pairs * (count + 1) / 12)
        if far < FAR or larger < ABOVE * pairs:
            continue
        high = np.quantile(series[:onset], HARDLY)
        if series[onset] > high and np.median(series[-LAST:]) > high:
            yield onset, far


def _unlikely(series: Array, onset: int) -> float:
    least = QUIET * float(series.var())
    sides = (series[:onset], series[onset:])
    return sum(len(side) * math.log(max(least, float(side.var()))) for side in sides)


def _ranks(series: Array) -> Array:
    """Ranks from 1, of equal values their mean."""
    _, places, counts = np.unique(series, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return ranks


def _told(series: Array, onset: int, far: float) -> Raised:
    before, after = series[:onset], series[onset:]
    onsets = len(series) - 2 * LEAST + 1
    return Raised(
        onset=onset,
        size=float(after.mean() - before.mean()),
        error=math.sqrt(before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after)),
        level=float(before.mean()),
        weight=max(0.0, 1 - onsets * math.erfc(far / math.sqrt(2))),
    )
