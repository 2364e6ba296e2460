"""A change for good that brings noise of its own: breakdowns that come thrice a day, and not on the next."""

from __future__ import annotations

import numpy as np
import pytest

from cloud_api.interpret.persistence_course import course
from cloud_api.interpret.persistence_ranks import Array, raised

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")
BEFORE = [0.5, 0.6, 0.3, 0.0, 0.4, 0.3, 1.0, 0.4, 0.3, 0.4, 0.4, 0.0]
SINCE = [1.5, 2.0, 3.8, 4.2, 0.6, 9.3, 8.4, 6.2, 7.9, 2.5, 6.0, 2.2, 4.6]
DAYS = [WEEKDAYS[at % 5] for at in range(len(BEFORE) + len(SINCE))]


def stops(chance: np.random.Generator, days: int, a_day: float, minutes: float) -> Array:
    """Minutes stood a day: stops by chance, each as long as chance has it."""
    return np.array([chance.gamma(3, minutes / 3, size=chance.poisson(a_day)).sum() for _ in range(days)])


def test_a_new_breakdown_lasts_from_its_first_day_though_no_two_of_its_days_are_alike() -> None:
    found = course(BEFORE + SINCE, DAYS)
    assert (found.verdict, found.since, found.until) == ("structural", len(BEFORE), None)
    assert found.size == pytest.approx(np.mean(SINCE) - np.mean(BEFORE))
    assert sum(found.excess) == pytest.approx(sum(SINCE) - len(SINCE) * np.mean(BEFORE))
    assert found.confidence > 0.9


def test_its_end_is_told_where_the_last_days_are_as_before() -> None:
    assert course(BEFORE + SINCE[:8] + BEFORE[:5], DAYS).verdict != "structural"


def test_less_is_told_as_more_is() -> None:
    falls = raised(-np.array(BEFORE + SINCE))
    assert falls is not None
    assert (falls.onset, falls.size < 0) == (len(BEFORE), True)


def test_large_stops_by_chance_are_no_new_level() -> None:
    chance = np.random.default_rng(5)
    plain = [raised(stops(chance, 25, 2, 15)) for _ in range(200)]
    few_days = [stops(chance, 25, 2, 12) for _ in range(200)]
    for one in few_days:
        one[10:15] += stops(chance, 5, 3, 30)
    assert sum(found is not None for found in plain) <= 4
    assert sum(raised(one) is not None for one in few_days) <= 4


def test_equal_values_and_short_series_have_no_level() -> None:
    assert raised(np.zeros(25)) is None
    assert raised(np.array(SINCE[:11])) is None


def test_the_first_days_of_a_noisy_change_are_no_outliers_before_it() -> None:
    before = [10, 7, 7, 8, 9, 0, 0, 0, 10, 0, 15, 10, 10]
    since = [18, 100, 5, 15, 39, 62, 32, 27, 48, 27, 17, 46]
    found = course(np.array(before + since, dtype=np.float64), DAYS)
    assert (found.verdict, found.since) == ("structural", len(before))


def test_a_week_that_was_bad_to_its_end_is_told_to_its_end() -> None:
    before = [34, 22, 34, 28, 15, 30, 31, 64, 29, 31, 15, 25, 41, 33]
    bad = [100, 87, 100, 85, 93, 79]
    after = [41, 51, 27, 37, 36, 28, 46, 25, 69, 49, 51, 52, 51, 38, 45]
    values = np.array(before + bad + after, dtype=np.float64)
    found = course(values, [WEEKDAYS[at % 5] for at in range(len(values))])
    assert (found.verdict, found.since) == ("temporary", len(before))
    assert found.until == len(before) + len(bad) - 1


def test_days_that_happen_to_be_bad_after_the_end_are_not_of_the_change() -> None:
    """Four bad days, the fifth as before: that two later ones lie above the level is chance."""
    before = [0.24, 0.03, 0.02, 0.02, 0.11, 0.18, 0.09, 0.06, 0.04, 0.04, 0.15, 0.34, 0.09, 0.13, 0.14]
    bad, after = [0.87, 0.94, 0.65, 0.57], [0.13, 0.32, 0.43, 0.41, 0.12, 0.06]
    found = course(before + bad + after, DAYS)
    assert (found.verdict, found.since) == ("temporary", len(before))
    assert found.until is not None
    assert found.until <= len(before + bad) + 1


def test_worse_days_of_a_change_that_lasts_are_part_of_its_cost() -> None:
    before = [0.55, 0.67, 0.56, 0.69, 0.47, 0.65, 0.52, 0.73, 0.65, 0.54, 0.57, 0.62, 0.70, 0.73, 0.73]
    since = [1.05, 1.0, 1.1, 1.0, 1.05, 1.55, 1.45, 1.25, 1.1, 1.05]
    found = course(np.array(before + since), DAYS)
    assert (found.verdict, found.since) == ("structural", len(before))
    assert sum(found.excess) == pytest.approx(sum(since) - len(since) * np.mean(before), rel=0.02)


def test_a_bad_week_beside_a_little_more_for_good_came_and_went() -> None:
    before = [39, 35, 19, 30, 21, 20, 21, 55, 25, 22, 16, 21, 28, 45]
    bad = [100, 90, 87, 86, 69, 84]
    after = [38, 54, 39, 41, 51, 8, 39, 33, 61, 41, 39, 43, 37, 43, 43]
    values = np.array(before + bad + after, dtype=np.float64)
    found = course(values, [WEEKDAYS[at % 5] for at in range(len(values))])
    assert (found.verdict, found.since, found.until) == ("temporary", 14, 19)


def test_two_steps_that_leave_a_change_are_as_sure_as_they_are_clear() -> None:
    before = [3145, 3417, 3246, 3414, 3391, 3350, 3363, 3072, 3377, 3318, 3355, 3373, 3447, 3240]
    bad = [2627, 2722, 2861, 2749, 2808, 2651]
    after = [3216, 2996, 3160, 3135, 3235, 1178, 3121, 3213, 3051, 3200, 3165, 3229, 3189, 3211, 3238]
    values = np.array(before + bad + after, dtype=np.float64)
    found = course(values, [WEEKDAYS[at % 5] for at in range(len(values))], (), -1)
    assert (found.verdict, found.since) == ("structural", 14)
    assert found.confidence > 0.5
