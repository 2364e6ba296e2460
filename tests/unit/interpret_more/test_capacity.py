"""Cost of used and unused capacity."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from cloud_api.interpret.capacity import Activity, capacity_cost


def test_nothing_done_is_all_unused() -> None:
    found = capacity_cost(D(100), D(7), [])
    assert (found.used_amount, found.unused_minutes, found.unused_amount) == (0, 7, 100)


def test_more_than_practical_is_negative() -> None:
    found = capacity_cost(D(100), D(10), [Activity("a", D(12), D(1))])
    assert (found.unused_minutes, found.unused_amount) == (-2, -20)


def test_lines_sum_to_the_cost_where_the_rate_has_no_end() -> None:
    found = capacity_cost(D(100), D(7), [Activity("a", D(1), D(1)), Activity("b", D(2), D(1))])
    assert [line.amount for line in found.activities] == [D("14.285714285714"), D("28.571428571429")]
    assert sum(line.amount for line in found.activities) + found.unused_amount == 100


def test_no_capacity_has_no_rate() -> None:
    with pytest.raises(ValueError, match="practical capacity is 0 minutes: give the time available"):
        capacity_cost(D(100), D(0), [])
