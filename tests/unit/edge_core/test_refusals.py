"""What is learnt of refusals: found by asking a device that is simulated by a set of addresses."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.address import RegisterRange, Space
from edge_agent.core.plan import TCP, Barred, Limits, Span, plan
from edge_agent.core.refusals import Learnt, halves, name_of, tells_of_address

HOLDING = Space.HOLDING


def spans(*firsts: int, count: int = 1) -> list[Span]:
    return [Span(1, HOLDING, first, count) for first in firsts]


def test_a_block_is_cut_in_the_middle_between_values():
    (block,) = plan(spans(0, 2, 4, 6, count=2))
    left, right = halves(block) or (None, None)
    assert (left.first, left.count, right.first, right.count) == (0, 4, 4, 4)


def test_values_that_overlap_stay_together():
    (block,) = plan([Span(1, HOLDING, 0, 4), Span(1, HOLDING, 2, 4), Span(1, HOLDING, 6, 1)])
    left, right = halves(block) or (None, None)
    assert (left.first, left.count, right.first) == (0, 6, 6)
    assert halves(left) is None


def test_what_was_in_the_gap_is_read_no_more():
    (block,) = plan(spans(0, 5))
    learnt = Learnt().cut_between(*(halves(block) or ()))
    assert learnt.barred == {Barred(1, RegisterRange(HOLDING, 1, 4))}
    assert len(plan(spans(0, 5), TCP, learnt.applied_to(Limits()))) == 2


def test_without_a_gap_the_device_takes_less_than_it_was_asked():
    (block,) = plan(spans(*range(100)))
    learnt = Learnt().cut_between(*(halves(block) or ()))
    assert learnt.device_registers == {1: 50}
    assert len(plan(spans(*range(100)), TCP, learnt.applied_to(Limits()))) == 2


def test_a_value_that_answers_again_is_no_longer_aside():
    (bad,) = spans(7)
    learnt = Learnt().without((bad,))
    assert (learnt.aside, learnt.again(bad)) == (frozenset({bad}), Learnt())


@settings(deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 60), max_size=6), st.integers(5, 40))
def test_asking_again_and_again_ends_with_every_good_value_read(wanted, missing, most):
    """The procedure of the adapter, in short: halve what is refused until nothing is."""
    learnt = Learnt()
    for _ in range(40):
        asked = [span for span in spans(*wanted) if span not in learnt.aside]
        refused = False
        for block in plan(asked, TCP, learnt.applied_to(Limits())):
            todo = [block]
            while todo:
                part = todo.pop()
                if answers(part, missing, most):
                    continue
                refused = True
                both = halves(part)
                if both is None:
                    learnt = learnt.without(part.spans)
                elif all(answers(half, missing, most) for half in both):
                    learnt = learnt.cut_between(*both)
                else:
                    todo += both
        if not refused:
            break
    assert not refused
    assert {span.first for span in learnt.aside} == wanted & missing


def answers(block, missing: set[int], most: int) -> bool:
    return block.count <= most and not missing & set(range(block.first, block.last + 1))


def test_exceptions_in_words():
    assert name_of(2) == "exception 2, illegal data address"
    assert tells_of_address(2)
    assert not tells_of_address(6)
    assert "not defined" in name_of(99)
