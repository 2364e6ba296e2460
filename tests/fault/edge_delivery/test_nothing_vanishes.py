"""Power cuts, drops at the cap, acks lost and found: each committed batch is delivered, or a gap names it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace

import pytest

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.adapters.buffer_state import instance_of
from edge_agent.core.seqs import Seqs
from edge_agent.ports import Written
from shared.batch import Lane, samples_of
from shared.codec import unpack
from shared.control import Ack
from shared.sample import Sample
from tests.fault.edge_delivery.power import PowerCut, PowerDisk
from tests.fault.edge_delivery.test_power_cut import LIMITS, PLANT, Clock

TIGHT = replace(LIMITS, max_bytes=60_000)


@dataclass
class Cloud:
    """received: what counts as received by stream; samples: of the batches that were stored."""

    received: dict[bytes, Seqs] = field(default_factory=dict)
    samples: dict[tuple[bytes, int], list[Sample]] = field(default_factory=dict)
    gaps: dict[bytes, Seqs] = field(default_factory=dict)
    doubles: int = 0

    def take(self, message: bytes) -> Ack:
        front, batch = unpack(message)
        if front.seq not in self.received.get(front.stream, Seqs()):
            self.samples[front.stream, front.seq] = list(samples_of(batch))
            self._count(self.received, front.stream, front.seq, front.seq)
            for gap in batch.gaps:
                self._count(self.gaps, gap.stream, gap.seq_from, gap.seq_to)
                self._count(self.received, gap.stream, gap.seq_from, gap.seq_to)
        else:
            self.doubles += 1
        seqs = self.received[front.stream]
        return Ack(front.stream.hex(), seqs.first_missing(1) - 1, 0, list(seqs.ranges))

    def _count(self, into: dict[bytes, Seqs], stream: bytes, first: int, last: int) -> None:
        into[stream] = into.get(stream, Seqs()).with_range(first, last)


@dataclass
class World:
    """What lasts over the runs of one agent. safe: samples of batches that the commit counter passed."""

    draw: random.Random
    clock: Clock = field(default_factory=Clock)
    cloud: Cloud = field(default_factory=Cloud)
    put: dict[tuple[bytes, int], list[Sample]] = field(default_factory=dict)
    safe: dict[tuple[bytes, int], list[Sample]] = field(default_factory=dict)


def opened(disk: PowerDisk, stream: bytes, clock: Clock) -> DurableBuffer:
    instance = instance_of(disk, "machine", bytes)
    buffer = DurableBuffer(disk, stream=stream, instance=instance, clock=clock, limits=TIGHT)
    buffer.use(PLANT)
    return buffer


async def a_run(disk: PowerDisk, stream: bytes, world: World, *, turns: int, linked: float) -> None:
    """Puts, commits and sends by chance; linked: the share of turns in which the link is up."""
    buffer = opened(disk, stream, world.clock)
    mine: dict[int, list[Sample]] = {}
    for _ in range(turns):
        for _ in range(world.draw.randint(1, 5)):
            samples = [
                Sample(0, world.clock.now_us(), world.draw.random())
                for _ in range(world.draw.choice([1, 30, 150]))
            ]
            if buffer.put(Written(samples)):
                mine[buffer._front.next_seq - 1] = samples
        await buffer._commit()
        committed = buffer.state().committed
        world.safe.update({(stream, seq): rows for seq, rows in mine.items() if seq <= committed})
        if world.draw.random() < linked:
            send(buffer, world, world.draw.randint(1, 6))
        buffer._keep_house()


def send(buffer: DurableBuffer, world: World, count: int) -> None:
    """Up to count batches of each lane; one ack in four is lost on the way."""
    for lane in Lane:
        for stored in buffer.unacknowledged(lane, None, count):
            ack = world.cloud.take(stored.message)
            if world.draw.random() < 0.75:
                buffer.acknowledge(ack)


async def deliver_all(disk: PowerDisk, world: World) -> None:
    buffer = opened(disk, b"last".ljust(16), world.clock)
    for _ in range(400):
        await buffer._commit()
        send(buffer, world, 50)
        if not buffer.state().depth and not buffer.state().bytes_waiting:
            return
    raise AssertionError("the backlog does not end")


@pytest.mark.parametrize("seed", range(25))
def test_every_safe_batch_is_delivered_or_named_by_a_gap(seed: int) -> None:
    world = World(random.Random(seed))
    disk = PowerDisk(seed)
    for run in range(5):
        disk.cut_at = world.draw.randint(5, 250)
        linked = world.draw.choice([0.0, 0.3, 0.9])
        stream = bytes([seed, run]) * 8
        try:
            asyncio.run(a_run(disk, stream, world, turns=40, linked=linked))
        except PowerCut:
            disk = disk.after_the_cut()
        else:
            disk = disk.after_the_cut() if world.draw.random() < 0.5 else restarted(disk)
    disk.cut_at = None
    asyncio.run(deliver_all(disk, world))
    cloud = world.cloud
    for (stream, seq), samples in world.safe.items():
        if cloud.samples.get((stream, seq)) == samples:
            continue
        assert seq in cloud.gaps.get(stream, Seqs()), f"batch {seq} of run {stream[1]} vanished"
    for key, samples in cloud.samples.items():
        assert samples == world.put.get(key, samples)


def restarted(disk: PowerDisk) -> PowerDisk:
    """The same disk after a kill: the page cache lives."""
    disk.steps = 0
    return disk


def test_the_worlds_above_see_drops_doubles_and_cuts() -> None:
    """So that the test above is known to have met what it is about."""
    gaps = doubles = 0
    for seed in range(6):
        world, disk = World(random.Random(seed)), PowerDisk(seed)
        asyncio.run(a_run(disk, bytes([seed]) * 16, world, turns=60, linked=0.3))
        asyncio.run(deliver_all(disk.after_the_cut(), world))
        gaps += sum(seqs.count(1, 1 << 40) for seqs in world.cloud.gaps.values())
        doubles += world.cloud.doubles
    assert gaps > 20
    assert doubles > 20
