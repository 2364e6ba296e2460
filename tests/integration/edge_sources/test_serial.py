"""Serial RTU over pseudo-terminals: devices of another stack, several on one line, one that is late."""

from __future__ import annotations

import asyncio
import os
import struct
from pathlib import Path

import pytest

from edge_agent.adapters.modbus import ModbusScanner, link_of, medium_of
from edge_agent.adapters.modbus_link import ModbusLink, UnitSilent
from edge_agent.config.model import ModbusRtuSource, Signal
from edge_agent.core.address import Space
from edge_agent.core.plan import TCP, Block, silence_s
from edge_agent.loops.poll import PolledSource
from tests.integration.edge_sources.parts import RealClock, running, signal, until
from tests.peers import judge
from tests.peers.modbus import line, peer

SCAN_US = 200_000


def rtu_source(device: str, **wishes: object) -> ModbusRtuSource:
    given: dict[str, object] = {
        "interval_us": SCAN_US,
        "timeout_us": 1_000_000,
        "grace_us": 600_000,
        **wishes,
    }
    return ModbusRtuSource(index=0, name="plc", device=device, baud=19200, parity="none", **given)  # type: ignore[arg-type]


def scanner(source: ModbusRtuSource, signals: list[Signal]) -> ModbusScanner:
    return ModbusScanner(source, signals, link_of(source, RealClock(), lambda: 0.5), RealClock())


@pytest.mark.needs("libmodbus")
async def test_three_devices_on_one_line_tell_each_owed_change_once(tmp_path: Path):
    signals = [signal(at, f"holding:{at * 3}", unit=1 + at % 3) for at in range(12)]
    with line(3) as bus:
        lines = {bus.ends[0]: 1, bus.ends[1]: 2, bus.ends[2]: 3}
        async with peer(tmp_path, lines=lines, parity="none", period_ms=900) as server:
            source = PolledSource(scanner(rtu_source(bus.device), signals), RealClock())
            async with running(source) as seen:
                await until(lambda: source.health().live == 12, 60)
                known = len(seen.marks)
                await until(lambda: len(seen.marks) > known + 20, 60)
            truth = server.truth()
    for each in signals:
        told = judge.told(seen.of(each.index))
        assert judge.missed(truth, told, seen.covered(), SCAN_US) == []
        assert judge.untrue(truth, told) == []


def framed(body: bytes) -> bytes:
    """A frame with its CRC (Modbus over serial line 6.2.2)."""
    crc = 0xFFFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return body + struct.pack("<H", crc)


async def test_a_late_answer_on_a_line_is_never_taken_for_the_next():
    """Serial frames carry no number: the answer of register 10 would fit register 20."""
    ten, twenty = (Block(1, Space.HOLDING, at, 1, ()) for at in (10, 20))
    asked: list[int] = []
    with line(1) as bus:
        end = os.open(bus.ends[0], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        loop = asyncio.get_running_loop()
        delay_s = 0.0

        def answer() -> None:
            _, _, first, _ = struct.unpack(">BBHH", os.read(end, 8)[:6])
            asked.append(first)
            reply = framed(struct.pack(">BBBH", 1, 3, 2, 100 * first))
            loop.call_later(delay_s, os.write, end, reply)

        loop.add_reader(end, answer)
        source = rtu_source(bus.device)
        link = link_of(source, RealClock(), lambda: 0.5)
        assert await link.read(ten, 1.0) == struct.pack(">H", 1000)
        delay_s = 0.7
        with pytest.raises(UnitSilent, match="did not answer"):
            await link.read(ten, 0.5)
        delay_s = 0.0
        value = await read_when_allowed(link, twenty)
        assert value == struct.pack(">H", 2000)
        assert asked == [10, 10, 20]
        await link.close()
        loop.remove_reader(end)
        os.close(end)


async def read_when_allowed(link: ModbusLink, block: Block) -> bytes:
    """The first answer that the link gives, however long it leaves the device alone."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await link.read(block, 0.5)
            except UnitSilent as fault:
                if fault.asked:
                    raise
                await asyncio.sleep(0.02)


def test_a_line_is_dear_and_falls_silent_between_frames():
    assert medium_of(rtu_source("/dev/null")).cost_s(Space.HOLDING, 1) > TCP.cost_s(Space.HOLDING, 1)
    assert [round(silence_s(baud) * 1e6) for baud in (9600, 19200, 115200)] == [4010, 2005, 1750]
