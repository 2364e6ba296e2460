"""How long machines rest between turns, and which marked hours are one row."""

from __future__ import annotations

from datetime import UTC, datetime

from cloud_api.work.turn import _last_in_a_row, live_from
from cloud_api.work.worker import FAULT_REST_S, LEAST_REST_S, MOST_REST_S, Rests
from shared.units import HOUR_US


def test_a_machine_rests_by_what_its_turn_took() -> None:
    rests = Rests()
    assert rests.over(1, 0.0)
    for took, rest in ((0.0, LEAST_REST_S), (0.5, 2.0), (60.0, MOST_REST_S)):
        rests.after_turn(1, 100.0, took)
        assert not rests.over(1, 100.0 + rest - 0.01)
        assert rests.over(1, 100.0 + rest)
    rests.after_fault(1, 100.0)
    assert not rests.over(1, 100.0 + FAULT_REST_S - 0.01)
    assert rests.over(2, 0.0)


def test_the_last_and_the_current_hour_are_live() -> None:
    now = datetime(2026, 3, 2, 8, 59, tzinfo=UTC)
    assert live_from(now) == int(datetime(2026, 3, 2, 7, tzinfo=UTC).timestamp()) * 1_000_000


def test_marked_hours_are_one_row_up_to_the_first_hole() -> None:
    hours = [hour * HOUR_US for hour in (3, 4, 5, 7, 8)]
    assert _last_in_a_row(hours) == 5 * HOUR_US
    assert _last_in_a_row(hours[3:]) == 8 * HOUR_US
