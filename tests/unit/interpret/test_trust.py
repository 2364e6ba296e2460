"""Silence is never read as 'nothing changed': coverage, losses, bad samples, history beside live data."""

from __future__ import annotations

from .scenes import D, Story, at, outputs, run, segments, spans


def findings(story: Story) -> list[tuple[str, str, str, int]]:
    return [(f.kind, f.subject, f.detail, f.count) for hour in run(story).hours for f in hour.findings]


def test_files_are_trusted_from_sample_to_sample() -> None:
    story = Story()("08:00", state="running", product="P")("11:00", state="idle")("12:00", good_count=1)
    assert spans(run(story)) == [("08:00", "11:00", "running"), ("11:00", "12:00", "idle")]


def test_trust_ends_where_scan_marks_end() -> None:
    story = Story(live=True).covered(("08:00", "08:30"), ("08:40", "09:00"))
    story("08:00", state="running", product="P")("08:40", state="running", product="P")
    result = run(story)
    assert spans(result) == [
        ("08:00", "08:30", "running"), ("08:30", "08:40", "unknown"), ("08:40", "09:00", "running"),
    ]  # fmt: skip
    assert segments(result)[1].product is None


def test_marks_that_touch_are_one_span_also_at_an_hour() -> None:
    story = Story(live=True).covered(("08:50", "09:00"), ("09:00", "09:10"))("08:50", state="running")
    assert spans(run(story)) == [("08:50", "09:10", "running")]


def test_marks_that_end_at_an_hour_end_trust_there() -> None:
    story = Story(live=True).covered(("08:50", "09:00"), ("09:05", "09:10"))("08:50", state="running")
    assert spans(run(story)) == [("08:50", "09:00", "running"), ("09:00", "09:10", "unknown")]


def test_a_bad_state_is_unknown_until_the_next_that_is_not_bad() -> None:
    story = Story()("08:00", state="waiting", product="P", order="O", reason="r", crew=3)
    story("08:10", quality=2, state=None, product=None, order=None, reason=None, crew=None)
    story("08:20", quality=1, state="running")("08:30", good_count=0)
    before, lost, after = segments(run(story))
    assert (before.product, before.order, before.reason, before.crew) == ("P", "O", "r", D(3))
    assert (lost.state, lost.product, lost.order, lost.reason) == ("unknown", None, None, None)
    assert (lost.crew, lost.crew_assumed_us) == (D(3), lost.duration_us)
    assert (after.state, after.product, after.uncertain_us) == ("running", None, after.duration_us)


def test_an_empty_value_of_good_quality_means_none() -> None:
    story = Story()("08:00", state="running", product="P")("08:10", product="")("08:20", good_count=0)
    assert [s.product for s in segments(run(story))] == ["P", None]


def test_a_state_without_a_mapping_is_unknown_and_reported_with_its_count() -> None:
    story = Story()("08:00", state="Running")("08:10", state="running")("08:20", state="Running")(
        "08:30", state=7
    )
    story("08:40", good_count=0)
    assert [s for _, _, s in spans(run(story))] == ["unknown", "running", "unknown"]
    assert findings(story) == [("unmapped_state", "state", "7", 1), ("unmapped_state", "state", "Running", 2)]


def test_numbers_that_are_none_are_bad() -> None:
    story = Story()("08:00", state="running", product="P", crew=2, good_count=10)
    story("08:10", good_count=float("nan"), crew=float("inf"))("08:20", good_count=14)
    assert findings(story) == [("unusable", "good_count", "nan", 1)]
    assert segments(run(story))[-1].good == 4
    assert segments(run(story))[-1].late_seen


def test_a_gap_record_is_unknown_with_its_reason_though_samples_are_inside() -> None:
    story = Story(live=True).covered(("08:00", "09:00"))
    story("08:00", state="running", product="P")("08:15", state="idle")("08:40", state="running")
    story.lost("08:10", "08:30", reason="buffer full")
    result = segments(run(story))
    assert [(s.state, s.reason) for s in result] == [
        ("running", None), ("unknown", "buffer full"), ("unknown", None), ("running", None),
    ]  # fmt: skip


