"""What publish responses prove, and what ends a session; responses made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua

from edge_agent.adapters.opcua_session import SessionLost, Subscribed
from edge_agent.adapters.opcua_told import Changes, Told
from edge_agent.adapters.opcua_values import Dating, meant, reading_of, to_us
from edge_agent.adapters.opcua_watch import SubscriptionWatch
from edge_agent.config.model import TimePolicy
from edge_agent.core.evidence import Instant
from shared.sample import Quality
from tests.integration.edge_sources.parts import Memory, signal
from tests.unit.edge_sources.told import told_of

SECOND = 1_000_000
BEGAN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def at(second: float) -> int:
    return (to_us(BEGAN) or 0) + round(second * SECOND)


class Story:
    def __init__(self) -> None:
        self.sink, self.ends = Memory(), []
        self.second = 0.0
        self.dating = Dating(TimePolicy())
        self.watch = SubscriptionWatch(
            "plc",
            {0: signal(0, "s=a"), 1: signal(1, "s=b")},
            self.dating,
            self.sink,
            self.now,
            self.ends.append,
        )
        self.watch.begin(Subscribed(1.0, 1.0, {}), 3 * SECOND)
        self.sequence = 1

    def now(self) -> Instant:
        return Instant((to_us(BEGAN) or 0) + round(self.second * SECOND), 50.0 + self.second)

    def publish(self, second: float, *changes: tuple[int, Any], sequence: int | None = None) -> None:
        self.second = second
        items = [
            (handle, value if isinstance(value, Told) else Told(0, value, 6, at(second - 0.2)))
            for handle, value in changes
        ]
        data = [Changes(items)] if items else []
        self.send(data, self.sequence if sequence is None else sequence)
        self.sequence += bool(items)

    def send(self, data: list[Any], sequence: int) -> None:
        message = ua.NotificationMessage(SequenceNumber=sequence, NotificationData=data)
        self.watch.published(ua.PublishResult(1, NotificationMessage=message))

    def covered(self) -> list[tuple[float, float]]:
        zero = to_us(BEGAN) or 0
        return [((a - zero) / SECOND, (b - zero) / SECOND) for a, b in self.sink.covered()]


def test_responses_and_keep_alives_prove_what_lies_between():
    story = Story()
    story.publish(1, (0, 1))
    story.publish(2)
    story.publish(3, (1, 5), (0, 2))
    assert story.covered() == [(0.0, 3.0)]
    assert [(reading.signal, reading.value) for reading, _ in story.sink.told] == [(0, 1), (1, 5), (0, 2)]
    assert [reading.time_us - (to_us(BEGAN) or 0) for reading in story.sink.of(0)] == [800_000, 2_800_000]


def test_a_response_that_is_missing_ends_the_session_before_its_successor_counts():
    story = Story()
    story.publish(1, (0, 1))
    story.publish(2, (0, 3), sequence=3)
    assert story.ends == ["publish response 2 did not arrive, 3 did"]
    assert story.covered() == [(0.0, 1.0)]
    assert story.sink.last(0).value == 1


def test_a_stopped_process_does_not_take_piled_up_responses_for_proof():
    story = Story()
    story.publish(1, (0, 1))
    story.publish(40, (0, 2))
    story.publish(40.1, (0, 3))
    assert story.covered() == [(0.0, 1.0)]
    assert len(story.sink.of(0)) == 1
    assert "not scanned for 39.0 s" in story.ends[0]


def test_evidence_that_stays_out_is_found_by_the_supervisor():
    story = Story()
    story.publish(1)
    story.second = 4.4
    story.watch.check(story.now())
    story.second = 5.0
    with pytest.raises(SessionLost, match="not scanned for"):
        story.watch.check(story.now())


def test_the_server_ends_the_subscription():
    story = Story()
    gone = ua.StatusChangeNotification(Status=ua.StatusCode(ua.StatusCodes.BadTimeout))
    story.send([gone], 1)
    assert story.ends == ["the server ended the subscription: BadTimeout"]


def test_what_the_server_dropped_is_counted_and_told():
    story = Story()
    value = Told(0x480, 7, 6, at(0))
    story.publish(1, (0, value))
    assert story.watch.overflows == 1
    assert (story.sink.last(0).quality, story.sink.last(0).value) == (Quality.UNCERTAIN, 7)
    assert "dropped values" in story.sink.last(0).why


def test_two_changes_of_one_signal_never_share_a_time():
    story = Story()
    same = [Told(0, n, 6, at(0.5)) for n in (1, 2)]
    story.publish(1, (0, same[0]), (0, same[1]))
    first, second = story.sink.of(0)
    assert second.time_us == first.time_us + 1


@pytest.mark.parametrize(
    ("variant", "value", "quality"),
    [
        (ua.Variant(True), 1, Quality.GOOD),
        (ua.Variant(2**40, ua.VariantType.Int64), 2**40, Quality.GOOD),
        (ua.Variant("P-1"), "P-1", Quality.GOOD),
        (ua.Variant(ua.LocalizedText("läuft")), "läuft", Quality.GOOD),
        (ua.Variant(float("nan")), None, Quality.BAD),
        (ua.Variant([1, 2, 3]), None, Quality.BAD),
        (ua.Variant([1.0], ua.VariantType.Double), None, Quality.BAD),
        (ua.Variant(b"\x01"), None, Quality.BAD),
        (None, None, Quality.BAD),
    ],
)
def test_values_of_every_kind(variant, value, quality):
    told = told_of(ua.DataValue(variant))
    found, reading = meant(signal(0, "s=a"), told), reading_of(signal(0, "s=a"), told, 7, None)
    assert (reading.value, reading.quality, reading.why) == (found.value, found.quality, found.why)
    assert (found.value, found.quality) == (value, quality)
    assert (found.why is None) == (quality is Quality.GOOD)


def polling(story: Story, **limits_us: int) -> Story:
    """The same source with signal 1 polled beside the subscription."""
    story.watch.begin(Subscribed(1.0, 1.0, {}), 3 * SECOND, limits_us)
    return story


def scan(story: Story, second: float, content: float, source_s: float, *, since: float, witness: Any) -> None:
    story.second = second
    told = {1: Told(0, content, 11, at(source_s))}
    story.watch.answered([signal(1, "s=b")], told, at(since), story.now(), witness)


def test_what_is_proven_ends_where_the_slower_of_reports_and_scans_ended():
    story = polling(Story(), polled=3 * SECOND)
    story.publish(1, (0, 1))
    assert story.covered() == []
    scan(story, 1.5, 7.0, 0.0, since=0.0, witness="polled")
    assert story.covered() == [(0.0, 1.0)]
    story.publish(2)
    assert story.covered() == [(0.0, 1.5)]
    assert story.watch.evidence.at_us == at(1.5)


def test_a_scan_that_stays_out_is_found_though_reports_come():
    story = polling(Story(), polled=3 * SECOND)
    for second in (1, 2, 3):
        story.publish(second)
    story.second = 3.5
    with pytest.raises(SessionLost, match="not scanned for"):
        story.watch.check(story.now())


def test_a_slow_group_holds_nothing_back():
    story = polling(Story())
    story.publish(1)
    scan(story, 60.0, 7.0, 0.0, since=0.0, witness=None)
    assert story.covered() == [(0.0, 1.0)]
    assert story.sink.last(1).value == 7


def test_a_polled_change_is_dated_by_the_source_and_never_before_the_scan_that_did_not_see_it():
    story = polling(Story(), polled=30 * SECOND)
    scan(story, 1, 7.0, 0.4, since=0.0, witness="polled")
    scan(story, 2, 8.0, 1.4, since=1.0, witness="polled")
    scan(story, 3, 8.0, 1.4, since=2.0, witness="polled")
    scan(story, 4, 9.0, 1.9, since=3.0, witness="polled")
    assert [reading.time_us - at(0) for reading in story.sink.of(1)] == [
        400_000,
        1_400_000,
        3_000_000,
        4_000_000,
    ]


def test_polls_alone_prove_and_lose_as_reports_do():
    story = Story()
    story.watch.begin(None, 3 * SECOND, {"polled": 2 * SECOND})
    scan(story, 1, 7.0, 0.4, since=0.0, witness="polled")
    assert story.covered() == [(0.0, 1.0)]
    scan(story, 9, 8.0, 8.4, since=1.0, witness="polled")
    assert story.ends == ["not scanned for 8.0 s"]
    assert len(story.sink.of(1)) == 1
