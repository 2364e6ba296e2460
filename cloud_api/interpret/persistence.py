"""Structural or temporary: what kind of change a series shows, since when, and how sure that is.

After Chen & Liu (Joint estimation of model parameters and outlier effects in time series, JASA 88, 1993) the
series is a level, a season, effects, and noise whose neighbours may be correlated (r):

    outlier      1 at its onset, 0 else                   (additive outlier)
    temporary    0.7^k, k observations after its onset     (temporary change)
    shift        1 from its onset on                       (level shift)
    slope        1, 2, 3, ... from its onset on

Effects are taken in one by one, each time the one of best evidence over all kinds, onsets and r, as long as
the Bayesian information criterion falls (a shift and its return at once); then each is looked for again
beside the others, and dropped where they explain as much without it. Where nothing that lasts is found so, a
spell (a shift and its return by the same size, with four parameters) is tried instead:

    BIC = n ln(RSS / n) - ln(1 - r^2) + p ln n x n / (n - p - 2)

A slope pays a little more, since things break more often than they wear evenly; and the season is part of
the model only where the criterion falls by it. RSS is of the whitened residuals (Prais-Winsten); p counts
level, seasons and r as one each, an effect as three (size, onset, kind), since it was searched for: with two,
white noise would show effects far too often.
What the effects say together, above all which changes came and went, is `persistence_reading`.
The last factor does for short series what Hurvich & Tsai (Biometrika 76, 1989) do for Akaike's criterion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from cloud_api.interpret.persistence_reading import Effect, Passing, Reading, reading
from cloud_api.interpret.persistence_search import (
    OUTLIER,
    SHIFT,
    SLOPE,
    TEMPORARY,
    Array,
    Search,
    design,
    shape,
    whitened,
)

LEAST = 12
"""Observations below which nothing is told."""
SINCE = 6
"""Observations from its onset on that a shift needs to be structural, and a slope to be drift."""
PER_SEASON = 3
"""Observations per season below which it cannot be told from noise."""
CLOSE = 2.0
"""Difference of BIC within which two kinds cannot be told apart."""


class Persistence(Struct, frozen=True, kw_only=True):
    """`verdict`: structural, temporary, drift, isolated, undetermined, or steady where there is no effect.

    `effect` is the one the verdict is about (None: steady or too short), of a change that passed the first;
    `passed` is that change (None: the verdict is not about one); `effects` are all, by onset. `weights` are
    the shares of evidence for one effect of each kind in its place (in that of all that lasts, if it does, or
    for all of that together where it is better), and for `none`, from BIC; they sum to 1 (empty: too short).
    `sigma` is the standard deviation of what is left, `correlation` that of its neighbours. `base` is the
    series without its effects and noise: level and season. `seen` parts the effects into those that last and
    what came and went."""

    verdict: str
    effect: Effect | None
    effects: tuple[Effect, ...]
    weights: Mapping[str, float]
    sigma: float
    correlation: float
    passed: Passing | None = None
    base: tuple[float, ...] = ()
    seen: Reading = Reading(lasting=(), passing=())


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
        return _without_effect("undetermined")
    scale = float(values.std())
    if scale <= 1e-9 * max(1.0, float(np.abs(values).max())):
        return _without_effect("steady")
    search, chosen = _better((values - values.mean()) / scale, seasons)
    lasts = any(search.design.places[at][0] in (SHIFT, SLOPE) for at in chosen)
    spell, bic = ([], math.inf) if lasts else search.spell()
    if bic < search.alone(chosen)[0] and not _fitted(search, spell, scale).seen.lasting:
        chosen = spell
    known, effects, seen, sigma, correlation = _fitted(search, chosen, scale)
    without = {known[at]: search.alone([each for each in chosen if each != at])[0] for at in chosen}
    told, passed = _told(seen, without, len(values))
    about = passed.effects if passed is not None else seen.lasting
    others = [at for at in chosen if known[at] not in about]
    bics = _alternatives(search, others)
    if passed is not None and not passed.is_single:
        bics[TEMPORARY] = min(bics[TEMPORARY], bic, search.alone(chosen)[0])
    if told is not None and passed is None and len(seen.lasting) > 1:
        bics[told.kind] = min(bics[told.kind], search.alone(chosen)[0])
    return Persistence(
        verdict=_verdict(told, passed, bics, len(values)),
        effect=told,
        effects=tuple(effects),
        weights=_weights(bics),
        sigma=sigma * scale,
        correlation=correlation,
        passed=passed,
        base=tuple(_base(search, values, effects, correlation).tolist()),
        seen=seen,
    )


class _Fitted(NamedTuple):
    """Effects of a search in the unit of the series, by shape and in order, how they are read, the standard
    deviation of what they leave (scaled) and the correlation."""

    known: dict[int, Effect]
    effects: list[Effect]
    seen: Reading
    sigma: float
    correlation: float


def _fitted(search: Search, chosen: Sequence[int], scale: float) -> _Fitted:
    _, correlation = search.alone(chosen)
    sizes, errors, sigma = search.sizes(chosen, correlation)
    places = search.design.places
    known = {
        at: Effect(kind=places[at][0], onset=places[at][1], size=size * scale, error=error * scale)
        for at, size, error in zip(chosen, sizes.tolist(), errors.tolist(), strict=True)
    }
    effects = sorted(known.values(), key=lambda effect: (effect.onset, effect.kind))
    seen = reading(effects, search.design.count, sigma * scale, correlation)
    return _Fitted(known, effects, seen, sigma, correlation)


def _better(values: Array, seasons: Sequence[str] | None) -> tuple[Search, list[int]]:
    """The search, with or without the season, that has the better evidence in the end, and what it found."""
    plain = Search(values, design(len(values), None))
    chosen, bic = plain.run()
    if seasons is None or len(set(seasons)) < 2:
        return plain, chosen
    seasonal = Search(values, design(len(values), tuple(seasons)))
    others, other_bic = seasonal.run()
    return (seasonal, others) if other_bic < bic else (plain, chosen)


def _without_effect(verdict: str) -> Persistence:
    return Persistence(verdict=verdict, effect=None, effects=(), weights={}, sigma=0.0, correlation=0.0)


def _base(search: Search, values: Array, effects: Sequence[Effect], correlation: float) -> Array:
    """Level and season: what is left without the effects, averaged as the fit does."""
    rest = values - sum((each.size * shape(each.kind, each.onset, len(values)) for each in effects), 0.0)
    columns = search.design.base
    coefficients = np.linalg.lstsq(
        whitened(columns, correlation), whitened(rest[:, None], correlation), rcond=None
    )[0]
    base: Array = (columns @ coefficients)[:, 0]
    return base


def _told(seen: Reading, without: Mapping[Effect, float], count: int) -> tuple[Effect | None, Passing | None]:
    """What the verdict is about: of the effects that last long enough the one of best evidence (the criterion
    `without` it is highest), else the latest that may last, else the largest change that passed, by its first
    effect."""
    long = [each for each in seen.lasting if count - each.onset >= SINCE]
    if long:
        return max(long, key=lambda each: (without[each], each.onset)), None
    if seen.lasting:
        return seen.lasting[-1], None
    passed = max(seen.passing, key=lambda each: abs(each.added), default=None)
    return (None, None) if passed is None else (passed.effects[0], passed)


def _alternatives(search: Search, others: Sequence[int]) -> dict[str, float]:
    """BIC with the best effect of each kind beside others, and with none."""
    bics = search.one_more(others)
    found = {"none": search.alone(others)[0]}
    return found | {kind: best for kind, (best, _) in bics.items()}


def _verdict(told: Effect | None, passed: Passing | None, bics: Mapping[str, float], count: int) -> str:
    if told is None:
        return "steady"
    pulse, lasting = min(bics[OUTLIER], bics[TEMPORARY]), min(bics[SHIFT], bics[SLOPE])
    if passed is not None:
        if told.kind == SHIFT:
            return "temporary"
        if abs(pulse - lasting) <= CLOSE:
            return "undetermined"
        return "isolated" if passed.is_single else "temporary"
    if abs(pulse - lasting) <= CLOSE or count - told.onset < SINCE:
        return "undetermined"
    return "drift" if told.kind == SLOPE else "structural"


def _weights(bics: Mapping[str, float]) -> dict[str, float]:
    least = min(bics.values())
    raw = {name: math.exp((least - bic) / 2) for name, bic in bics.items()}
    whole = sum(raw.values())
    return {name: weight / whole for name, weight in raw.items()}
