"""The sources against the simulated PLCs as processes; what the PLCs wrote down is the truth."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal as signals
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deploy.demo.plc.opcua import URI
from edge_agent.adapters.modbus import ModbusScanner
from edge_agent.adapters.modbus_link import ModbusLink, by_tcp
from edge_agent.adapters.opcua import OpcUa
from edge_agent.config.model import OpcUaSource, Signal
from edge_agent.core.types import Order
from edge_agent.loops.poll import PolledSource
from edge_agent.ports import Source
from tests.integration.edge_sources.parts import Memory, RealClock, modbus_source, running, signal, until

CLONE = Path(__file__).resolve().parents[3]
SPEED = 20.0
NEEDED_US = 500_000 * 5 // 4 + 150_000


@dataclass
class Plc:
    process: asyncio.subprocess.Process
    port: int
    log: Path

    def truth(self, name: str) -> list[tuple[int, float]]:
        lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [(line["t_us"], line["value"]) for line in lines if line["signal"] == name]


@asynccontextmanager
async def plc(kind: str, folder: Path, script: str = "") -> AsyncIterator[Plc]:
    log = folder / "truth.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"deploy.demo.plc.{kind}", "--log", str(log), "--speed", str(SPEED),
        "--script", script,
        cwd=CLONE, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(CLONE)},
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    word, _, port = line.decode().split()
    assert word == "listening"
    try:
        yield Plc(process, int(port), log)
    finally:
        process.send_signal(signals.SIGCONT)
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


def source_of(kind: str, port: int) -> tuple[Source, str]:
    """A source that reads one quick counter of the PLC, and the counter's name in the log of truth."""
    if kind == "modbus":
        source = modbus_source(port, interval_us=500_000, timeout_us=1_000_000)
        link = ModbusLink("plc", by_tcp("127.0.0.1", port), RealClock(), lambda: 0.5)
        good = signal(0, "holding:101", "uint32", interval_us=500_000)
        return PolledSource(
            ModbusScanner(source, [little(good)], link, RealClock()), RealClock()
        ), "packer-1.good_count"
    settings = OpcUaSource(
        index=0, name="plc", endpoint=f"opc.tcp://127.0.0.1:{port}/plantledger/demo",
        host="127.0.0.1", port=port, path="/plantledger/demo",
        interval_us=500_000, timeout_us=2_000_000, grace_us=1_500_000, security=None,
    )  # fmt: skip
    good = signal(0, f"nsu={URI};s=Press1.Good", interval_us=500_000)
    return OpcUa(settings, [good], RealClock()), "press-1.good_count"


def little(each: Signal) -> Signal:
    return replace(each, layout=replace(each.layout, word_order=Order.LITTLE))


def missed(truth: list[tuple[int, float]], seen: Memory) -> list[tuple[int, float]]:
    """Values held long enough while the source was watched, and not told in time."""
    told = [(reading.time_us, reading.value) for reading in seen.of(0)]
    found = []
    for (from_us, value), (to_us, _) in itertools.pairwise(truth):
        watched = any(a <= from_us and from_us + NEEDED_US <= b for a, b in seen.covered())
        if watched and to_us - from_us >= NEEDED_US:
            in_time = any(from_us - 5_000 <= t <= from_us + NEEDED_US for t, v in told if v == value)
            if not in_time:
                found.append((from_us, value))
    return found


def untrue(truth: list[tuple[int, float]], seen: Memory) -> list[tuple[int, object]]:
    """Values told at a time at which the PLC had not taken them yet."""
    since = {value: from_us for from_us, value in reversed(truth)}
    return [
        (reading.time_us, reading.value)
        for reading in seen.of(0)
        if reading.value is not None and reading.time_us < since[reading.value] - 5_000
    ]


async def listens_again(port: int) -> int:
    """The instant in microseconds at which the port takes connections again."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return time.time_ns() // 1000


@pytest.mark.parametrize("kind", ["modbus", "opcua"])
async def test_gone_for_four_seconds_and_watched_again_after_its_return(kind, tmp_path):
    async with plc(kind, tmp_path, "4:gone:4") as made:
        source, name = source_of(kind, made.port)
        async with running(source) as seen:
            await until(seen.covered, 40)
            await until(lambda: seen.losses, 40)
            there_us = await listens_again(made.port)
            await until(lambda: len(seen.covered()) == 2, 40)
            assert seen.covered()[1][0] - there_us < 15_000_000
            await asyncio.sleep(2)
        truth = made.truth(name)
    assert missed(truth, seen) == []
    assert untrue(truth, seen) == []
    assert len(seen.losses) == 1


@pytest.mark.parametrize("kind", ["modbus", "opcua"])
async def test_a_plc_that_hangs_is_a_gap_dated_from_the_last_good_scan(kind, tmp_path):
    async with plc(kind, tmp_path) as made:
        source, name = source_of(kind, made.port)
        async with running(source) as seen:
            await until(lambda: len(seen.marks) >= 2, 40)
            stopped_us = time.time_ns() // 1000
            made.process.send_signal(signals.SIGSTOP)
            await until(lambda: seen.losses, 40)
            assert seen.losses[0][0] <= stopped_us + 600_000
            assert stopped_us - seen.losses[0][0] < 5_000_000
            assert seen.covered()[-1][1] <= stopped_us + 600_000
            made.process.send_signal(signals.SIGCONT)
            await until(lambda: len(seen.covered()) == 2, 40)
            await asyncio.sleep(1)
        truth = made.truth(name)
    assert missed(truth, seen) == []
    assert untrue(truth, seen) == []


async def test_back_with_other_namespace_indexes(tmp_path):
    async with plc("opcua", tmp_path, "3:renumber") as made:
        source, name = source_of("opcua", made.port)
        async with running(source) as seen:
            await until(lambda: seen.losses, 20)
            await until(lambda: len(seen.covered()) == 2, 40)
            known = len(seen.of(0))
            await until(lambda: len(seen.of(0)) > known + 2, 40)
            assert source.health().live == 1
        assert missed(made.truth(name), seen) == []
