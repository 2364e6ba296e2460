"""The uplink holds nothing back: what cannot go now stays in the buffer alone."""

from __future__ import annotations

import random

from edge_agent.adapters.mqtt import MqttUplink
from shared.control import Status
from tests.integration.edge_delivery.agent import uplink_to


async def test_what_is_published_without_a_link_is_refused_and_queued_nowhere() -> None:
    def will() -> Status:
        return Status("0" * 32, "0" * 32, 1, online=False, time_us=0, will=True)

    uplink = MqttUplink(
        uplink_to(9), site="s", agent="a", instance=b"i" * 16, start=b"s" * 16, will=will,
        chance=random.Random(1).random,
    )  # fmt: skip
    assert not uplink.is_connected()
    assert [await uplink.publish_batch(b"batch") for _ in range(3)] == [False] * 3
    assert await uplink.publish_dictionary(b"dictionary") is False
    assert uplink._session is None
    assert uplink.connects == 0
