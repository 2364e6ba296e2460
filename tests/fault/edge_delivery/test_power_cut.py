"""Power cuts at 208 seeded moments: what the commit counter passed is on disk, whatever happens then.

Files and their names are cut back to what was synchronised.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.adapters.buffer_state import instance_of
from edge_agent.ports import Written
from shared.batch import Lane, samples_of
from shared.codec import unpack
from shared.control import Ack
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.roles import Role
from shared.sample import Sample
from tests.fault.edge_delivery.power import PowerCut, PowerDisk, PowerFile

PLANT = Dictionary([SourceEntry("plc", "opcua")], [SignalEntry("m", "v", Role.MEASURE, 0)])
LIMITS = BufferLimits(
    max_bytes=400_000, reserve_bytes=0, message_bytes=4096, segment_bytes=8192, chunk_bytes=2048,
    window_s=0.0, settle_s=0.0,
)  # fmt: skip


class Clock:
    """Time that only moves when asked."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000_000

    def now_us(self) -> int:
        self.now += 1000
        return self.now

    def monotonic_s(self) -> float:
        self.now += 1000
        return self.now / 1e6

    def trusted(self) -> bool:
        return True


@dataclass
class Truth:
    """committed: samples of batches that the counter passed. acked: seqs of them that the cloud has."""

    committed: dict[tuple[bytes, int], list[Sample]] = field(default_factory=dict)
    acked: dict[bytes, int] = field(default_factory=dict)
    dropped: set[tuple[bytes, int]] = field(default_factory=set)
    put: dict[tuple[bytes, int], list[Sample]] = field(default_factory=dict)


def opened(disk: PowerDisk, stream: bytes, clock: Clock) -> DurableBuffer:
    instance = instance_of(disk, "machine", bytes)
    buffer = DurableBuffer(disk, stream=stream, instance=instance, clock=clock, limits=LIMITS)
    buffer.use(PLANT)
    return buffer


async def one_run(disk: PowerDisk, stream: bytes, clock: Clock, truth: Truth, draw: random.Random) -> None:
    """Batches of any size, commits, acks of some; until the power goes or the run is over."""
    buffer = opened(disk, stream, clock)
    seq, done = 0, 0
    for turn in range(draw.randint(3, 12)):
        for _ in range(draw.randint(1, 6)):
            rows = draw.choice([1, 3, 40, 200])
            samples = [Sample(0, clock.now_us(), draw.random()) for _ in range(rows)]
            assert buffer.put(Written(samples))
            seq += 1
            truth.put[stream, seq] = samples
        while buffer.state().bytes_waiting:
            await buffer._commit()
        while done < min(buffer.state().committed, seq):
            done += 1
            truth.committed[stream, done] = truth.put[stream, done]
        if turn % 3 == 1:
            acked = draw.randint(0, done)
            truth.acked[stream] = max(truth.acked.get(stream, 0), acked)
            buffer.acknowledge(Ack(stream.hex(), acked, 0))
        buffer._keep_house()
    if draw.random() < 0.5:
        buffer.close()


def on_disk(disk: PowerDisk) -> dict[tuple[bytes, int], list[Sample]]:
    """What a new run finds and would send or be able to send."""
    buffer = opened(disk, b"reader".ljust(16), Clock())
    found = {}
    for told in buffer.state().streams:
        for first, last in told.ranges:
            for stored in buffer.wanted(bytes.fromhex(told.stream), first, last):
                found[stored.stream, stored.seq] = list(samples_of(unpack(stored.message)[1]))
    waiting = {(each.stream, each.seq) for each in buffer.unacknowledged(Lane.HISTORY, None, 100_000)}
    assert waiting <= found.keys()
    return found


def power_cut_run(seed: int, cut_at: int | None) -> tuple[PowerDisk, Truth, bool]:
    """Up to three runs on one disk, the power cut at a step counted over all of them."""
    draw, truth, clock = random.Random(seed), Truth(), Clock()
    disk = PowerDisk(seed, cut_at)
    try:
        for run in range(3):
            stream = bytes([seed % 251, run]) * 8
            asyncio.run(one_run(disk, stream, clock, truth, draw))
    except PowerCut:
        return disk, truth, True
    return disk, truth, False


def check(disk: PowerDisk, truth: Truth) -> None:
    found = on_disk(disk.after_the_cut())
    for key, samples in truth.committed.items():
        if key[1] > truth.acked.get(key[0], 0):
            assert found.get(key) == samples, f"committed batch {key} is gone"
    for key, samples in found.items():
        assert truth.put.get(key) == samples, f"batch {key} was never put like this"


@pytest.mark.parametrize("seed", range(8))
def test_what_was_committed_survives_a_power_cut_at_any_step(seed: int) -> None:
    disk, truth, cut = power_cut_run(seed, None)
    assert not cut
    check(disk, truth)
    steps = disk.steps
    points = random.Random(seed).sample(range(steps), min(steps, 26))
    for point in points:
        disk, truth, cut = power_cut_run(seed, point)
        assert cut
        check(disk, truth)


def test_a_cut_while_recovering_from_a_cut_loses_nothing_either() -> None:
    for seed in range(6):
        disk, truth, _ = power_cut_run(seed, 60 + seed * 7)
        found = disk.after_the_cut()
        for point in range(0, 40, 5):
            again = found.after_the_cut()
            again.cut_at = point
            try:
                on_disk(again)
            except PowerCut:
                check(again, truth)


@pytest.mark.parametrize(("what", "forgets"), [(PowerFile, "sync"), (PowerDisk, "sync_names")])
def test_a_disk_that_forgets_to_sync_is_caught(
    what: type, forgets: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail: where files, or their names, are not synchronised, batches are lost."""
    monkeypatch.setattr(what, forgets, lambda self: None)
    runs = [power_cut_run(seed, None) for seed in range(10)]

    def check_all() -> None:
        for disk, truth, _ in runs:
            check(disk, truth)

    with pytest.raises(AssertionError):
        check_all()
