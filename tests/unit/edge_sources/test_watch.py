"""What scans prove: marks, losses dated from the last good scan, and what must never look watched."""

from __future__ import annotations

from edge_agent.core.evidence import Instant
from edge_agent.loops.poll import Watch
from edge_agent.ports import Group, Reading, Scan
from shared.sample import Quality
from tests.integration.edge_sources.parts import Memory

SECOND = 1_000_000
EPOCH = 1_700_000_000 * SECOND


class Story:
    """Scans of two signals, each second, grace three seconds; the wall clock may be set apart."""

    def __init__(self) -> None:
        self.sink = Memory()
        self.step_us = 0
        groups = [Group(SECOND, (0, 1))]
        self.watch = Watch("plc", 3 * SECOND, groups, self.sink, self.at(0))

    def at(self, second: float) -> Instant:
        return Instant(EPOCH + round(second * SECOND) + self.step_us, 100.0 + second)

    def scan(self, second: float, *good: int, **failed: str) -> None:
        now = self.at(second)
        missing = {int(name[1:]): why for name, why in failed.items()}
        self.watch.take(0, Scan([Reading(index, now.at_us - 1000, 1.0) for index in good], missing), now)

    def covered(self) -> list[tuple[float, float]]:
        return [
            (round((a - EPOCH) / SECOND, 2), round((b - EPOCH) / SECOND, 2)) for a, b in self.sink.covered()
        ]

    def losses(self) -> list[float]:
        return [(since_us - EPOCH) / SECOND for since_us, _ in self.sink.losses]


def test_marks_abut_from_scan_to_scan():
    story = Story()
    for second in (1, 2, 3):
        story.scan(second, 0, 1)
    assert story.covered() == [(1.0, 3.0)]
    assert [full for _, full in story.sink.told] == [True, True, False, False, False, False]


def test_a_failed_scan_repaired_within_the_grace_is_no_loss():
    story = Story()
    story.scan(1, 0, 1)
    story.scan(2, s0="down", s1="down")
    story.scan(3, s0="down", s1="down")
    story.scan(3.9, 0, 1)
    assert (story.covered(), story.losses()) == ([(1.0, 3.9)], [])


def test_a_loss_is_dated_from_the_last_good_scan_and_told_once():
    story = Story()
    story.scan(1, 0, 1)
    for second in (2, 3, 4, 4.1, 5, 6):
        story.scan(second, s0="down", s1="down")
    assert (story.covered(), story.losses()) == ([(1.0, 1.0)], [1.0])
    assert story.sink.losses[0][1] == "down"
    assert story.watch.live() == 0


def test_after_a_loss_everything_is_told_again_and_the_hole_stays_a_hole():
    story = Story()
    story.scan(1, 0, 1)
    story.scan(4.5, s0="down", s1="down")
    story.scan(9, 0, 1)
    story.scan(10, 0, 1)
    assert story.covered() == [(1.0, 1.0), (9.0, 10.0)]
    assert [full for _, full in story.sink.told] == [True, True, True, True, False, False]


def test_a_source_that_never_answered_is_lost_since_the_start():
    story = Story()
    story.scan(1, s0="down", s1="down")
    story.scan(3.5, s0="down", s1="down")
    assert story.losses() == [0.0]


def test_a_stopped_process_makes_no_false_span():
    story = Story()
    story.scan(1, 0, 1)
    story.scan(31, 0, 1)
    story.scan(32, 0, 1)
    assert story.covered() == [(1.0, 1.0), (31.0, 32.0)]
    assert story.losses() == [1.0]
    assert story.sink.told[2][1]


def test_a_clock_set_forward_makes_no_false_span():
    story = Story()
    story.scan(1, 0, 1)
    story.step_us = 3600 * SECOND
    story.scan(2, 0, 1)
    story.scan(3, 0, 1)
    assert story.covered() == [(1.0, 1.0), (3602.0, 3603.0)]
    assert story.losses() == [1.0]


def test_a_clock_set_back_dates_nothing_into_the_future():
    story = Story()
    story.scan(10, 0, 1)
    story.step_us = -5 * SECOND
    story.scan(11, 0, 1)
    story.scan(12, 0, 1)
    assert story.losses() == [6.0]
    assert max(to_us for _, to_us in story.sink.marks) <= max(10 * SECOND + EPOCH, story.at(12).at_us)


def test_one_signal_that_fails_is_bad_from_its_last_good_scan_and_the_others_go_on():
    story = Story()
    story.scan(1, 0, 1)
    for second in (2, 3, 4):
        story.scan(second, 0, s1="mute")
    assert story.covered() == [(1.0, 1.0)]
    story.scan(5, 0, s1="mute")
    story.scan(6, 0, s1="mute")
    bad = [reading for reading in story.sink.of(1) if reading.quality is Quality.BAD]
    assert [(reading.time_us, reading.value, reading.why) for reading in bad] == [
        (EPOCH + SECOND, None, "mute")
    ]
    assert (story.covered(), story.losses()) == ([(1.0, 6.0)], [])
    assert story.watch.live() == 1


def test_a_signal_that_never_answered_is_bad_after_the_grace():
    story = Story()
    for second in (1, 2, 3, 4):
        story.scan(second, 0, s1="exception 2")
    (bad,) = story.sink.of(1)
    assert (bad.quality, bad.why, bad.time_us) == (Quality.BAD, "exception 2", EPOCH + 4 * SECOND)
