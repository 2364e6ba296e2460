"""The delivery half of an agent, put together as the app does it, without any PLC."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge_agent.adapters.buffer import DurableBuffer
from edge_agent.adapters.buffer_files import DiskFiles
from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.adapters.buffer_state import instance_of
from edge_agent.adapters.mqtt import MqttUplink
from edge_agent.config.model import Transport, Uplink
from edge_agent.core.lanes import HistoryRate
from edge_agent.core.link import WindowLimits
from edge_agent.core.report import ReportRule
from edge_agent.core.retry import Backoff
from edge_agent.loops.drain import Drain, DrainLimits
from edge_agent.loops.heartbeat import Heartbeat, Herald, Identity, Surroundings
from edge_agent.loops.record import Recorded, Recorder, RecordLimits
from edge_agent.ports import Reading
from shared.dictionary import Dictionary, SignalEntry, SourceEntry
from shared.roles import Role
from tests.integration.edge_delivery.cloud import AGENT, SITE

SIGNALS = 4
PLANT = Dictionary(
    [SourceEntry("plc", "opcua")],
    [SignalEntry("press-1", f"tag-{n}", Role.MEASURE, 0) for n in range(SIGNALS)],
)
QUICK = DrainLimits(
    window=WindowLimits(resend=Backoff(0.5, 2.0)),
    history=HistoryRate(start_share=1.0),
    overtake_s=0.5,
    overtake_pause_s=0.0,
)


class SystemClock:
    """The machine's own clocks; the wall clock may be slow by so much."""

    def __init__(self, slow_us: int = 0) -> None:
        self.slow_us = slow_us

    def now_us(self) -> int:
        return time.time_ns() // 1000 - self.slow_us

    def monotonic_s(self) -> float:
        return time.monotonic()

    def trusted(self) -> bool:
        return True


def uplink_to(port: int, **changes: object) -> Uplink:
    settings = Uplink(
        url=f"mqtt://127.0.0.1:{port}", transport=Transport.TCP, tls=False, host="127.0.0.1", port=port
    )
    return replace(settings, **changes)


@dataclass
class Agent:
    """One run of an agent's delivery. tell: a value of tag 0 now, proven by a scan mark."""

    buffer: DurableBuffer
    recorder: Recorder
    drain: Drain
    heartbeat: Heartbeat
    uplink: MqttUplink
    clock: SystemClock
    stream: bytes
    told: list[tuple[int, float]]

    def tell(self, value: float) -> None:
        now_us = self.clock.now_us()
        before_us = self.told[-1][0] if self.told else now_us
        self.recorder.readings("plc", [Reading(0, now_us, value)])
        self.recorder.scanned("plc", before_us, now_us)
        self.told.append((now_us, value))

    async def tell_many(self, count: int, start: int = 0) -> None:
        for n in range(start, start + count):
            self.tell(float(n))
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(
    folder: Path,
    settings: Uplink,
    *,
    drain: DrainLimits = QUICK,
    limits: BufferLimits | None = None,
    machine: str = "machine-1",
    chance: Callable[[], float] | None = None,
    slow_us: int = 0,
) -> AsyncIterator[Agent]:
    """A running agent; leaving says goodbye, commits and lets go of the buffer.

    slow_us: its wall clock shows so much less than it is, and it knows that it cannot be believed.
    """
    clock, stream, draw = SystemClock(slow_us), os.urandom(16), chance or random.Random(1).random
    files = DiskFiles(folder)
    instance = instance_of(files, machine, os.urandom)
    limits = limits or BufferLimits(window_s=0.02, reserve_bytes=0)
    buffer = DurableBuffer(files, stream=stream, instance=instance, clock=clock, limits=limits)
    identity = Identity(instance, stream, "0.1.0", clock.now_us())
    herald = Herald(identity, buffer, clock, Surroundings)
    uplink = MqttUplink(
        settings, site=SITE, agent=AGENT, instance=instance, start=stream, will=herald.will, chance=draw,
        backoff=Backoff(0.1, 0.5),
    )  # fmt: skip
    recorder = Recorder(
        buffer, clock, {"plc": 0}, [Recorded(n, "plc", ReportRule()) for n in range(SIGNALS)],
        RecordLimits(batch_s=0.02, mark_s=0.5),
    )  # fmt: skip
    if slow_us:
        buffer.stamps.begin("boot", clock.now_us(), believed=False)

    def heard(cloud_us: int) -> None:
        if buffer.shift_us() is None:
            buffer.stamps.learn(cloud_us - clock.now_us())
            outgoing.begin()
            heartbeat.changed()

    outgoing = Drain(buffer, uplink, clock, herald, identity, recorder.overtake, draw, drain, heard)
    outgoing.use(buffer.use(PLANT))
    outgoing.begin()
    heartbeat = Heartbeat(herald, uplink, every_s=0.5, soonest_s=0.1)
    work = [buffer.run(), recorder.run(), outgoing.run(), heartbeat.run()]
    tasks = [asyncio.create_task(each) for each in work]
    link = asyncio.create_task(uplink.run(outgoing.greet, outgoing.received))
    try:
        yield Agent(buffer, recorder, outgoing, heartbeat, uplink, clock, stream, [])
        for task in [*tasks, link]:
            if task.done():
                task.result()
    finally:
        await heartbeat.beat(online=False)
        committing, recording, draining, beating = tasks
        for task in (recording, beating, draining, link, committing):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    """Poll until it holds; the test fails at the deadline."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "still not so at the deadline"
        await asyncio.sleep(0.01)
