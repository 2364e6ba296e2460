"""The durable buffer and the way into it, against the obvious limits of the same disk and processor.

Trust the ratios: absolute figures depend on the machine and on what else it does.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.adapters.buffer_files import DiskFiles
from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.core.report import ReportRule
from edge_agent.loops.record import Recorded, Recorder, RecordLimits
from edge_agent.ports import Reading, Written
from shared.batch import Lane
from shared.control import Ack
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.roles import Role
from shared.sample import Sample

ROWS = 100
T0 = 1_800_000_000_000_000
ROUNDS = 5


class Clock:
    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def trusted(self) -> bool:
        return True


def plant(signals: int) -> Dictionary:
    entries = [SignalEntry(f"m{n // 20}", f"s{n % 20}", Role.MEASURE, 0) for n in range(signals)]
    return Dictionary([SourceEntry("plc", "opcua")], entries)


def by_exception(batch: int) -> list[Sample]:
    """Values that changed: counters that rise, temperatures with one decimal, each signal at its own pace."""
    draw = random.Random(batch)
    rows = []
    for n in range(ROWS):
        signal = draw.randrange(500)
        value = float(batch * 3 + signal) if signal % 2 else round(draw.gauss(60, 3), 1)
        rows.append(Sample(signal, T0 + batch * 100_000 + n * 1000, value))
    return rows


def opened(folder: Path, limits: BufferLimits, signals: int = 500) -> DurableBuffer:
    files = DiskFiles(folder)
    buffer = DurableBuffer(files, stream=os.urandom(16), instance=bytes(16), clock=Clock(), limits=limits)
    buffer.use(plant(signals))
    return buffer


async def each_committed(folder: Path, batches: Sequence[Sequence[Sample]]) -> float:
    """Every batch in a commit of its own: the price of one write and synchronisation."""
    buffer = opened(folder, BufferLimits(window_s=0.0))
    began = time.perf_counter()
    for samples in batches:
        buffer.put(Written(samples))
        await buffer._commit()
    seconds = time.perf_counter() - began
    buffer.close()
    return len(batches) / seconds


def bare_append(folder: Path, batches: Sequence[Sequence[Sample]]) -> float:
    """What the same batches cost as JSON lines, appended and synchronised one by one."""
    folder.mkdir()
    lines = [msgspec.json.encode(list(map(_fields, samples))) for samples in batches]
    descriptor = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    began = time.perf_counter()
    for line in lines:
        os.write(descriptor, line)
        os.fsync(descriptor)
    seconds = time.perf_counter() - began
    os.close(descriptor)
    return len(batches) / seconds


def _fields(sample: Sample) -> list[object]:
    return [sample.signal, sample.time_us, sample.value, int(sample.quality)]


async def grouped(folder: Path, batches: Sequence[Sequence[Sample]]) -> tuple[float, float]:
    """Batches a second and bytes a row with one commit in a window of 50 ms."""
    buffer = opened(folder, BufferLimits(window_s=0.05))
    task = asyncio.create_task(buffer.run())
    began = time.perf_counter()
    for samples in batches:
        while not buffer.put(Written(samples)):
            await buffer.committed()
    while buffer.state().committed < len(batches):
        await buffer.committed()
    seconds = time.perf_counter() - began
    written = buffer.state().bytes_written
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return len(batches) / seconds, written / (len(batches) * ROWS)


async def recorded_cpu(folder: Path, changing: int, seconds: float) -> tuple[float, float, float]:
    """(CPU s for a million values, share of one core, MB resident) at a rate of changing values."""
    buffer = opened(folder, BufferLimits(), changing)
    signals = [Recorded(n, "plc", ReportRule()) for n in range(changing)]
    recorder = Recorder(buffer, Clock(), {"plc": 0}, signals, RecordLimits())
    tasks = [asyncio.create_task(buffer.run()), asyncio.create_task(recorder.run())]
    spent, began, values, turn = time.process_time(), time.perf_counter(), 0, 0
    while time.perf_counter() - began < seconds:
        turn += 1
        now_us = time.time_ns() // 1000
        readings = [Reading(n, now_us + n, float(turn * 7 + n)) for n in range(turn % 10, changing, 10)]
        recorder.readings("plc", readings)
        recorder.scanned("plc", now_us - 100_000, now_us)
        values += len(readings)
        await asyncio.sleep(max(0.0, began + turn * 0.1 - time.perf_counter()))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    cpu = time.process_time() - spent
    return cpu / values * 1e6, cpu / (time.perf_counter() - began), _resident_mb()


async def drained(folder: Path, batches: Sequence[Sequence[Sample]]) -> tuple[float, float]:
    """Batches a second read back and settled; seconds to open a buffer of them again."""
    buffer = opened(folder, BufferLimits(window_s=0.0, front_bytes=1 << 30))
    for samples in batches:
        buffer.put(Written(samples))
    while await buffer._commit():
        pass
    began, after, stream = time.perf_counter(), None, buffer.state().stream
    while found := buffer.unacknowledged(Lane.LIVE, after, 16):
        after = (stream, found[-1].seq)
        buffer.acknowledge(Ack(stream.hex(), found[-1].seq, T0))
    rate = len(batches) / (time.perf_counter() - began)
    buffer.close()
    began = time.perf_counter()
    opened(folder, BufferLimits()).close()
    return rate, time.perf_counter() - began


def in_turn(folder: Path, *measures: Callable[[Path], float]) -> list[float]:
    """The median of each, measured by turns, so that what else the machine does falls on all alike."""
    rounds = [[measure(folder / os.urandom(4).hex()) for measure in measures] for _ in range(ROUNDS)]
    return [statistics.median(figures) for figures in zip(*rounds, strict=True)]


def _resident_mb() -> float:
    try:
        fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(fields[1]) * resource.getpagesize() / 1e6


def main() -> int:
    batches = [by_exception(n) for n in range(400)]
    with tempfile.TemporaryDirectory(dir=os.environ.get("PLANTLEDGER_BENCH_DIR")) as name:
        folder = Path(name)
        bare, alone = in_turn(
            folder,
            lambda path: bare_append(path, batches),
            lambda path: asyncio.run(each_committed(path, batches)),
        )
        group, row_bytes = asyncio.run(grouped(folder / "grouped", batches * 10))
        json_bytes = sum(len(msgspec.json.encode(list(map(_fields, each)))) for each in batches)
        drain, reopen = asyncio.run(drained(folder / "drained", batches * 10))
        lines = [
            ("append + fsync of JSON, batches of 100 rows/s", f"{bare:10,.0f}", "1.00 x"),
            ("buffer, a commit for each batch, /s", f"{alone:10,.0f}", f"{alone / bare:.2f} x"),
            ("buffer, group commit in 50 ms, /s", f"{group:10,.0f}", f"{group / bare:.2f} x"),
            (
                "bytes a row on disk, JSON 1.00",
                f"{row_bytes:10.2f}",
                f"{row_bytes * 40_000 / json_bytes:.2f} x",
            ),
            ("read back and settled, batches/s", f"{drain:10,.0f}", f"{drain / bare:.2f} x"),
            ("opened again with 4,000 batches, ms", f"{reopen * 1e3:10,.1f}", ""),
        ]
        for changing in (2_000, 10_000):
            cpu, share, resident = asyncio.run(recorded_cpu(folder / f"record-{changing}", changing, 5.0))
            lines += [
                (f"{changing:,} changing values/s: CPU s a million", f"{cpu:10.2f}", f"{share:.1%} core"),
                (f"{changing:,} changing values/s: MB resident", f"{resident:10,.0f}", ""),
            ]
    for what, figure, ratio in lines:
        sys.stdout.write(f"{what:48}{figure}  {ratio}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
