"""Fiscal periods as a plant model lays them down: calendar months, or quarters of 4, 4 and 5 weeks (in the
order that the pattern says) with a 53rd week where needed.

A period becomes a row of its own when it is locked or closed; then it stays as it is.
"""

from __future__ import annotations

import datetime as dt

WEEK = dt.timedelta(days=7)
YEARS_BEFORE, YEARS_AFTER = 5, 15
"""How far periods reach around the fiscal year that a plant model names."""

MOST_DRIFT = dt.timedelta(days=3)
"""A year of weeks gets a 53rd when it would otherwise begin further than this before its anniversary."""

Period = tuple[str, dt.date, dt.date]
"""Name, first production day, production day after the last."""


def fiscal_periods(pattern: str, year_start: dt.date | None) -> list[Period]:
    """Periods in order. `pattern` is calendar, 4-4-5, 4-5-4 or 5-4-4; without a start of the year, calendar
    months."""
    if pattern != "calendar" and year_start is not None:
        return _weeks([int(weeks) for weeks in pattern.split("-")], year_start)
    middle = 2026 if year_start is None else year_start.year
    return _months(middle - YEARS_BEFORE, middle + YEARS_AFTER)


def _months(first_year: int, last_year: int) -> list[Period]:
    starts = [dt.date(year, month, 1) for year in range(first_year, last_year + 1) for month in range(1, 13)]
    ends = [*starts[1:], dt.date(last_year + 1, 1, 1)]
    return [(f"{start:%Y-%m}", start, end) for start, end in zip(starts, ends, strict=True)]


def _weeks(quarter: list[int], year_start: dt.date) -> list[Period]:
    """From the named year on: quarters of so many weeks; the last period has one more in a long year."""
    periods: list[Period] = []
    start = year_start
    for number in range(YEARS_AFTER):
        following = _anniversary(year_start, number + 1)
        long = following - (start + 52 * WEEK) > MOST_DRIFT
        lengths = quarter * 4
        lengths[-1] += long
        for period, weeks in enumerate(lengths, 1):
            end = start + weeks * WEEK
            periods.append((f"{year_start.year + number}-P{period:02}", start, end))
            start = end
    return periods


def _anniversary(day: dt.date, years: int) -> dt.date:
    """The same day so many years later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)
