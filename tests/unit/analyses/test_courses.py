"""Verdicts in one word: what recurs, what lasts, what it added, and what it will add."""

from __future__ import annotations

import numpy as np
import pytest

from cloud_api.interpret.persistence_course import course
from cloud_api.interpret.seasons import is_seasonal, recurring

DAYS = np.arange(25)
WEEK = [("Mon", "Tue", "Wed", "Thu", "Fri")[day % 5] for day in DAYS]
MONDAYS = DAYS % 5 == 0


def noise(seed: int, count: int = 25) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).normal(size=count)


def test_what_comes_back_on_mondays_is_recurring_and_comes_again_on_mondays() -> None:
    found = course(5 + 2.0 * MONDAYS + noise(1), WEEK)
    assert (found.verdict, found.since, found.until) == ("recurring", 0, None)
    assert found.tie is not None
    assert (found.tie.kind, found.tie.label) == ("weekday", "Mon")
    assert found.size == pytest.approx(2, abs=0.15)
    assert found.level == pytest.approx(5, abs=0.1)
    assert found.ahead(5, WEEK[:5]).tolist() == pytest.approx([found.size, 0, 0, 0, 0])


def test_what_recurs_is_told_where_it_adds_more_to_a_day_than_a_change_that_lasts() -> None:
    mondays = 5 + 2.0 * MONDAYS + noise(1)
    small, large = (course(mondays + size * (DAYS >= 7), WEEK) for size in (0.2, 0.8))
    assert small.verdict == "recurring"
    assert (large.verdict, large.since) == ("structural", 7)


def test_two_mondays_are_no_recurrence() -> None:
    late = 2.0 * np.isin(DAYS, (5, 15))
    assert course(5 + late + noise(2), WEEK).verdict != "recurring"
    assert recurring(5 + late + noise(2), "weekday", WEEK) is None


def test_less_recurs_where_less_is_worse() -> None:
    values = 5 - 2.0 * MONDAYS + noise(3)
    assert course(values, WEEK, sign=-1).verdict == "recurring"
    tie = recurring(values, "weekday", WEEK, sign=-1)
    assert tie is not None
    assert tie.size == pytest.approx(-2, abs=0.15)
    assert recurring(values, "weekday", WEEK, sign=1) is None


def test_a_shift_goes_before_what_recurs_beside_it() -> None:
    found = course(5 + 2.0 * MONDAYS + 3.0 * (DAYS >= 12) + noise(4), WEEK)
    assert (found.verdict, found.since) == ("structural", 12)
    assert found.size == pytest.approx(3, abs=0.2)


def test_a_passing_change_beside_a_lasting_one_belongs_to_it() -> None:
    found = course(5 + 3.0 * (DAYS >= 9) + 2.0 * ((DAYS >= 13) & (DAYS < 18)) + noise(5), WEEK)
    assert (found.verdict, found.since) == ("structural", 9)
    assert sum(found.added) == pytest.approx(3 * 16 + 2 * 5, rel=0.05)
    assert found.ahead(3).tolist() == pytest.approx([3, 3, 3], rel=0.05)


def test_where_nothing_was_before_a_change_begins_with_its_first_day() -> None:
    paid = np.where(DAYS >= 9, 0.1 + 0.003 * noise(9), 0.0)
    for at, value in ((9, 0.08), (9, 0.05), (10, 0.14)):
        odd = paid.copy()
        odd[9 : at + 1] = value
        found = course(odd, WEEK)
        assert (found.verdict, found.since) == ("structural", 9)
        assert sum(found.excess) == pytest.approx(odd.sum())
    twice = course(paid * (1 + (DAYS >= 16)), WEEK)
    assert (twice.verdict, twice.since) == ("structural", 9)
    assert twice.ahead(2).tolist() == pytest.approx([0.2, 0.2], rel=0.01)


def test_noise_that_begins_with_a_change_does_not_hide_it() -> None:
    wild = np.array([0.08, 0.1, 0.21, 0.25, 0.22, 0.11, 0.15, 0.15, 0.07, 0.08, 0.11, 0.16, 0.05, 0.05])
    found = course(np.concatenate([np.zeros(11), wild]), WEEK)
    assert (found.verdict, found.since, found.until) == ("structural", 11, None)
    assert sum(found.excess) == pytest.approx(wild.sum())
    assert found.ahead(1).tolist() == pytest.approx([wild.mean()])
    assert found.confidence > 0.99


def test_days_out_of_nothing_are_one_change_with_all_their_money() -> None:
    starved = np.array([0.44, 0.47, 0.45, 0.51, 0.42])
    found = course(np.concatenate([np.zeros(13), starved, np.zeros(7)]), WEEK)
    assert (found.verdict, found.since, found.until) == ("temporary", 13, 17)
    assert sum(found.excess) == pytest.approx(starved.sum())


def test_a_few_days_out_of_nothing_at_the_end_are_too_early() -> None:
    late = np.where(DAYS >= 21, 0.4 + 0.1 * noise(11), 0.0)
    assert course(late, WEEK).verdict == "undetermined"


def test_what_still_fades_at_the_end_has_no_last_day() -> None:
    fading = np.where(DAYS >= 21, 0.4 + noise(11), 0.0)
    found = course(fading, WEEK)
    assert (found.verdict, found.since, found.until) == ("temporary", 21, None)


