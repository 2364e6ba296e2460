"""The constraint of a line at each moment, by the active period method (Roser, Nakano, Tanaka, A practical
bottleneck detection method, Winter Simulation Conference 2001).

A machine is active while it keeps others waiting rather than waits itself: running, down, changing over,
in a planned stop. Its active periods are the longest uninterrupted spans of that; waiting, idle, unknown and
silence end them. The walk starts with the longest period at the first moment; at its end it goes on to the
longest period active then, or, where none is, at the next moment that one is. Equal periods all count.

The periods on the walk are the constraints. Where just one of them stands it is the *sole* constraint, where
they overlap the constraint *shifts*, and each of them is shifting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from cloud_api.interpret.money import exactly

ACTIVE = frozenset({"running", "down", "changeover", "planned_stop"})


class Stretch(Protocol):
    """A span of one state of a machine, [from_us, to_us): a segment, for one."""

    @property
    def machine(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def from_us(self) -> int: ...
    @property
    def to_us(self) -> int: ...


class ActivePeriod(Struct, frozen=True, order=True):
    """An uninterrupted active span of a machine."""

    from_us: int
    to_us: int
    machine: str

    @property
    def length_us(self) -> int:
        """Its length."""
        return self.to_us - self.from_us


class Moment(Struct, frozen=True):
    """A span with the same constraint: one machine is sole, several are shifting. Machines in order of
    name."""

    from_us: int
    to_us: int
    machines: tuple[str, ...]


class ConstraintShare(Struct, frozen=True):
    """Time of a machine as the constraint, and its shares of the time with a constraint."""

    sole_us: int
    shifting_us: int
    sole: Decimal
    shifting: Decimal

    @property
    def time_us(self) -> int:
        """All its time as the constraint."""
        return self.sole_us + self.shifting_us


def active_periods(stretches: Iterable[Stretch]) -> list[ActivePeriod]:
    """The active periods of machines, in order of time; stretches of one machine must not overlap and may
    come in any order. Periods end where the stretches do."""
    by_machine: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for stretch in sorted(stretches, key=lambda each: (each.from_us, each.to_us)):
        if stretch.state not in ACTIVE or stretch.from_us >= stretch.to_us:
            continue
        spans = by_machine[stretch.machine]
        if spans and spans[-1][1] == stretch.from_us:
            spans[-1] = (spans[-1][0], stretch.to_us)
        else:
            spans.append((stretch.from_us, stretch.to_us))
    return sorted(ActivePeriod(*span, machine) for machine, spans in by_machine.items() for span in spans)


def walk(periods: Sequence[ActivePeriod]) -> list[ActivePeriod]:
    """The periods that were the constraint, in order of time."""
    waiting = sorted(periods)
    chosen: list[ActivePeriod] = []
    active: list[ActivePeriod] = []
    now = waiting[0].from_us if waiting else 0
    at = 0
    while True:
        while at < len(waiting) and waiting[at].from_us <= now:
            active.append(waiting[at])
            at += 1
        active = [period for period in active if period.to_us > now]
        if active:
            most = max(period.length_us for period in active)
            longest = [period for period in active if period.length_us == most]
            chosen += longest
            now = max(period.to_us for period in longest)
        elif at < len(waiting):
            now = waiting[at].from_us
        else:
            return sorted(chosen)


def moments(chosen: Sequence[ActivePeriod]) -> list[Moment]:
    """The constraint over time, from the periods of a walk; spans without a constraint are left out."""
    changes: dict[int, list[tuple[bool, str]]] = defaultdict(list)
    for period in chosen:
        changes[period.from_us].append((True, period.machine))
        changes[period.to_us].append((False, period.machine))
    found: list[Moment] = []
    present: set[str] = set()
    before = 0
    for now in sorted(changes):
        if present:
            found.append(Moment(before, now, tuple(sorted(present))))
        present -= {machine for begins, machine in changes[now] if not begins}
        present |= {machine for begins, machine in changes[now] if begins}
        before = now
    return found


@exactly
def shares(
    found: Sequence[Moment], from_us: int | None = None, to_us: int | None = None
) -> dict[str, ConstraintShare]:
    """Sole and shifting time of each machine that ever was the constraint in [from_us, to_us), and their
    shares of the time with a constraint; shifting shares of several machines overlap."""
    sole: dict[str, int] = defaultdict(int)
    shifting: dict[str, int] = defaultdict(int)
    whole = 0
    for moment in found:
        begin = moment.from_us if from_us is None else max(moment.from_us, from_us)
        end = moment.to_us if to_us is None else min(moment.to_us, to_us)
        if begin >= end:
            continue
        whole += end - begin
        for machine in moment.machines:
            (sole if len(moment.machines) == 1 else shifting)[machine] += end - begin
    return {
        machine: ConstraintShare(
            sole[machine],
            shifting[machine],
            Decimal(sole[machine]) / whole,
            Decimal(shifting[machine]) / whole,
        )
        for machine in sorted({*sole, *shifting})
    }


def leader(found: Mapping[str, ConstraintShare], row: Sequence[str]) -> str | None:
    """The machine that was the constraint longest, sole before shifting; None where there was none. Of equals
    the last in the `row` of machines: where neither ever waits, what lies between them is in stock, and the
    later one decides what leaves the line."""
    places = {name: at for at, name in enumerate(row)}
    return max(
        found,
        key=lambda name: (found[name].time_us, found[name].sole_us, places.get(name, -1), name),
        default=None,
    )


def leaders(
    found: Sequence[Moment], spans: Iterable[tuple[int, int]], row: Sequence[str]
) -> list[str | None]:
    """The leader of each span [from_us, to_us); spans in order of time that do not overlap, moments as
    `moments` gives them."""
    told: list[str | None] = []
    at = 0
    for begin, end in spans:
        while at < len(found) and found[at].to_us <= begin:
            at += 1
        stop = at
        while stop < len(found) and found[stop].from_us < end:
            stop += 1
        told.append(leader(shares(found[at:stop], begin, end), row))
    return told


class Bearing(Struct, frozen=True, kw_only=True):
    """What a machine of a line could still do: good units per running hour, and hours in which it waited or
    stood idle."""

    machine: str
    rate: Decimal
    free_h: Decimal


@exactly
def relief_limit(constraint: Bearing, others: Iterable[Bearing]) -> tuple[Decimal, str] | None:
    """Hours of relief at the constraint until another machine has no free hour left to take its units, and
    that machine: the next constraint. None where no other machine bounds it."""
    limits = [
        (other.free_h * other.rate / constraint.rate, other.machine)
        for other in others
        if other.rate and constraint.rate
    ]
    return min(limits, default=None)


@exactly
def drawn(made: Decimal, ended: Decimal, lost_after: Decimal) -> Decimal:
    """Units of a product that left a line, or were scrapped on their way, without having passed a machine of
    it in the window: they came out of the stock behind it. Negative where stock grew."""
    return ended + lost_after - made
