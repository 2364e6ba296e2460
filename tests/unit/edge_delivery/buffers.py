"""Buffers on a simulated disk, with time that moves when asked."""

from __future__ import annotations

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.adapters.buffer_files import Files
from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.adapters.buffer_state import instance_of
from edge_agent.ports import Stored, Written
from shared.batch import Batch, Gap, Lane
from shared.codec import unpack
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.roles import Role
from shared.sample import Sample

T0 = 1_800_000_000_000_000
PLANT = Dictionary([SourceEntry("plc", "opcua")], [SignalEntry("m", "v", Role.MEASURE, 0)])
SMALL = BufferLimits(
    max_bytes=64 * 1024, reserve_bytes=0, front_bytes=16 * 1024, message_bytes=2048, segment_bytes=8192,
    chunk_bytes=8192, window_s=0.0, settle_s=0.0,
)  # fmt: skip
"""Eight segments of 8 KiB."""


class HandClock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.wall_us = T0
        self.steady_s = 1000.0

    def advance(self, seconds: float) -> None:
        self.wall_us += int(seconds * 1e6)
        self.steady_s += seconds

    def now_us(self) -> int:
        return self.wall_us

    def monotonic_s(self) -> float:
        return self.steady_s

    def trusted(self) -> bool:
        return True


def opened(
    files: Files,
    stream: bytes = b"s" * 16,
    clock: HandClock | None = None,
    limits: BufferLimits = SMALL,
    plant: Dictionary = PLANT,
) -> DurableBuffer:
    """A buffer with its dictionary in use."""
    instance = instance_of(files, "machine", bytes)
    buffer = DurableBuffer(files, stream=stream, instance=instance, clock=clock or HandClock(), limits=limits)
    buffer.use(plant)
    return buffer


async def commit(buffer: DurableBuffer) -> None:
    """All that waits and can be written now."""
    while await buffer._commit():
        pass


def one(value: float, time_us: int = T0) -> Written:
    """A batch of one sample."""
    return Written([Sample(0, time_us, value)])


def thousand_bytes(n: int) -> Written:
    """A batch of about a thousand bytes that do not compress; its time is n seconds after T0."""
    noise = "".join(chr(0x100 + (n * 7919 + k * 104729 + k * k * 31) % 0x500) for k in range(480))
    return Written([Sample(0, T0 + n * 1_000_000, noise)])


def batch_of(stored: Stored) -> Batch:
    return unpack(stored.message)[1]


def waiting(buffer: DurableBuffer) -> list[Stored]:
    """Everything that is not settled, history first."""
    lanes = (Lane.HISTORY, Lane.LIVE)
    return [each for lane in lanes for each in buffer.unacknowledged(lane, None, 10_000)]


def gaps(buffer: DurableBuffer) -> list[Gap]:
    """All gap records that wait for an ack."""
    return [gap for stored in waiting(buffer) for gap in batch_of(stored).gaps]
