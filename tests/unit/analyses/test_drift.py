"""Sigma, onset, spells and standing of an assumption."""

from __future__ import annotations

from decimal import Decimal as D

import numpy as np
import pytest

from cloud_api.interpret.drift import (
    Spell,
    Stake,
    assess,
    autocorrelation,
    cusum,
    ewma,
    limit_for,
    robust_mean,
    robust_sigma,
    spells,
)

DAY = 86_400_000_000
CALM = [0.0, 0.4, -0.4] * 4


def stake(amount: str = "100", share: str = "0.01") -> Stake:
    return Stake(
        per_unit_day=D(10), period_end_us=30 * DAY, standard_cost=D(10_000), amount=D(amount), share=D(share)
    )


def test_an_outlier_does_not_move_sigma() -> None:
    assert robust_sigma([1, 2, 3, 4, 5, 6, 7]) == pytest.approx(2 * 1.4826)
    assert robust_sigma([1, 2, 3, 4, 5, 6, 700]) == pytest.approx(2 * 1.4826)


def test_sigma_of_a_window_that_hardly_moves() -> None:
    assert robust_sigma([5, 5, 5, 6, 5]) == pytest.approx(0.5 / 1.128)
    assert robust_sigma([5, 5, 5]) == 0
    with pytest.raises(ValueError, match="the reference window is empty"):
        robust_sigma([])


def test_robust_mean_leaves_out_the_ends() -> None:
    assert robust_mean([2.0] * 8 + [-1000.0, 1000.0]) == 2
    assert robust_mean([1.0, 3.0]) == 2


def test_onset_is_the_first_observation_after_the_sum_was_zero() -> None:
    assert spells([*CALM, 2.0, 2.0, 2.0, 2.0], 0, 1) == [Spell(12, 15, None, 1)]
    assert spells([*CALM, -2.0, -2.0, -2.0, -2.0], 0, 1) == [Spell(12, 15, None, -1)]


def test_exactly_the_limit_is_no_alarm() -> None:
    assert spells([5.5], 0, 1) == []
    assert not cusum([5.5], 0, 0.5, 5)[0].alarm
    assert spells([5.6], 0, 1) == [Spell(0, 0, None, 1)]


def test_a_spell_ends_with_five_calm_observations_and_stays_in_history() -> None:
    series = [9.0, 9.0, 9.0, 0.9, -0.9, 0.9, 0.0, 0.9, 0.0]
    assert spells(series, 0, 1) == [Spell(0, 0, 7, 1)]
    assert spells(series[:7], 0, 1) == [Spell(0, 0, None, 1)]


def test_a_spell_ends_when_its_sum_is_zero() -> None:
    assert spells([6.0, -5.1], 0, 1) == [Spell(0, 0, 1, 1)]


def test_a_new_spell_after_the_old_one() -> None:
    series = [9.0, *[0.0] * 5, *[0.0] * 3, -9.0]
    assert spells(series, 0, 1) == [Spell(0, 0, 5, 1), Spell(9, 9, None, -1)]


def test_a_move_to_the_other_side_is_a_spell_of_its_own() -> None:
    series = [*[3.0] * 10, *[-3.0] * 4]
    assert spells(series, 0, 1) == [Spell(0, 2, 12, 1), Spell(10, 12, None, -1)]


def test_what_never_moved_is_broken_by_any_difference() -> None:
    assert spells([0.0, 0.0], 0, 0) == []
    assert spells([0.0, 0.1, 0.1], 0, 0) == [Spell(1, 1, None, 1)]


def test_broken_needs_materiality() -> None:
    times = [at * DAY for at in range(16)]
    series = [*CALM, 2.0, 2.0, 2.0, 2.0]
    broken = assess(times, series, 0.0, 1.0, stake())
    assert (broken.status, broken.since, broken.observed) == ("broken", 12, 2.0)
    assert (broken.cost_per_day, broken.cost_to_period_end) == (20, 360)
    assert assess(times, series, 0.0, 1.0, stake(amount="360.01")).status == "watch"
    assert assess(times, series, 0.0, 1.0, stake(share="0.0361")).status == "watch"
    assert assess(times, series, 0.0, 1.0, stake(amount="360", share="0.036")).status == "broken"


def test_holding() -> None:
    held = assess(list(range(12)), CALM, 0.0, 1.0, stake())
    assert (held.status, held.since, held.cost_per_day, held.history) == ("holding", None, 0, ())
    assert assess([], [], 0.0, 1.0, stake()).observed is None


def test_after_the_end_of_the_period_nothing_is_at_stake() -> None:
    late = assess([31 * DAY], [9.0], 0.0, 1.0, stake())
    assert (late.status, late.cost_to_period_end) == ("watch", 0)


def test_ewma_alarms_name_their_observations() -> None:
    assert ewma([0.0, 0.0, 5.0], 0, 1).alarms() == [2]


def test_autocorrelation_is_floored_and_capped() -> None:
    assert autocorrelation([1.0, -1.0] * 10) == 0
    assert autocorrelation([1.0, 1.0]) == autocorrelation([1.0] * 9) == 0
    assert 0.8 < autocorrelation(list(map(float, range(50)))) <= 0.95


@pytest.mark.parametrize(("correlation", "least", "most"), [(0.0, 450, 800), (0.5, 600, 2400)])
def test_false_alarms_are_as_rare_as_asked(correlation: float, least: float, most: float) -> None:
    """600 observations apart on average, rarer where neighbours go together; measured over 200,000."""
    draw = np.random.default_rng(20_240_501)
    noise = draw.normal(size=200_000)
    series, last = [], 0.0
    for shock in noise * (1 - correlation**2) ** 0.5:
        last = correlation * last + shock
        series.append(last)
    limit = limit_for(600, correlation)
    alarms, high, low = 0, 0.0, 0.0
    for x in series:
        high, low = max(0.0, high + x - 0.5), max(0.0, low - x - 0.5)
        if max(high, low) > limit:
            alarms, high, low = alarms + 1, 0.0, 0.0
    assert least < len(series) / alarms < most
