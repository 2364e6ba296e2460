"""A grid without drift, and what two scans prove."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.evidence import Instant, break_between
from edge_agent.core.schedule import next_due_s


@pytest.mark.parametrize(
    ("now_s", "due_s"), [(9.0, 10.0), (10.0, 11.0), (10.4, 11.0), (11.0, 12.0), (17.2, 18.0)]
)
def test_missed_points_are_skipped_and_the_grid_stays(now_s, due_s):
    assert next_due_s(10.0, 1.0, now_s) == due_s


@settings(deadline=None)
@given(st.floats(0, 1e6), st.floats(0.01, 100), st.floats(0, 1e6))
def test_the_next_point_lies_ahead_and_within_one_interval(start_s, interval_s, after_s):
    now_s = start_s + after_s
    due_s = next_due_s(start_s, interval_s, now_s)
    assert now_s < due_s <= now_s + interval_s * 1.001 + 1e-6


def test_scans_within_the_grace_prove_what_lies_between():
    assert break_between(Instant(0, 0.0), Instant(2_900_000, 2.9), 3_000_000) is None


def test_a_process_that_was_stopped_saw_nothing():
    assert "not scanned for 30.0 s" in str(
        break_between(Instant(0, 0.0), Instant(30_000_000, 30.0), 3_000_000)
    )


@pytest.mark.parametrize("step_us", [3_600_000_000, -3_600_000_000])
def test_a_clock_that_was_set_breaks_the_proof(step_us):
    why = break_between(Instant(0, 0.0), Instant(1_000_000 + step_us, 1.0), 3_000_000)
    assert "clock was set by" in str(why)


def test_a_machine_that_slept_saw_nothing_although_its_monotonic_clock_stood():
    assert break_between(Instant(0, 0.0), Instant(60_000_000, 1.0), 3_000_000) is not None
