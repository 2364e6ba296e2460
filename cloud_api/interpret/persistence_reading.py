"""What the effects found in a series say together: which of them last, and which came and went.

A level that came back to where it was, by one step or several, is one change that passed, with everything
that was found inside it. Outliers and temporary changes that follow each other the same way are one change
too: a few bad days are found as the one or the other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from cloud_api.interpret.persistence_search import DECAY, OUTLIER, SHIFT, SLOPE, TEMPORARY

LASTING = (SHIFT, SLOPE)
BACK = 3
"""Observations after which a level that came back is back."""
SAME = 0.25
"""Share of its largest excursion by which a level may miss the one before and yet be back: steps a few days
apart are told too roughly for less."""
APART = 2
"""Observations from the last of a change to the next that still belongs to it."""


class Effect(Struct, frozen=True, kw_only=True):
    """`onset` is the index of the first observation it is in; `size` in the unit of the series (of a slope:
    per observation), `error` its standard error."""

    kind: str
    onset: int
    size: float
    error: float


class Passing(Struct, frozen=True, kw_only=True):
    """A change that came and went: its first observation, its last (None: still fading at the end of the
    series), the effects it was found as, and what it added in all."""

    since: int
    until: int | None
    effects: tuple[Effect, ...]
    added: float

    @property
    def is_single(self) -> bool:
        """Whether it is one observation."""
        return self.since == self.until


class Reading(Struct, frozen=True, kw_only=True):
    """Effects that last and changes that passed, each by onset."""

    lasting: tuple[Effect, ...]
    passing: tuple[Passing, ...]


def reading(effects: Sequence[Effect], count: int, sigma: float, correlation: float) -> Reading:
    """Parts the effects of a series of `count` observations, by onset; `sigma` and `correlation` are those of
    its noise."""
    steps = [each for each in effects if each.kind in LASTING]
    wide = sigma * math.sqrt((1 + correlation) / (1 - correlation))
    lasting: list[Effect] = []
    passing: list[Passing] = []
    for at, step in enumerate(steps):
        after = (steps[at + 1].onset if at + 1 < len(steps) else count) - step.onset
        first = _before(lasting, step, after, wide) if after >= BACK else None
        if first is None:
            lasting.append(step)
            continue
        begin = lasting[first].onset
        inside = tuple(
            each for each in effects if begin <= each.onset <= step.onset and each not in lasting[:first]
        )
        lasting, passing = lasting[:first], [each for each in passing if each.since < begin]
        added = sum(each.size * (step.onset - each.onset) for each in inside if each.kind == SHIFT)
        passing.append(Passing(since=begin, until=step.onset - 1, effects=inside, added=added))
    taken = {id(each) for one in passing for each in one.effects}
    once = [each for each in effects if each.kind not in LASTING and id(each) not in taken]
    passing += _joined(once, count, sigma)
    return Reading(lasting=tuple(lasting), passing=_merged(sorted(passing, key=lambda each: each.since)))


def _merged(passing: Sequence[Passing]) -> tuple[Passing, ...]:
    """Changes that passed, those of which one begins where another ended, the same way, as one."""
    found: list[Passing] = []
    for each in passing:
        before = found[-1] if found else None
        ended = None if before is None else before.until
        if before is None or ended is None or before.added * each.added <= 0 or each.since > ended + 1:
            found.append(each)
            continue
        until = None if each.until is None else max(ended, each.until)
        effects = tuple(sorted((*before.effects, *each.effects), key=lambda effect: effect.onset))
        added = before.added + each.added
        found[-1] = Passing(since=before.since, until=until, effects=effects, added=added)
    return tuple(found)


def _before(lasting: Sequence[Effect], last: Effect, after: int, wide: float) -> int | None:
    """The place of the step with which the level left where it is after the last one; the latest such."""
    if last.kind != SHIFT:
        return None
    level = largest = last.size
    for place in range(len(lasting) - 1, -1, -1):
        step = lasting[place]
        if step.kind != SHIFT:
            return None
        level += step.size
        largest = max(largest, level - last.size, key=abs)
        begun = lasting[place - 1].onset if place else 0
        error = wide * math.sqrt(1 / (step.onset - begun) + 1 / after)
        if abs(level) <= max(2 * error, SAME * abs(largest)) and abs(level) < abs(last.size):
            return place
    return None


def _joined(effects: Sequence[Effect], count: int, sigma: float) -> list[Passing]:
    """Outliers and temporary changes, those that follow each other the same way as one."""
    groups: list[list[Effect]] = []
    for each in effects:
        before = groups[-1][-1] if groups else None
        if before is not None and before.size * each.size > 0 and each.onset - _last(before, sigma) <= APART:
            groups[-1].append(each)
        else:
            groups.append([each])
    found = []
    for group in groups:
        last = max(_last(each, sigma) for each in group)
        fading = last >= count or (last == count - 1 and group[-1].kind != OUTLIER)
        found.append(
            Passing(
                since=group[0].onset,
                until=None if fading else last,
                effects=tuple(group),
                added=sum(each.size / (1 - DECAY if each.kind == TEMPORARY else 1) for each in group),
            )
        )
    return found


def _last(effect: Effect, sigma: float) -> int:
    """The last observation of what passes: an outlier's own, a decay's last beyond the noise."""
    if effect.kind == OUTLIER:
        return effect.onset
    beyond = math.log(max(sigma / abs(effect.size), 1e-9)) / math.log(DECAY) if effect.size else 0.0
    return effect.onset + max(0, math.ceil(beyond) - 1)
