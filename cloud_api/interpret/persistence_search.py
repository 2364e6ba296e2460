"""The search for effects in a series: outliers, temporary changes, shifts and slopes, by their evidence.

See `persistence` for the model. Candidate shapes are whitened, freed of level and season and kept for each
(count, seasons), so that series over the same days share them; a step of the search is then two products of
that matrix with the residuals and the effects taken in so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

OUTLIER, TEMPORARY, SHIFT, SLOPE = "outlier", "temporary", "shift", "slope"
KINDS = (OUTLIER, TEMPORARY, SHIFT, SLOPE)
DECAY = 0.7
"""Of a temporary change, per observation, as in the paper."""
CORRELATIONS = (0.0, 0.2, 0.4, 0.6, 0.8)
EFFECT_COST = 3
MOST_EFFECTS = 8
SLOPING = 10
"""Observations from its onset on that a slope needs to be told from a shift."""
NEGLIGIBLE = 4e-4
"""Variance that counts as none, in that of the series: a cause that is zero but for one change has no noise
to hold small differences against."""
RARE = 3.0
"""What a slope has to be better than a shift by, in units of the criterion: things break more often than they
wear evenly, and ten observations of either look alike."""
UNSEEN = 1e-6
"""Squared length of a shape, beside the others, below which it is one of them."""


class Design:
    """Everything of a search that does not depend on the values: shapes, and level and season, whitened at
    each correlation."""

    def __init__(self, count: int, seasons: tuple[str, ...] | None) -> None:
        self.count = count
        labels = sorted(set(seasons)) if seasons else []
        if len(labels) > 1 and seasons:
            self.base = np.array([[label == each for label in labels] for each in seasons], dtype=np.float64)
        else:
            self.base = np.ones((count, 1))
        self.shapes, self.places = shapes(count)
        self.kinds = {kind: np.array([place[0] == kind for place in self.places]) for kind in KINDS}
        self.prior = RARE * self.kinds[SLOPE]
        self.bases = [np.linalg.qr(whitened(self.base, r))[0] for r in CORRELATIONS]
        free = []
        for r, basis in zip(CORRELATIONS, self.bases, strict=True):
            white = whitened(self.shapes, r)
            free.append((white - basis @ (basis.T @ white)).T)
        self.free = np.array(free)
        self.weights = np.einsum("rij,rij->ri", self.free, self.free)

    def bic(self, rss: Array, effects: int) -> Array:
        """Of models with that many effects, from their residual sums of squares, a row per correlation."""
        priced = np.array([self._price(effects, correlation) for correlation in CORRELATIONS])
        fit = self.count * np.log(np.maximum(rss, 0.0) / self.count + NEGLIGIBLE)
        whole: Array = fit + priced.reshape(-1, *[1] * (fit.ndim - 1))
        return whole

    def _price(self, effects: int, correlation: float) -> float:
        parameters = self.base.shape[1] + EFFECT_COST * effects + (1 if correlation else 0)
        free = self.count - parameters - 2
        cost = parameters * math.log(self.count) * self.count / free if free > 0 else math.inf
        return cost - math.log(1 - correlation**2)


@lru_cache(maxsize=6)
def design(count: int, seasons: tuple[str, ...] | None) -> Design:
    """The design of a count of observations and their seasons; kept, it takes some megabytes."""
    return Design(count, seasons)


class Search:
    """Searches effects in one series (scaled); effects are numbers of shapes of its design."""

    def __init__(self, values: Array, plan: Design) -> None:
        self.design, self.values = plan, values
        targets = []
        for r, basis in zip(CORRELATIONS, plan.bases, strict=True):
            white = whitened(values[:, None], r)[:, 0]
            targets.append(white - basis @ (basis.T @ white))
        self.targets = np.array(targets)

    def run(self) -> tuple[list[int], float]:
        """Shapes taken in while the criterion falls, in the order of their evidence; and the criterion. Where
        several are, a shift and its return are tried as the first ones too: one by one, a level that came
        back is easily taken for something else."""
        chosen, best = self._greedy([])
        if len(chosen) > 1:
            pair = self._there_and_back([], self.one_more([]))
            others, other = self._greedy(pair)
            if other < best:
                return others, other
        return chosen, best

    def _greedy(self, chosen: list[int]) -> tuple[list[int], float]:
        best, _ = self.alone(chosen)
        while len(chosen) < MOST_EFFECTS:
            told = self.one_more(chosen)
            more = [int(np.argmin(told))]
            if told[more[0]] >= best:
                more = self._there_and_back(chosen, told)
                told = self.one_more([*chosen, more[0]])
            if told[more[-1]] >= best:
                break
            best = float(told[more[-1]])
            chosen += more
        if len(chosen) > 1:
            chosen = self._settled(chosen)
            best, _ = self.alone(chosen)
        return chosen, best

    def _there_and_back(self, chosen: Sequence[int], told: Array) -> list[int]:
        """The best shift and the best shape beside it: a level that came back shows in neither alone."""
        first = int(np.argmin(np.where(self.design.kinds[SHIFT], told, np.inf)))
        return [first, int(np.argmin(self.one_more([*chosen, first])))]

    def _settled(self, chosen: list[int]) -> list[int]:
        """The shapes after each, the first taken first, was looked for again beside the others."""
        for at in tuple(chosen):
            others = [each for each in chosen if each != at]
            told = self.one_more(others)
            better = int(np.argmin(told))
            chosen = [*others, better] if told[better] < self.alone(others)[0] else others
        return chosen

    def alone(self, chosen: Sequence[int]) -> tuple[float, float]:
        """BIC of the chosen effects, and the correlation that is best with them."""
        rest, _ = self._rest(chosen)
        told = self.design.bic(np.einsum("rn,rn->r", rest, rest), len(chosen))
        best = int(np.argmin(told))
        return float(told[best] + self.design.prior[list(chosen)].sum()), CORRELATIONS[best]

    def one_more(self, chosen: Sequence[int]) -> Array:
        """BIC of the chosen effects with each of all shapes besides, at the correlation best for it."""
        rest, basis = self._rest(chosen)
        known = self.design.free @ np.concatenate([rest[:, :, None], basis], axis=2)
        weight = self.design.weights - np.einsum("rmk,rmk->rm", known[:, :, 1:], known[:, :, 1:])
        seen = weight > UNSEEN
        explained = np.where(seen, known[:, :, 0] ** 2 / np.where(seen, weight, 1.0), 0.0)
        whole = np.einsum("rn,rn->r", rest, rest)[:, None]
        told = np.where(seen, self.design.bic(whole - explained, len(chosen) + 1), np.inf)
        best: Array = told.min(axis=0) + self.design.prior + float(self.design.prior[list(chosen)].sum())
        return best

    def _rest(self, chosen: Sequence[int]) -> tuple[Array, Array]:
        """Whitened values less level, season and chosen effects, at each correlation; orthonormal bases of
        the effects."""
        targets = self.targets
        if not chosen:
            return targets, np.zeros((*targets.shape, 0))
        basis = np.linalg.qr(self.design.free[:, list(chosen)].transpose(0, 2, 1))[0]
        within = np.einsum("rnk,rn->rk", basis, targets)
        return targets - np.einsum("rnk,rk->rn", basis, within), basis

    def sizes(self, chosen: Sequence[int], correlation: float) -> tuple[Array, Array, float]:
        """Sizes of the chosen effects, their standard errors, and sigma of the whitened residuals."""
        columns = whitened(np.hstack([self.design.base, self.design.shapes[:, list(chosen)]]), correlation)
        target = whitened(self.values[:, None], correlation)[:, 0]
        coefficients = np.linalg.lstsq(columns, target, rcond=None)[0]
        rest = target - columns @ coefficients
        freedom = max(1, self.design.count - columns.shape[1])
        variance = float(rest @ rest) / freedom
        spread = np.sqrt(np.maximum(0.0, np.diag(np.linalg.pinv(columns.T @ columns))) * variance)
        first = self.design.base.shape[1]
        sizes: Array = coefficients[first:].astype(np.float64)
        errors: Array = spread[first:].astype(np.float64)
        return sizes, errors, math.sqrt(variance)


def whitened(columns: Array, correlation: float) -> Array:
    """Columns as they are where noise has no memory: each minus r times the one before."""
    if not correlation:
        return columns
    out = columns.copy()
    out[1:] -= correlation * columns[:-1]
    out[0] *= math.sqrt(1 - correlation**2)
    return out


def shape(kind: str, onset: int, count: int) -> Array:
    """The course of one effect of size 1 over `count` observations; it may reach beyond those seen."""
    after = np.arange(count, dtype=np.float64) - onset
    since = after >= 0
    if kind == OUTLIER:
        return np.asarray(after == 0, dtype=np.float64)
    if kind == TEMPORARY:
        return np.asarray(np.where(since, DECAY ** np.maximum(after, 0), 0.0))
    return np.asarray(since if kind == SHIFT else np.where(since, after + 1, 0.0), dtype=np.float64)


@lru_cache(maxsize=8)
def shapes(count: int) -> tuple[Array, tuple[tuple[str, int], ...]]:
    """One column per kind and onset, and what each is. A shift or slope leaves three observations before it
    (a slope may begin with the series), a slope ten after; any other would be another's twin."""
    onsets = {
        OUTLIER: range(count),
        TEMPORARY: range(count),
        SHIFT: range(3, count),
        SLOPE: [onset for onset in range(count - SLOPING + 1) if onset == 0 or onset >= 3],
    }
    places = tuple((kind, onset) for kind in KINDS for onset in onsets[kind])
    after = np.arange(count, dtype=np.float64)[:, None] - np.array([onset for _, onset in places])
    since = (after >= 0).astype(np.float64)
    kinds = np.array([KINDS.index(kind) for kind, _ in places])
    courses = [after == 0, DECAY ** np.maximum(after, 0) * since, since, (after + 1) * since]
    return np.choose(kinds, [np.asarray(each, dtype=np.float64) for each in courses]), places
