"""The settled readings on the calendar: shifts, breaks, exceptions, changes of clocks, production days."""

from __future__ import annotations

import datetime as dt

from cloud_api.interpret.calendar import Almanac, CalendarSpan, micros
from cloud_api.interpret.plant import Break, CalendarException, Shift

from .scenes import WEEK, calendar

NEW_YORK = "America/New_York"
HOUR = 3_600_000_000


def utc(text: str) -> int:
    return micros(dt.datetime.fromisoformat(text + "+00:00"))


def tiles(
    almanac: Almanac, begin: str, end: str, status: str | None = None
) -> list[tuple[str, str, str, str | None]]:
    def show(span: CalendarSpan) -> tuple[str, str, str, str | None]:
        times = [
            dt.datetime.fromtimestamp(edge / 1e6, dt.UTC).strftime("%d %H:%M")
            for edge in (span.from_us, span.to_us)
        ]
        return times[0], times[1], span.status, span.shift

    spans = almanac.spans(utc(begin), utc(end))
    return [show(span) for span in spans if status is None or span.status == status]


def almanac(*shifts: Shift, zone: str = "UTC", **more: object) -> Almanac:
    return Almanac(calendar(shifts, **more), zone)  # type: ignore[arg-type]


def test_a_day_of_one_shift_with_breaks() -> None:
    day = almanac(Shift("A", 360, 840, WEEK, (Break(600, 20), Break(720, 30, True))))
    assert tiles(day, "2026-03-02T00:00", "2026-03-03T00:00") == [
        ("02 00:00", "02 06:00", "off", None),
        ("02 06:00", "02 10:00", "scheduled", "A"),
        ("02 10:00", "02 10:20", "break", "A"),
        ("02 10:20", "02 12:00", "scheduled", "A"),
        ("02 12:00", "02 12:30", "break", "A"),
        ("02 12:30", "02 14:00", "scheduled", "A"),
        ("02 14:00", "03 00:00", "off", None),
    ]
    assert [s.paid for s in day.spans(utc("2026-03-02T10:00"), utc("2026-03-02T12:30"))] == [
        False,
        False,
        True,
    ]
    assert day.scheduled_us(utc("2026-03-02T00:00"), utc("2026-03-03T00:00")) == 8 * HOUR - 50 * HOUR // 60


def test_a_night_shift_belongs_to_the_date_on_which_it_starts() -> None:
    friday = almanac(Shift("N", 1320, 360, (4,), (Break(60, 30),)))
    assert tiles(friday, "2026-03-06T00:00", "2026-03-08T00:00") == [
        ("06 00:00", "06 22:00", "off", None),
        ("06 22:00", "07 01:00", "scheduled", "N"),
        ("07 01:00", "07 01:30", "break", "N"),
        ("07 01:30", "07 06:00", "scheduled", "N"),
        ("07 06:00", "08 00:00", "off", None),
    ]


def test_a_closed_date_keeps_the_night_shift_of_the_day_before() -> None:
    closed = CalendarException(dt.date(2026, 3, 7), closed=True)
    week = almanac(Shift("N", 1320, 360, WEEK), exceptions=(closed,))
    night = tiles(week, "2026-03-06T12:00", "2026-03-08T12:00", "scheduled")
    assert night == [("06 22:00", "07 06:00", "scheduled", "N")]


def test_shifts_of_an_exception_are_added_or_replace() -> None:
    extra = Shift("S", 960, 1080, overtime=True)
    date = dt.date(2026, 3, 7)
    base = Shift("A", 360, 840, WEEK)
    added = almanac(base, exceptions=(CalendarException(date, shifts=(extra,)),))
    assert [t[3] for t in tiles(added, "2026-03-07T00:00", "2026-03-08T00:00", "scheduled")] == ["A", "S"]
    replaced = almanac(base, exceptions=(CalendarException(date, closed=True, shifts=(extra,)),))
    assert [t[3] for t in tiles(replaced, "2026-03-07T00:00", "2026-03-08T00:00", "scheduled")] == ["S"]
    assert replaced.at(utc("2026-03-07T17:00")).overtime


def test_equal_start_and_end_are_24_hours() -> None:
    whole = almanac(Shift("A", 360, 360, (0,)))
    shift = tiles(whole, "2026-03-02T00:00", "2026-03-04T00:00", "scheduled")
    assert shift == [("02 06:00", "03 06:00", "scheduled", "A")]


def test_days_of_23_and_25_hours() -> None:
    days = almanac(Shift("A", 0, 0, WEEK), zone=NEW_YORK)
    spring, autumn = dt.date(2026, 3, 8), dt.date(2026, 11, 1)
    assert days.day_span(spring).to_us - days.day_span(spring).from_us == 23 * HOUR
    assert days.day_span(autumn).to_us - days.day_span(autumn).from_us == 25 * HOUR
    assert days.scheduled_us(days.day_span(spring).from_us, days.day_span(spring).to_us) == 23 * HOUR


def test_a_skipped_time_moves_on_by_the_skip_and_a_repeated_one_is_the_first() -> None:
    days = almanac(zone=NEW_YORK)
    assert days.wall(dt.date(2026, 3, 8), 150) == utc("2026-03-08T07:30")  # 02:30 does not exist: 03:30 EDT
    assert days.wall(dt.date(2026, 11, 1), 90) == utc("2026-11-01T05:30")  # 01:30 EDT, the first


def test_break_minutes_are_elapsed_and_clipped_to_the_shift() -> None:
    night = almanac(Shift("N", 1320, 360, WEEK, (Break(105, 30), Break(350, 30))), zone=NEW_YORK)
    assert tiles(night, "2026-03-08T03:00", "2026-03-08T12:00", "break") == [
        ("08 06:45", "08 07:15", "break", "N"),  # 01:45 EST, half an hour elapsed across the skip
        ("08 09:50", "08 10:00", "break", "N"),
    ]


def test_production_days_start_where_the_calendar_says() -> None:
    days = almanac(zone=NEW_YORK, day_start_min=360)
    assert days.production_day(utc("2026-03-02T10:59")) == dt.date(2026, 3, 1)
    assert days.production_day(utc("2026-03-02T11:00")) == dt.date(2026, 3, 2)
    assert days.site_date(utc("2026-03-02T04:59")) == dt.date(2026, 3, 1)
    assert days.site_date(utc("2026-03-02T05:00")) == dt.date(2026, 3, 2)


def test_the_grid_cuts_hours_midnights_production_days_status_and_asked_instants() -> None:
    days = almanac(Shift("A", 375, 840, WEEK), zone="Asia/Kolkata", day_start_min=360)
    begin, end = utc("2026-03-02T00:10"), utc("2026-03-02T02:00")
    asked = utc("2026-03-02T01:07")
    cells = days.grid(begin, end, (asked,))
    edges = [dt.datetime.fromtimestamp(c.from_us / 1e6, dt.UTC).strftime("%H:%M") for c in cells]
    assert edges == ["00:10", "00:30", "00:45", "01:00", "01:07"]
    assert [cell.to_us for cell in cells] == [*(cell.from_us for cell in cells[1:]), end]
    assert [cell.production_day.day for cell in cells] == [1, 2, 2, 2, 2]
    assert cells[-1].slice_us == asked
    assert cells[-1].hour_us == cells[-2].slice_us == utc("2026-03-02T01:00")
