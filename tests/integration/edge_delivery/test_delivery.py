"""Disk first, publish second, forget on the cloud's ack: through real brokers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.batch import Lane
from tests.integration.edge_delivery.agent import QUICK, Agent, running, until, uplink_to
from tests.integration.edge_delivery.brokers import BrokerProcess, amqtt, mosquitto
from tests.integration.edge_delivery.cloud import FakeCloud


@pytest.fixture(params=[pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")), "amqtt"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    kinds = {"mosquitto": mosquitto, "amqtt": amqtt}
    with kinds[request.param](tmp_path) as process:
        yield process


def told_once(cloud: FakeCloud, agent: Agent) -> bool:
    got = [(sample.time_us, sample.value) for sample in cloud.samples() if sample.signal == 0]
    return sorted(got) == sorted(agent.told)


async def test_what_is_told_arrives_once_and_is_acknowledged(
    broker: BrokerProcess, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with running(tmp_path / "buffer", uplink_to(broker.port)) as agent:
        await until(agent.uplink.is_connected)
        await agent.tell_many(100)
        await until(lambda: told_once(cloud, agent))
        await until(lambda: agent.buffer.state().depth == 0)
        assert agent.drain.in_flight == 0
        assert cloud.hellos[0].start == agent.stream.hex()
        assert len(cloud.dictionaries) == 1
        assert {front.lane for front, _ in cloud.batches()} == {Lane.LIVE}
        assert agent.drain.clock_offset_s is not None
        assert abs(agent.drain.clock_offset_s) < 5
    await until(lambda: cloud.statuses[-1].online is False)
    assert cloud.statuses[-1].will is False


async def test_a_broker_that_comes_back_empty_loses_nothing(
    broker: BrokerProcess, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with running(tmp_path / "buffer", uplink_to(broker.port)) as agent:
        await until(agent.uplink.is_connected)
        await agent.tell_many(20)
        await until(lambda: told_once(cloud, agent))
        broker.kill()
        await agent.tell_many(100, 20)
        broker.start()
        await agent.tell_many(20, 120)
        await until(lambda: set(agent.told) <= {(s.time_us, s.value) for s in cloud.samples()})
        await until(lambda: agent.buffer.state().depth == 0)


async def test_what_one_run_left_the_next_sends_as_history(broker: BrokerProcess, tmp_path: Path) -> None:
    broker.kill()
    async with running(tmp_path / "buffer", uplink_to(broker.port)) as first:
        await first.tell_many(30)
    broker.start()
    cloud = FakeCloud(broker.port)
    patient = replace(QUICK, overtake_s=60.0)
    async with running(tmp_path / "buffer", uplink_to(broker.port), drain=patient) as second:
        await until(second.uplink.is_connected)
        second.tell(1000.0)
        expected = sorted([*first.told, *second.told])
        await until(lambda: sorted((s.time_us, s.value) for s in cloud.samples()) == expected)
        await until(lambda: second.buffer.state().depth == 0)
    lanes = {(front.stream, front.lane) for front, _ in cloud.batches()}
    assert lanes == {(first.stream, Lane.HISTORY), (second.stream, Lane.LIVE)}
    assert all(front.start == second.stream for front, _ in cloud.batches())
    pending = [each for _, batch in cloud.batches() for each in batch.pending]
    assert [(each.from_us, each.to_us) for each in pending] == [(first.told[0][0], first.told[-1][0] + 1)]
    cloud.close()


@pytest.mark.needs("mosquitto")
async def test_a_gateway_that_boots_in_the_past_sends_nothing_before_the_cloud_tells_the_time(
    tmp_path: Path,
) -> None:
    behind_us = 50 * 365 * 86_400 * 1_000_000
    with mosquitto(tmp_path) as broker:
        cloud = FakeCloud(broker.port, acks=False)
        async with running(tmp_path / "buffer", uplink_to(broker.port), slow_us=behind_us) as agent:
            began_us = time.time_ns() // 1000
            for n in range(5):
                agent.tell(float(n))
                await asyncio.sleep(0.05)
            await until(lambda: bool(cloud.hellos) and agent.buffer.state().depth > 0)
            assert cloud.arrivals == []
            cloud.acks = True
            broker.kill()
            broker.start()
            await until(lambda: {sample.value for sample in cloud.samples()} >= {0.0, 1.0, 2.0, 3.0, 4.0})
            agent.tell(5.0)
            await until(lambda: 5.0 in {sample.value for sample in cloud.samples()})
            await until(lambda: cloud.statuses[-1].time_us > began_us - 20_000_000)
            now_us = time.time_ns() // 1000
        cloud.close()
        times = [sample.time_us for sample in sorted(cloud.samples(), key=lambda sample: sample.value or 0)]
        assert times == sorted(times)
        assert began_us - 20_000_000 < times[0] <= times[-1] < now_us + 20_000_000
