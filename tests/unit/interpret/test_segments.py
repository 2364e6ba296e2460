"""The settled readings on segments: whose units, whose changeover, whose reason."""

from __future__ import annotations

import datetime as dt

from cloud_api.interpret.model import Turn

from .scenes import D, Story, at, clock, machine, outputs, plant, rate, run, segments, standard


def reasons(story: Story) -> list[tuple[str, str | None]]:
    joined: list[tuple[str, str | None]] = []
    for segment in segments(run(story)):
        if not joined or joined[-1] != (segment.state, segment.reason):
            joined.append((segment.state, segment.reason))
    return joined


def test_segments_tile_the_time_line_and_are_maximal_within_an_hour() -> None:
    story = Story()("08:00", state="running", product="P", good_count=0)(
        "08:10", good_count=3, state="running"
    )
    story("08:15", energy=5.0)("08:20", energy=6.0, product="P")("09:30", state="idle")
    story("10:15", good_count=3)
    assert [(clock(s.from_us), clock(s.to_us)) for s in segments(run(story))] == [
        ("08:00", "09:00"), ("09:00", "09:30"), ("09:30", "10:00"), ("10:00", "10:15"),
    ]  # fmt: skip


def test_an_increase_belongs_to_the_segment_at_whose_first_instant_it_is_seen() -> None:
    story = Story()("08:00", state="running", product="P", good_count=0)
    story("08:30", good_count=10, state="down")("08:40", good_count=11)
    first, second = segments(run(story))
    assert (first.good, second.good) == (D(0), D(11))


def test_at_the_end_of_data_an_increase_belongs_to_the_last_segment() -> None:
    story = Story()("08:00", state="running", product="P", good_count=0)
    story("09:00", good_count=7, state="idle")
    result = segments(run(story))
    assert [(s.state, s.good) for s in result] == [("running", D(7))]


def test_the_first_trusted_value_is_a_baseline() -> None:
    story = Story()("08:00", state="running", good_count=500)("08:10", good_count=500, quality=2)
    story("08:20", good_count=503)
    assert sum(s.good for s in segments(run(story))) == 3


def test_an_increase_across_a_gap_is_late_seen_in_the_segment_of_the_first_good_sample() -> None:
    story = Story()("08:00", state="running", product="P", good_count=10)
    story("08:10", quality=2, good_count=None)
    story("08:20", state="idle")("08:30", good_count=25)("08:40", good_count=26, state="running")(
        "08:50", good_count=26
    )
    assert [(s.state, s.good, s.late_seen) for s in segments(run(story))] == [
        ("running", D(0), False), ("idle", D(15), True), ("running", D(1), False),
    ]  # fmt: skip


def test_good_from_a_total_is_its_increase_less_scrap_and_may_be_negative() -> None:
    story = Story()("08:00", state="running", product="P", total_count=0, scrap_count=0)
    story("08:10", total_count=10)("08:20", state="down", scrap_count=2)("08:30", total_count=10)
    assert [(s.good, s.scrap) for s in segments(run(story))] == [(D(10), D(0)), (D(-2), D(2))]


def test_a_changeover_takes_the_product_of_the_next_running_segment_whatever_lies_between() -> None:
    story = Story()("07:50", state="running", product="P", order="1")("08:10", state="changeover")
    story("08:20", state="idle")("08:40", quality=2, state=None)("08:50", state="changeover")
    story("09:10", state="running", product="Q", order="2")("09:20", good_count=0)
    found = [(s.state, s.product, s.order) for s in segments(run(story)) if s.state == "changeover"]
    assert found == [("changeover", "Q", "2")] * 3
    turns = [(clock(s.from_us), s.changeovers) for s in segments(run(story)) if s.changeovers]
    assert turns == [("08:10", (Turn("P", 1),))]


def test_an_open_changeover_keeps_its_own_product() -> None:
    story = Story()("08:00", state="running", product="P")("08:10", state="changeover")
    story("08:30", state="idle")
    story("08:40", good_count=0)
    assert [s.product for s in segments(run(story))] == ["P", "P", None]


def test_a_changeover_takes_the_standard_crew_of_the_product_to_come() -> None:
    model = plant(standards=[standard("P", crew=2), standard("Q", crew=5)])
    story = Story()("08:00", state="running", product="P")("08:10", state="changeover")
    story("08:30", state="running", product="Q")("08:40", state="idle")("08:50", good_count=0)
    assert [s.crew for s in segments(run(story, model))] == [D(2), D(5), D(5), D(5)]


