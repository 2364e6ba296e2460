"""The block planner: the rules, and that no plan is cheaper."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.address import RegisterRange, Space
from edge_agent.core.plan import TCP, Barred, Block, Limits, Medium, Span, cycle_s, plan, serial

HOLDING = Space.HOLDING


def spans(*places: tuple[int, int], unit: int = 1, space: Space = HOLDING) -> list[Span]:
    return [Span(unit, space, first, count) for first, count in places]


def shape(blocks: tuple[Block, ...]) -> list[tuple[int, int]]:
    return [(block.first, block.count) for block in blocks]


def test_runs_of_five_with_gaps_of_two_need_three_requests():
    runs = [Span(1, HOLDING, 7 * run + at, 1) for run in range(40) for at in range(5)]
    blocks = plan(runs)
    assert len(blocks) == 3
    assert sum(len(block.spans) for block in blocks) == 200
    assert all(block.count <= 125 for block in blocks)


def test_a_value_is_never_split():
    assert shape(plan(spans((0, 120), (120, 10)))) == [(0, 120), (120, 10)]


def test_a_forbidden_range_is_never_crossed():
    limits = Limits(forbidden=(RegisterRange(HOLDING, 12, 13),))
    assert shape(plan(spans((10, 2), (14, 1)), TCP, limits)) == [(10, 2), (14, 1)]
    other_table = Limits(forbidden=(RegisterRange(Space.INPUT, 12, 13),))
    assert shape(plan(spans((10, 2), (14, 1)), TCP, other_table)) == [(10, 5)]


def test_what_a_device_refused_bars_only_that_device():
    limits = Limits(barred=(Barred(1, RegisterRange(HOLDING, 2, 2)),))
    blocks = plan([*spans((0, 1), (4, 1)), *spans((0, 1), (4, 1), unit=2)], TCP, limits)
    assert [(block.unit, block.first, block.count) for block in blocks] == [(1, 0, 1), (1, 4, 1), (2, 0, 5)]


def test_a_value_that_is_wanted_is_asked_for_whatever_was_learnt_of_its_registers():
    limits = Limits(barred=(Barred(1, RegisterRange(HOLDING, 10, 13)),))
    assert shape(plan(spans((10, 4), (14, 1)), TCP, limits)) == [(10, 5)]


def test_values_that_overlap_share_a_request():
    blocks = plan(spans((100, 8), (101, 1), (104, 2), (107, 2)))
    assert shape(blocks) == [(100, 9)]
    assert len(blocks[0].spans) == 4


def test_a_value_inside_another_goes_with_it_even_over_many_blocks():
    blocks = plan(spans((0, 100), (50, 1), (90, 100), (150, 2), (300, 1)), TCP, Limits(max_gap=0))
    assert shape(blocks) == [(0, 100), (90, 100), (300, 1)]
    assert [len(block.spans) for block in blocks] == [2, 2, 1]


def test_units_and_tables_have_requests_of_their_own():
    wanted = [*spans((0, 1)), *spans((1, 1), unit=2), *spans((0, 1), space=Space.COIL)]
    assert len(plan(wanted)) == 3


def test_coils_come_two_thousand_at_a_time():
    assert shape(plan(spans((0, 1), (1999, 1), space=Space.COIL))) == [(0, 2000)]
    assert len(plan(spans((0, 1), (2000, 1), space=Space.COIL))) == 2


def test_the_device_maximum_counts():
    wanted = [Span(1, HOLDING, at, 1) for at in range(100)]
    counts = [count for _, count in shape(plan(wanted, TCP, Limits(max_registers=32)))]
    assert (len(counts), max(counts)) == (4, 32)
    assert max(count for _, count in shape(plan(wanted, TCP, Limits(device_registers=((1, 20),))))) == 20


def test_a_slow_line_reads_fewer_registers_in_vain():
    pair = spans((0, 1), (19, 1))
    assert len(plan(pair, serial(9600))) == 1
    assert len(plan(spans((0, 1), (20, 1)), serial(9600))) == 2
    assert len(plan(pair, TCP)) == 1


def test_max_gap_is_a_limit_even_where_joining_is_cheaper():
    assert len(plan(spans((0, 1), (4, 1)), TCP, Limits(max_gap=2))) == 2
    assert len(plan(spans((0, 1), (4, 1)), TCP, Limits(max_gap=3))) == 1


@pytest.mark.parametrize(
    ("wanted", "limits", "words"),
    [
        (
            spans((10, 2)),
            Limits(forbidden=(RegisterRange(HOLDING, 11, 20),)),
            "forbidden range holding:11-20",
        ),
        (spans((10, 30)), Limits(max_registers=20), "needs 30 in one request, at most 20"),
    ],
)
def test_what_no_request_can_hold_is_refused_in_words(wanted, limits, words):
    with pytest.raises(ValueError, match=words):
        plan(wanted, TCP, limits)


@st.composite
def small_cases(draw):
    places = draw(
        st.lists(st.tuples(st.integers(0, 24), st.integers(1, 4)), min_size=1, max_size=7, unique=True)
    )
    wall = draw(st.integers(0, 28))
    free = [(first, count) for first, count in places if not first <= wall < first + count]
    medium = Medium(draw(st.integers(1, 8)), 1.0)
    limits = Limits(
        max_registers=draw(st.integers(4, 12)),
        max_gap=draw(st.integers(0, 12)),
        forbidden=(RegisterRange(HOLDING, wall, wall),),
    )
    return spans(*free), medium, limits


def cheapest(wanted: list[Span], medium: Medium, limits: Limits) -> float:
    """Every way to cover the values by allowed ranges, tried out."""
    wall = limits.forbidden[0].first

    def allowed(first: int, last: int) -> bool:
        if last - first + 1 > limits.max_registers or first <= wall <= last:
            return False
        inside = {
            at for s in wanted if s.first >= first and s.last <= last for at in range(s.first, s.last + 1)
        }
        gaps = [right - left - 1 for left, right in pairwise(sorted(inside))]
        return {first, last} <= inside and max(gaps, default=0) <= limits.max_gap

    ranges = [(a, b) for a in range(29) for b in range(a, 29) if allowed(a, b)]
    best: dict[frozenset[Span], float] = {frozenset(): 0.0}

    def least(left: frozenset[Span]) -> float:
        if left not in best:
            hard = min(left)
            best[left] = min(
                medium.cost_s(HOLDING, b - a + 1)
                + least(frozenset(s for s in left if s.first < a or s.last > b))
                for a, b in ranges
                if a <= hard.first and hard.last <= b
            )
        return best[left]

    return least(frozenset(wanted))


@settings(max_examples=150, deadline=None)
@given(small_cases())
def test_no_plan_is_cheaper(case):
    wanted, medium, limits = case
    blocks = plan(wanted, medium, limits)
    assert sorted(span for block in blocks for span in block.spans) == sorted(wanted)
    for block in blocks:
        assert block.count <= limits.max_registers
        assert not any(block.first <= wall.first <= block.last for wall in limits.forbidden)
        assert all(block.first <= span.first and span.last <= block.last for span in block.spans)
    assert cycle_s(blocks, medium) == pytest.approx(cheapest(wanted, medium, limits))


def test_five_thousand_values_are_planned_at_once():
    wanted = [Span(1, HOLDING, 3 * at, 2) for at in range(5000)]
    assert len(plan(wanted)) == 120
