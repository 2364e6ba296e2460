"""Holds what a source told against what the other side wrote down: each owed change once, nothing untrue."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from edge_agent.ports import Reading

Truth = Sequence[tuple[int, float]]
"""(since when, number) of a counter that never takes a number twice, in microseconds UTC."""

_CLOCKS_US = 5_000


def told(readings: Iterable[Reading]) -> list[tuple[int, float]]:
    """(time, number) of the good values; a number that is read again in a full read stands once."""
    values = [(reading.time_us, float(reading.value)) for reading in readings if reading.value is not None]
    return [first for _, (first, *_) in itertools.groupby(values, key=lambda one: one[1])]


def needed_us(interval_us: int) -> int:
    """How long a value must be held to be owed."""
    return interval_us * 5 // 4 + 150_000


def missed(truth: Truth, seen: Truth, covered: Truth, interval_us: int) -> list[tuple[int, float]]:
    """Changes that were held long enough, all of it watched, and not told exactly once."""
    found = []
    times = {value: [at for at, each in seen if each == value] for _, value in truth}
    for (from_us, value), (to_us, _) in itertools.pairwise(truth):
        due_us = from_us + needed_us(interval_us)
        watched = any(a <= from_us and due_us <= b for a, b in covered)
        if watched and to_us >= due_us and len(times[value]) != 1:
            found.append((from_us, value))
    return found


def untrue(truth: Truth, seen: Truth) -> list[tuple[int, float]]:
    """Values told at a time at which the source had not taken them, or had another one already."""
    held = {value: (from_us, to_us) for (from_us, value), (to_us, _) in itertools.pairwise(truth)}
    last_us, last = truth[-1]
    held[last] = (last_us, last_us + 3_600_000_000)
    return [(at, value) for at, value in seen if at < held[value][0] - _CLOCKS_US]
