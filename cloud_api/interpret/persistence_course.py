"""The verdict on a series in one word, what the change added to each observation, and what it will add.

A lasting change (a shift, a slope) goes before what recurs, and what recurs before what came once: of all,
the one that matters for the rest of the period is told. What recurs explains a lasting change where nothing
of it is left without what recurs, and it stood out three times before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .persistence import SHIFT, SINCE, SLOPE, TEMPORARY, Effect, Persistence, persistence
from .persistence_search import DECAY, shape
from .seasons import OCCURRENCES, Tie, recurring

Array = NDArray[np.float64]

LASTING = (SHIFT, SLOPE)
WEEKDAY = "weekday"


class Course(Struct, frozen=True, kw_only=True):
    """`verdict`: structural, temporary, drift, recurring, isolated, undetermined or steady.

    `since` and `until` (None: it lasts) are indices of observations. `size` is the change in the unit of the
    series (of a slope the whole change since its onset, of a tie the excess on its observations), `level` the
    series without it. `added` is what the change added to each observation; `lasting`
    are the changes from that one on. `confidence` is the weight of evidence, 0 to 1."""

    verdict: str
    since: int | None
    until: int | None
    size: float | None
    level: float
    confidence: float
    added: tuple[float, ...]
    effect: Effect | None = None
    lasting: tuple[Effect, ...] = ()
    tie: Tie | None = None
    found: Persistence | None = None
    sigma: float = 0.0
    correlation: float = 0.0

    def ahead(self, steps: int, labels: Sequence[str] | None = None) -> Array:
        """What the change adds to each of the next observations; `labels` are their weekdays."""
        count = len(self.added)
        if self.verdict == "recurring" and self.tie is not None:
            if self.tie.kind == WEEKDAY and labels is not None:
                return np.array([self.tie.size * (label == self.tie.label) for label in labels])
            return np.full(steps, sum(self.added) / count)
        if self.effect is None or self.until is not None:
            return np.zeros(steps)
        effects = self.lasting or (self.effect,)
        course = sum((_course(each, count + steps)[count:] for each in effects), np.zeros(steps))
        if self.verdict == "undetermined":
            return course * self.confidence
        return np.asarray(course, dtype=np.float64)


def course(
    values: Sequence[float] | Array, weekdays: Sequence[str], ties: Sequence[Tie] = (), sign: int = 1
) -> Course:
    """The verdict on daily observations. `ties` are those found on finer observations (shift, product), told
    in indices of `values`, with what they `added`. `sign` is 1 where more is worse, -1 where less is."""
    series = np.asarray(values, dtype=np.float64)
    found = persistence(series.tolist(), weekdays)
    lasting = sum(
        (_course(effect, len(series)) for effect in found.effects if effect.kind in LASTING),
        np.zeros(len(series)),
    )
    weekday = recurring(series - lasting, WEEKDAY, weekdays, sign)
    tied = [*ties, weekday] if weekday is not None else list(ties)
    tie = max(tied, key=lambda each: each.weight, default=None)
    if tie is None:
        return _changed(series, found)
    return _tied(series, weekdays, found, tie)


def _tied(series: Array, weekdays: Sequence[str], found: Persistence, tie: Tie) -> Course:
    """The course where something recurs: what is left without it says whether it explains the series. A
    lasting change that is left goes first; of what came once, and what recurs, the one that added more."""
    excess = _added(series, tie)
    without = series - excess
    rest = persistence(without.tolist(), weekdays)
    recurs = _recurring(series, found, tie, excess)
    left = rest.verdict in ("structural", "drift")
    if found.verdict in ("structural", "drift") and found.effect is not None:
        before = [at for at in tie.occurrences if at < found.effect.onset]
        return recurs if not left and len(before) >= OCCURRENCES else _changed(series, found)
    if left:
        return _changed(without, rest)
    once = _changed(without, rest)
    if np.abs(once.added).sum() > np.abs(excess).sum():
        return once
    return recurs


def _added(series: Array, tie: Tie) -> Array:
    if tie.added:
        return np.array(tie.added)
    added = np.zeros(len(series))
    added[list(tie.places)] = tie.size
    return added


def _recurring(series: Array, found: Persistence, tie: Tie, added: Array) -> Course:
    return Course(
        verdict="recurring",
        since=tie.occurrences[0],
        until=None,
        size=tie.size,
        level=float(np.mean(series - added)),
        confidence=tie.weight,
        added=tuple(added.tolist()),
        tie=tie,
        found=found,
        sigma=found.sigma,
        correlation=found.correlation,
    )


def _changed(series: Array, found: Persistence) -> Course:
    effect, count = found.effect, len(series)
    if effect is None:
        weight = found.weights.get("none", 1.0 if found.verdict == "steady" else 0.0)
        return Course(
            verdict=found.verdict,
            since=None,
            until=None,
            size=None,
            level=float(series.mean()) if count else 0.0,
            confidence=weight,
            added=(0.0,) * count,
            found=found,
            sigma=found.sigma,
            correlation=found.correlation,
        )
    verdict, begin, until = found.verdict, effect.onset, None
    added, size = _course(effect, count), effect.size
    pair = _pair(found, effect) if verdict == "temporary" and effect.kind == SHIFT else ()
    kept = [each for each in found.effects if each.kind in LASTING and each not in pair]
    kept = [each for each in kept if count - each.onset >= SINCE]
    if verdict in ("structural", "drift") or (pair and kept):
        effect = _main(kept or [effect], count)
        verdict = "drift" if effect.kind == SLOPE else "structural"
        begin, added = effect.onset, _since(found, effect, count)
        size = float(added[-1])
    elif effect.kind not in LASTING:
        until = _over(effect, found, count)
    if verdict == "temporary" and pair:
        before = pair[0]
        beside = [
            each
            for each in found.effects
            if each.kind not in LASTING and before.onset <= each.onset <= effect.onset
        ]
        begin, size = before.onset, before.size
        until = max([effect.onset - 1, *(each.onset for each in beside)])
        added = _course(before, count)
        added[effect.onset :] = 0.0
        added = sum((_course(each, count) for each in beside), added)
    return Course(
        verdict=verdict,
        since=begin,
        until=until,
        size=size,
        level=float(np.mean(series - added)),
        confidence=_confidence(verdict, found.weights),
        added=tuple(added.tolist()),
        effect=effect,
        lasting=_after(found, effect) if verdict in ("structural", "drift") else (),
        found=found,
        sigma=found.sigma,
        correlation=found.correlation,
    )


def _main(lasting: Sequence[Effect], count: int) -> Effect:
    """The lasting change that made most of the difference; a later one that took part of it back, or added
    to it, belongs to it."""
    return max(lasting, key=lambda each: abs(_course(each, count)[-1]))


def _after(found: Persistence, effect: Effect) -> tuple[Effect, ...]:
    return tuple(each for each in found.effects if each.kind in LASTING and each.onset >= effect.onset)


def _since(found: Persistence, effect: Effect, count: int) -> Array:
    """What the lasting changes from one on added together."""
    return sum((_course(each, count) for each in _after(found, effect)), np.zeros(count))


def _over(effect: Effect, found: Persistence, count: int) -> int | None:
    """The last observation of what passes: an outlier's own, a decay's last beyond the noise."""
    if effect.kind != TEMPORARY:
        return effect.onset if found.verdict == "isolated" else None
    last = effect.onset
    while last < count and abs(effect.size) * DECAY ** (last - effect.onset) > found.sigma:
        last += 1
    return max(effect.onset, last - 1) if last < count else None


def _pair(found: Persistence, effect: Effect) -> tuple[Effect, ...]:
    """A shift that was taken back, and the one that took it back."""
    shifts = [each for each in found.effects if each.kind == SHIFT and each.onset < effect.onset]
    return (shifts[-1], effect)


def _course(effect: Effect, count: int) -> Array:
    return effect.size * shape(effect.kind, effect.onset, count)


def _confidence(verdict: str, weights: Mapping[str, float]) -> float:
    lasting = weights[SHIFT] + weights[SLOPE]
    passing = 1 - lasting - weights["none"]
    if verdict in ("structural", "drift", "undetermined"):
        return lasting
    return passing if verdict == "isolated" else max(passing, 1 - weights["none"])
