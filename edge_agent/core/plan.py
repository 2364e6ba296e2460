"""Which requests read a set of registers at the least cost.

Rules of this file: a value is never split, a forbidden register is never touched, a request never exceeds
what the protocol or the device allows. Within these rules the plan is optimal: values that lie inside
another are read with it; the others, sorted, have both ends in rising order, so that some best plan cuts
the sorted row into runs, and dynamic programming finds the best cuts. Registers between two values are read
in vain where that costs less than another request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from edge_agent.core.address import RegisterRange, Space

MOST_REGISTERS = 125
MOST_BITS = 2000
_BITS_PER_REGISTER = 16


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The place of one value: ``count`` registers (or bits, in a table of bits) of a device from ``first``
    on.
    """

    unit: int
    space: Space
    first: int
    count: int

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    def __str__(self) -> str:
        return str(RegisterRange(self.space, self.first, self.last))


@dataclass(frozen=True, slots=True)
class Block:
    """One request, and the values that it brings."""

    unit: int
    space: Space
    first: int
    count: int
    spans: tuple[Span, ...]

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    def __str__(self) -> str:
        return f"unit {self.unit} {RegisterRange(self.space, self.first, self.last)}"


@dataclass(frozen=True, slots=True)
class Medium:
    """What reading costs, in seconds: each request (round trip, frame, silence), and each register in it."""

    request_s: float
    register_s: float

    def cost_s(self, space: Space, count: int) -> float:
        """Seconds of one request."""
        registers = count / _BITS_PER_REGISTER if space.is_bits else count
        return self.request_s + registers * self.register_s


TCP = Medium(request_s=0.004, register_s=0.000_02)
"""A switched network: 125 registers more cost less than another round trip."""

_CHARACTER_BITS = 11
_FRAME_CHARACTERS = 8 + 5 + 7
_TURNAROUND_S = 0.02


def serial(baud: int) -> Medium:
    """An RTU line: 8 characters of request, 5 around the answer, 3.5 of silence after each, 20 ms to answer.

    At 9600 baud another request costs as much as 18 registers.
    """
    character_s = _CHARACTER_BITS / baud
    return Medium(_FRAME_CHARACTERS * character_s + _TURNAROUND_S, 2 * character_s)


def silence_s(baud: int) -> float:
    """Between two frames of an RTU line: 3.5 characters, at least 1.75 ms (Modbus serial line 2.5.1.1)."""
    return max(3.5 * _CHARACTER_BITS / baud, 0.001_75)


