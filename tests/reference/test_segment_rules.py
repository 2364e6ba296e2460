"""Hand-computed cases of segments: reasons, changeovers, products, calendar and days of 23 and 25 hours."""

from datetime import date
from fractions import Fraction as F

import pytest

from tests.reference.clock import HOUR_US, SiteClock
from tests.reference.shifts import ShiftCalendar
from tests.reference.workshop import WEEK, Workshop


def stops(shop: Workshop) -> list[tuple[str | None, int]]:
    """Reason and minutes of each stop."""
    return [(s.reason, (s.end - s.start) // 60_000_000) for s in shop.result().segments if s.state == "down"]


@pytest.fixture
def stopped(shop: Workshop) -> Workshop:
    """Running from 08:00, down from 09:00, running again from 09:30."""
    shop.run("08:00", "09:00", then="down")
    shop.say("09:30", "state", "running")
    shop.say("11:00", "state", "idle")
    return shop


def test_reason_during_a_stop_covers_the_whole_stop(stopped: Workshop) -> None:
    stopped.say("09:10", "reason", "jam")
    stopped.say("09:20", "reason", "")
    assert stops(stopped) == [("jam", 30)]


def test_reason_within_the_minute_after_covers_the_whole_stop(stopped: Workshop) -> None:
    stopped.say("09:30:50", "reason", "jam")
    assert stops(stopped) == [("jam", 30)]
    assert stopped.result().costs(("cause", "reason", "resource"))["downtime", "jam", "machine"] == 30


def test_reason_later_than_a_minute_covers_nothing(stopped: Workshop) -> None:
    stopped.say("09:31:01", "reason", "jam")
    assert stops(stopped) == [(None, 30)]


def test_first_of_several_reasons_covers_the_part_before_the_next(stopped: Workshop) -> None:
    stopped.say("09:05", "reason", "jam")
    stopped.say("09:25", "reason", "no power")
    stopped.say("09:30:30", "reason", "other")
    assert stops(stopped) == [("jam", 25), ("no power", 5)]


def test_running_carries_no_reason(stopped: Workshop) -> None:
    stopped.say("09:10", "reason", "jam")
    assert {s.reason for s in stopped.result().segments if s.state == "running"} == {None}


def test_changeover_belongs_to_product_order_and_crew_of_the_next_running_segment(shop: Workshop) -> None:
    shop.standard(product="Q", crew="4")
    shop.say("08:00", "order", "O1")
    shop.run("08:00", "09:00", then="changeover")
    shop.say("09:30", "state", "down")
    shop.say("09:40", "state", "changeover")
    shop.say("09:45", "product", "Q")
    shop.say("09:45", "order", "O2")
    shop.say("10:00", "state", "running")
    shop.say("11:00", "state", "idle")
    result = shop.result()
    assert [(s.state, s.product, s.order, s.crew) for s in result.segments] == [
        ("running", "P", "O1", 2),
        ("changeover", "Q", "O2", 4),
        ("down", "P", "O1", 2),
        ("changeover", "Q", "O2", 4),
        ("running", "Q", "O2", 4),
    ]
    assert result.costs(("resource", "cause", "product"))["labour", "changeover", "Q"] == F(50, 60) * 4 * 30


def test_changeover_counts_once_where_it_begins_whatever_interrupts_it(shop: Workshop) -> None:
    shop.run("08:00", "08:50", then="changeover")
    for at, state in (("09:10", "down"), ("09:20", "changeover"), ("09:30", "idle"), ("09:40", "changeover")):
        shop.say(at, "state", state)
    shop.say("10:00", "state", "running")
    shop.say("11:00", "state", "idle")
    result = shop.result()
    assert {
        key[0]: row["changeovers"] for key, row in result.output(("hour",)).items() if row["changeovers"]
    } == {"2026-03-02T08:00:00+00:00": 1}
    cell = result.variances(("resource", "cause"))["machine", "changeover"]
    assert cell.actual == 50  # 20 + 10 + 20 minutes at 60 an hour
    assert cell.parts == {"lot_size": 30, "duration": 20, "sequence": 0}


def test_sequence_is_the_standard_of_the_pair_less_the_standard_of_the_product(shop: Workshop) -> None:
    shop.standard(product="Q", changeover_min="30")
    shop.tables["changeovers.csv"].append(("m1", "P", "Q", "2026-01-01", "45"))
    shop.run("08:00", "09:00", then="changeover")
    shop.say("09:10", "product", "Q")
    shop.say("10:00", "state", "running")
    shop.say("10:30", "good_count", 50)
    shop.say("11:00", "state", "idle")
    parts = shop.result().variances(("resource", "cause", "product"))["machine", "changeover", "Q"].parts
    assert parts == {"lot_size": 30 - 15, "sequence": 15, "duration": 60 - 45}


def test_changeover_without_a_next_running_segment_keeps_its_own_product(shop: Workshop) -> None:
    shop.run("08:00", "09:00", then="changeover")
    shop.say("09:10", "product", "Q")
    shop.say("10:00", "state", "idle")
    assert [(s.state, s.product) for s in shop.result().segments][1:] == [
        ("changeover", "P"),
        ("changeover", "Q"),
    ]


def test_product_change_while_running_cuts_without_a_changeover(shop: Workshop) -> None:
    shop.standard(product="Q")
    shop.run("08:00", "09:00")
    shop.say("08:30", "product", "Q")
    shop.say("08:30", "good_count", 9)
    result = shop.result()
    assert [(s.product, s.good) for s in result.segments] == [("P", 0), ("Q", 9)]
    assert result.output()[()]["changeovers"] == 0


def test_time_line_runs_from_the_first_sample_to_the_watermark(shop: Workshop) -> None:
    shop.say("07:00", "measure:oil_temp", "40")
    shop.run("08:00", "09:00")
    shop.say("09:30", "measure:oil_temp", "41")
    assert [(s.state, (s.end - s.start) // 60_000_000) for s in shop.result().segments] == [
        ("unknown", 60),
        ("running", 60),
        ("idle", 30),
    ]


def test_effective_dates_cut_at_midnight_of_the_site(shop: Workshop) -> None:
    shop.site["time_zone"] = "America/New_York"
    shop.calendar["shifts"] = [{"name": "L", "days": WEEK, "start": "06:00", "end": "06:00"}]
    shop.machine["rate"].append({"from": date(2026, 3, 3), "standard": 90, "actual": 90})
    shop.say("2026-03-02T23:00", "state", "down")
    shop.say("2026-03-03T01:00", "state", "idle")
    result = shop.result("2026-03-01", "2026-03-05")
    assert result.costs(("resource", "cause"))["machine", "downtime"] == 60 + 90
    assert len(result.segments) == 1


def test_production_day_starts_at_day_start(shop: Workshop) -> None:
    shop.calendar["day_start"] = "08:30"
    shop.run("08:00", "09:00", then="down")
    assert shop.result().costs(("day", "resource"))["2026-03-01", "machine"] == 30
    assert shop.result().costs(("day", "resource"))["2026-03-02", "machine"] == 30


def test_week_starts_on_monday(shop: Workshop) -> None:
    shop.say("2026-03-01T08:00", "state", "down")
    shop.say("2026-03-02T09:00", "state", "idle")
    weeks = shop.result().costs(("week", "resource"))
    assert weeks == {("2026-02-23", "machine"): 360, ("2026-03-02", "machine"): 180}


def hours(calendar: dict, zone: str, day: str, status: str) -> F:
    """Hours of a status from midnight to midnight of a site day."""
    clock = SiteClock(zone)
    start, end = (
        clock.midnight(date.fromisoformat(day)),
        clock.midnight(date.fromisoformat(day).replace(day=9)),
    )
    spans = ShiftCalendar(calendar, clock, start, end).spans
    return F(sum(min(s.end, end) - max(s.start, start) for s in spans if s.status == status), HOUR_US)


def calendar_of(start: str, end: str, *breaks: dict) -> dict:
    return {"shifts": [{"name": "S", "days": ["sun"], "start": start, "end": end, "breaks": list(breaks)}]}


@pytest.mark.parametrize(
    ("start", "end", "scheduled"),
    [("00:00", "00:00", 23), ("22:00", "06:00", 2), ("01:00", "02:30", F(3, 2)), ("02:30", "04:00", F(1, 2))],
)
def test_skipped_times_move_on_by_the_skip(start: str, end: str, scheduled: F) -> None:
    assert hours(calendar_of(start, end), "America/New_York", "2026-03-08", "scheduled") == scheduled


def test_night_shift_before_a_skipped_hour_is_an_hour_shorter(shop: Workshop) -> None:
    night = {"shifts": [{"name": "N", "days": ["sat"], "start": "22:00", "end": "06:00"}]}
    assert hours(night, "America/New_York", "2026-03-08", "scheduled") == 5


def test_breaks_are_elapsed_minutes_clipped_to_their_shift() -> None:
    calendar = calendar_of("06:00", "14:00", {"start": "13:50", "minutes": 30})
    assert hours(calendar, "UTC", "2026-03-08", "break") == F(1, 6)


def test_break_that_a_skipped_hour_moves_behind_its_shift_is_none() -> None:
    calendar = {"shifts": [{"name": "N", "days": ["sat"], "start": "21:30", "end": "03:00"}]}
    calendar["shifts"][0]["breaks"] = [{"start": "02:45", "minutes": 20}]
    assert hours(calendar, "America/New_York", "2026-03-08", "scheduled") == 2
    assert hours(calendar, "America/New_York", "2026-03-08", "break") == 0


def test_break_before_the_start_of_its_shift_is_on_the_next_day() -> None:
    clock = SiteClock("UTC")
    calendar = calendar_of("22:00", "06:00", {"start": "02:00", "minutes": 30})
    start = clock.midnight(date(2026, 3, 8))
    spans = ShiftCalendar(calendar, clock, start, start + 48 * HOUR_US)
    assert spans.at(start + 26 * HOUR_US).status == "break"


def test_closed_day_keeps_the_shift_that_began_before_it() -> None:
    calendar = {
        "shifts": [{"name": "N", "start": "22:00", "end": "06:00"}],
        "exceptions": [{"date": "2026-03-08", "closed": True}],
    }
    assert hours(calendar, "UTC", "2026-03-08", "scheduled") == 6


def test_shifts_of_an_exception_are_added_or_replace_on_a_closed_day() -> None:
    extra = {"name": "X", "start": "20:00", "end": "23:00"}
    usual = [{"name": "D", "start": "06:00", "end": "14:00"}]
    for closed, scheduled in ((False, 11), (True, 3)):
        row = {"date": date(2026, 3, 8), "closed": closed, "shifts": [extra]}
        assert hours({"shifts": usual, "exceptions": [row]}, "UTC", "2026-03-08", "scheduled") == scheduled
