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

RSS is of the whitened residuals (Prais-Winsten); p counts level, seasons and r as one each, an effect as
three (size, onset, kind), since it was searched for: with two, white noise would show effects far too often.
The last factor does for short series what Hurvich & Tsai (Biometrika 76, 1989) do for Akaike's criterion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[np.float64]

OUTLIER, TEMPORARY, SHIFT, SLOPE = "outlier", "temporary", "shift", "slope"
KINDS = (OUTLIER, TEMPORARY, SHIFT, SLOPE)
DECAY = 0.7
"""Of a temporary change, per observation, as in the paper."""
CORRELATIONS = (0.0, 0.2, 0.4, 0.6, 0.8)
EFFECT_COST = 3
MOST_EFFECTS = 8
LEAST = 12
"""Observations below which nothing is told."""
SINCE = 6
"""Observations from its onset on that a shift needs to be structural, and a slope to be drift."""
PER_SEASON = 3
"""Observations per season below which it cannot be told from noise."""
CLOSE = 2.0
"""Difference of BIC within which two kinds cannot be told apart."""
NEGLIGIBLE = 1e-10


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
    are the shares of evidence for each kind in its place, and for `none`, from BIC; they sum to 1. `sigma` is
    the standard deviation of what is left, `correlation` that of its neighbours."""

    verdict: str
    effect: Effect | None
    effects: tuple[Effect, ...]
    weights: Mapping[str, float]
    sigma: float
    correlation: float


class _Series:
    """The series, scaled, with level and season; searches effects in it."""

    def __init__(self, values: Array, seasons: Sequence[str] | None) -> None:
        self.count = len(values)
        self.values = values
        labels = sorted(set(seasons)) if seasons else []
        if len(labels) > 1 and seasons:
            known = np.array([[label == each for label in labels] for each in seasons])
            self.base = known.astype(np.float64)
        else:
            self.base = np.ones((self.count, 1))
        self.shapes, self.places = _shapes(self.count)

    def with_effects(self, chosen: Sequence[int]) -> Array:
        return np.hstack([self.base, self.shapes[:, list(chosen)]])

    def bic(self, rss: Array, effects: int, correlation: float) -> Array:
        """Of models with that many effects, from their residual sums of squares."""
        parameters = self.base.shape[1] + EFFECT_COST * effects + (1 if correlation else 0)
        free = self.count - parameters - 2
        cost = parameters * math.log(self.count) * self.count / free if free > 0 else math.inf
        fit = self.count * np.log(np.maximum(rss, NEGLIGIBLE) / self.count)
        whole: Array = fit - math.log(1 - correlation**2) + cost
        return whole

    def alone(self, chosen: Sequence[int]) -> tuple[float, float]:
        """BIC of the chosen effects, and the correlation that is best with them."""
        found = []
        for correlation in CORRELATIONS:
            rest, _ = _residual(self.with_effects(chosen), self.values, correlation)
            found.append((float(self.bic(np.array(rest @ rest), len(chosen), correlation)), correlation))
        return min(found)

    def one_more(self, chosen: Sequence[int]) -> Array:
        """BIC of the chosen effects with each of all shapes besides, at the correlation best for it."""
        best = np.full(self.shapes.shape[1], np.inf)
        for correlation in CORRELATIONS:
            rest, basis = _residual(self.with_effects(chosen), self.values, correlation)
            shapes = _whitened(self.shapes, correlation)
            shapes = shapes - basis @ (basis.T @ shapes)
            weight = np.einsum("ij,ij->j", shapes, shapes)
            seen = weight > 1e-6
            explained = np.zeros_like(weight)
            explained[seen] = (shapes[:, seen].T @ rest) ** 2 / weight[seen]
            told = self.bic(rest @ rest - explained, len(chosen) + 1, correlation)
            best = np.minimum(best, np.where(seen, told, np.inf))
        return best

    def sizes(self, chosen: Sequence[int], correlation: float) -> tuple[Array, Array, float]:
        """Sizes of the chosen effects, their standard errors, and sigma of the whitened residuals."""
        design = _whitened(self.with_effects(chosen), correlation)
        target = _whitened(self.values[:, None], correlation)[:, 0]
        coefficients = np.linalg.lstsq(design, target, rcond=None)[0]
        rest = target - design @ coefficients
        freedom = max(1, self.count - design.shape[1])
        variance = float(rest @ rest) / freedom
        spread = np.sqrt(np.maximum(0.0, np.diag(np.linalg.pinv(design.T @ design))) * variance)
        first = self.base.shape[1]
        sizes: Array = coefficients[first:].astype(np.float64)
        errors: Array = spread[first:].astype(np.float64)
        return sizes, errors, math.sqrt(variance)


def persistence(observations: Sequence[float], seasons: Sequence[str] | None = None) -> Persistence:
    """The verdict on a series of equally spaced observations (daily or per shift unit costs, cycle times).

    `seasons` names the season of each observation (weekday, shift); its mean is removed in the same fit, so
    that neither hides the other. Fewer than 12 observations, or three a season on average, are
    undetermined.

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
    series = _Series((values - values.mean()) / scale, seasons)
    chosen = _search(series)
    _, correlation = series.alone(chosen)
    sizes, errors, sigma = series.sizes(chosen, correlation)
    if not chosen:
        return _without_effect("steady", sigma * scale, correlation)
    effects = [
        Effect(kind=series.places[at][0], onset=series.places[at][1], size=size * scale, error=error * scale)
        for at, size, error in zip(chosen, sizes.tolist(), errors.tolist(), strict=True)
    ]
    told = _told(effects)
    bics = _alternatives(series, chosen, effects.index(told))
    return Persistence(
        verdict=_verdict(told, effects, bics, series.count),
        effect=told,
        effects=tuple(sorted(effects, key=lambda effect: (effect.onset, effect.kind))),
        weights=_weights(bics),
        sigma=sigma * scale,
        correlation=correlation,
    )


