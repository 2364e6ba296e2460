"""A process that fills a buffer as fast as it can and says after each commit what is safe; to be killed."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.adapters.buffer_files import DiskFiles
from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.adapters.buffer_state import instance_of
from edge_agent.ports import Written
from shared.batch import Lane, ScanMark
from shared.control import Ack
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.roles import Role
from shared.sample import Sample

PLANT = Dictionary([SourceEntry("plc", "opcua")], [SignalEntry("m", "v", Role.MEASURE, 0)])
LIMITS = BufferLimits(
    reserve_bytes=0, segment_bytes=64 * 1024, message_bytes=8192, chunk_bytes=16 * 1024, window_s=0.005
)


class Clock:
    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def trusted(self) -> bool:
        return True


def sample_of(seq: int) -> Sample:
    """The one sample of the batch of that seq."""
    return Sample(0, 1_800_000_000_000_000 + seq, seq / 8)


def open_buffer(folder: Path, stream: bytes) -> DurableBuffer:
    files = DiskFiles(folder)
    instance = instance_of(files, "machine", os.urandom)
    buffer = DurableBuffer(files, stream=stream, instance=instance, clock=Clock(), limits=LIMITS)
    buffer.use(PLANT)
    return buffer


async def write(folder: Path) -> None:
    buffer = open_buffer(folder, os.urandom(16))
    stream, seq, acked = buffer.state().stream, 0, 0
    committing = asyncio.create_task(buffer.run())
    while not committing.done():
        for _ in range(7):
            seq += 1
            sample = sample_of(seq)
            assert buffer.put(Written([sample], [ScanMark(0, sample.time_us, sample.time_us)]))
        committed = await buffer.committed()
        if committed % 5 == 0:
            acked = committed // 3
            buffer.acknowledge(Ack(stream.hex(), acked, 0))
        os.write(1, f"{stream.hex()} {committed} {acked}\n".encode())


def found(folder: Path) -> dict[str, dict[int, bytes]]:
    """What a new run finds: message by stream and seq, acknowledged or not."""
    buffer = open_buffer(folder, os.urandom(16))
    told = buffer.state().streams
    streams = {
        each.stream: {
            stored.seq: stored.message
            for first, last in each.ranges
            for stored in buffer.wanted(bytes.fromhex(each.stream), first, last)
        }
        for each in told
    }
    assert {stored.stream.hex() for stored in buffer.unacknowledged(Lane.HISTORY, None, 9)} <= streams.keys()
    buffer.close()
    return streams


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
