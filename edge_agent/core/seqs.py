"""Sets of sequence numbers as a few inclusive ranges: acknowledged, on disk, missing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Seqs:
    """Sorted, disjoint, not adjacent inclusive ranges. Build it with ``Seqs.of``; adding gives a new one."""

    ranges: tuple[Range, ...] = ()

    @staticmethod
    def of(ranges: Iterable[Range]) -> Seqs:
        """The union of ranges in any order. A range that ends before it begins holds nothing."""
        joined: list[Range] = []
        for first, last in sorted(ranges):
            if last < first:
                continue
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], last))
            else:
                joined.append((first, last))
        return Seqs(tuple(joined))

    def with_range(self, first: int, last: int) -> Seqs:
        """These and [first, last]."""
        if self.holds_range(first, last):
            return self
        return Seqs.of((*self.ranges, (first, last)))

    def holds_range(self, first: int, last: int) -> bool:
        """Whether all of [first, last] is in; true for an empty range."""
        return last < first or self._at(first)[1] >= last

    def __contains__(self, seq: int) -> bool:
        return self.holds_range(seq, seq)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def count(self, first: int, last: int) -> int:
        """How many of [first, last] are in."""
        return sum(to - since + 1 for since, to in self.within(first, last))

    def within(self, first: int, last: int) -> Iterator[Range]:
        """The parts of [first, last] that are in."""
        start = bisect_left(self.ranges, first, key=lambda each: each[1])
        stop = bisect_right(self.ranges, last, key=lambda each: each[0])
        for since, to in self.ranges[start:stop] if first <= last else ():
            yield max(since, first), min(to, last)

    def missing(self, first: int, last: int) -> Iterator[Range]:
        """The parts of [first, last] that are not in."""
        at = first
        for since, to in self.within(first, last):
            if since > at:
                yield at, since - 1
            at = to + 1
        if at <= last:
            yield at, last

    def first_missing(self, first: int) -> int:
        """The lowest number from first on that is not in."""
        return max(first, self._at(first)[1] + 1)

    def _at(self, seq: int) -> Range:
        """The range that holds seq, or an empty one right before it."""
        place = bisect_left(self.ranges, seq, key=lambda each: each[1])
        if place < len(self.ranges) and self.ranges[place][0] <= seq:
            return self.ranges[place]
        return (seq, seq - 1)