def _without_effect(verdict: str, sigma: float, correlation: float) -> Persistence:
    return Persistence(
        verdict=verdict, effect=None, effects=(), weights={}, sigma=sigma, correlation=correlation
    )


def _search(series: _Series) -> list[int]:
    """Shapes taken in while the criterion falls, in the order of their evidence."""
    chosen: list[int] = []
    best, _ = series.alone(chosen)
    while len(chosen) < MOST_EFFECTS:
        told = series.one_more(chosen)
        more = [int(np.argmin(told))]
        if told[more[0]] >= best:
            more = _there_and_back(series, chosen, told)
            told = series.one_more([*chosen, more[0]])
        if told[more[-1]] >= best:
            break
        best = float(told[more[-1]])
        chosen += more
    return _settled(series, chosen) if len(chosen) > 1 else chosen


def _there_and_back(series: _Series, chosen: Sequence[int], told: Array) -> list[int]:
    """The best shift and the best shape beside it: a level that came back shows in neither alone."""
    shifts = np.array([kind == SHIFT for kind, _ in series.places])
    first = int(np.argmin(np.where(shifts, told, np.inf)))
    return [first, int(np.argmin(series.one_more([*chosen, first])))]


def _settled(series: _Series, chosen: list[int]) -> list[int]:
    """The shapes after each, the first taken first, was looked for again beside the others."""
    for at in tuple(chosen):
        others = [each for each in chosen if each != at]
        told = series.one_more(others)
        better = int(np.argmin(told))
        chosen = [*others, better] if told[better] < series.alone(others)[0] else others
    return chosen


def _told(effects: Sequence[Effect]) -> Effect:
    """The effect that the verdict is about: the latest that lasts, else the latest."""
    lasting = [effect for effect in effects if effect.kind in (SHIFT, SLOPE)]
    return max(lasting or effects, key=lambda effect: effect.onset)


def _alternatives(series: _Series, chosen: Sequence[int], told: int) -> dict[str, float]:
    """BIC with the best effect of each kind in place of the told one, and with none."""
    others = [at for index, at in enumerate(chosen) if index != told]
    bics = series.one_more(others)
    found = {"none": series.alone(others)[0]}
    for kind in KINDS:
        found[kind] = min(float(bics[at]) for at, place in enumerate(series.places) if place[0] == kind)
    return found


def _verdict(told: Effect, effects: Sequence[Effect], bics: Mapping[str, float], count: int) -> str:
    pulse = min(bics[OUTLIER], bics[TEMPORARY])
    lasting = min(bics[SHIFT], bics[SLOPE])
    if abs(pulse - lasting) <= CLOSE:
        return "undetermined"
    if told.kind in (SHIFT, SLOPE) and count - told.onset < SINCE:
        return "undetermined"
    if told.kind == SLOPE:
        return "drift"
    if told.kind == SHIFT:
        return "temporary" if _returned(told, effects) else "structural"
    if told.kind == TEMPORARY:
        return "temporary"
    return "isolated"


def _returned(last: Effect, effects: Sequence[Effect]) -> bool:
    """Whether the shift before went as far the other way: the level is back within two standard errors."""
    shifts = sorted((each for each in effects if each.kind == SHIFT), key=lambda each: each.onset)
    if len(shifts) < 2:
        return False
    before = shifts[-2]
    return before.size * last.size < 0 and abs(before.size + last.size) <= 2 * math.hypot(
        before.error, last.error
    )


def _weights(bics: Mapping[str, float]) -> dict[str, float]:
    least = min(bics.values())
    raw = {name: math.exp((least - bic) / 2) for name, bic in bics.items()}
    whole = sum(raw.values())
    return {name: weight / whole for name, weight in raw.items()}


def _whitened(columns: Array, correlation: float) -> Array:
    """Columns as they are where noise has no memory: each minus r times the one before."""
    if not correlation:
        return columns
    out = columns.copy()
    out[1:] -= correlation * columns[:-1]
    out[0] *= math.sqrt(1 - correlation**2)
    return out


def _residual(base: Array, values: Array, correlation: float) -> tuple[Array, Array]:
    """Whitened values less what the base explains, and an orthonormal basis of it."""
    basis = np.linalg.qr(_whitened(base, correlation))[0]
    target = _whitened(values[:, None], correlation)[:, 0]
    return target - basis @ (basis.T @ target), basis


@lru_cache(maxsize=8)
def _shapes(count: int) -> tuple[Array, tuple[tuple[str, int], ...]]:
    """One column per kind and onset, and what each is. A shift or slope leaves three observations before it
    (a slope may begin with the series), a slope three after; any other would be an outlier's twin."""
    columns: list[Array] = []
    places: list[tuple[str, int]] = []
    steps = np.arange(count, dtype=np.float64)
    for onset in range(count):
        after = steps - onset
        since = after >= 0
        shapes = {OUTLIER: after == 0, TEMPORARY: np.where(since, DECAY ** np.maximum(after, 0), 0.0)}
        if onset >= 3:
            shapes[SHIFT] = since
        if onset == 0 or 3 <= onset <= count - 4:
            shapes[SLOPE] = np.where(since, after + 1, 0.0)
        for kind, shape in shapes.items():
            columns.append(shape.astype(np.float64))
            places.append((kind, onset))
    return np.column_stack(columns), tuple(places)