def test_what_recurs_is_priced_as_it_was_each_time() -> None:
    """Half the units on the third Monday: a unit bears twice as much."""
    dear = np.where(MONDAYS, 2.0, 0.0)
    dear[10] = 3.6
    found = course(5 + dear + noise(12), WEEK)
    assert found.verdict == "recurring"
    assert sum(found.excess) == pytest.approx(dear.sum(), rel=0.03)


def test_a_step_after_noise_begins_where_it_was_found() -> None:
    found = course(5 + 3.0 * (DAYS >= 12) + noise(4), WEEK)
    assert found.since == found.effect.onset == 12  # type: ignore[union-attr]


def test_what_came_and_went_adds_nothing_any_more() -> None:
    found = course(5 + 2.0 * ((DAYS >= 8) & (DAYS < 13)) + noise(6), WEEK)
    assert (found.verdict, found.since, found.until) == ("temporary", 8, 12)
    assert sum(found.added) == pytest.approx(10, rel=0.1)
    assert found.ahead(4).tolist() == [0, 0, 0, 0]


def test_one_day_is_isolated_and_does_not_come_again() -> None:
    found = course(5 + 2.0 * (DAYS == 11) + noise(7), WEEK)
    assert (found.verdict, found.since, found.until) == ("isolated", 11, 11)
    assert found.ahead(2).tolist() == [0, 0]


def test_drift_goes_on() -> None:
    found = course(5 + 0.2 * np.maximum(0, DAYS - 7.0) + noise(8), WEEK)
    assert found.verdict == "drift"
    ahead = found.ahead(3)
    assert np.diff(ahead).tolist() == pytest.approx([0.2, 0.2], rel=0.1)
    assert ahead[0] == pytest.approx(0.2 * 18, rel=0.1)


def test_seasonal_takes_two_earlier_cycles() -> None:
    assert is_seasonal(2.0, [1.8, 2.5])
    assert not is_seasonal(2.0, [1.8])
    assert not is_seasonal(2.0, [1.8, None])
    assert not is_seasonal(2.0, [1.8, -2.0])
    assert not is_seasonal(2.0, [1.8, 0.3])


@pytest.mark.parametrize("onset", [5, 9, 14, 17])
def test_a_cause_that_is_zero_but_for_one_week_is_temporary(onset: int) -> None:
    """Nothing outside the week has any noise to hold the differences inside it against."""
    week = (onset <= DAYS) & (onset + 5 > DAYS)
    found = course(0.37 * week * (1 + 0.04 * noise(onset)), WEEK)
    assert (found.verdict, found.since, found.until) == ("temporary", onset, onset + 4)
    assert sum(found.added) == pytest.approx(0.37 * 5, rel=0.01)


def test_a_level_that_went_up_in_two_steps_and_came_back_is_one_change_that_passed() -> None:
    steps = 2.0 * ((DAYS >= 8) & (DAYS < 12)) + 2.6 * ((DAYS >= 12) & (DAYS < 16))
    found = course(5 + steps + 0.2 * noise(10), WEEK)
    assert (found.verdict, found.since, found.until) == ("temporary", 8, 15)
    assert sum(found.excess) == pytest.approx(18.4, rel=0.02)
    assert found.ahead(4).tolist() == [0, 0, 0, 0]


def test_two_bad_days_are_one_change_with_the_money_of_both() -> None:
    found = course(np.where(np.isin(DAYS, (14, 15)), [3.0 - 0.05 * day for day in DAYS], 0.0), WEEK)
    assert (found.verdict, found.since, found.until) == ("temporary", 14, 15)
    assert sum(found.excess) == pytest.approx(3 * 2 - 0.05 * 29, rel=0.01)


def test_a_shift_that_comes_down_by_a_part_still_lasts() -> None:
    found = course(5 + 3.0 * (DAYS >= 9) - 1.0 * (DAYS >= 18) + noise(11), WEEK)
    assert (found.verdict, found.since) == ("structural", 9)
    assert found.ahead(1).tolist() == pytest.approx([2], rel=0.1)


def test_a_large_jam_on_a_friday_does_not_recur() -> None:
    fridays = 0.35 * (DAYS % 5 == 4)
    found = course(5 + fridays + 9.0 * (DAYS == 9) + noise(12), WEEK)
    assert (found.verdict, found.since) == ("isolated", 9)
    assert found.size == pytest.approx(9, rel=0.08)


def test_a_price_that_moved_in_the_middle_of_a_day_lasts() -> None:
    """The first step of two is as well an outlier beside one step, and lasts either way."""
    found = course(0.3 * (DAYS == 11) + 1.0 * (DAYS > 11) * (1 + 0.01 * noise(13)), WEEK)
    assert found.verdict == "structural"
    assert found.since in (11, 12)
    assert sum(found.excess) == pytest.approx(13, rel=0.03)


def test_what_was_not_there_before_is_priced_whole() -> None:
    """Its level wanders with output, as if noise remembered; before it there was nothing."""
    since = [36, 36, 38, 48, 54, 51, 52, 49, 52, 49, 34, 33, 39, 46, 49, 52]
    found = course([0.0] * 9 + [float(each) for each in since], WEEK)
    assert (found.verdict, found.since) == ("structural", 9)
    assert sum(found.excess) == pytest.approx(sum(since), rel=0.01)


def test_four_days_found_as_outliers_and_steps_are_one_change() -> None:
    found = course([0.0] * 13 + [0.966, 1.17, 1.296, 1.31] + [0.0] * 13, [WEEK[at % 5] for at in range(30)])
    assert (found.verdict, found.since, found.until) == ("temporary", 13, 16)
    assert sum(found.excess) == pytest.approx(4.742, rel=0.001)
