"""Causes put into drawn works are called what they are, dated and priced; `WORKS` and `SEED` draw more."""

from __future__ import annotations

import os

import numpy as np

from tests.simulation.works_judged import judged

WORKS = int(os.environ.get("WORKS", "4"))
SEED = int(os.environ.get("SEED", "40"))


def test_causes_of_two_sigma_are_right_and_quiet_ones_left_alone() -> None:
    found = judged(range(SEED, SEED + WORKS))
    assert found.told.total() >= 8 * WORKS
    assert found.right.total() >= 0.95 * found.told.total(), found.told - found.right
    assert found.found >= 0.9 * found.shifts
    assert found.false <= 1 + 0.02 * found.quiet
    off = np.array([money for own in found.off.values() for money, _ in own])
    assert np.median(np.abs(off)) <= 0.05
