"""Verdicts on drawn series of every kind, and how often they are wrong."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from cloud_api.interpret.persistence import Persistence, persistence
from cloud_api.interpret.persistence_search import Array

COUNT, RUNS = 60, 30
DAYS = np.arange(COUNT)


def noise(seed: int, count: int = COUNT, correlation: float = 0.0) -> Array:
    draw = np.random.default_rng(seed)
    shocks = draw.normal(size=count) * np.sqrt(1 - correlation**2)
    shocks[0] = draw.normal()
    for at in range(1, count):
        shocks[at] += correlation * shocks[at - 1]
    return shocks


def quiet(seed: int, shape: Array) -> Persistence:
    """The verdict on a shape in noise a tenth of its unit."""
    return persistence((shape + 0.1 * noise(seed, len(shape))).tolist())


def test_a_level_shift_is_structural() -> None:
    found = quiet(1, 5 + 2.0 * (DAYS >= 40))
    assert found.verdict == "structural"
    assert found.effect is not None
    assert (found.effect.kind, found.effect.onset) == ("shift", 40)
    assert found.effect.size == pytest.approx(2, abs=0.1)
    assert found.effect.error == pytest.approx(0.1 * (1 / 40 + 1 / 20) ** 0.5, rel=0.3)
    assert found.sigma == pytest.approx(0.1, rel=0.3)
    assert sum(found.weights.values()) == pytest.approx(1)


def test_five_observations_since_are_too_early_and_six_are_not() -> None:
    assert quiet(2, 2.0 * (DAYS >= 55)).verdict == "undetermined"
    assert quiet(2, 2.0 * (DAYS >= 54)).verdict == "structural"


def test_shift_and_pulse_are_one_at_the_last_observation() -> None:
    found = quiet(3, 2.0 * (DAYS >= 59))
    assert found.verdict == "undetermined"


def test_one_day_is_isolated() -> None:
    found = quiet(4, 2.0 * (DAYS == 30))
    assert found.verdict == "isolated"
    assert found.effect is not None
    assert found.effect.onset == 30


def test_four_bad_days_in_five_weeks_are_temporary() -> None:
    """Four standard deviations: as two steps of a size each they cost more evidence than 25 days have."""
    days = np.arange(25)
    told = Counter(
        persistence((noise(seed, 25) + 4.0 * ((days >= 14) & (days < 18))).tolist()).verdict
        for seed in range(RUNS)
    )
    assert told["temporary"] >= 0.9 * RUNS


def test_three_days_that_are_alike_end_with_the_third() -> None:
    """One decay explains them with less, and badly: it would go on for days."""
    days = np.arange(25)
    for seed in range(10):
        found = persistence((noise(seed, 25) + 10.0 * ((days >= 12) & (days < 15))).tolist())
        assert found.verdict == "temporary"
        assert found.passed is not None
        assert (found.passed.since, found.passed.until) == (12, 14)


def test_what_decays_is_temporary() -> None:
    found = quiet(5, np.where(DAYS >= 30, 2.0 * 0.7 ** np.maximum(0, DAYS - 30.0), 0.0))
    assert found.verdict == "temporary"
    assert found.effect is not None
    assert (found.effect.kind, found.effect.onset) == ("temporary", 30)


def test_a_level_that_came_back_is_temporary() -> None:
    found = quiet(6, 2.0 * ((DAYS >= 20) & (DAYS < 32)))
    assert found.verdict == "temporary"
    assert [(effect.kind, effect.onset) for effect in found.effects] == [("shift", 20), ("shift", 32)]


def test_a_slope_is_drift_since_its_onset() -> None:
    found = quiet(7, 0.1 * np.maximum(0, DAYS - 29.0))
    assert found.verdict == "drift"
    assert found.effect is not None
    assert 27 <= found.effect.onset <= 33
    assert found.effect.size == pytest.approx(0.1, rel=0.1)


def test_an_outlier_besides_does_not_hide_a_shift() -> None:
    found = quiet(8, 2.0 * (DAYS >= 40) - 4.0 * (DAYS == 50))
    assert found.verdict == "structural"
    assert {(each.kind, each.onset) for each in found.effects} == {("shift", 40), ("outlier", 50)}


def test_season_is_removed_and_hides_no_shift() -> None:
    weekday = DAYS % 7
    seasons = [str(day) for day in weekday]
    week = np.array([0, 0.5, 1, 0.5, 0, 4, 5])[weekday]
    drawn = 0.1 * noise(9)
    assert persistence((week + drawn).tolist(), seasons).verdict == "steady"
    found = persistence((week + drawn + (DAYS >= 40)).tolist(), seasons)
    assert found.verdict == "structural"
    assert found.effect is not None
    assert found.effect.onset == 40


def test_scale_and_level_do_not_matter() -> None:
    shape = 2.0 * (DAYS >= 40) + 0.1 * noise(10)
    one, other = persistence(shape.tolist()), persistence((1000 * shape - 5e6).tolist())
    assert one.effect is not None
    assert other.effect is not None
    assert (one.verdict, one.effect.onset) == (other.verdict, other.effect.onset)
    assert other.effect.size == pytest.approx(1000 * one.effect.size, rel=1e-6)


def test_what_never_moves_is_steady_and_what_is_short_is_undetermined() -> None:
    assert persistence([7.0] * 30).verdict == "steady"
    assert persistence([0.0] * 5 + [9.0] * 6).verdict == "undetermined"
    assert persistence([0.0, 9.0] * 10, [str(n % 10) for n in range(20)]).verdict == "undetermined"


def test_a_step_without_any_noise() -> None:
    found = persistence([1.0] * 20 + [2.0] * 20)
    assert (found.verdict, found.sigma) == ("structural", pytest.approx(0, abs=1e-9))


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        persistence([1.0, float("nan")] * 10)
    with pytest.raises(ValueError, match="2 seasons for 20 observations"):
        persistence([1.0, 2.0] * 10, ["a", "b"])


@pytest.mark.parametrize(
    ("shape", "correlation", "right", "least"),
    [
        pytest.param(0.0 * DAYS, 0.0, "steady", 27, id="white noise"),
        pytest.param(0.0 * DAYS, 0.6, "steady", 25, id="noise that remembers"),
        pytest.param(3.0 * (DAYS >= 40), 0.0, "structural", 26, id="shift of 3 sigma"),
        pytest.param(3.0 * (DAYS >= 40), 0.4, "structural", 23, id="shift in noise that remembers"),
        pytest.param(6.0 * (DAYS == 40), 0.0, "isolated", 26, id="outlier of 6 sigma"),
        pytest.param(0.1 * DAYS, 0.0, "drift", 27, id="slope"),
    ],
)
def test_false_and_missed_verdicts_are_few(shape: Array, correlation: float, right: str, least: int) -> None:
    """Of 30 drawn series of 60 observations."""
    told = Counter(
        persistence((shape + noise(seed, COUNT, correlation)).tolist()).verdict
        for seed in range(1_000, 1_000 + RUNS)
    )
    assert told[right] >= least, told
