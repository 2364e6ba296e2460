"""What an agent says of itself."""

from __future__ import annotations

import asyncio

import pytest

from edge_agent.loops.heartbeat import DaysLeft, Heartbeat, Herald, Identity, Surroundings
from edge_agent.ports import BufferState
from shared.control import Hello, SourceStatus, Status
from tests.fault.edge_delivery.power import PowerDisk
from tests.integration.edge_delivery.agent import until
from tests.unit.edge_delivery.buffers import T0, HandClock, commit, one, opened

INSTANCE, START = b"i" * 16, b"s" * 16


class NoteUplink:
    """Notes what is published."""

    def __init__(self) -> None:
        self.said: list[Hello | Status] = []
        self.connected = True

    async def publish_control(self, message: Hello | Status) -> bool:
        self.said.append(message)
        return True

    def is_connected(self) -> bool:
        return self.connected


async def herald() -> tuple[Herald, HandClock]:
    clock = HandClock()
    buffer = opened(PowerDisk(1), START, clock)
    buffer.put(one(1.0, T0))
    await commit(buffer)
    around = Surroundings("f00d", 99, 0.25, [SourceStatus("plc", 3, 2, True)])
    return Herald(Identity(INSTANCE, START, "1.2.3", T0), buffer, clock, lambda: around), clock


async def test_a_will_and_its_hello_carry_one_counter_and_each_status_the_next() -> None:
    speaker, _ = await herald()
    will = speaker.will()
    assert (will.online, will.will, will.counter) == (False, True, speaker.hello().counter)
    assert [speaker.status().counter for _ in range(3)] == [will.counter + n for n in (1, 2, 3)]
    assert speaker.hello().counter == will.counter
    assert speaker.will().counter == speaker.hello().counter == will.counter + 4


async def test_a_status_tells_the_state_of_the_buffer() -> None:
    speaker, clock = await herald()
    clock.advance(7.0)
    status = speaker.status()
    assert (status.instance, status.start, status.stream) == (INSTANCE.hex(), START.hex(), START.hex())
    assert (status.buffer_depth, status.lag_s, status.online, status.will) == (1, 7.0, True, False)
    assert (status.config_hash, status.certificate_expires_us, status.clock_offset_s) == ("f00d", 99, 0.25)
    assert status.sources == [SourceStatus("plc", 3, 2, True)]
    hello = speaker.hello()
    assert [(told.stream, told.ranges) for told in hello.streams] == [(START.hex(), [(1, 1)])]
    assert len(hello.dictionaries) == 1


def test_days_left_follow_from_the_rate_of_writing() -> None:
    days = DaysLeft()

    def state(written: int, waiting: int = 0) -> BufferState:
        return BufferState(START, 0, 0, 0, waiting, None, 0, 0, bytes_max=86_400_000, bytes_written=written)

    assert days.estimate(state(0), 0.0) is None
    assert days.estimate(state(0), 10.0) is None
    assert days.estimate(state(10_000), 20.0) == pytest.approx(2.0)
    assert days.estimate(state(20_000, waiting=43_200_000), 40.0) == pytest.approx(1.0)


async def test_a_heart_beats_at_once_at_a_change_and_not_after_the_goodbye() -> None:
    speaker, _ = await herald()
    uplink = NoteUplink()
    heartbeat = Heartbeat(speaker, uplink, every_s=60.0, soonest_s=0.01)
    task = asyncio.create_task(heartbeat.run())
    await until(lambda: len(uplink.said) == 1)
    for wanted in (2, 3):
        heartbeat.changed()
        await until(lambda wanted=wanted: len(uplink.said) == wanted)
    await heartbeat.beat(online=False)
    heartbeat.changed()
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [message.online for message in uplink.said] == [True, True, True, False]


async def test_a_heart_is_silent_while_the_link_is_down() -> None:
    speaker, _ = await herald()
    uplink = NoteUplink()
    uplink.connected = False
    task = asyncio.create_task(Heartbeat(speaker, uplink, every_s=0.05, soonest_s=0.01).run())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert uplink.said == []
