"""Active periods, the walk over them, and shares."""

from __future__ import annotations

from decimal import Decimal as D

from cloud_api.interpret.constraints import (
    ActivePeriod,
    Moment,
    active_periods,
    drawn,
    leader,
    leaders,
    moments,
    shares,
    walk,
)
from tests.unit.interpret.scenes import Story, at, run, segments


def found(*periods: tuple[int, int, str]) -> list[tuple[int, int, tuple[str, ...]]]:
    walked = walk([ActivePeriod(*period) for period in periods])
    return [(moment.from_us, moment.to_us, moment.machines) for moment in moments(walked)]


def test_running_down_changeover_and_planned_stop_are_one_period_over_hours() -> None:
    story = Story()("08:50", state="running")("09:10", state="down")("09:20", state="changeover")
    story("09:30", state="planned_stop")("09:40", state="waiting")("09:45", state="running")
    story("09:50", state="idle")("10:00", good_count=0)
    assert active_periods(segments(run(story))) == [
        ActivePeriod(at("08:50"), at("09:40"), "m1"),
        ActivePeriod(at("09:45"), at("09:50"), "m1"),
    ]


def test_unknown_ends_an_active_period() -> None:
    story = Story()("08:00", state="running")("08:20", state=None, quality=2)("08:25", state="running")
    story("08:55", good_count=0)
    assert active_periods(segments(run(story))) == [
        ActivePeriod(at("08:00"), at("08:20"), "m1"),
        ActivePeriod(at("08:25"), at("08:55"), "m1"),
    ]


def test_order_of_stretches_does_not_matter() -> None:
    story = Story()("08:00", state="running")("08:20", state="idle")("08:25", state="down")(
        "09:30", good_count=0
    )
    parts = segments(run(story))
    assert active_periods(parts[::-1]) == active_periods(parts)


def test_nothing_active_has_no_constraint() -> None:
    assert found() == []
    assert shares([]) == {}


def test_where_none_is_active_the_walk_goes_on_at_the_next_start() -> None:
    assert found((0, 10, "a"), (20, 30, "b")) == [(0, 10, ("a",)), (20, 30, ("b",))]


def test_a_period_that_begins_at_the_end_of_another_is_next_without_overlap() -> None:
    assert found((0, 10, "a"), (10, 30, "b"), (12, 20, "a")) == [(0, 10, ("a",)), (10, 30, ("b",))]


def test_a_longer_period_that_starts_later_takes_over_only_at_the_end() -> None:
    assert found((0, 50, "a"), (10, 100, "b")) == [(0, 10, ("a",)), (10, 50, ("a", "b")), (50, 100, ("b",))]


def test_a_shorter_period_within_a_longer_one_never_counts() -> None:
    assert found((0, 50, "a"), (10, 40, "b")) == [(0, 50, ("a",))]


def test_a_tie_at_the_end_of_another_period_goes_on_with_the_one_that_lasts() -> None:
    """At 30 both b [10, 50) and c [20, 60) have 40: both count, and the walk goes on at 60."""
    assert found((0, 30, "a"), (10, 50, "b"), (20, 60, "c"), (55, 70, "d")) == [
        (0, 10, ("a",)),
        (10, 20, ("a", "b")),
        (20, 30, ("a", "b", "c")),
        (30, 50, ("b", "c")),
        (50, 55, ("c",)),
        (55, 60, ("c", "d")),
        (60, 70, ("d",)),
    ]


def test_shares_are_of_the_time_with_a_constraint_and_may_be_asked_of_a_window() -> None:
    line = [Moment(0, 50, ("a",)), Moment(50, 60, ("a", "b")), Moment(80, 120, ("b",))]
    whole = shares(line)
    assert (whole["a"].sole, whole["a"].shifting) == (D("0.5"), D("0.1"))
    assert (whole["b"].sole, whole["b"].shifting) == (D("0.4"), D("0.1"))
    part = shares(line, 40, 100)
    assert (part["a"].sole_us, part["a"].shifting_us, part["b"].sole_us) == (10, 10, 20)
    assert shares(line, 40, 50)["a"].sole == 1
    assert shares(line, 60, 80) == {}


def test_of_machines_that_never_wait_the_last_in_the_row_leads() -> None:
    line = [Moment(0, 50, ("a", "b")), Moment(50, 60, ("c",))]
    assert leader(shares(line), ("b", "a", "c")) == "a"
    assert leaders(line, [(0, 50), (50, 60), (60, 70)], ("a", "b", "c")) == ["b", "c", None]


def test_what_left_a_line_without_having_passed_a_machine_came_out_of_stock() -> None:
    assert drawn(D(100), D(120), D(5)) == 25
    assert drawn(D(100), D(90), D(5)) == -5
