"""What may be in flight, when it is sent again, how long to wait, how fast history goes."""

from __future__ import annotations

import itertools

import pytest

from edge_agent.core.lanes import HistoryBudget, HistoryRate, overtakes
from edge_agent.core.link import Window, WindowLimits
from edge_agent.core.retry import Backoff
from edge_agent.core.seqs import Seqs
from shared.batch import Lane

S = b"s" * 16
LIMITS = WindowLimits(batches=4, size=1000, history_share=0.5, resend=Backoff(5.0, 60.0))


def keys(*seqs: int) -> list[tuple[bytes, int]]:
    return [(S, seq) for seq in seqs]


def with_flights(count: int, size: int = 10, lane: Lane = Lane.LIVE) -> Window:
    window = Window(LIMITS)
    for seq in range(1, count + 1):
        window.sent((S, seq), size, lane, 0.0)
    return window


def test_at_most_so_many_batches_are_in_flight() -> None:
    assert [with_flights(n).room(Lane.LIVE) for n in range(6)] == [4, 3, 2, 1, 0, 0]
    assert [with_flights(n, lane=Lane.HISTORY).room(Lane.HISTORY) for n in range(4)] == [2, 1, 0, 0]


def test_history_never_takes_the_room_of_live_data() -> None:
    window = with_flights(2, lane=Lane.HISTORY)
    assert (window.room(Lane.HISTORY), window.room(Lane.LIVE)) == (0, 2)
    assert with_flights(3).room(Lane.HISTORY) == 1


def test_at_most_so_many_bytes_are_in_flight_but_one_batch_always_may() -> None:
    assert Window(LIMITS).room(Lane.LIVE) == 4
    assert with_flights(1, size=5000).room(Lane.LIVE) == 0
    assert with_flights(1, size=500, lane=Lane.HISTORY).room(Lane.HISTORY) == 0
    assert with_flights(1, size=500, lane=Lane.HISTORY).room(Lane.LIVE) == 3


def test_an_ack_frees_what_it_names() -> None:
    window = with_flights(4)
    assert window.acknowledged(S, Seqs.of([(1, 2), (4, 9)])) == 3
    assert window.acknowledged(b"o" * 16, Seqs.of([(3, 3)])) == 0
    assert ((S, 3) in window, len(window)) == (True, 1)


def test_what_is_late_is_sent_again_once_then_the_oldest_alone_ever_more_rarely() -> None:
    window = with_flights(3)
    assert window.due(4.9, 0.5) == []
    assert window.due(5.0, 0.5) == keys(1, 2, 3)
    for seq in (1, 2, 3):
        window.sent((S, seq), 10, Lane.LIVE, 5.0)
    probes = []
    now = 5.0
    while now < 400:
        now += 0.5
        due = window.due(now, 1.0)
        if due:
            assert due == keys(1)
            window.sent((S, 1), 10, Lane.LIVE, now)
            probes.append(now)
    waits = [round(after - before) for before, after in itertools.pairwise(probes)]
    assert waits == [10, 20, 40, 60, 60, 60, 60, 60]
    assert window.silences == len(probes)


def test_a_word_of_the_cloud_resets_the_time_out() -> None:
    window = with_flights(3)
    now = 0.0
    while now < 100:
        now += 0.5
        for key in window.due(now, 1.0):
            window.sent(key, 10, Lane.LIVE, now)
    window.acknowledged(S, Seqs.of([(1, 1)]))
    assert window.silences == 0
    assert window.due(now, 1.0) == keys(2, 3)


def test_when_the_cloud_asks_everything_is_due_at_once() -> None:
    window = with_flights(2)
    window.expect_nothing()
    assert window.due(0.1, 0.0) == keys(1, 2)


def test_one_batch_that_is_never_acknowledged_makes_no_storm() -> None:
    """Others go through all the time; only the poor one is repeated, every five seconds."""
    window, again, seq = Window(LIMITS), 0, 1
    window.sent((S, 1), 10, Lane.LIVE, 0.0)
    for tenth in range(1, 1000):
        now = tenth / 10
        seq += 1
        window.sent((S, seq), 10, Lane.LIVE, now)
        due = window.due(now, 0.5)
        for key in due:
            window.sent(key, 10, Lane.LIVE, now)
        again += len(due)
        assert set(due) <= {(S, 1)}
        window.acknowledged(S, Seqs.of([(2, seq)]))
    assert 15 <= again <= 20


def test_a_new_connection_knows_of_no_flights() -> None:
    window = with_flights(4)
    window.forget((S, 2))
    assert len(window) == 3
    window.clear()
    assert (len(window), window.room(Lane.LIVE)) == (0, 4)


def test_waits_double_up_to_a_limit_and_are_drawn() -> None:
    backoff = Backoff(1.0, 30.0)
    assert [backoff.whole_s(n) for n in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.whole_s(10_000) == 30.0
    assert backoff.wait_s(2, 0.0) == 2.0
    assert backoff.wait_s(2, 0.999) == pytest.approx(4.0, abs=0.01)


def sent_per_second(rate: HistoryRate, seconds: int, size: int) -> list[int]:
    budget, sent = HistoryBudget(rate, 100.0), [0] * seconds
    for tick in range(seconds * 50):
        while budget.may_send(100.0 + tick / 50):
            budget.spend(size)
            sent[tick // 50] += size
    return sent


def test_history_starts_slowly_and_keeps_its_cap() -> None:
    sent = sent_per_second(HistoryRate(10_000, start_share=0.125, double_every_s=2.0), 20, 100)
    assert sent[0] < 2_500
    assert all(after >= before - 200 for before, after in itertools.pairwise(sent))
    assert all(9_000 <= each <= 11_000 for each in sent[8:])


def test_one_large_batch_overdraws_and_is_paid_for() -> None:
    sent = sent_per_second(HistoryRate(1_000, start_share=1.0), 20, 5_000)
    assert 15_000 <= sum(sent) <= 25_000


def test_live_data_is_left_behind_by_its_age() -> None:
    assert overtakes(0, 11, 10)
    assert not overtakes(0, 10, 10)
    assert not overtakes(None, 10**9, 10)
