"""The Modbus source against servers of another stack: over TCP, frozen and gone; several on a serial line."""

from __future__ import annotations

import asyncio
import signal as signals
import time
from pathlib import Path

import pytest

from edge_agent.adapters.modbus import ModbusScanner
from edge_agent.adapters.modbus_link import ModbusLink, by_tcp
from edge_agent.loops.poll import PolledSource
from tests.integration.edge_sources.parts import Memory, RealClock, modbus_source, running, signal, until
from tests.peers import judge
from tests.peers.modbus import peer

SCAN_US = 200_000
PERIOD_MS = 700
VALUES = [signal(at, f"holding:{at * 7}") for at in range(20)]

pytestmark = [pytest.mark.needs("libmodbus"), pytest.mark.timeout(300)]


def now_us() -> int:
    return time.time_ns() // 1000


def judged(truth: judge.Truth, seen: Memory, count: int) -> None:
    """Each owed change of each value exactly once, and nothing untrue."""
    for at in range(count):
        told = judge.told(seen.of(at))
        assert judge.missed(truth, told, seen.covered(), SCAN_US) == []
        assert judge.untrue(truth, told) == []


async def test_every_owed_change_once_through_a_freeze_and_a_restart(tmp_path: Path):
    async with peer(tmp_path, period_ms=PERIOD_MS) as server:
        source = modbus_source(server.port, interval_us=SCAN_US, timeout_us=1_000_000)
        link = ModbusLink("plc", by_tcp("127.0.0.1", server.port), RealClock(), lambda: 0.5)
        polled = PolledSource(ModbusScanner(source, VALUES, link, RealClock()), RealClock())
        async with running(polled) as seen:
            await until(lambda: len(seen.marks) > 15, 120)
            faults = []
            server.send(signals.SIGSTOP)
            faults.append(now_us())
            await asyncio.sleep(5)
            server.send(signals.SIGCONT)
            await until(lambda: len(seen.covered()) >= 2, 120)
            known = len(seen.marks)
            await until(lambda: len(seen.marks) > known + 15, 120)
            await server.kill()
            faults.append(now_us())
            await asyncio.sleep(8)
            await server.start()
            back_us = now_us()
            await until(lambda: seen.covered()[-1][0] > back_us, 120)
            known = len(seen.marks)
            await until(lambda: len(seen.marks) > known + 15, 120)
        truth, covered = server.truth(), seen.covered()
    judged(truth, seen, len(VALUES))
    for began_us in faults:
        assert not any(a < began_us + 2 * SCAN_US and b > began_us + 2_000_000 for a, b in covered)
    assert polled.health().live == len(VALUES)
