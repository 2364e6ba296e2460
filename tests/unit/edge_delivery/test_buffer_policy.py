"""What a full buffer gives up, and what never."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.buffer_policy import AtCap, Held, Room, expired, make_room, merged
from shared.batch import Gap

HELD = st.lists(st.tuples(st.integers(1, 50), st.booleans()), max_size=12).map(
    lambda each: [Held(n, size, settled) for n, (size, settled) in enumerate(each)]
)


def segments(*sizes: int, settled: int = 0) -> list[Held]:
    """The first ``settled`` of them are settled."""
    return [Held(n, size, n < settled) for n, size in enumerate(sizes)]


def test_room_that_is_there_costs_nothing() -> None:
    assert make_room(segments(10, 10), Room(10, 100, 1000, 0), AtCap.DROP_OLDEST).delete == ()


def test_settled_segments_go_first_oldest_first_no_more_than_needed() -> None:
    plan = make_room(segments(10, 10, 10, settled=2), Room(10, 30, 1000, 0), AtCap.DROP_OLDEST)
    assert (plan.delete, plan.drop, plan.enough) == ((0,), (), True)


def test_then_the_oldest_goes_or_nothing_by_policy() -> None:
    room = Room(10, 30, 1000, 0)
    assert make_room(segments(10, 10, 10), room, AtCap.DROP_OLDEST).drop == (0,)
    assert make_room(segments(10, 10, 10), room, AtCap.STOP).enough is False


def test_the_reserve_costs_at_most_the_room_of_the_new_segment() -> None:
    plan = make_room(segments(10, 10, 10, 10), Room(10, 1000, 0, 500), AtCap.DROP_OLDEST)
    assert (plan.drop, plan.enough) == ((0,), True)


def test_the_reserve_takes_all_that_is_settled_but_no_open_data_for_it() -> None:
    plan = make_room(segments(10, 10, 10, 10, settled=3), Room(10, 1000, 0, 500), AtCap.DROP_OLDEST)
    assert (plan.delete, plan.drop, plan.enough) == ((0, 1, 2), (), True)


def test_a_floor_is_held_whatever_the_reserve_says() -> None:
    plan = make_room(segments(10), Room(10, 1000, 50, 500, floor=40), AtCap.DROP_OLDEST)
    assert (plan.delete, plan.drop, plan.enough) == ((), (), True)


def test_what_is_being_written_is_never_given_up() -> None:
    held = [Held(0, 10, False, current=True)]
    assert make_room(held, Room(10, 15, 1000, 0), AtCap.DROP_OLDEST).enough is False


@given(HELD, st.integers(1, 60), st.integers(1, 400), st.integers(0, 400), st.integers(0, 200))
def test_a_plan_keeps_its_promises(held: list[Held], need: int, cap: int, free: int, reserve: int) -> None:
    plan = make_room(held, Room(need, cap, free, reserve), AtCap.DROP_OLDEST)
    by = {each.ordinal: each for each in held}
    gone = sum(by[ordinal].size for ordinal in (*plan.delete, *plan.drop))
    assert all(by[ordinal].settled for ordinal in plan.delete)
    assert not any(by[ordinal].settled for ordinal in plan.drop)
    if plan.enough:
        assert sum(each.size for each in held) - gone + need <= cap
    if plan.drop:
        assert set(plan.delete) == {each.ordinal for each in held if each.settled}
        assert list(plan.drop) == sorted(each.ordinal for each in held if not each.settled)[: len(plan.drop)]


def test_settled_data_is_kept_for_its_time() -> None:
    held = [
        Held(0, 1, True, 100),
        Held(1, 1, True, 160),
        Held(2, 1, False),
        Held(3, 1, True, 0, current=True),
    ]
    assert expired(held, 200, 100) == (0,)
    assert expired(held, 199, 100) == ()
    assert expired(held, 260, 100) == (0, 1)


def test_no_more_than_so_many_settled_segments_are_kept() -> None:
    held = [Held(n, 1, n != 2, 0) for n in range(6)]
    assert expired(held, 1, 100, most=3) == (0, 1)


def gap(seq_from: int, seq_to: int, from_us: int, *signals: int, stream: bytes = b"s" * 16) -> Gap:
    return Gap(stream, seq_from, seq_to, from_us, from_us + 10, 1, "full", list(signals))


def test_losses_of_adjoining_seqs_are_one_record() -> None:
    told = merged(
        [gap(6, 9, 50), gap(1, 3, 0), gap(4, 5, 30), gap(12, 13, 90), gap(1, 2, 5, stream=b"t" * 16)]
    )
    assert [
        (each.stream[:1], each.seq_from, each.seq_to, each.from_us, each.to_us, each.count) for each in told
    ] == [
        (b"s", 1, 9, 0, 60, 3),
        (b"s", 12, 13, 90, 100, 1),
        (b"t", 1, 2, 5, 15, 1),
    ]


def test_losses_of_some_signals_or_without_seqs_stay_apart_until_they_are_too_many() -> None:
    assert len(merged([gap(1, 3, 0, 7), gap(4, 5, 30)])) == 2
    few = [gap(0, 0, 100 * n, n) for n in range(5)]
    assert merged(few) == few
    assert [(each.from_us, each.to_us, each.count, each.signals) for each in merged(few, most=3)] == [
        (0, 210, 3, [0, 1, 2]),
        (300, 310, 1, [3]),
        (400, 410, 1, [4]),
    ]
