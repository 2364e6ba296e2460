"""Recurring and seasonal: what comes back with a weekday, a shift or a product, or with the time of year.

Recurring: observations of one label (Monday, the night shift, a product) lie above the others, so much that
Bayes' criterion falls by more than the price of having searched for it, and at least three of them do so one
by one. Seasonal: the same change was there one cycle earlier, and two."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[np.float64]

OCCURRENCES = 3
"""Observations of a label that must stand out one by one."""
MOST = 0.6
"""Share of a label's observations that must stand out."""
SEARCHED = 3
"""Parameters that a label costs: its size, and that it was searched for."""
LEAST = 12
"""Observations below which nothing recurs."""
CLOSE = 2.0
"""What the criterion must fall by, beyond the price of the search."""
FAR = 5.0
"""Robust standard deviations beyond which an observation counts as if it stood there."""
ALIKE = 0.5
"""Share of a change that the change of an earlier cycle must have to be the same."""
CYCLES = 2
"""Earlier cycles in which a seasonal change must have been."""


class Tie(Struct, frozen=True, kw_only=True):
    """What a recurring change is tied to: `kind` (weekday, shift, product) and `label`. `size` is its mean
    excess over the others, `error` its standard error; `places` are the observations of the label,
    `occurrences` those that stand out; `weight` is the share of evidence for it (against none)."""

    kind: str
    label: str
    size: float
    error: float
    places: tuple[int, ...]
    occurrences: tuple[int, ...]
    weight: float
    added: tuple[float, ...] = ()
    """What it added to each observation of the series that it is held against; empty: `size` on `places`."""


def recurring(values: Array, kind: str, labels: Sequence[str], sign: int = 1) -> Tie | None:
    """The label with the best evidence for being worse than the others; None where none recurs.

    `sign` is 1 where more is worse, -1 where less is."""
    count = len(values)
    if count < LEAST or len(set(labels)) < 2:
        return None
    raw = np.asarray(values, dtype=np.float64) * sign
    tame, told = _tamed(raw), np.array(labels)
    found = [
        tie
        for label in sorted(set(labels))
        if (tie := _tie(tame, raw, kind, label, told == label, sign)) is not None
    ]
    return max(found, key=lambda tie: (tie.weight, tie.size * sign), default=None)


def _tamed(values: Array) -> Array:
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    if not spread:
        return values
    return np.clip(values, middle - FAR * spread, middle + FAR * spread)


def _tie(
    values: Array, raw: Array, kind: str, label: str, inside: NDArray[np.bool_], sign: int
) -> Tie | None:
    """The evidence is that of the tamed values, the size that of the values as they are. `inside`: which
    observations have the label."""
    own, others = values[inside], values[~inside]
    if len(own) < OCCURRENCES or len(others) < OCCURRENCES:
        return None
    excess = float(own.mean() - others.mean())
    pooled = float(((own - own.mean()) ** 2).sum() + ((others - others.mean()) ** 2).sum())
    whole = float(((values - values.mean()) ** 2).sum())
    sigma = math.sqrt(pooled / max(1, len(values) - 2))
    above = float(np.median(others)) + max(sigma, 1e-12 * max(1.0, abs(float(others.mean()))))
    occurrences = tuple(int(at) for at in np.flatnonzero(inside & (values > above)))
    if excess <= 0 or len(occurrences) < max(OCCURRENCES, math.ceil(MOST * len(own))):
        return None
    count = len(values)
    free = count - SEARCHED - 3
    cost = SEARCHED * math.log(count) * count / max(1, free)
    gain = count * math.log(max(whole, 1e-300) / max(pooled, 1e-10 * max(whole, 1e-300))) - cost
    if gain <= CLOSE:
        return None
    return Tie(
        kind=kind,
        label=label,
        size=sign * (_mean(raw[inside], sigma) - _mean(raw[~inside], sigma)),
        error=sigma * math.sqrt(1 / len(own) + 1 / len(others)),
        places=tuple(int(at) for at in np.flatnonzero(inside)),
        occurrences=occurrences,
        weight=1 / (1 + math.exp(-min(gain, 700.0) / 2)),
    )


def _mean(values: Array, sigma: float) -> float:
    """The mean of those within reach of their median: what happened once does not recur."""
    near = np.abs(values - np.median(values)) <= FAR * sigma
    return float(values[near].mean()) if near.any() else float(values.mean())


def is_seasonal(size: float, earlier: Sequence[float | None]) -> bool:
    """Whether a change was there in each of the last two cycles: as far the same way, at least by half.
    `earlier` are the changes at the same place of earlier cycles, None where there is no data."""
    last = list(earlier)[:CYCLES]
    return len(last) == CYCLES and all(
        each is not None and each * size > 0 and abs(each) >= ALIKE * abs(size) for each in last
    )
