"""Five weeks lived again: the floor is asked little, never twice, and what it says explains most of it."""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest

from cloud_api.store.pool import connect
from tests.integration.api.serving import told
from tests.integration.context.floor_replay import FIRST_DAY, WEEKS, Lived, live, write_weeks
from tests.integration.context.floors import Floor

DRAWN = [int(seed) for seed in os.environ.get("FLOORS", "3").split(",")]
"""Seeds of drawn floors that are lived besides; `make bench` tells how many reach four fifths."""


@pytest.mark.parametrize("seed", [5])
def test_five_weeks_of_a_floor(plain_database: str, tmp_path: Path, seed: int) -> None:
    model, history = write_weeks(tmp_path, seed)
    told(plain_database, "weeks", model, [history])
    until = FIRST_DAY + timedelta(weeks=WEEKS)
    with connect(plain_database) as connection:
        lived = live(connection, "weeks", FIRST_DAY + timedelta(minutes=50), until, timedelta(hours=1))
    assert len(lived.spans) > 2 * WEEKS
    assert lived.before > 1000
    assert lived.explained >= 0.8
    _within_limits(lived)


@pytest.mark.parametrize("seed", DRAWN)
def test_five_weeks_of_a_drawn_floor(plain_database: str, tmp_path: Path, seed: int) -> None:
    floor = Floor.drawn(seed)
    model, history = floor.write(tmp_path)
    told(plain_database, "floor", model, [history])
    until = floor.first + timedelta(weeks=WEEKS, days=1)
    with connect(plain_database) as connection:
        lived = live(connection, "floor", floor.first + timedelta(minutes=50), until, timedelta(hours=1))
    assert lived.explained >= 0.8, lived.explained
    _within_limits(lived)


def _within_limits(lived: Lived) -> None:
    """At most three questions a shift of a line, none about a stop that was asked about."""
    assert max(lived.by_asking.values()) <= 3
    assert max(lived.by_stop.values()) <= 3
    for (one, begin, end), (other, start, over) in combinations(lived.spans, 2):
        assert one != other or end <= start or over <= begin, "a stop was asked about twice"