def test_a_backlog_on_its_way_is_in_transit_until_the_data_is_in() -> None:
    story = Story(live=True).covered(("08:00", "08:10"), ("08:30", "09:00"))
    story("08:00", state="running")("08:30", state="running")
    story.lost("08:10", "08:30", "pending")
    assert [(s.state, s.reason) for s in segments(run(story))] == [
        ("running", None), ("unknown", "in transit"), ("running", None),
    ]  # fmt: skip
    story.covered(("08:10", "08:30"))("08:12", state="down")
    assert [(s.state, s.reason) for s in segments(run(story))] == [
        ("running", None), ("down", None), ("running", None),
    ]  # fmt: skip


def test_what_is_dropped_for_good_tells_more_than_a_backlog() -> None:
    story = Story(live=True).covered(("08:00", "08:10"), ("08:30", "08:40"))
    story("08:00", state="running")("08:30", state="running")
    story.lost("08:10", "08:30", "pending").lost("08:15", "08:20", reason="jumbled disk")
    assert [(s.state, s.reason) for s in segments(run(story))] == [
        ("running", None), ("unknown", "in transit"), ("unknown", "jumbled disk"), ("unknown", "in transit"),
        ("running", None),
    ]  # fmt: skip


def test_history_is_not_used_where_live_data_covers() -> None:
    story = Story(live=True).covered(("08:00", "08:30"))
    story("08:00", state="running", product="P")
    story("08:10", history=True, state="idle")("08:30", history=True, state="idle")(
        "09:00", history=True, product="P"
    )
    assert spans(run(story)) == [("08:00", "08:30", "running"), ("08:30", "09:00", "idle")]
    assert findings(story) == [("shadowed", "state", "", 1)]


def test_history_fills_a_gap() -> None:
    story = Story(live=True).covered(("08:00", "09:00"))("08:00", state="running")
    story.lost("08:10", "08:30")("08:10", history=True, state="down")("08:30", state="running")
    assert [s for _, _, s in spans(run(story))] == ["running", "down", "running"]


def test_of_two_values_at_one_instant_the_better_then_the_greater_counts_whatever_the_order() -> None:
    story = Story()("08:00", state="running")("08:00", state="down")("08:00", state="waiting", quality=1)
    story("08:10", good_count=0)
    assert spans(run(story)) == [("08:00", "08:10", "running")]
    assert findings(story) == [("conflict", "state", "", 1)]
    story.samples.reverse()
    assert spans(run(story)) == [("08:00", "08:10", "running")]


def test_an_equal_sample_sent_twice_is_one() -> None:
    story = Story()("08:00", state="running", good_count=1)("08:10", good_count=4)
    story.samples *= 2
    assert findings(story) == []
    assert sum(o.good for o in outputs(run(story))) == 3


def test_crew_keeps_its_last_trusted_value_and_an_empty_one_means_none() -> None:
    story = Story()("08:00", state="running", product="P", crew=5)("08:10", quality=2, crew=None)
    story("08:20", crew="")("08:30", crew=0)("08:40", good_count=1)
    assert [(s.crew, s.crew_assumed_us > 0) for s in segments(run(story))] == [
        (D(5), True), (D(2), True), (D(0), False),
    ]  # fmt: skip


def test_the_time_line_runs_from_the_first_sample_to_the_last_scan_mark() -> None:
    story = Story(live=True).covered(("08:00", "08:50"))("08:00", good_count=0)("08:20", state="idle")
    assert spans(run(story)) == [("08:00", "08:20", "unknown"), ("08:20", "08:50", "idle")]
    assert segments(run(story))[-1].to_us == at("08:50")