def test_a_change_of_product_while_running_cuts_and_units_follow_the_product() -> None:
    story = Story()("08:00", state="running", product="P", good_count=0)("08:20", good_count=4)
    story("08:30", product="Q", good_count=5)("08:40", good_count=9)
    assert [(s.state, s.product, s.good, s.changeovers) for s in segments(run(story))] == [
        ("running", "P", D(4), ()), ("running", "Q", D(5), ()),
    ]  # fmt: skip


def test_units_in_idle_belong_to_the_last_running_product_and_idle_carries_none() -> None:
    story = Story()("08:00", state="running", product="P", order="7", good_count=0)(
        "08:10", product="Q", order="8"
    )
    story("08:20", state="idle", good_count=6)("08:30", state="planned_stop")("08:40", good_count=6)
    idle = segments(run(story))[2]
    assert (idle.product, idle.order, idle.made_product, idle.made_order, idle.good) == (
        None,
        None,
        "Q",
        "8",
        D(6),
    )


def test_units_in_a_planned_stop_belong_to_the_last_running_product_too() -> None:
    story = Story()("08:00", state="running", product="P", order="7", good_count=0)
    story("08:20", state="planned_stop", product="Q")("08:30", good_count=6)("08:40", good_count=6)
    stop = segments(run(story))[-1]
    assert (stop.product, stop.order) == (None, None)
    assert (stop.made_product, stop.made_order, stop.good) == ("P", "7", D(6))


def test_a_reason_given_during_a_stop_covers_the_whole_stop() -> None:
    story = Story()("08:00", state="running")("08:10", state="down")("08:15", reason="jam")
    story("08:30", state="running", reason="")("08:40", good_count=0)
    assert reasons(story) == [("running", None), ("down", "jam"), ("running", None)]


def test_a_reason_given_within_the_minute_after_covers_the_stop() -> None:
    story = Story()("08:00", state="running")("08:10", state="down")("08:30", state="running")
    story("08:31", reason="jam")("08:32", reason="")("08:40", good_count=0)
    assert reasons(story) == [("running", None), ("down", "jam"), ("running", None)]
    late = Story()("08:00", state="running")("08:10", state="down")("08:30", state="running")
    late("08:31:01", reason="jam")("08:40", good_count=0)
    assert reasons(late)[1] == ("down", None)


def test_of_several_reasons_the_first_covers_the_part_before_the_next() -> None:
    story = Story()("08:00", state="down")("08:10", reason="jam")("08:20", reason="no part")(
        "08:21", reason=""
    )
    story("08:30", state="running")("08:40", good_count=0)
    result = [(clock(s.from_us), s.reason) for s in segments(run(story)) if s.state == "down"]
    assert result == [("08:00", "jam"), ("08:20", "no part")]


def test_a_reason_left_over_from_an_earlier_stop_gives_way_to_the_one_given_now() -> None:
    story = Story()("08:00", state="down", reason="jam")("08:10", state="running")("08:20", state="down")
    story("08:25", reason="no part")("08:30", state="running")("08:40", good_count=0)
    stops = [(clock(s.from_us), s.reason) for s in segments(run(story)) if s.state == "down"]
    assert stops == [("08:00", "jam"), ("08:20", "no part")]


def test_a_reason_given_hours_later_covers_the_stop_from_its_start() -> None:
    story = Story()("08:30", state="running")("08:50", state="down")("11:15", reason="gearbox")
    story("11:30", state="running", reason="")("11:40", good_count=0)
    assert reasons(story) == [("running", None), ("down", "gearbox"), ("running", None)]


def test_crew_without_a_signal_is_the_standard_of_the_last_trusted_product_else_zero_and_named() -> None:
    story = Story()("08:00", state="running")("08:10", product="P")("08:20", product="")(
        "08:30", good_count=0
    )
    result = run(story)
    assert [s.crew for s in segments(result)] == [D(0), D(2), D(2)]
    assert ("crew", "m1") in [(m.kind, m.subject) for m in result.hours[0].missing]


def test_effective_dates_cut_at_site_midnight_and_each_part_takes_its_own_row() -> None:
    cut = dt.date(2026, 3, 3)
    model = plant(
        machines=[machine(rates=[rate("60"), rate("120", from_=cut)])], time_zone="America/New_York"
    )
    story = Story()("04:30", state="running", product="P", good_count=0)
    story(at("05:30", "2026-03-03"), good_count=0)
    dates = {(o.effective, clock(o.hour_us)) for o in outputs(run(story, model))}
    assert (dt.date(2026, 3, 1), "04:00") in dates
    assert (cut, "05:00") in dates
    assert (dt.date(2026, 3, 2), "04:00") in dates
