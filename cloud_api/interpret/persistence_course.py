"""The verdict on a series in one word, what the change added to each observation, and what it will add.

A lasting change (a shift, a slope) goes before what recurs where it adds more to a day, and what recurs
before what came once: of all, the one that matters for the rest of the period is told. What recurs explains
a lasting change where nothing of it is left without what recurs, and it stood out three times before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cloud_api.interpret.persistence import SINCE, Persistence, persistence
from cloud_api.interpret.persistence_ranks import Raised, raised
from cloud_api.interpret.persistence_reading import BACK, Effect
from cloud_api.interpret.persistence_search import SHIFT, SLOPE, TEMPORARY, shape
from cloud_api.interpret.seasons import FAR, OCCURRENCES, Tie, recurring

Array = NDArray[np.float64]

LASTING = (SHIFT, SLOPE)
LASTS = ("structural", "drift")
WEEKDAY = "weekday"
LEVEL = 3
"""Observations without a change that tell the level beside it."""
SILENT = 6
"""First observations that must be alike to say that there was no noise before a change."""
TENTH = 0.1
"""Share of the largest value off its level beyond which a value is off, in a series without noise besides."""
NOISIER = 3.0
"""Times the noise before a change that the noise since must be to be told by ranks."""
WORSE = 1.5
"""Times a change that its worse days may lie above it and still belong to it."""
QUIET = 0.05
"""Share of a change that the noise outside may have to be next to nothing."""


class Course(Struct, frozen=True, kw_only=True):
    """`verdict`: structural, temporary, drift, recurring, isolated, undetermined or steady.

    `since` and `until` (None: it lasts) are indices of observations. `size` is the change in the unit of the
    series (of a slope the whole change since its onset, of a tie the excess on its observations), `level` the
    series without it. `added` is what the change added to each observation by the fit, `excess` by what was
    observed; `lasting` are the changes from that one on. `confidence` is the weight of evidence, 0 to 1."""

    verdict: str
    since: int | None
    until: int | None
    size: float | None
    level: float
    confidence: float
    added: tuple[float, ...]
    excess: tuple[float, ...]
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
    """The course where something recurs: what is left without it says whether it explains the series. Of a
    lasting change that is left, and what recurs, the one that adds more to a day to come; of what came once,
    and what recurs, the one that added more."""
    excess = _added(series, tie)
    without = series - excess
    rest = persistence(without.tolist(), weekdays)
    recurs = _recurring(series, found, tie, excess)
    left = rest.verdict in LASTS
    if found.verdict in LASTS and found.effect is not None:
        before = [at for at in tie.occurrences if at < found.effect.onset]
        if not left and len(before) >= OCCURRENCES:
            return recurs
        return _dearer(_changed(series, found), recurs)
    if left:
        return _dearer(_changed(without, rest), recurs)
    once = _changed(without, rest)
    if np.abs(once.added).sum() > np.abs(excess).sum():
        return once
    return recurs


def _dearer(lasts: Course, recurs: Course) -> Course:
    ahead = float(np.abs(recurs.added).mean())
    return recurs if lasts.size is not None and ahead > abs(lasts.size) else lasts


def _added(series: Array, tie: Tie) -> Array:
    if tie.added:
        return np.array(tie.added)
    added = np.zeros(len(series))
    added[list(tie.places)] = tie.size
    return added


def _observed(series: Array, tie: Tie, added: Array) -> Array:
    """What recurs as it was on each of its observations, not as it is in the mean: a unit bears more of it on
    a day on which fewer are made. What stands out by more than itself does not belong to it."""
    count, own = len(series), series[list(tie.places)]
    if tie.added or len(own) in (0, count):
        return added
    sigma = tie.error / math.sqrt(1 / len(own) + 1 / (count - len(own)))
    apart = np.abs(own - np.median(own))
    usual = own[apart <= FAR * sigma]
    excess = added.copy()
    if len(usual):
        near = apart <= max(FAR * sigma, abs(tie.size))
        excess[list(tie.places)] += np.where(near, own - usual.mean(), 0.0)
    return excess


def _recurring(series: Array, found: Persistence, tie: Tie, added: Array) -> Course:
    return Course(
        verdict="recurring",
        since=tie.occurrences[0],
        until=None,
        size=tie.size,
        level=float(np.mean(series - added)),
        confidence=tie.weight,
        added=tuple(added.tolist()),
        excess=tuple(_observed(series, tie, added).tolist()),
        tie=tie,
        found=found,
        sigma=found.sigma,
        correlation=found.correlation,
    )


def _changed(series: Array, found: Persistence) -> Course:
    effect, count, alone = found.effect, len(series), _alone(series)
    since, lasts = None if effect is None else effect.onset, found.verdict in LASTS
    if alone is not None and alone[1] == count and lasts:
        since = alone[0]
    elif alone is not None and not lasts and _is_told(found, alone, count):
        return _out_of_nothing(series, found, *alone)
    level = raised(series)
    if level is not None and (_has_no_steps(found) or _is_noisier(series, found, level)):
        return _with_noise(series, found, level)
    if effect is None or since is None:
        weight = found.weights.get("none", 1.0 if found.verdict == "steady" else 0.0)
        return Course(
            verdict=found.verdict,
            since=None,
            until=None,
            size=None,
            level=float(series.mean()) if count else 0.0,
            confidence=weight,
            added=(0.0,) * count,
            excess=(0.0,) * count,
            found=found,
            sigma=found.sigma,
            correlation=found.correlation,
        )
    passed = found.passed
    about = (effect,) if passed is None else passed.effects
    lasting = _after(found, since) if lasts else ()
    added = sum((_course(each, count) for each in lasting or about), np.zeros(count))
    until = None if passed is None else passed.until
    if passed is not None and until is not None and effect.kind == TEMPORARY:
        until = _until(series, since, until)
    end = count if until is None else until + 1
    excess = _excess(series, found, _with_worse_days(found, lasting) or about, since, end)
    if passed is not None:
        added[end:] = 0.0
    if since < effect.onset:
        added[since : effect.onset] = excess[since : effect.onset]
    size = float(added[-1]) if lasts else effect.size if passed is None else _largest(added)
    return Course(
        verdict=found.verdict,
        since=since,
        until=until,
        size=size,
        level=float(np.mean(series - added)),
        confidence=_confidence(found.verdict, found.weights),
        added=tuple(added.tolist()),
        excess=tuple(excess.tolist()),
        effect=effect,
        lasting=lasting,
        found=found,
        sigma=found.sigma,
        correlation=found.correlation,
    )


def _excess(series: Array, found: Persistence, about: Sequence[Effect], since: int, end: int) -> Array:
    """What observations of [since, end) lie above season, effects that have nothing to do with it, and the
    mean of the observations outside: not what the fit says was added but what really was. Where there was
    next to nothing outside, all that is inside belongs to it."""
    count = len(series)
    inside = (np.arange(count) >= since) & (np.arange(count) < end)
    others = [each for each in found.effects if each not in about]
    whole = series - np.array(found.base)
    rest = whole - sum((_course(each, count) for each in others), np.zeros(count))
    if count - inside.sum() >= LEVEL:
        if rest[~inside].std() <= QUIET * abs(whole[inside].mean()):
            rest = np.where(inside, whole, rest)
        rest = rest - rest[~inside].mean()
    return np.where(inside, rest, 0.0)


def _with_worse_days(found: Persistence, lasting: Sequence[Effect]) -> tuple[Effect, ...]:
    """Changes that last, with those of the same side that faded again since: a level that is worse on some of
    its days has cost that too. What is much larger is something else that happened."""
    if not lasting:
        return ()
    since, size = lasting[0].onset, sum(each.size for each in lasting)
    worse = [
        each
        for each in found.effects
        if each.kind == TEMPORARY
        and each.onset > since
        and each.size * size > 0
        and abs(each.size) < WORSE * abs(size)
    ]
    return (*lasting, *worse)


def _until(series: Array, since: int, until: int) -> int:
    """The last observation of what came and went where the fit lets it fade: as long as the last and the
    next one are off by half as much as those inside, it is not over."""
    places = np.arange(len(series))
    outside = series[(places < since) | (places > until)]
    if len(outside) < LEVEL:
        return until
    apart = series - float(np.median(outside))
    half = float(apart[since : until + 1].mean()) / 2
    while until + 1 < len(series) and (apart[until : until + 2] * half > half * half).all():
        until += 1
    return until


def _largest(added: Array) -> float:
    return float(added[int(np.argmax(np.abs(added)))])


def _alone(series: Array) -> tuple[int, int] | None:
    """The one span [first, end) in which a series is off the level that it is at besides, all of it to the
    same side, where there is next to no noise outside; None where it has none. Noise that begins with a
    change hides it from a search that takes noise to be even."""
    if len(series) < SILENT + 1:
        return None
    apart = series - np.median(series[:SILENT])
    off = np.abs(apart) > TENTH * np.abs(apart).max()
    places = np.flatnonzero(off)
    if not len(places) or places[0] < SILENT or places[-1] - places[0] + 1 != len(places):
        return None
    inside = apart[off]
    if np.ptp(np.sign(inside)) or apart[~off].std() > QUIET * abs(inside.mean()):
        return None
    return int(places[0]), int(places[-1]) + 1


def _is_told(found: Persistence, alone: tuple[int, int], count: int) -> bool:
    """Whether a span that stands alone is long enough in place, or over long enough."""
    if alone[1] == count:
        return count - alone[0] >= SINCE
    return found.passed is not None or count - alone[1] >= BACK


def _out_of_nothing(series: Array, found: Persistence, first: int, end: int) -> Course:
    """The change that a series without noise besides has in [first, end); its weight is that of the order in
    which days came, if any order were as likely."""
    count, length = len(series), end - first
    inside = (np.arange(count) >= first) & (np.arange(count) < end)
    level = float(series[~inside].mean())
    added = np.where(inside, series - level, 0.0)
    lasts = end == count
    size = float(added[inside].mean()) if lasts else _largest(added)
    spread = float(added[inside].std(ddof=1)) if length > 1 else 0.0
    effect = Effect(kind=SHIFT, onset=first, size=size, error=spread / math.sqrt(length))
    return Course(
        verdict="structural" if lasts else "isolated" if length == 1 else "temporary",
        since=first,
        until=None if lasts else end - 1,
        size=size,
        level=level,
        confidence=1 - 1 / math.comb(count, length),
        added=tuple(added.tolist()),
        excess=tuple(added.tolist()),
        effect=effect,
        lasting=(effect,) if lasts else (),
        found=found,
        sigma=max(spread, float(series[~inside].std())),
    )


def _has_no_steps(found: Persistence) -> bool:
    """Whether no step was found that lasts, nor one up and down again, which is no matter of noise."""
    steps = found.passed is not None and found.effect is not None and found.effect.kind == SHIFT
    return found.verdict not in LASTS and not steps


def _is_noisier(series: Array, found: Persistence, level: Raised) -> bool:
    """Whether the one step that was found is the later part of a change that brought noise of its own: the
    search takes the first of such days for outliers."""
    before, since = series[: level.onset], series[level.onset :]
    one = len(found.seen.lasting) == 1 and found.effect is not None and found.effect.kind == SHIFT
    return (
        one
        and found.effect is not None
        and found.effect.onset > level.onset
        and found.effect.size * level.size > 0
        and float(since.std()) > NOISIER * float(before.std())
    )


def _with_noise(series: Array, found: Persistence, level: Raised) -> Course:
    """The change for good that brought noise of its own."""
    effect = Effect(kind=SHIFT, onset=level.onset, size=level.size, error=level.error)
    since = np.arange(len(series)) >= level.onset
    return Course(
        verdict="structural",
        since=level.onset,
        until=None,
        size=level.size,
        level=level.level,
        confidence=level.weight,
        added=tuple(np.where(since, level.size, 0.0).tolist()),
        excess=tuple(np.where(since, series - level.level, 0.0).tolist()),
        effect=effect,
        lasting=(effect,),
        found=found,
        sigma=float(series[since].std(ddof=1)),
    )


def _after(found: Persistence, since: int) -> tuple[Effect, ...]:
    return tuple(each for each in found.effects if each.kind in LASTING and each.onset >= since)


def _course(effect: Effect, count: int) -> Array:
    return effect.size * shape(effect.kind, effect.onset, count)


def _confidence(verdict: str, weights: Mapping[str, float]) -> float:
    lasting = weights[SHIFT] + weights[SLOPE]
    passing = 1 - lasting - weights["none"]
    if verdict in ("structural", "drift", "undetermined"):
        return lasting
    return passing if verdict == "isolated" else max(passing, 1 - weights["none"])
