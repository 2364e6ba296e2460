"""Five weeks lived again: the floor is asked little, never twice, and what it says explains most of it."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest

from cloud_api.store.pool import connect
from tests.integration.api.serving import told
from tests.integration.context.floor_replay import FIRST_DAY, WEEKS, live, write_weeks


@pytest.mark.parametrize("seed", [5])
def test_five_weeks_of_a_floor(plain_database: str, tmp_path: Path, seed: int) -> None:
    model, history = write_weeks(tmp_path, seed)
    told(plain_database, "weeks", model, [history])
    until = FIRST_DAY + timedelta(weeks=WEEKS)
    with connect(plain_database) as connection:
        lived = live(connection, "weeks", FIRST_DAY + timedelta(minutes=50), until, timedelta(hours=1))
    assert max(lived.by_asking.values()) <= 3
    assert max(lived.by_stop.values()) <= 3
    assert len(lived.spans) > 2 * WEEKS
    for (one, begin, end), (other, start, over) in combinations(lived.spans, 2):
        assert one != other or end <= start or over <= begin, "a stop was asked about twice"
    assert lived.before > 1000
    assert lived.explained >= 0.8
