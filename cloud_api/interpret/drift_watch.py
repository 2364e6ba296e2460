"""Watching one assumption: sigma and memory from its reference window, limit from the whole plant, standing.

A plant watches many streams. `limits` share one budget of false alarms among them: with n observations a
month over all streams, each stream's mean distance between false alarms is n / budget observations, its own
correlation included. `broken` needs materiality besides, so that the budget is not reached."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from msgspec import Struct

from .drift import (
    Assessment,
    Stake,
    assess,
    autocorrelation,
    limit_for,
    robust_sigma,
)
from .persistence import persistence
from .proposal import Proposal, proposal

REFERENCE = 30
"""Observations of the reference window: the first third of the series, at least twelve, at most these."""
LEAST_REFERENCE = 12
"""Observations below which a stream is not watched."""
BUDGET = 0.5
"""False alarms of a whole plant in a month that limits are set for; half of what is allowed."""
FAR = 3.0
"""Robust standard deviations beyond which an observation counts as if it stood there, for its memory."""
STEPS_TO_SIGMA = 1.4826 / 2**0.5
"""Standard deviations per median absolute step of independent normal observations."""


class Stream(Struct, frozen=True, kw_only=True):
    """Observations of one assumption, in order, and what was assumed of each (the standard last recorded for
    its date). `times_us` are their instants."""

    times_us: tuple[int, ...]
    values: tuple[float, ...]
    assumed: tuple[float, ...]

    def against_last(self) -> list[float]:
        """The observations as if what is assumed now had always been assumed."""
        last = self.assumed[-1]
        return [value - then + last for value, then in zip(self.values, self.assumed, strict=True)]


class Standing(Struct, frozen=True, kw_only=True):
    """What `assess` says, with sigma and correlation of the reference window, the limit in sigma, and what
    would be a better assumption (None: it holds, or too few observations since). `moved` is the index of the
    observation at which the level moved again within the spell (None: it did not)."""

    assessment: Assessment
    sigma: float
    correlation: float
    limit: float
    moved: int | None
    proposal: Proposal | None


def reference(values: Sequence[float]) -> tuple[float, float]:
    """Sigma and lag-1 correlation of the first observations. A change inside the reference window would make
    sigma too large; steps from one observation to the next know nothing of it, so the smaller one counts."""
    first = list(values[: min(REFERENCE, max(LEAST_REFERENCE, len(values) // 3))])
    sigma = robust_sigma(first) or robust_sigma(values)
    middle = median(first)
    reach = FAR * sigma
    tame = [min(middle + reach, max(middle - reach, value)) for value in first]
    memory = autocorrelation(tame) if sigma else 0.0
    steps = [abs(after - before) for before, after in pairwise(values)]
    stepped = median(steps) * STEPS_TO_SIGMA / (1 - min(memory, 0.8)) ** 0.5 if steps else 0.0
    if stepped and stepped < sigma:
        sigma = stepped
    return sigma, memory


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
    found = assess(stream.times_us, values, stream.assumed[-1], sigma, stake, limit)
    moved, better = None, None
    if found.status != "holding" and found.since is not None:
        moved = _moved(values, found.since)
        better = proposal(values[moved or found.since :])
    return Standing(
        assessment=found, sigma=sigma, correlation=memory, limit=limit, moved=moved, proposal=better
    )


def _moved(values: Sequence[float], since: int) -> int | None:
    """Where the level moved for good within a spell: what is proposed is the level after it."""
    inside = persistence(values[since:])
    if inside.verdict != "structural" or inside.effect is None:
        return None
    return since + inside.effect.onset