@dataclass(frozen=True, slots=True)
class Barred:
    """Registers of one device that a request must not touch, learnt from its refusals."""

    unit: int
    range: RegisterRange


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may be. max_gap: most registers read in vain between two values.

    device_registers: what a device was found to take at most, by unit. barred: what it refused.
    """

    max_registers: int = MOST_REGISTERS
    max_bits: int = MOST_BITS
    max_gap: int = MOST_REGISTERS
    forbidden: tuple[RegisterRange, ...] = ()
    device_registers: tuple[tuple[int, int], ...] = ()
    barred: tuple[Barred, ...] = field(default=())

    def most(self, unit: int, space: Space) -> int:
        """Registers or bits that one request may ask of a device."""
        learnt = min((most for of, most in self.device_registers if of == unit), default=MOST_REGISTERS)
        if space.is_bits:
            return min(self.max_bits, MOST_BITS, learnt * _BITS_PER_REGISTER)
        return min(self.max_registers, MOST_REGISTERS, learnt)

    def walls(self, unit: int, space: Space) -> list[RegisterRange]:
        """Every range of a table that a request must not touch."""
        learnt = [barred.range for barred in self.barred if barred.unit == unit]
        return [wall for wall in (*self.forbidden, *learnt) if wall.space == space]


def plan(spans: Iterable[Span], medium: Medium = TCP, limits: Limits | None = None) -> tuple[Block, ...]:
    """The requests, by device, table and address; each span stands in exactly one block.

    Raises ValueError for a value that no allowed request can hold: too long, or on a forbidden register.
    """
    limits = limits or Limits()
    blocks: list[Block] = []
    for (unit, space), table in groupby(sorted(set(spans)), key=lambda span: (span.unit, span.space)):
        blocks += _table(unit, space, list(table), medium, limits)
    return tuple(blocks)


def cycle_s(blocks: Iterable[Block], medium: Medium) -> float:
    """Estimated seconds for all requests, one after the other."""
    return sum(medium.cost_s(block.space, block.count) for block in blocks)


def _table(unit: int, space: Space, spans: list[Span], medium: Medium, limits: Limits) -> list[Block]:
    most, walls = limits.most(unit, space), limits.walls(unit, space)
    longest = min(limits.max_bits, MOST_BITS) if space.is_bits else min(limits.max_registers, MOST_REGISTERS)
    for span in spans:
        _refuse_what_cannot_be_read(span, longest, limits.forbidden)
    walls = _without(walls, spans)
    outer = _outermost(spans)
    gap = limits.max_gap * (_BITS_PER_REGISTER if space.is_bits else 1)
    runs = _best_runs(outer, space, medium, most, gap, walls)
    blocks = [_block(unit, space, run) for run in runs]
    return _with_inner(blocks, spans)


def _refuse_what_cannot_be_read(span: Span, most: int, forbidden: Sequence[RegisterRange]) -> None:
    for wall in forbidden:
        if wall.space == span.space and wall.first <= span.last and span.first <= wall.last:
            raise ValueError(f"{span} lies in the forbidden range {wall}; move one of them")
    if span.count > most:
        raise ValueError(f"{span} needs {span.count} in one request, at most {most} are allowed")


def _without(walls: Iterable[RegisterRange], spans: Sequence[Span]) -> list[RegisterRange]:
    """Walls as far as no wanted value stands on them: a value is asked for whatever was learnt of its
    registers.
    """
    kept: list[RegisterRange] = []
    for wall in walls:
        first = wall.first
        for span in spans:
            if span.last < first or span.first > wall.last:
                continue
            if span.first > first:
                kept.append(RegisterRange(wall.space, first, span.first - 1))
            first = max(first, span.last + 1)
        if first <= wall.last:
            kept.append(RegisterRange(wall.space, first, wall.last))
    return kept


def _outermost(spans: Sequence[Span]) -> list[Span]:
    """Spans that lie in no other, sorted; first and last both rise strictly."""
    outer: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.first, -span.last)):
        if not outer or span.last > outer[-1].last:
            outer.append(span)
    return outer


def _best_runs(
    spans: Sequence[Span],
    space: Space,
    medium: Medium,
    most: int,
    gap: int,
    walls: Sequence[RegisterRange],
) -> list[Sequence[Span]]:
    """Cut the row of spans into runs of least total cost; among equal costs the fewest requests."""
    joinable = [_may_join(left, right, gap, walls) for left, right in pairwise(spans)]
    best: list[tuple[float, int, int]] = [(0.0, 0, 0)]
    for end in range(1, len(spans) + 1):
        choices: list[tuple[float, int, int]] = []
        for start in range(end - 1, -1, -1):
            count = spans[end - 1].last - spans[start].first + 1
            if start < end - 1 and (count > most or not joinable[start]):
                break
            cost, requests, _ = best[start]
            choices.append((cost + medium.cost_s(space, count), requests + 1, start))
        best.append(min(choices))
    runs: list[Sequence[Span]] = []
    end = len(spans)
    while end:
        start = best[end][2]
        runs.append(spans[start:end])
        end = start
    return runs[::-1]


def _may_join(left: Span, right: Span, gap: int, walls: Sequence[RegisterRange]) -> bool:
    between_first, between_last = left.last + 1, right.first - 1
    if between_last < between_first:
        return True
    if between_last - between_first + 1 > gap:
        return False
    return not any(wall.first <= between_last and between_first <= wall.last for wall in walls)


def _block(unit: int, space: Space, run: Sequence[Span]) -> Block:
    first = run[0].first
    return Block(unit, space, first, run[-1].last - first + 1, tuple(run))


def _with_inner(blocks: Sequence[Block], spans: Sequence[Span]) -> list[Block]:
    """Blocks again, with the spans that lie inside others; each goes to the first block that holds it
    whole.
    """
    held: list[list[Span]] = [[] for _ in blocks]
    place = 0
    for span in sorted(spans):
        while blocks[place].last < span.first:
            place += 1
        at = place
        while not (blocks[at].first <= span.first and span.last <= blocks[at].last):
            at += 1
        held[at].append(span)
    return [
        Block(block.unit, block.space, block.first, block.count, tuple(inner))
        for block, inner in zip(blocks, held, strict=True)
    ]
