"""What the agent and its tools ask of PLCs, as seen on the wire: it reads, and can do nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.edge_sources.device import device
from tests.integration.edge_sources.parts import until
from tests.integration.edge_sources.server import URI, plant
from tests.peers.wire import modbus, opcua, watched

CLONE = Path(__file__).resolve().parents[3]
READING = {"function 1", "function 2", "function 3", "function 4"}
SESSION = {
    "OpenSecureChannel",
    "CloseSecureChannel",
    "GetEndpoints",
    "CreateSession",
    "ActivateSession",
    "CloseSession",
}
LOOKING = {"Read", "Browse", "BrowseNext", "TranslateBrowsePathsToNodeIds"}
WATCHING = {"Publish", "Republish", "SetPublishingMode", "DeleteSubscriptions", "DeleteMonitoredItems"} | {
    f"{what}{name}" for what in ("Create", "Modify") for name in ("Subscription", "MonitoredItems")
}
CONFIG = """
agent: {{id: gw-1, site: columbus}}
uplink: {{url: "mqtt://127.0.0.1:9"}}
buffer: {{path: ./buffer, max_size: 16 MiB, reserve: 0 B}}
sources:
  meter: {{type: modbus-tcp, host: 127.0.0.1, port: {meter}, interval: 100 ms}}
  press: {{type: opcua, endpoint: "opc.tcp://127.0.0.1:{press}/plant", security: none, interval: 100 ms}}
machines:
  press-1:
    line: stamping
    source: press
    signals:
      good_count: {{node: "nsu={uri};s=good"}}
      temperature: {{node: "i=2256", path: .BuildInfo.ProductName, role: product}}
      power: {{source: meter, register: "holding:10", type: uint16, role: measure}}
      level: {{source: meter, register: "input:10", type: uint16, role: measure}}
      guard: {{source: meter, register: "coil:10", role: alarm}}
      door: {{source: meter, register: "discrete:10", role: alarm}}
      gone: {{source: meter, register: "holding:500", type: uint16, role: measure}}
"""


@contextlib.asynccontextmanager
async def command(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge_agent", *words,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        cwd=CLONE, env={**os.environ, "PYTHONPATH": str(CLONE)},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 120)


async def done(*words: str) -> None:
    async with command(*words) as process:
        await asyncio.wait_for(process.wait(), 120)


@pytest.mark.timeout(300)
async def test_a_full_run_and_the_tools_only_read(tmp_path: Path):
    path = tmp_path / "gw.yaml"
    async with (
        device(missing={500}) as plc,
        plant({"good": 0}) as server,
        watched(plc.port, modbus) as meter,
        watched(server.port, opcua) as press,
    ):
        path.write_text(CONFIG.format(meter=meter.port, press=press.port, uri=URI), "utf-8")
        async with command("run", str(path)):
            await until(lambda: press.asked["Publish"] >= 3 and meter.asked["function 2"] >= 3, 120)
            await server.write("good", 1)
            await done("read", str(path))
        await done("read", str(path))
        await done("browse", f"opc.tcp://127.0.0.1:{press.port}/plant")
        await done("probe", f"127.0.0.1:{meter.port}", "holding:10")
        await until(lambda: press.asked["Browse"] and press.asked["CloseSession"], 30)
    assert meter.asked.keys() == READING
    assert press.asked.keys() <= SESSION | LOOKING | WATCHING
    assert {"Read", "Browse", "TranslateBrowsePathsToNodeIds", "CreateMonitoredItems"} <= press.asked.keys()
