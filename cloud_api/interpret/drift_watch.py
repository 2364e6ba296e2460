"""Watching one assumption: sigma and memory from its reference window, limit from the whole plant, standing.

A plant watches many streams. `limits` share one budget of false alarms among them: with n observations a
month over all streams, each stream's mean distance between false alarms is n / budget observations, its own
correlation included. `broken` needs materiality besides, so that the budget is not reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache, partial
from itertools import pairwise
from statistics import fmean, median

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.interpret.drift import (
    Assessment,
    Stake,
    assess,
    autocorrelation,
    limit_for,
    material,
    robust_sigma,
)
from cloud_api.interpret.money import exactly
from cloud_api.interpret.persistence import Persistence, persistence
from cloud_api.interpret.proposal import Proposal, proposal
from cloud_api.interpret.rare_stops import Rare, level
from shared.units import DAY_US

REFERENCE = 30
"""Observations of the reference window: the first third of the series, at least twelve, at most these."""
LEAST_REFERENCE = 12
"""Observations below which a stream is not watched."""
BUDGET = 0.5
"""False alarms of a whole plant in a month that limits are set for; half of what is allowed."""
FAR = 3.0
"""Robust standard deviations beyond which an observation counts as if it stood there, for its memory."""
MEMORY = 0.3
"""Least correlation of neighbours that a limit is set for: a short window tells it badly, and too low a one
raises false alarms."""
KEPT = 0.9
"""Share of steps that keep their size; larger ones count as the largest of these."""
TAMED_SQUARE = 0.82
"""Mean square of normal deviations so tamed, of unit variance."""
DOUBT = 0.5
AROUND = 10
"""Observations at either side whose median is the level of one."""


class Stream(Struct, frozen=True, kw_only=True):
    """Observations of one assumption, in order, and what was assumed of each (the standard last recorded for
    its date). `times_us` are their instants; `stops` says of availability that stops are rare."""

    times_us: tuple[int, ...]
    values: tuple[float, ...]
    assumed: tuple[float, ...]
    stops: Rare | None = None

    def against_last(self) -> list[float]:
        """The observations as if what is assumed now had always been assumed."""
        last = self.assumed[-1]
        return [value - then + last for value, then in zip(self.values, self.assumed, strict=True)]


class Standing(Struct, frozen=True, kw_only=True):
    """What `assess` says, with sigma and correlation of the reference window, the limit in sigma, and what
    would be a better assumption (None: it holds, or too few observations since). `moved` is the index of the
    observation at which the level moved again within the spell (None: it did not); what is observed, and its
    cost a day, are then those of the new level."""

    assessment: Assessment
    sigma: float
    correlation: float
    limit: float
    moved: int | None
    proposal: Proposal | None


def reference(values: Sequence[float]) -> tuple[float, float]:
    """Sigma and lag-1 correlation of a series. Sigma comes from the steps between neighbours without the
    largest tenth, so that a change of level anywhere does not widen it, and is a little larger than that,
    since few observations may tell it too small; correlation from what is left without the level around each,
    at least `MEMORY`."""
    return _reference(tuple(values))


@lru_cache(maxsize=4096)
def _reference(values: tuple[float, ...]) -> tuple[float, float]:
    first = list(values[: min(REFERENCE, max(LEAST_REFERENCE, len(values) // 3))])
    spread = robust_sigma(first) or robust_sigma(values)
    if not spread:
        return 0.0, 0.0
    memory = max(MEMORY, autocorrelation(_without_level(values, FAR * spread)))
    steps = sorted(abs(after - before) for before, after in pairwise(values))
    most = steps[int(KEPT * (len(steps) - 1))]
    mean_square = fmean(min(step, most) ** 2 for step in steps)
    stepped = math.sqrt(mean_square / (2 * TAMED_SQUARE * (1 - min(memory, 0.8))))
    sigma = stepped or spread
    return sigma * (1 + DOUBT / math.sqrt(len(values))), memory


def _without_level(values: Sequence[float], reach: float) -> list[float]:
    """Values less the median of those around them, none further off than `reach`."""
    around = [values[max(0, at - AROUND) : at + AROUND + 1] for at in range(len(values))]
    return [min(reach, max(-reach, value - median(near))) for value, near in zip(values, around, strict=True)]


def limits(streams: Sequence[Stream], days: float, budget: float = BUDGET) -> list[float]:
    """The limit of each stream, in its sigma; `days` is the time that the streams span."""
    observed = sum(len(stream.values) for stream in streams)
    monthly = observed * 30 / max(1.0, days)
    between = max(100.0, monthly / budget)
    return [round(limit_for(between, reference(stream.against_last())[1]), 2) for stream in streams]


def watch(stream: Stream, stake: Stake, limit: float) -> Standing:
    """The standing of an assumption after its last observation. Raises ValueError without observations."""
    values = stream.against_last()
    sigma, memory = reference(values)
    if stream.stops is not None:
        sigma = max(sigma, stream.stops.sigma)
    mean = partial(level, stops=stream.stops)
    found = assess(stream.times_us, values, stream.assumed[-1], sigma, stake, limit, mean)
    moved, better = None, None
    if found.status != "holding" and found.since is not None:
        moved = _moved(values, found.since)
        if moved is not None:
            found = _at_its_level(stream, values, found, moved, stake)
        better = proposal(values[moved or found.since :], stream.stops)
    return Standing(
        assessment=found, sigma=sigma, correlation=memory, limit=limit, moved=moved, proposal=better
    )


@exactly
def _at_its_level(
    stream: Stream, values: Sequence[float], found: Assessment, moved: int, stake: Stake
) -> Assessment:
    """The assessment at the level that it moved to: the rate is the present one, the cost that of both."""
    assert found.since is not None
    observed = level(values[moved:], stream.stops)
    per_day = _per_day(observed, found.assumed, stake)
    earlier = values[found.since : moved] or [found.assumed]
    before = _per_day(level(earlier, stream.stops), found.assumed, stake)
    began, at = stream.times_us[found.since], stream.times_us[moved]
    whole = before * Decimal(at - began) + per_day * Decimal(max(0, stake.period_end_us - at))
    to_end = whole / DAY_US
    return replace(
        found,
        status="broken" if material(to_end, stake) else "watch",
        observed=observed,
        cost_per_day=per_day,
        cost_to_period_end=to_end,
    )


def _per_day(observed: float, assumed: float, stake: Stake) -> Decimal:
    return (Decimal(repr(observed)) - Decimal(repr(assumed))) * stake.per_unit_day


@lru_cache(maxsize=4096)
def _judged(values: tuple[float, ...]) -> Persistence:
    """The verdict on a spell; kept, for a series changes once an order and is asked for all day long."""
    return persistence(values)


def _moved(values: Sequence[float], since: int) -> int | None:
    """Where the level moved for good within a spell: what is proposed is the level after it."""
    inside = _judged(tuple(values[since:]))
    if inside.verdict != "structural" or inside.effect is None:
        return None
    return since + inside.effect.onset
