"""The OPC UA source against a server of another stack that is frozen, gone, and back as another."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.integration.edge_sources.parts import running, signal, until
from tests.integration.edge_sources.server import opcua
from tests.peers import judge
from tests.peers.opcua import URI, peer

ITEMS = 60
SCAN_US = 200_000
PERIOD_MS = 700


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.mark.needs("node")
@pytest.mark.timeout(400)
async def test_every_owed_change_once_through_a_freeze_and_a_restart_with_small_limits(tmp_path: Path):
    limits = {"read": 25, "subscribe": 20, "sessions": 2}
    async with peer(tmp_path, items=ITEMS, period_ms=PERIOD_MS, **limits) as server:
        signals = [signal(at, f"nsu={URI};s=v{at}", interval_us=SCAN_US) for at in range(ITEMS)]
        source = opcua(server.port, signals, interval_us=SCAN_US)
        async with running(source) as seen:
            await until(lambda: len(seen.marks) > 6 and source.health().live == ITEMS, 120)
            frozen_us = now_us()
            server.freeze()
            await asyncio.sleep(5)
            server.thaw()
            await until(lambda: len(seen.covered()) >= 2 and source.health().live == ITEMS, 120)
            known = len(seen.marks)
            await until(lambda: len(seen.marks) > known + 6, 120)
            gone_us = now_us()
            await server.kill()
            await asyncio.sleep(20)
            await server.start(spaces_before=3)
            back_us = now_us()
            await until(lambda: seen.covered()[-1][0] > back_us and source.health().live == ITEMS, 120)
            known = len(seen.marks)
            await until(lambda: len(seen.marks) > known + 6, 120)
        truth, covered = server.truth(), seen.covered()
    for at in range(ITEMS):
        told = judge.told(seen.of(at))
        assert judge.missed(truth, told, covered, SCAN_US) == []
        assert judge.untrue(truth, told) == []
    for began_us in (frozen_us, gone_us):
        loss_us = min(since_us for since_us, _ in seen.losses if since_us > began_us - 5_000_000)
        assert loss_us <= began_us + 2 * SCAN_US
        assert not any(a < began_us + 2 * SCAN_US and b > began_us + 4_500_000 for a, b in covered)
    first = min(reading.time_us for reading, _ in seen.told if reading.time_us > back_us)
    assert first - back_us < 15_000_000, "5 s and the slowness of a busy machine"
