"""One piece of interpretation: from a boundary on, over dirty hours, until the rest is as it was stored.

The same steps serve the worker, which keeps results in the database, and the proof, which keeps them aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cloud_api.interpret.interpretation import interpret
from cloud_api.interpret.model import Boundary, Evidence, HourResult
from cloud_api.interpret.standards import Book
from cloud_api.store.times import hour_of
from shared.units import HOUR_US

MOST_REVISIONS = 1000
"""So often may one piece of work tell something new to earlier hours; each time goes further back."""


class Ground(Protocol):
    """Where a pass reads evidence and boundaries of one machine, and leaves its results."""

    def evidence(self, from_us: int, to_us: int) -> Evidence: ...

    def boundary_before(self, hour_us: int) -> Boundary | None: ...

    def boundaries(self, from_us: int, to_us: int) -> Mapping[int, Boundary]: ...

    def keep(self, from_us: int, last_hour_us: int, hours: Sequence[HourResult], ends: bool) -> None:
        """Replaces the hours in [from_us, last_hour_us]; ``ends``: the time line ends in the last of them."""

    def keep_boundary(self, boundary: Boundary) -> None: ...


@dataclass(frozen=True, slots=True)
class Done:
    """What a pass did: everything from ``from_us`` up to ``to_us`` is as it should be.

    ``to_us`` None: to the end of the time line. ``settled``: what follows is as stored, else it is not.
    """

    from_us: int
    to_us: int | None
    settled: bool


def advance(
    ground: Ground,
    machine: str,
    book: Book,
    first_us: int,
    begin: Boundary | None,
    dirty_us: int,
    to_us: int,
) -> Done:
    """Interprets from ``begin`` (None: from the machine's first sample, ``first_us``) to ``to_us`` at most.

    Stops at the first hour after ``dirty_us`` whose carry is as stored. ``to_us`` is the start of an hour, or
    lies beyond the watermark.
    """
    start = hour_of(first_us) if begin is None else begin.hour_us
    stored = ground.boundaries(start + HOUR_US, to_us)
    result = interpret(machine, book, ground.evidence(start, to_us), begin, stored, dirty_us)
    after = result.next
    last = hour_of(to_us - 1) if after is None else after.hour_us - HOUR_US
    ground.keep(start, last, result.hours, after is None)
    if after is not None and not result.settled:
        ground.keep_boundary(after)
    if result.revise_us is not None:
        revise(ground, machine, book, first_us, result.revise_us, start)
    return Done(start, None if after is None else after.hour_us, result.settled)


def revise(
    ground: Ground, machine: str, book: Book, first_us: int, revise_us: int | None, known_us: int
) -> None:
    """Computes earlier hours again, which a later one has told something new: from ``revise_us`` on up to
    ``known_us``, the first hour that knows it already."""
    for _ in range(MOST_REVISIONS):
        if revise_us is None or known_us <= hour_of(first_us):
            return
        begin = ground.boundary_before(min(revise_us, known_us - HOUR_US))
        start = hour_of(first_us) if begin is None else begin.hour_us
        stored = ground.boundaries(start + HOUR_US, known_us)
        evidence = ground.evidence(start, known_us)
        result = interpret(machine, book, evidence, begin, stored, known_us - HOUR_US)
        ground.keep(start, known_us - HOUR_US, result.hours, False)
        revise_us, known_us = result.revise_us, start
    raise RuntimeError(f"more than {MOST_REVISIONS} revisions of {machine} from {revise_us}")
