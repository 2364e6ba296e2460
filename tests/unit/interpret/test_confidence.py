"""The facts behind a grade, and its thresholds."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from cloud_api.interpret.confidence import (
    coverage,
    grade,
    reason_coverage,
    trust_facts,
    unexplained_share,
)
from cloud_api.interpret.plant import Break, Shift

from .scenes import MINUTE, WEEK, Story, outputs, plant, run


def test_facts_come_from_scheduled_time_and_stops_are_down() -> None:
    model = plant(shifts=[Shift("A", 480, 570, WEEK, (Break(540, 30),))])
    story = Story()("08:00", state="running", product="P", quality=1)("08:10", state="down")
    story("08:15", state="waiting", reason="")("08:20", state="down", reason="jam")
    story("08:35", state="running")
    story("08:36:01", reason="")("08:40", state=None, quality=2)("09:30", good_count=0)
    facts = trust_facts(outputs(run(story, model)))
    assert facts.scheduled_us == 60 * MINUTE
    assert facts.trusted_us == 40 * MINUTE
    assert facts.stop_us == 20 * MINUTE
    assert facts.reasoned_us == 15 * MINUTE
    assert facts.uncertain_us == 10 * MINUTE
    assert reason_coverage(facts) == D("0.75")
    assert coverage(facts, 20 * MINUTE) == D("0.5")


def test_no_stop_at_all_is_full_reason_coverage() -> None:
    facts = trust_facts(outputs(run(Story()("08:00", state="idle")("09:00", good_count=0))))
    assert reason_coverage(facts) == 1
    assert unexplained_share(D(0), D(0)) == 0


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        (("0.98", "0.02", "0.90", "0.005"), "A"),
        (("0.98", "0.02", "0.90", None), "A"),
        (("0.9799", "0", "1", None), "B"),
        (("1", "0.0201", "1", None), "B"),
        (("1", "0", "0.8999", None), "B"),
        (("1", "0", "1", "-0.0051"), "B"),
        (("0.95", "0.05", "0.75", "0.01"), "B"),
        (("0.90", "0.10", "0.50", "0.02"), "C"),
        (("0.8999", "0", "1", None), "D"),
        (("1", "0", "0.49", None), "D"),
        (("1", "0", "1", "0.021"), "D"),
    ],
)
def test_the_grade_is_the_worst_measure(measures: tuple[str, str, str, str | None], expected: str) -> None:
    covered, unexplained, reasons, counts = (None if m is None else D(m) for m in measures)
    assert covered is not None
    assert unexplained is not None
    assert reasons is not None
    assert grade(covered, unexplained, reasons, counts, False) == expected


def test_a_missing_standard_costs_the_a_only() -> None:
    assert grade(D(1), D(0), D(1), None, True) == "B"
    assert grade(D("0.91"), D(0), D(1), None, True) == "C"
