"""Report by exception."""

from __future__ import annotations

import pytest

from edge_agent.core.report import ReportRule, is_worth
from shared.sample import Quality, Sample

GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD
RULE = ReportRule(longest_silence_us=60_000_000)
BAND = ReportRule(deadband=0.5, longest_silence_us=60_000_000)


@pytest.mark.parametrize(
    ("rule", "last", "now", "worth"),
    [
        (RULE, None, (0, 1.0, GOOD), True),
        (RULE, (0, 1.0, GOOD), (1, 1.0, GOOD), False),
        (RULE, (0, 1.0, GOOD), (1, 1.0000001, GOOD), True),
        (RULE, (0, "idle", GOOD), (1, "running", GOOD), True),
        (RULE, (0, "idle", GOOD), (1, None, GOOD), True),
        (RULE, (0, 1.0, GOOD), (59_999_999, 1.0, GOOD), False),
        (RULE, (0, 1.0, GOOD), (60_000_000, 1.0, GOOD), True),
        (BAND, (0, 1.0, GOOD), (1, 1.5, GOOD), False),
        (BAND, (0, 1.0, GOOD), (1, 1.51, GOOD), True),
        (BAND, (0, 1.0, GOOD), (1, 0.4, GOOD), True),
        (BAND, (0, 1.0, GOOD), (1, 1.0, UNCERTAIN), True),
        (BAND, (0, 1.0, GOOD), (1, None, BAD), True),
        (BAND, (0, None, BAD), (1, 1.0, GOOD), True),
        (BAND, (0, None, BAD), (1, None, BAD), False),
        (BAND, (0, None, BAD), (60_000_000, None, BAD), True),
        (BAND, (0, None, GOOD), (1, 0.1, GOOD), True),
    ],
)
def test_what_is_worth_a_sample(
    rule: ReportRule,
    last: tuple[int, float | str | None, Quality] | None,
    now: tuple[int, float | str | None, Quality],
    worth: bool,
) -> None:
    assert is_worth(rule, None if last is None else Sample(0, *last), Sample(0, *now)) is worth


def test_a_slow_drift_is_seen_against_what_was_sent() -> None:
    """Steps within the deadband add up: the reference is the last value sent, not the last one seen."""
    sent, count = Sample(0, 0, 0.0, GOOD), 0
    for step in range(1, 101):
        now = Sample(0, step, step * 0.125, GOOD)
        if is_worth(BAND, sent, now):
            sent, count = now, count + 1
    assert count == 20
