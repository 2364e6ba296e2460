"""Structural or temporary: what kind of change a series shows, since when, and how sure that is.

After Chen & Liu (Joint estimation of model parameters and outlier effects in time series, JASA 88, 1993) the
series is a level, a season, effects, and noise whose neighbours may be correlated (r):

    outlier      1 at its onset, 0 else                   (additive outlier)
    temporary    0.7^k, k observations after its onset     (temporary change)
    shift        1 from its onset on                       (level shift)
    slope        1, 2, 3, ... from its onset on

Effects are taken in one by one, each time the one of best evidence over all kinds, onsets and r, as long as
the Bayesian information criterion falls (a shift and its return at once); then each is looked for again
beside the others, and dropped where they explain as much without it:

    BIC = n ln(RSS / n) - ln(1 - r^2) + p ln n x n / (n - p - 2)

A slope pays a little more, since things break more often than they wear evenly; and the season is part of
the model only where the criterion falls by it. RSS is of the whitened residuals (Prais-Winsten); p counts
level, seasons and r as one each, an effect as three (size, onset, kind), since it was searched for: with two,
white noise would show effects far too often.
The last factor does for short series what Hurvich & Tsai (Biometrika 76, 1989) do for Akaike's criterion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from .persistence_search import KINDS, OUTLIER, SHIFT, SLOPE, TEMPORARY, Array, Search, design

__all__ = ["KINDS", "OUTLIER", "SHIFT", "SLOPE", "TEMPORARY", "Array", "Effect", "Persistence", "persistence"]

LEAST = 12
"""Observations below which nothing is told."""
SINCE = 6
"""Observations from its onset on that a shift needs to be structural, and a slope to be drift."""
BACK = 3
"""Observations after which a level that came back is back."""
SAME = 1e-6
"""Share of its size by which a return may miss the level before, where there is no noise at all."""
PER_SEASON = 3
"""Observations per season below which it cannot be told from noise."""
CLOSE = 2.0
"""Difference of BIC within which two kinds cannot be told apart."""


class Effect(Struct, frozen=True, kw_only=True):
    """`onset` is the index of the first observation it is in; `size` in the unit of the series (of a slope:
    per observation), `error` its standard error."""

    kind: str
    onset: int
    size: float
    error: float


class Persistence(Struct, frozen=True, kw_only=True):
    """`verdict`: structural, temporary, drift, isolated, undetermined, or steady where there is no effect.

    `effect` is the one the verdict is about (None: steady or too short), `effects` all, by onset. `weights`
    are the shares of evidence for each kind in its place, and for `none`, from BIC; they sum to 1 (empty: too
    short). `season` says whether one was removed. `sigma` is
    the standard deviation of what is left, `correlation` that of its neighbours."""

    verdict: str
    effect: Effect | None
    effects: tuple[Effect, ...]
    weights: Mapping[str, float]
    sigma: float
    correlation: float
    season: bool = False


def persistence(observations: Sequence[float], seasons: Sequence[str] | None = None) -> Persistence:
    """The verdict on a series of equally spaced observations (daily or per shift unit costs, cycle times).

    `seasons` names the season of each observation (weekday, shift); its mean is removed in the same fit,
    so that neither hides the other, where the evidence is that there is one. Fewer than 12 observations, or
    three a season on average, are undetermined.

    Raises ValueError where an observation is not finite, or seasons are not one for each."""
    values = np.asarray(observations, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("an observation is not a finite number: persistence: leave missing ones out")
    if seasons is not None and len(seasons) != len(values):
        raise ValueError(
            f"{len(seasons)} seasons for {len(values)} observations: persistence: give one for each"
        )
    if len(values) < max(LEAST, PER_SEASON * len(set(seasons or ()))):
        return _without_effect("undetermined", 0.0, 0.0)
    scale = float(values.std())
    if scale <= 1e-9 * max(1.0, float(np.abs(values).max())):
        return _without_effect("steady", 0.0, 0.0)
    scaled = (values - values.mean()) / scale
    search, chosen = _better(scaled, seasons)
    _, correlation = search.alone(chosen)
    sizes, errors, sigma = search.sizes(chosen, correlation)
    season = search.design.base.shape[1] > 1
    if not chosen:
        weights = _weights(_alternatives(search, [], None))
        return replace(_without_effect("steady", sigma * scale, correlation), weights=weights, season=season)
    places = search.design.places
    effects = [
        Effect(kind=places[at][0], onset=places[at][1], size=size * scale, error=error * scale)
        for at, size, error in zip(chosen, sizes.tolist(), errors.tolist(), strict=True)
    ]
    told = _told(effects)
    bics = _alternatives(search, chosen, effects.index(told))
    return Persistence(
        verdict=_verdict(told, effects, bics, len(values)),
        effect=told,
        effects=tuple(sorted(effects, key=lambda effect: (effect.onset, effect.kind))),
        weights=_weights(bics),
        sigma=sigma * scale,
        correlation=correlation,
        season=season,
    )


def _better(values: Array, seasons: Sequence[str] | None) -> tuple[Search, list[int]]:
    """The search, with or without the season, that has the better evidence in the end, and what it found."""
    plain = Search(values, design(len(values), None))
    chosen, bic = plain.run()
    if seasons is None or len(set(seasons)) < 2:
        return plain, chosen
    seasonal = Search(values, design(len(values), tuple(seasons)))
    others, other_bic = seasonal.run()
    return (seasonal, others) if other_bic < bic else (plain, chosen)


def _without_effect(verdict: str, sigma: float, correlation: float) -> Persistence:
    return Persistence(
        verdict=verdict, effect=None, effects=(), weights={}, sigma=sigma, correlation=correlation
    )


def _told(effects: Sequence[Effect]) -> Effect:
    """The effect that the verdict is about: the latest that lasts, else the latest."""
    lasting = [effect for effect in effects if effect.kind in (SHIFT, SLOPE)]
    return max(lasting or effects, key=lambda effect: effect.onset)


def _alternatives(search: Search, chosen: Sequence[int], told: int | None) -> dict[str, float]:
    """BIC with the best effect of each kind in place of the told one, and with none in its place."""
    others = [at for index, at in enumerate(chosen) if index != told]
    bics = search.one_more(others)
    found = {"none": search.alone(others)[0]}
    for kind in KINDS:
        found[kind] = float(np.min(np.where(search.design.kinds[kind], bics, np.inf)))
    return found


def _verdict(told: Effect, effects: Sequence[Effect], bics: Mapping[str, float], count: int) -> str:
    pulse = min(bics[OUTLIER], bics[TEMPORARY])
    lasting = min(bics[SHIFT], bics[SLOPE])
    if abs(pulse - lasting) <= CLOSE:
        return "undetermined"
    if told.kind == SHIFT and count - told.onset >= BACK and _returned(told, effects):
        return "temporary"
    if told.kind in (SHIFT, SLOPE) and count - told.onset < SINCE:
        return "undetermined"
    if told.kind == SLOPE:
        return "drift"
    if told.kind == SHIFT:
        return "structural"
    if told.kind == TEMPORARY:
        return "temporary"
    return "isolated"


def _returned(last: Effect, effects: Sequence[Effect]) -> bool:
    """Whether the shift before went as far the other way: the level is back within two standard errors."""
    shifts = sorted((each for each in effects if each.kind == SHIFT), key=lambda each: each.onset)
    if len(shifts) < 2:
        return False
    before = shifts[-2]
    far = max(2 * math.hypot(before.error, last.error), SAME * abs(last.size))
    return before.size * last.size < 0 and abs(before.size + last.size) <= far


def _weights(bics: Mapping[str, float]) -> dict[str, float]:
    least = min(bics.values())
    raw = {name: math.exp((least - bic) / 2) for name, bic in bics.items()}
    whole = sum(raw.values())
    return {name: weight / whole for name, weight in raw.items()}
