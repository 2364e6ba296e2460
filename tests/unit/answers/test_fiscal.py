"""Fiscal periods: months, and weeks by 4-4-5 with their 53rd."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest

from cloud_api.answers.fiscal import fiscal_periods


@pytest.mark.parametrize("pattern", ["calendar", "4-4-5"])
def test_periods_follow_one_another_without_a_gap(pattern: str) -> None:
    periods = fiscal_periods(pattern, dt.date(2026, 1, 5))
    assert all(one[2] == other[1] for one, other in pairwise(periods))
    assert len({name for name, _, _ in periods}) == len(periods)


def test_calendar_months_have_the_name_of_the_month() -> None:
    assert ("2026-02", dt.date(2026, 2, 1), dt.date(2026, 3, 1)) in fiscal_periods("calendar", None)


def test_quarters_have_4_4_and_5_weeks() -> None:
    periods = fiscal_periods("4-4-5", dt.date(2026, 1, 5))
    assert [(end - start).days // 7 for _, start, end in periods[:12]] == [4, 4, 5] * 4
    assert periods[0][:2] == ("2026-P01", dt.date(2026, 1, 5))


def test_a_53rd_week_keeps_the_year_near_its_anniversary() -> None:
    periods = fiscal_periods("4-4-5", dt.date(2026, 1, 5))
    starts = [start for name, start, _ in periods if name.endswith("P01")]
    assert all(abs((start - dt.date(start.year + (start.month == 12), 1, 5)).days) <= 3 for start in starts)
    assert {start.weekday() for start in starts} == {0}
    longest = max((end - start).days // 7 for _, start, end in periods)
    assert longest == 6


@pytest.mark.parametrize("pattern", ["4-4-5", "4-5-4", "5-4-4"])
def test_quarters_follow_the_pattern(pattern: str) -> None:
    periods = fiscal_periods(pattern, dt.date(2026, 1, 5))
    weeks = [str((end - start).days // 7) for _, start, end in periods[:3]]
    assert "-".join(weeks) == pattern
