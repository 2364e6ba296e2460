"""Watching a plant's assumptions: few false alarms, quick true ones, and a better number to assume."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from cloud_api.interpret.drift import Stake
from cloud_api.interpret.drift_watch import Stream, limits, reference, watch
from cloud_api.interpret.proposal import proposal, rounded

DAY_US = 86_400_000_000
STAKE = Stake(
    per_unit_day=Decimal(10),
    period_end_us=60 * DAY_US,
    standard_cost=Decimal(1000),
    amount=Decimal(50),
    share=Decimal("0.02"),
)


def stream(values: np.ndarray, assumed: float = 100.0) -> Stream:
    times = tuple(at * DAY_US // 2 for at in range(len(values)))
    return Stream(times_us=times, values=tuple(values.tolist()), assumed=(assumed,) * len(values))


def drawn(seed: int, count: int = 80) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 2, size=count)


def test_what_drifts_is_broken_since_its_onset_and_a_better_number_is_proposed() -> None:
    values = drawn(1)
    values[40:] += 6
    standing = watch(stream(values), STAKE, 6.0)
    found = standing.assessment
    assert found.status == "broken"
    assert found.since is not None
    assert abs(found.since - 40) <= 2
    assert standing.proposal is not None
    assert standing.proposal.value == pytest.approx(106, abs=1)
    assert standing.proposal.observations >= 38
    assert float(found.cost_per_day) == pytest.approx(60, rel=0.2)


def test_what_is_off_and_moves_again_is_told_at_its_new_level() -> None:
    values = drawn(2) + 5
    values[45:] += 8
    standing = watch(stream(values), STAKE, 6.0)
    assert standing.moved is not None
    assert abs(standing.moved - 45) <= 2
    assert standing.assessment.since == 0
    assert standing.assessment.observed == pytest.approx(113, abs=1)
    assert standing.proposal is not None
    assert standing.proposal.value == pytest.approx(113, abs=1)


def test_a_deviation_that_does_not_matter_is_watched() -> None:
    values = drawn(3)
    values[40:] += 6
    small = Stake(
        per_unit_day=Decimal("0.01"),
        period_end_us=60 * DAY_US,
        standard_cost=Decimal(1000),
        amount=Decimal(50),
        share=Decimal("0.02"),
    )
    assert watch(stream(values), small, 6.0).assessment.status == "watch"


def test_a_new_standard_is_what_counts() -> None:
    values = drawn(4)
    values[40:] += 6
    said = Stream(
        times_us=tuple(range(80)), values=tuple(values.tolist()), assumed=(100.0,) * 40 + (106.0,) * 40
    )
    standing = watch(said, STAKE, 6.0)
    assert standing.assessment.status == "holding"
    assert standing.assessment.assumed == 106


def test_sigma_knows_nothing_of_a_change_inside_its_window() -> None:
    values = drawn(5)
    values[15:] += 20
    sigma, _ = reference(values.tolist())
    assert sigma == pytest.approx(2, rel=0.4)


def test_a_whole_plant_raises_less_than_one_false_alarm_a_month() -> None:
    """60 streams of two observations a day over 20 months: onsets beyond the limit, material or not."""
    alarms = 0
    for month in range(20):
        streams = [stream(drawn(1000 * month + number, 60)) for number in range(60)]
        for one, limit in zip(streams, limits(streams, 30.0), strict=True):
            alarms += len(watch(one, STAKE, limit).assessment.history)
    assert alarms <= 20


def test_a_proposal_takes_twenty_observations_and_leaves_out_the_extremes() -> None:
    assert proposal([1.0] * 19) is None
    found = proposal([10.0] * 18 + [90.0, -70.0])
    assert found is not None
    assert (found.value, found.error, found.observations) == (10.0, 0.0, 20)
    assert [rounded(value) for value in (9.87654, 0.0123456, 12345.6, 0.0)] == [9.877, 0.01235, 12350, 0]
