"""A window against stored hours and days: what lies in it whole, and what must be cut."""

from __future__ import annotations

import datetime as dt

import pytest

from cloud_api.answers.places import Site
from cloud_api.answers.window import days_at, window_at
from cloud_api.interpret.plant import Calendar, Plant
from cloud_api.interpret.standards import Book
from cloud_api.store.times import to_us
from shared.units import HOUR_US

RECORDED = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def site(zone: str = "Europe/Berlin", day_start_min: int = 360) -> Site:
    calendar = Calendar(version=1, recorded_at=RECORDED, day_start_min=day_start_min)
    return Site("s", (), (), Book(Plant(site="s", time_zone=zone, currency="EUR", calendar=calendar)))


def us(text: str) -> int:
    return to_us(dt.datetime.fromisoformat(text))


def test_whole_hours_need_no_cut() -> None:
    window = window_at(site(), us("2026-03-02T05:00Z"), us("2026-03-02T09:00Z"))
    assert window.edges == ()
    assert (window.first_hour, window.end_hour) == (
        dt.datetime(2026, 3, 2, 5, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC),
    )


def test_an_end_inside_an_hour_is_cut() -> None:
    begin, end = us("2026-03-02T05:10Z"), us("2026-03-02T09:20Z")
    window = window_at(site(), begin, end)
    assert window.edges == ((begin, us("2026-03-02T06:00Z")), (us("2026-03-02T09:00Z"), end))
    assert window.first_hour == dt.datetime(2026, 3, 2, 6, tzinfo=dt.UTC)
    assert window.end_hour == dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def test_a_window_inside_one_hour_is_one_cut_and_nothing_stored() -> None:
    begin, end = us("2026-03-02T05:10Z"), us("2026-03-02T06:00Z")
    window = window_at(site(), begin, end)
    assert window.edges == ((begin, end),)
    assert window.first_hour == window.end_hour


def test_production_days_off_the_hour_are_whole_days() -> None:
    place = site("Asia/Kolkata", 0)
    begin, end = (place.day_start_us(dt.date(2026, 3, day)) for day in (2, 3))
    assert begin % HOUR_US
    window = window_at(place, begin, end)
    assert window.edges == ()
    assert (window.first_day, window.end_day) == (dt.date(2026, 3, 2), dt.date(2026, 3, 3))
    assert days_at(place, begin, end) == (dt.date(2026, 3, 2), dt.date(2026, 3, 3))


@pytest.mark.parametrize(("day", "hours"), [(dt.date(2026, 3, 28), 23), (dt.date(2026, 10, 24), 25)])
def test_days_of_23_and_25_hours_are_days(day: dt.date, hours: int) -> None:
    place = site()
    begin, end = place.day_start_us(day), place.day_start_us(day + dt.timedelta(days=1))
    assert (end - begin) // HOUR_US == hours
    assert days_at(place, begin, end) == (day, day + dt.timedelta(days=1))


def test_open_ends_stay_open_and_half_days_are_no_days() -> None:
    place = site()
    assert days_at(place, None, None) == (None, None)
    assert days_at(place, us("2026-03-02T05:00Z"), None) == (dt.date(2026, 3, 2), None)
    assert days_at(place, us("2026-03-02T06:00Z"), None) is None
