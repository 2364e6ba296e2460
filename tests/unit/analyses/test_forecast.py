"""Where a period ends: the level, what lasts, what it makes of the whole, and how sure that is."""

from __future__ import annotations

import os

import numpy as np
import pytest

from cloud_api.interpret.forecast import Change, ahead, changes_of, outlook, range_of
from cloud_api.interpret.persistence_course import course
from tests.simulation.works_forecast import forecasts

SEED = int(os.environ.get("SEED", "70"))
WORKS = int(os.environ.get("WORKS", "6"))
KNOWN, TO_COME = 40, 20
ONES = np.ones(KNOWN)
AHEAD = np.ones(TO_COME)
LABELS = [("Mon", "Tue", "Wed", "Thu", "Fri")[day % 5] for day in range(KNOWN + TO_COME)]
SINCE = np.arange(KNOWN) >= 25


def noise(seed: int, memory: float = 0.0, count: int = KNOWN) -> np.ndarray:
    draw = np.random.default_rng(seed).normal(size=count)
    for at in range(1, count):
        draw[at] = memory * draw[at - 1] + (1 - memory**2) ** 0.5 * draw[at]
    return np.asarray(draw)


def shift(size: float, odds: float = 1.0) -> Change:
    return Change(kind="shift", size=size, onset=25, odds=odds)


@pytest.mark.parametrize("memory", [0.0, 0.3])
def test_four_in_five_periods_end_inside_the_range(memory: float) -> None:
    inside = 0
    for seed in range(300):
        draw = 100 + 10 * noise(seed, memory, KNOWN + TO_COME)
        told = outlook(draw[:KNOWN], ONES, AHEAD, LABELS, [])
        reach = range_of(told.expected, [told.deviation])
        inside += reach.p10 <= draw[KNOWN:].sum() <= reach.p90
    assert 0.74 <= inside / 300 <= 0.86


def test_time_that_is_lost_costs_what_it_did() -> None:
    """A cause goes up by 20 a day, and the whole stays: then it was production that gave."""
    told = outlook(100 + noise(1), ONES, AHEAD, LABELS, [shift(20)])
    assert told.expected == pytest.approx(2000, rel=0.01)


def test_what_is_paid_besides_goes_on_in_full() -> None:
    told = outlook(100 + 20 * SINCE + noise(2), ONES, AHEAD, LABELS, [shift(20)])
    assert told.expected == pytest.approx(2400, rel=0.01)


def test_what_may_last_counts_by_its_odds_and_makes_the_end_less_sure() -> None:
    costs = 100 + 20 * SINCE + noise(3)
    sure, doubted = (outlook(costs, ONES, AHEAD, LABELS, [shift(20, odds)]) for odds in (1.0, 0.4))
    assert doubted.expected == pytest.approx(2000 + 0.4 * 400, rel=0.02)
    assert doubted.deviation > sure.deviation + 50


def test_where_much_changed_more_will() -> None:
    costs = 100 + noise(4)
    passed = Change(kind="passing", size=30, onset=9, until=12)
    quiet = outlook(costs, ONES, AHEAD, LABELS, [])
    assert outlook(costs + 20 * SINCE, ONES, AHEAD, LABELS, [shift(20)]).deviation > 2 * quiet.deviation
    jammed = costs + 30 * np.isin(np.arange(KNOWN), range(9, 13))
    told = outlook(jammed, ONES, AHEAD, LABELS, [passed])
    assert told.expected == pytest.approx(2000, rel=0.01)
    assert told.deviation > quiet.deviation


def test_days_weigh_by_their_hours() -> None:
    hours = np.where(np.arange(KNOWN) % 5 == 4, 0.5, 1.125)
    costs = 100 * hours + noise(5)
    assert outlook(costs, hours, AHEAD / 2, LABELS, []).expected == pytest.approx(1000, rel=0.01)
    assert ahead(costs, hours, AHEAD / 2, LABELS, []) == pytest.approx(1000, rel=0.01)


def test_a_cause_goes_on_from_its_level_with_what_lasts() -> None:
    values = 5 + 3.0 * SINCE + 0.1 * noise(6)
    changes = changes_of(course(values, LABELS[:KNOWN]), 100.0)
    assert [each.kind for each in changes] == ["shift"]
    assert ahead(values * 100, ONES, AHEAD, LABELS, changes) == pytest.approx(16_000, rel=0.02)


def test_mondays_come_again_and_what_came_once_does_not() -> None:
    mondays = np.array([label == "Mon" for label in LABELS[:KNOWN]])
    again = changes_of(course(5 + 3.0 * mondays + 0.1 * noise(7), LABELS[:KNOWN]), 100.0)
    assert [(each.kind, each.label) for each in again] == [("weekday", "Mon")]
    once = 5 + 3.0 * (np.arange(KNOWN) == 20) + 0.1 * noise(8)
    (passed,) = changes_of(course(once, LABELS[:KNOWN]), 100.0)
    assert (passed.kind, passed.onset, passed.until) == ("passing", 20, 20)
    assert ahead(once * 100, ONES, AHEAD, LABELS, [passed]) == pytest.approx(10_000, rel=0.01)


def test_little_is_known_of_little() -> None:
    assert outlook(np.zeros(0), np.zeros(0), AHEAD, LABELS[:TO_COME], []).deviation == 0
    assert outlook(np.array([100.0]), np.ones(1), AHEAD, LABELS[: TO_COME + 1], []).expected == 2000
    assert outlook(100 + noise(9), ONES, np.zeros(0), LABELS[:KNOWN], []).expected == 0
    still = outlook(np.full(KNOWN, 100.0), ONES, AHEAD, LABELS, [shift(20)])
    assert still.expected == pytest.approx(2000, rel=1e-3)


@pytest.mark.parametrize("world", ["quiet", "begun", "any"])
def test_drawn_works_end_inside_the_range(world: str) -> None:
    """Works of which the last twenty days are held back; `WORKS` and `SEED` draw more."""
    told = forecasts(range(SEED, SEED + WORKS), world)
    least = 0.5 if WORKS < 30 else 0.65
    assert sum(one.inside for one in told) >= least * len(told)
    assert np.median([abs(one.error) for one in told]) <= 0.02
