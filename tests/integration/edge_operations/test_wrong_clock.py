"""The whole agent on a gateway whose clock is an hour off, or was never set: what arrives is dated right."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from edge_agent.app import clock as app_clock
from edge_agent.app.agent import Agent
from edge_agent.config.load import load_valid
from tests.contract.test_cli_edge_run import Plc, config_text
from tests.integration.edge_delivery.agent import until
from tests.integration.edge_delivery.brokers import mosquitto
from tests.integration.edge_delivery.cloud import AGENT, SITE, FakeCloud

pytestmark = pytest.mark.needs("mosquitto")
HOUR_US = 3_600_000_000


@pytest.mark.parametrize("wrong_us", [HOUR_US, -HOUR_US, -56 * 365 * 24 * HOUR_US])
async def test_the_first_word_of_the_cloud_sets_a_wrong_clock_right(
    wrong_us: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_clock, "_wall_us", lambda: time.time_ns() // 1000 + wrong_us)
    monkeypatch.setattr(app_clock, "_synchronised", lambda: False)
    path, began_us = tmp_path / "gw.yaml", time.time_ns() // 1000
    with Plc() as plc, mosquitto(tmp_path) as broker:
        text = config_text(plc.device.port).replace("127.0.0.1:9", f"127.0.0.1:{broker.port}")
        path.write_text(text.replace("id: gw-1, site: bench", f"id: {AGENT}, site: {SITE}"), "utf-8")
        cloud, agent, stop = FakeCloud(broker.port), Agent(load_valid(path)), asyncio.Event()
        running = asyncio.create_task(agent.run(stop))
        try:
            for count in range(1, 6):
                plc.device.registers[102] = count
                await until(lambda wanted=count: wanted in {sample.value for sample in cloud.samples()})  # type: ignore[misc]
            assert agent.clock.trusted()
            assert abs(agent.drain.clock_offset_s or 0.0) < 60.0
        finally:
            stop.set()
            await running
        cloud.close()
    counted = [sample for sample in cloud.samples() if sample.signal == 0 and sample.value]
    times = [sample.time_us for sample in sorted(counted, key=lambda each: (each.value, each.time_us))]  # type: ignore[arg-type,return-value]
    assert times == sorted(times)
    assert len(times) == len(set(times))
    assert began_us - 60_000_000 < times[0] <= times[-1] < time.time_ns() // 1000 + 60_000_000
