"""A press whose rejects are counted by pulses and whose power is integrated, over any disk; and as a process
that counts as fast as it can, to be killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.adapters.buffer_files import DiskFiles, Files
from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.config.dictionary import build_dictionary
from edge_agent.config.load import load_valid
from edge_agent.config.model import Config
from edge_agent.loops.derive import Deriver
from edge_agent.loops.integrate import Integrator
from edge_agent.loops.record import Recorder, recorded
from edge_agent.ports import Clock, Reading
from shared.batch import samples_of
from shared.codec import unpack
from tests.fault.edge_delivery.writer import Clock as SystemClock

LIMITS = BufferLimits(
    reserve_bytes=0, segment_bytes=16 * 1024, message_bytes=4096, chunk_bytes=8192, window_s=0.0, keep_s=0.0
)
TEXT = """\
agent: {id: a, site: b}
uplink: {url: "mqtt://127.0.0.1"}
sources: {plc: {type: modbus-tcp, host: 127.0.0.1}}
machines:
  press-1:
    line: l
    source: plc
    tags:
      eject: {register: "holding:1", bit: 1}
    signals:
      scrap_count: {count: rising, of: eject}
      energy: {register: "holding:2", type: float32, unit: kW, integrate: true}
"""
COUNT, ENERGY = "press-1.scrap_count", "press-1.energy"


def config_of() -> Config:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gw.yaml"
        path.write_text(TEXT, "utf-8")
        return load_valid(path)


@dataclass
class Press:
    """One run: every pulse is a delivery of its own, as from a subscription."""

    buffer: DurableBuffer
    clock: Clock
    config: Config
    totals: dict[str, float]
    recorder: Recorder
    sink: Deriver

    @classmethod
    def started(cls, files: Files, stream: bytes, clock: Clock, limits: BufferLimits = LIMITS) -> Press:
        config = config_of()
        buffer = DurableBuffer(files, stream=stream, instance=b"i" * 16, clock=clock, limits=limits)
        buffer.use(build_dictionary(config))
        totals = buffer.count_on(signal.key for signal in config.signals if signal.accumulates)
        recorder = Recorder(buffer, clock, {"plc": 0}, recorded(config))
        powers = [signal for signal in config.signals if signal.integrate]
        sink = Deriver(Integrator(recorder, powers, totals), config, totals)
        return cls(buffer, clock, config, totals, recorder, sink)

    def see(self, **values: float) -> None:
        """Values of eject and energy (kW) now."""
        numbers = {each.name: each.index for each in (*self.config.signals, *self.config.tags)}
        now_us = self.clock.now_us()
        self.sink.readings("plc", [Reading(numbers[name], now_us, value) for name, value in values.items()])

    def pulse(self) -> None:
        before_us = self.clock.now_us()
        self.see(eject=0.0)
        self.see(eject=1.0)
        self.sink.scanned("plc", before_us, self.clock.now_us())


def committed(buffer: DurableBuffer, key: str) -> list[float]:
    """All values of a signal that are on disk, in the order of the runs."""
    config = config_of()
    (index,) = (signal.index for signal in config.signals if signal.key == key)
    return [
        sample.value
        for told in buffer.state().streams
        for first, last in told.ranges
        for stored in buffer.wanted(bytes.fromhex(told.stream), first, last)
        for sample in samples_of(unpack(stored.message)[1])
        if sample.signal == index and isinstance(sample.value, float)
    ]


async def count(folder: Path) -> None:
    """Says ``first N`` at the start, then after each pulse how many it has seen."""
    press = Press.started(DiskFiles(folder), os.urandom(16), SystemClock())
    committing = asyncio.create_task(press.buffer.run())
    press.see(eject=0.0, energy=3.6)
    os.write(1, f"first {press.totals[COUNT]:.0f}\n".encode())
    seen = 0
    while not committing.done():
        press.pulse()
        seen += 1
        if seen % 3 == 0:
            press.recorder.flush()
        os.write(1, f"seen {seen}\n".encode())
        await asyncio.sleep(0.001)


if __name__ == "__main__":
    asyncio.run(count(Path(sys.argv[1])))
