"""The search for effects in a series: outliers, temporary changes, shifts and slopes, by their evidence.

See `persistence` for the model. What is left of a series is held against every shape at once: the products of
a vector with all shapes of a kind are sums from the end (shifts), sums of such sums (slopes) or a recursion
(temporary changes), so that a step of the search takes a few passes over the series. What does not depend on
the values is kept for each (count, seasons), so that series over the same days share it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.signal import lfilter

Array = NDArray[np.float64]

OUTLIER, TEMPORARY, SHIFT, SLOPE = "outlier", "temporary", "shift", "slope"
KINDS = (OUTLIER, TEMPORARY, SHIFT, SLOPE)
DECAY = 0.7
"""Of a temporary change, per observation, as in the paper."""
CORRELATIONS = (0.0, 0.2, 0.4, 0.6, 0.8)
EFFECT_COST = 3
SPELL_COST = 4
"""Parameters of a level that left and came back: onset, end, size, kind. Two steps have six, which is more
than short series can bear."""
SPELL = (2, 8)
"""Fewest and most observations of a spell; as many as `EDGE` lie before it and after it."""
EDGE = 3
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
ROUNDING = 1e-11
"""Share of its own squared length that a shape beside the others may be off by."""


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
        self.onsets = {
            kind: np.array([onset for each, onset in self.places if each == kind], dtype=np.intp)
            for kind in KINDS
        }
        self.kinds = {kind: np.array([place[0] == kind for place in self.places]) for kind in KINDS}
        self.prior = RARE * self.kinds[SLOPE]
        self.bases = [np.linalg.qr(whitened(self.base, r))[0] for r in CORRELATIONS]
        self.weights = np.array([self._lengths(at) for at in range(len(CORRELATIONS))])
        self.least = UNSEEN + ROUNDING * self.weights
        self.rows = np.arange(len(CORRELATIONS))
        ends = np.cumsum([len(self.onsets[kind]) for kind in KINDS]).tolist()
        self.slices = {
            kind: slice(begin, end) for kind, begin, end in zip(KINDS, [0, *ends], ends, strict=False)
        }
        self.runs = list(self._runs())
        self._prices: dict[int, Array] = {}
        self._spells: tuple[Array, Array, Array] | None = None
        self._columns: dict[int, Array] = {}

    def _runs(self) -> Iterator[tuple[str, slice, slice]]:
        """Kinds, with the places among all shapes of each run of onsets without a gap."""
        for kind in KINDS:
            onsets, first = self.onsets[kind], self.slices[kind].start
            for run in np.split(np.arange(len(onsets)), np.flatnonzero(np.diff(onsets) > 1) + 1):
                if len(run):
                    into = slice(first + int(run[0]), first + int(run[-1]) + 1)
                    yield kind, into, slice(int(onsets[run[0]]), int(onsets[run[-1]]) + 1)

    def _lengths(self, at: int) -> Array:
        """Squared lengths of shapes, whitened and free of level and season."""
        white = whitened(self.shapes, CORRELATIONS[at])
        within = self.bases[at].T @ white
        lengths: Array = np.einsum("nm,nm->m", white, white) - np.einsum("bm,bm->m", within, within)
        return lengths

    def inverse(self, lengths: Array) -> Array:
        """One over the squared lengths of shapes beside effects, 0 where one is among them."""
        seen = lengths > self.least
        return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=seen)

    def column(self, which: int) -> Array:
        """A shape, whitened and free of level and season, at each correlation."""
        if which not in self._columns:
            columns = []
            for r, basis in zip(CORRELATIONS, self.bases, strict=True):
                white = whitened(self.shapes[:, which : which + 1], r)[:, 0]
                columns.append(white - basis @ (basis.T @ white))
            self._columns[which] = np.array(columns)
        return self._columns[which]

    def products(self, vectors: Array) -> Array:
        """Products of vectors (correlation, ..., observation; free of level and season) with all shapes."""
        back = unwhitened(vectors)
        before = back[..., ::-1]
        since = np.cumsum(before, axis=-1)
        decayed = lfilter([1.0], [1.0, -DECAY], before, axis=-1)[..., ::-1]
        sloped = np.cumsum(since, axis=-1)[..., ::-1]
        found = {OUTLIER: back, TEMPORARY: decayed, SHIFT: since[..., ::-1], SLOPE: sloped}
        whole = np.empty((*vectors.shape[:-1], len(self.places)))
        for kind, into, onsets in self.runs:
            whole[..., into] = found[kind][..., onsets]
        return whole

    def bic(self, rss: Array, effects: int) -> Array:
        """Of models with that many effects, from their residual sums of squares, a row per correlation."""
        return self.criterion(rss, EFFECT_COST * effects)

    def criterion(self, rss: Array, searched: int) -> Array:
        """BIC of models with that many parameters of what was searched for, as `bic`."""
        priced = self._prices.get(searched)
        if priced is None:
            priced = np.array([self._price(searched, correlation) for correlation in CORRELATIONS])
            self._prices[searched] = priced
        fit = self.count * np.log(np.maximum(rss, 0.0) / self.count + NEGLIGIBLE)
        whole: Array = fit + priced.reshape(-1, *[1] * (fit.ndim - 1))
        return whole

    def spells(self) -> tuple[Array, Array, Array]:
        """All spells, each as its step up and its step down, and one over their squared lengths at each
        correlation."""
        if self._spells is None:
            first, last = self.slices[SHIFT].start, self.slices[SHIFT].stop
            steps = [self.column(which) for which in range(first, last)]
            onsets = self.onsets[SHIFT]
            pairs = [
                (up, up + width)
                for up in range(len(onsets))
                for width in range(SPELL[0], SPELL[1] + 1)
                if up + width < len(onsets) and onsets[up + width] <= self.count - EDGE
            ]
            lengths = np.array([((steps[up] - steps[down]) ** 2).sum(axis=1) for up, down in pairs])
            up, down = np.array(pairs, dtype=np.intp).reshape(-1, 2).T + first
            self._spells = up, down, self.inverse_of(lengths.reshape(-1, len(CORRELATIONS)).T)
        return self._spells

    @staticmethod
    def inverse_of(lengths: Array) -> Array:
        """One over squared lengths, 0 where there is next to none."""
        return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > UNSEEN)

    def _price(self, searched: int, correlation: float) -> float:
        parameters = self.base.shape[1] + searched + (1 if correlation else 0)
        free = self.count - parameters - 2
        cost = parameters * math.log(self.count) * self.count / free if free > 0 else math.inf
        return cost - math.log(1 - correlation**2)


@lru_cache(maxsize=6)
def design(count: int, seasons: tuple[str, ...] | None) -> Design:
    """The design of a count of observations and their seasons; kept, it takes a few megabytes."""
    return Design(count, seasons)


class Left(Struct, frozen=True):
    """What some effects leave, at each correlation: whitened values less level, season and effects (`rest`),
    and their products with all shapes; an orthonormal `basis` of the effects, a row each; squared lengths of
    all shapes beside them, and one over each, 0 where a shape is among them already (`inverse`)."""

    rest: Array
    products: Array
    basis: Array
    lengths: Array
    inverse: Array


Best = dict[str, tuple[float, int]]
"""By kind: the criterion with the shape that is best besides, and which it is."""


def least(best: Best) -> tuple[float, int]:
    """The best of all kinds."""
    return min(best.values(), key=lambda one: one[0])


class Search:
    """Searches effects in one series (scaled); effects are numbers of shapes of its design."""

    def __init__(self, values: Array, plan: Design) -> None:
        self.design, self.values = plan, values
        targets = []
        for r, basis in zip(CORRELATIONS, plan.bases, strict=True):
            white = whitened(values[:, None], r)[:, 0]
            targets.append(white - basis @ (basis.T @ white))
        first = np.array(targets)
        lengths = plan.weights
        basis = np.zeros((len(CORRELATIONS), 0, plan.count))
        self._empty = Left(first, plan.products(first), basis, lengths, plan.inverse(lengths))
        self._left: dict[frozenset[int], Left] = {frozenset(): self._empty}
        self._told: dict[frozenset[int], Best] = {}

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

    def spell(self) -> tuple[list[int], float]:
        """The best spell as its step up and its step down, and the criterion with it; none: infinity."""
        up, down, inverse = self.design.spells()
        if not len(up):
            return [], math.inf
        left = self._empty
        explained = (left.products[:, up] - left.products[:, down]) ** 2 * inverse
        whole = np.einsum("rn,rn->r", left.rest, left.rest)[:, None]
        told = self.design.criterion(whole - explained, SPELL_COST)
        at = int(told.min(axis=0).argmin())
        return [int(up[at]), int(down[at])], float(told[:, at].min())

    def _greedy(self, chosen: list[int]) -> tuple[list[int], float]:
        best, _ = self.alone(chosen)
        while len(chosen) < MOST_EFFECTS:
            told = self.one_more(chosen)
            found, at = least(told)
            more = [at]
            if found >= best:
                more = self._there_and_back(chosen, told)
                found, _ = least(self.one_more([*chosen, more[0]]))
            if found >= best:
                break
            best = found
            chosen = [*chosen, *more]
        if len(chosen) > 1:
            chosen = self._settled(chosen)
            best, _ = self.alone(chosen)
        return chosen, best

    def _there_and_back(self, chosen: Sequence[int], told: Best) -> list[int]:
        """The best shift and the best shape beside it: a level that came back shows in neither alone."""
        first = told[SHIFT][1]
        return [first, least(self.one_more([*chosen, first]))[1]]

    def _settled(self, chosen: list[int]) -> list[int]:
        """The shapes after each, the first taken first, was looked for again beside the others."""
        for at in tuple(chosen):
            others = [each for each in chosen if each != at]
            found, better = least(self.one_more(others))
            chosen = [*others, better] if found < self.alone(others)[0] else others
        return chosen

    def alone(self, chosen: Sequence[int]) -> tuple[float, float]:
        """BIC of the chosen effects, and the correlation that is best with them."""
        rest = self._without(frozenset(chosen)).rest
        told = self.design.bic(np.einsum("rn,rn->r", rest, rest), len(chosen))
        best = int(np.argmin(told))
        return float(told[best] + self.design.prior[list(chosen)].sum()), CORRELATIONS[best]

    def one_more(self, chosen: Sequence[int]) -> Best:
        """BIC of the chosen effects with the best shape of each kind besides, at its best correlation."""
        key = frozenset(chosen)
        if key not in self._told:
            self._told[key] = self._one_more(key)
        return self._told[key]

    def _one_more(self, chosen: frozenset[int]) -> Best:
        left, plan = self._without(chosen), self.design
        explained = left.products**2
        explained *= left.inverse
        places = [explained[:, plan.slices[kind]].argmax(axis=1) + plan.slices[kind].start for kind in KINDS]
        most = np.array([explained[plan.rows, at] for at in places]).T
        whole = np.einsum("rn,rn->r", left.rest, left.rest)[:, None]
        told = plan.bic(whole - most, len(chosen) + 1)
        rows = told.argmin(axis=0)
        prior = float(plan.prior[list(chosen)].sum())
        best: Best = {}
        for number, kind in enumerate(KINDS):
            at = int(places[number][rows[number]])
            best[kind] = float(told[rows[number], number]) + float(plan.prior[at]) + prior, at
        return best

    def _without(self, chosen: frozenset[int]) -> Left:
        """What the chosen effects leave: from what all but one of them leave where that is known."""
        if chosen not in self._left:
            last = next((each for each in chosen if chosen - {each} in self._left), None)
            if last is None:
                columns = np.stack([self.design.column(each) for each in sorted(chosen)], axis=2)
                basis = np.linalg.qr(columns)[0].transpose(0, 2, 1)
                self._left[chosen] = self._beside(self._empty, basis)
            else:
                before = self._left[chosen - {last}]
                self._left[chosen] = self._beside(before, self._unit(before, last)[:, None, :])
        return self._left[chosen]

    def _beside(self, before: Left, more: Array) -> Left:
        """What is left without more unit vectors, orthogonal to those before and to each other."""
        along = more @ before.rest[:, :, None]
        shared = self.design.products(more)
        basis = np.concatenate([before.basis, more], axis=1)
        if more.shape[1] == 1:
            lengths = before.lengths - shared[:, 0] ** 2
            rest = before.rest - along[:, 0] * more[:, 0]
            products = before.products - along[:, 0] * shared[:, 0]
        else:
            close = np.ascontiguousarray(shared.transpose(2, 0, 1))
            lengths = before.lengths - np.einsum("mrk,mrk->rm", close, close)
            rest = before.rest - (along * more).sum(axis=1)
            products = before.products - (along * shared).sum(axis=1)
        return Left(rest, products, basis, lengths, self.design.inverse(lengths))

    def _unit(self, before: Left, which: int) -> Array:
        """The unit vector of an effect beside others; nothing where it is one of them."""
        own = self.design.column(which)
        whole = np.einsum("rn,rn->r", own, own)
        for _ in range(2 if before.basis.shape[1] else 0):
            along = before.basis @ own[:, :, None]
            own = own - (along * before.basis).sum(axis=1)
        length = np.einsum("rn,rn->r", own, own)
        seen = length > ROUNDING * whole
        unit: Array = own * np.where(seen, 1 / np.sqrt(np.where(seen, length, 1.0)), 0.0)[:, None]
        return unit

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


def unwhitened(vectors: Array) -> Array:
    """Vectors (correlation, ..., observation) whose products with columns are those of `vectors` with the
    whitened columns."""
    r = np.array(CORRELATIONS).reshape(-1, *[1] * (vectors.ndim - 1))
    out = vectors.copy()
    out[..., :1] *= np.sqrt(1 - r**2)
    out[..., :-1] -= r * vectors[..., 1:]
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
