"""What an hour hands on: starting at a dirty hour, stopping where nothing changes, telling earlier hours."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import json

from cloud_api.interpret.interpretation import interpret
from cloud_api.interpret.model import Boundary, Interpretation, Resolution
from cloud_api.interpret.standards import Book
from shared.units import HOUR_US

from .scenes import Story, at, plant, run, segments, store

BOOK = Book(plant())
NOTHING: Mapping[int, Boundary] = {}


def again(
    story: Story, begin: str, stored: Mapping[int, Boundary], dirty: str | None = None, to: str | None = None
) -> Interpretation:
    """Interpret from a stored hour on, reading no sample before it."""
    start = at(begin)
    evidence = story.evidence(start, None if to is None else at(to))
    later = {hour: boundary for hour, boundary in stored.items() if hour > start}
    return interpret("m1", BOOK, evidence, stored[start], later, None if dirty is None else at(dirty))


def day() -> Story:
    story = Story()("08:00", state="running", product="P", order="1", crew=2, good_count=0, energy=1.5)
    for hour in range(8, 14):
        story(f"{hour:02}:30", good_count=hour * 10, energy=hour * 1.1)
    return story("13:40", state="idle")("13:50", good_count=130)


def test_boundaries_are_json_and_compare_by_value() -> None:
    boundaries = store(run(day()).hours)
    for boundary in boundaries.values():
        assert json.decode(json.encode(boundary), type=Boundary) == boundary
    assert len(boundaries) == 6


def test_a_late_sample_is_computed_until_the_carry_is_as_stored() -> None:
    story = day()
    stored = store(run(story).hours)
    story("09:15", state="down", reason="jam")("09:20", state="running", reason="")
    result = again(story, "09:00", stored)
    assert result.settled
    assert result.next == stored[at("10:00")]
    assert result.hours == run(story).hours[1:2]


def test_a_late_counter_sample_settles_in_the_hour_after() -> None:
    story = day()
    stored = store(run(story).hours)
    story("09:45", good_count=95)
    result = again(story, "09:00", stored)
    assert [hour.hour_us for hour in result.hours] == [at("09:00"), at("10:00")]
    assert result.settled


def test_nothing_settles_up_to_the_last_dirty_hour() -> None:
    story = day()
    stored = store(run(story).hours)
    result = again(story, "09:00", stored, dirty="11:00")
    assert [hour.hour_us for hour in result.hours] == [at("09:00"), at("10:00"), at("11:00")]


def test_a_piece_may_end_at_any_hour_and_go_on_from_its_next_boundary() -> None:
    story = day()
    whole = run(story).hours
    first = interpret("m1", BOOK, story.evidence(None, at("11:00")))
    assert first.next is not None
    assert not first.settled
    second = interpret("m1", BOOK, story.evidence(first.next.hour_us), first.next)
    assert (*first.hours, *second.hours) == whole
    assert second.next is None


def changeover() -> Story:
    story = Story()("08:00", state="running", product="P", good_count=0)("08:30", state="changeover")
    return story("09:30", state="idle")("12:20", good_count=0)


def test_a_changeover_resolved_hours_later_sends_back_to_its_first_hour() -> None:
    story = changeover()
    stored = store(run(story).hours)
    assert stored[at("12:00")].outlook.changeover is None
    story("12:30", state="running", product="Q")("12:40", good_count=0)
    late = again(story, "12:00", stored)
    assert late.revise_us == at("08:00")
    assert late.hours[0].begin.outlook.changeover == Resolution(at("08:30"), "Q", None)
    stored |= store(late.hours)
    earlier = again(story, "08:00", stored, dirty="11:00", to="12:00")
    assert earlier.settled
    assert earlier.revise_us is None
    assert (*earlier.hours, *late.hours) == run(story).hours
    assert {s.product for s in segments(earlier.hours) if s.state == "changeover"} == {"Q"}


def test_late_data_that_takes_the_resolution_away_sends_back_too() -> None:
    story = changeover()
    story("12:30", state="running", product="Q")("13:30", state="running", product="P")
    story("13:40", good_count=0)
    stored = store(run(story).hours)
    story("12:30", state="waiting")  # the greater value as text counts
    late = again(story, "12:00", stored)
    assert late.revise_us == at("08:00")
    assert late.hours[0].begin.outlook.changeover == Resolution(at("08:30"), "P", None)


def test_a_reason_given_after_an_hour_sends_back_to_the_start_of_the_stop() -> None:
    story = Story()("08:00", state="running")("09:30", state="down")("12:10", good_count=0)
    stored = store(run(story).hours)
    story("12:20", reason="gearbox")("12:30", good_count=0)
    late = again(story, "12:00", stored)
    assert late.revise_us == at("09:00")
    assert late.hours[0].begin.outlook.reasons == ((at("09:30"), "gearbox"),)
    stored |= store(late.hours)
    earlier = again(story, "09:00", stored, dirty="11:00", to="12:00")
    assert {s.reason for s in segments(earlier.hours) if s.state == "down"} == {"gearbox"}


def test_a_reason_in_the_minute_after_a_stop_that_ended_at_the_hour() -> None:
    story = Story()("08:00", state="running")("08:50", state="down")("08:59:40", state="running")
    story("09:00:20", good_count=0)
    stored = store(run(story).hours)
    assert [stop.to_us for stop in stored[at("09:00")].carry.stops] == [at("08:59:40")]
    story("09:00:40", reason="jam")("09:10", good_count=0)
    assert again(story, "09:00", stored).revise_us == at("08:00")


def test_a_second_reason_changes_no_earlier_hour() -> None:
    story = Story()("08:00", state="down", reason="jam")("10:10", good_count=0)
    stored = store(run(story).hours)
    story("10:20", reason="no part")("10:30", good_count=0)
    assert again(story, "10:00", stored).revise_us is None


def test_the_current_hour_of_a_long_idle_machine_is_computed_alone() -> None:
    story = Story()("00:00", state="running", product="P", good_count=0)("00:30", state="changeover")
    story("01:30", state="idle")("23:01", good_count=0)
    stored = store(run(story).hours)
    for minute in range(2, 5):
        story(at("23:00") + minute * 60_000_000, good_count=0)
        result = again(story, "23:00", stored)
        assert [hour.hour_us for hour in result.hours] == [at("23:00")]
        assert result.revise_us is None
        stored |= store(result.hours)


def test_an_increase_seen_at_the_end_of_data_moves_on_once_the_time_line_does() -> None:
    story = Story()("08:00", state="running", product="P", good_count=0)("09:00", good_count=5)
    first = run(story)
    assert [segment.good for segment in segments(first)] == [5]
    assert first.next is None  # no boundary at nine: the hour of eight is not finished
    story("09:30", good_count=6)
    assert [segment.good for segment in segments(run(story))] == [0, 6]


def test_an_earlier_first_sample_that_says_nothing_still_begins_the_time_line() -> None:
    story = Story()("08:20", state="running", product="P")("10:00", good_count=0)("10:30", good_count=0)
    stored = store(run(story).hours)
    story("07:10", state=None, quality=2)
    result = interpret("m1", BOOK, story.evidence(), None, stored, at("07:00"))
    assert segments(result.hours)[0].from_us == at("07:10")
    assert [hour.hour_us for hour in result.hours][:2] == [at("07:00"), at("08:00")]
    assert segments(result.hours)[1].from_us == at("08:00")


def test_hours_are_whole() -> None:
    assert all(hour.hour_us % HOUR_US == 0 for hour in run(day()).hours)
