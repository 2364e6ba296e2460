"""Floors asked for five weeks: most of what their stops cost is explained, mostly by what caused it."""

from __future__ import annotations

import os

import pytest

from tests.simulation.floors_asked import asked

FLOORS = [int(seed) for seed in os.environ.get("FLOORS_ASKED", "110,240,1005,2126").split(",")]
"""Hard ones: four machines in one shift, or stops that are small against the material amount."""


@pytest.mark.parametrize("seed", FLOORS)
def test_a_floor_is_asked_within_its_limits_and_explained(seed: int) -> None:
    replay = asked(seed)
    assert max(replay.questions.values()) <= 3
    assert replay.explained >= 0.8
    assert replay.precision >= 0.75
