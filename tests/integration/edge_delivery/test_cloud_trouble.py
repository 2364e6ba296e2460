"""A cloud that is silent, forgetful, late or talks nonsense; a link that comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.core.lanes import HistoryRate
from shared.batch import Lane, samples_of
from shared.control import Want
from shared.topics import Kind, topic
from tests.integration.edge_delivery.agent import QUICK, Agent, running, until, uplink_to
from tests.integration.edge_delivery.brokers import BrokerProcess, mosquitto
from tests.integration.edge_delivery.cloud import AGENT, SITE, FakeCloud

pytestmark = pytest.mark.needs("mosquitto")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    with mosquitto(tmp_path) as process:
        yield process


def has_all(cloud: FakeCloud, *agents: Agent) -> bool:
    got = {(sample.time_us, sample.value) for sample in cloud.samples()}
    return all(each in got for agent in agents for each in agent.told)


async def test_a_silent_cloud_gets_a_bounded_number_of_batches_and_later_all(
    broker: BrokerProcess, cloud: FakeCloud, tmp_path: Path
) -> None:
    cloud.acks = False
    async with running(tmp_path / "buffer", uplink_to(broker.port)) as agent:
        await agent.tell_many(300)
        await until(lambda: agent.drain.in_flight > 0)
        await asyncio.sleep(1.0)
        assert agent.drain.in_flight <= 32
        assert len({(front.stream, front.seq) for _, front in cloud.arrivals}) <= 40
        cloud.acks = True
        await until(lambda: has_all(cloud, agent) and agent.buffer.state().depth == 0)


async def test_a_restored_database_gets_acknowledged_batches_again(
    broker: BrokerProcess, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with running(tmp_path / "buffer", uplink_to(broker.port)) as agent:
        await agent.tell_many(100)
        await until(lambda: has_all(cloud, agent) and agent.buffer.state().depth == 0)
        cloud.forget()
        cloud.want(Want(stream=agent.stream.hex(), ranges=[(1, 1 << 62)]))
        await until(lambda: has_all(cloud, agent))
        cloud.want(Want(stream="no hex", ranges=[(1, 5)]))
        cloud.want(Want(["77" * 16, "no hex"]))
        await agent.tell_many(5, 100)
        await until(lambda: has_all(cloud, agent))
    assert {front.lane for front, _ in cloud.batches() if front.seq < 5} == {Lane.HISTORY}


async def test_a_cloud_that_lacks_the_dictionary_asks_and_gets_it(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    async with running(tmp_path / "buffer", uplink_to(broker.port)) as agent:
        await until(agent.uplink.is_connected)
        await agent.tell_many(10)
        cloud = FakeCloud(broker.port, needs_dictionary=True)
        await agent.tell_many(10, 10)
        await until(lambda: has_all(cloud, agent) and agent.buffer.state().depth == 0)
        assert len(cloud.dictionaries) == 1
    cloud.close()


async def test_nonsense_from_the_broker_changes_nothing(
    broker: BrokerProcess, cloud: FakeCloud, tmp_path: Path
) -> None:
    nonsense = [
        b"",
        b"{",
        b"\xff" * 99,
        b'{"stream":7}',
        b"[" * 50_000,
        b'{"stream":"","through":1,"time_us":1}',
    ]
    async with running(tmp_path / "buffer", uplink_to(broker.port)) as agent:
        await until(agent.uplink.is_connected)
        for payload in nonsense:
            for kind in (Kind.ACK, Kind.WANT):
                cloud._client.publish(topic(SITE, AGENT, kind), payload, 1)
        await agent.tell_many(20)
        await until(lambda: has_all(cloud, agent) and agent.buffer.state().depth == 0)
        assert agent.uplink.connects == 1


async def test_live_data_overtakes_a_backlog_with_a_full_read(broker: BrokerProcess, tmp_path: Path) -> None:
    slow = replace(QUICK, history=HistoryRate(bytes_per_s=4_000, start_share=1.0), overtake_s=1.0)
    limits = BufferLimits(window_s=0.02, reserve_bytes=0)
    async with running(tmp_path / "buffer", uplink_to(broker.port), drain=slow, limits=limits) as agent:
        await until(agent.uplink.is_connected)
        broker.kill()
        await until(lambda: not agent.uplink.is_connected())
        await agent.tell_many(300)
        await asyncio.sleep(0.5)
        broker.start()
        cloud = FakeCloud(broker.port)
        await until(agent.uplink.is_connected)
        agent.tell(1e6)
        await until(lambda: any(sample.value == 1e6 for sample in cloud.samples()))
        history = [front for front, _ in cloud.batches() if front.lane is Lane.HISTORY]
        assert len(history) < 100
        live = [batch for front, batch in cloud.batches() if front.lane is Lane.LIVE]
        pending = [each for batch in live for each in batch.pending]
        assert min(each.from_us for each in pending) <= agent.told[0][0]
        assert max(each.to_us for each in pending) > agent.told[299][0]
        first = next(batch for batch in live if batch.pending)
        assert [sample.value for sample in samples_of(first)][-1] in (299.0, 1e6)
        await until(lambda: has_all(cloud, agent) and agent.buffer.state().depth == 0, 40)
    cloud.close()


async def test_a_copied_buffer_run_by_a_second_agent_loses_nothing(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    broker.kill()
    async with running(tmp_path / "a", uplink_to(broker.port)) as first:
        await first.tell_many(30)
    (tmp_path / "b").mkdir()
    for path in (tmp_path / "a").iterdir():
        (tmp_path / "b" / path.name).write_bytes(path.read_bytes())
    broker.start()
    cloud = FakeCloud(broker.port)
    async with (
        running(tmp_path / "a", uplink_to(broker.port)) as one,
        running(tmp_path / "b", uplink_to(broker.port), machine="machine-2") as two,
    ):
        await one.tell_many(20, 100)
        await two.tell_many(20, 200)
        await until(lambda: has_all(cloud, first, one, two))
        await until(lambda: one.buffer.state().depth == two.buffer.state().depth == 0)
    assert len({hello.instance for hello in cloud.hellos}) == 2
    assert len({hello.start for hello in cloud.hellos}) == 2
    old = [seq for stream, seq in cloud.stored if stream == first.stream]
    assert sorted(old) == list(range(1, len(old) + 1))
    cloud.close()


async def test_wills_hellos_and_statuses_count_up(
    broker: BrokerProcess, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with running(tmp_path / "buffer", uplink_to(broker.port)) as agent:
        await until(lambda: len(cloud.statuses) >= 3)
        for _ in range(10):  # a hello that comes before the cloud is back is heard by nobody
            broker.kill()
            broker.start()
            with contextlib.suppress(AssertionError):
                await until(lambda: len(cloud.hellos) >= 2, 10.0)
                break
        await until(lambda: len(cloud.hellos) >= 2 and len(cloud.statuses) >= 5)
        agent.heartbeat.changed()
    await until(lambda: not cloud.statuses[-1].online)
    counters = [status.counter for status in cloud.statuses]
    assert counters == sorted(set(counters))
    first, second = (hello.counter for hello in cloud.hellos[:2])
    assert first < counters[0] < second
    assert cloud.statuses[-1].will is False
    assert cloud.statuses[0].stream == agent.stream.hex()
