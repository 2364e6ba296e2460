"""10,000 changing OPC UA values a second, durably to MQTT: what is lost, and what grows with time.

``make bench SOAK=3600`` for an hour (60 s by default). Two lean servers count 5,000 items each up once a
second and write down each count; a cloud outside of the agent counts every arrival of every item. Of memory,
descriptors, threads and tasks the first sixth is held against the last.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import threading
import time
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import psutil

from shared import codec
from shared.batch import Batch
from tests.bench.agent import cpu_s
from tests.bench.changing import ASKED_CPU_S, Load, config, until
from tests.bench.small_gateway import watched
from tests.fault.chain.process import Process, free_port, python
from tests.integration.edge_delivery.brokers import mosquitto
from tests.integration.edge_delivery.cloud import FakeCloud
from tests.peers.opcua import peer

SECONDS = int(os.environ.get("SOAK") or 60)
SERVERS, ITEMS = 2, 5_000
SLACK_S = 600
"""For the counts before and after the time that is measured."""


class CountingCloud(FakeCloud):
    """Of each value only how often it arrived is kept. counts: by signal and value."""

    def __init__(self, port: int) -> None:
        self.counts = np.zeros((SERVERS * ITEMS, SECONDS + SLACK_S), np.uint8)
        super().__init__(port)

    def _take_batch(self, payload: bytes) -> None:
        front, batch = codec.unpack(payload)
        key = (front.stream, front.seq)
        again = key in self.stored
        super()._take_batch(payload)
        self.stored[key] = (front, Batch(batch.dictionary))
        if not again and len(batch.numbers) == len(batch):
            places = (np.array(batch.signals, np.int64), np.array(batch.numbers, np.int64))
            np.add.at(self.counts, places, 1)


async def main() -> int:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(mosquitto(folder))
        peers = []
        for at in range(SERVERS):
            (folder / str(at)).mkdir()
            made = peer(folder / str(at), lean=True, items=ITEMS, period_ms=1000)
            peers.append(await stack.enter_async_context(made))
        cloud, metrics, path = CountingCloud(broker.port), free_port(), folder / "agent.yaml"
        settings = config(peers, Load(ITEMS, SECONDS), broker.port, folder)
        path.write_text(f"{settings}\nmetrics: {{port: {metrics}}}\n", "utf-8")
        agent = Process("agent", python("-m", "edge_agent", "run", str(path)), folder)
        agent.start()
        try:
            await until(lambda: bool(cloud.counts.any(axis=1).all()), 240)
            process, seen = psutil.Process(agent.pid), list[tuple[float, int, int, int]]()
            threading.Thread(target=watched, args=(process, metrics, seen), daemon=True).start()
            began_us, used = time.time_ns() // 1000, cpu_s(process)
            await asyncio.sleep(SECONDS)
            ended_us, used = time.time_ns() // 1000, cpu_s(process) - used
            await asyncio.sleep(10.0)
        finally:
            agent.kill()
        cloud.close()
        lost = expected = 0
        for at, one in enumerate(peers):
            due = [int(value) for time_us, value in one.truth() if began_us <= time_us < ended_us]
            expected += ITEMS * len(due)
            lost += int((cloud.counts[at * ITEMS : (at + 1) * ITEMS, due] == 0).sum())
    cpu = used / expected * 1e6
    sys.stdout.write(
        f"{expected / SECONDS:,.0f} changing values/s for {SECONDS} s: {lost} of {expected:,} lost\n"
        f"agent {used / SECONDS:.1%} of a core, {cpu:.1f} CPU s a million (ratio {cpu / ASKED_CPU_S:.2f})\n"
    )
    part = max(1, len(seen) // 6)
    for at, what in enumerate(("RSS in MiB", "descriptors", "threads", "tasks")):
        early, late = (statistics.mean(each[at] for each in some) for some in (seen[:part], seen[-part:]))
        sys.stdout.write(f"{what:12} first sixth {early:8.1f}  last sixth {late:8.1f}  {late - early:+.1f}\n")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
