"""Ranges of seqs behave as sets of numbers."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.link import seqs_of
from edge_agent.core.seqs import Seqs

RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def numbers(ranges: object) -> set[int]:
    return {n for first, last in ranges for n in range(first, last + 1)}


@given(RANGES, st.integers(0, 60), st.integers(0, 60))
def test_ranges_are_sets(ranges: list[tuple[int, int]], first: int, last: int) -> None:
    seqs, truth = Seqs.of(ranges), numbers(ranges)
    asked = set(range(first, last + 1))
    assert numbers(seqs.ranges) == truth
    assert {n for n in range(-2, 63) if n in seqs} == truth
    assert seqs.count(first, last) == len(truth & asked)
    assert numbers(seqs.within(first, last)) == truth & asked
    assert numbers(seqs.missing(first, last)) == asked - truth
    assert seqs.holds_range(first, last) == (asked <= truth)
    assert numbers(seqs.with_range(first, last).ranges) == truth | asked
    assert seqs.first_missing(first) == min(n for n in range(first, 63) if n not in truth)
    assert bool(seqs) == bool(truth)


@given(RANGES)
def test_ranges_are_few(ranges: list[tuple[int, int]]) -> None:
    joined = Seqs.of(ranges).ranges
    assert all(after[0] > before[1] + 1 for before, after in itertools.pairwise(joined))


def test_an_ack_names_no_seq_below_one() -> None:
    assert seqs_of(-5, []).ranges == ()
    assert seqs_of(0, [(-3, 2), (9, 8)]).ranges == ((1, 2),)
    assert seqs_of(4, [(5, 6), (9, 9)]).ranges == ((1, 6), (9, 9))
