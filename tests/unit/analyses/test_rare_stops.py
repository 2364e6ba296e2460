"""Availability where most observations saw no stop: the standard holds while stops come as often as ever."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from cloud_api.interpret.drift import Stake
from cloud_api.interpret.drift_watch import Stream, watch
from cloud_api.interpret.rare_stops import level, rare

DAY_US = 86_400_000_000
LIMIT = 12.1
STAKE = Stake(
    per_unit_day=Decimal(1000),
    period_end_us=60 * DAY_US,
    standard_cost=Decimal(0),
    amount=Decimal(0),
    share=Decimal(0),
)


def lived(
    chance: np.random.Generator, count: int, between_h: float, stop_h: float
) -> tuple[list[float], list[float]]:
    """Availabilities of observations of 4 to 9 hours of running, and the hours of each."""
    run = chance.uniform(4, 9, size=count)
    stood = [
        float(chance.gamma(3, stop_h / 3, size=chance.poisson(hours / between_h)).sum()) for hours in run
    ]
    values = [float(hours / (hours + lost)) for hours, lost in zip(run, stood, strict=True)]
    return values, [float(hours + lost) for hours, lost in zip(run, stood, strict=True)]


def stream(values: list[float], hours: list[float], assumed: float) -> Stream:
    return Stream(
        times_us=tuple(at * DAY_US for at in range(len(values))),
        values=tuple(values),
        assumed=(assumed,) * len(values),
        stops=rare(values, hours, assumed),
    )


def test_a_standard_that_is_right_is_not_told_to_be_better() -> None:
    chance = np.random.default_rng(3)
    alarms = 0
    for _ in range(100):
        values, hours = lived(chance, 24, 40, 0.5)
        alarms += bool(watch(stream(values, hours, 40 / 40.5), STAKE, LIMIT).assessment.history)
    assert alarms <= 5


def test_the_level_is_that_of_all_observations_and_one_large_stop_does_not_make_it() -> None:
    values, hours = lived(np.random.default_rng(4), 400, 25, 1 / 3)
    stops = rare(values, hours, 0.98)
    assert level(values, stops) == pytest.approx(25 / (25 + 1 / 3), abs=0.004)
    assert level([*values[:40], 0.3], stops) > 0.96


def test_a_rise_of_stops_is_seen_and_a_better_number_is_near() -> None:
    chance = np.random.default_rng(5)
    before, after = lived(chance, 30, 25, 1 / 3), lived(chance, 30, 3, 0.5)
    values, hours = before[0] + after[0], before[1] + after[1]
    found = watch(stream(values, hours, 25 / (25 + 1 / 3)), STAKE, LIMIT)
    assert found.assessment.status == "broken"
    assert found.proposal is not None
    assert found.proposal.value == pytest.approx(3 / 3.5, abs=0.03)


def test_where_stops_are_common_nothing_is_special() -> None:
    assert rare([0.9] * 20 + [1.0] * 5, [8.0] * 25, 0.9) is None


def test_no_stop_in_two_weeks_is_no_better_standard_where_one_was_to_be_expected() -> None:
    none = stream([1.0] * 14, [5.0] * 14, 0.99)
    assert watch(none, STAKE, LIMIT).assessment.status == "holding"
