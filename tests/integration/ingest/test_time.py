"""What a gateway without a clock of its own gets from the cloud before it delivers anything."""

from __future__ import annotations

from cloud_api.ingest.intake import Intake
from shared.control import Ack, decode
from shared.topics import Kind, parse
from tests.integration.ingest.gateway import Gateway, now_us, wants


def test_a_hello_that_names_an_empty_stream_is_answered_with_the_time(intake: Intake) -> None:
    gateway = Gateway()
    intake.take([gateway.dictionary()])
    before_us = now_us()
    for counter in (1, 2):
        replies = intake.take([gateway.hello(counter, ranges=[(gateway.start, [])])])
        told = [parse(reply.topic) for reply in replies]
        assert [place[2] for place in told if place is not None] == [Kind.ACK]
        ack = decode(replies[0].payload, Ack)
        assert (ack.stream, ack.through, ack.also) == (gateway.start.hex(), 0, [])
        assert before_us - 60_000_000 <= ack.time_us <= now_us() + 60_000_000
        assert wants(replies) == []
