"""Why a machine waits: the neighbour in its line that did not feed it (starved) or did not take from it
(blocked), as far as the line shows it.

Both neighbours are looked at over the span of the wait; the one that did not run for longer is the cause,
the one upstream where they are equal. A neighbour that waits itself passes the question on, away from the
machine. A neighbour that runs all through shows nothing: a slow feed is a matter of pace, not of a stop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

MOST_BLAMED = ("down", "changeover", "planned_stop", "idle", "unknown")
"""States that let a neighbour wait, in the order in which equal spans are blamed."""


class Stay(Struct, frozen=True, order=True):
    """A span of a machine in a state other than running, [from_us, to_us)."""

    from_us: int
    to_us: int
    state: str
    reason: str | None = None


class CauseOfWaiting(Struct, frozen=True):
    """`kind` starved or blocked, by a machine in a state, for a reason that was given; `time_us` of the
    wait."""

    kind: str
    machine: str
    state: str
    reason: str | None
    time_us: int


def cause_of_waiting(
    machine: str, span: tuple[int, int], line: Sequence[str], stays: Mapping[str, Sequence[Stay]]
) -> CauseOfWaiting | None:
    """What kept a machine of a line (in the order in which the product passes it) waiting over a span;
    `stays` in order of time, by machine. None where the line does not show it."""
    at = line.index(machine) if machine in line else -1
    if at < 0:
        return None
    found = [
        _along("starved", reversed(line[:at]), span, stays),
        _along("blocked", line[at + 1 :], span, stays),
    ]
    known = [one for one in found if one is not None]
    return max(known, key=lambda one: (one.time_us, one.kind == "starved"), default=None)


def _along(
    kind: str, neighbours: Iterable[str], span: tuple[int, int], stays: Mapping[str, Sequence[Stay]]
) -> CauseOfWaiting | None:
    """The first neighbour on the way that stood for a reason of its own, over a part of the span."""
    for name in neighbours:
        times: dict[tuple[str, str | None], int] = defaultdict(int)
        waited = 0
        for stay in stays.get(name, ()):
            time = min(stay.to_us, span[1]) - max(stay.from_us, span[0])
            if time > 0 and stay.state == "waiting":
                waited += time
            elif time > 0:
                times[stay.state, stay.reason] += time
        if times:
            state, reason = max(times, key=lambda key: (times[key], -MOST_BLAMED.index(key[0]), str(key[1])))
            if times[state, reason] >= waited:
                return CauseOfWaiting(kind, name, state, reason, times[state, reason])
        if not waited:
            return None
    return None
