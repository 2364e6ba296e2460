"""The Modbus source against real servers over TCP."""

from __future__ import annotations

import asyncio
import random
import struct
import time

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.adapters.modbus import ModbusScanner
from edge_agent.adapters.modbus_link import ModbusLink, by_tcp
from edge_agent.config.model import Signal
from edge_agent.core.address import parse_range
from edge_agent.core.types import Order
from edge_agent.loops.poll import PolledSource
from shared.sample import Quality
from tests.integration.edge_sources.device import Device, device
from tests.integration.edge_sources.parts import RealClock, modbus_source, running, signal, tenth, until


def scanner(
    plc: Device, signals: list[Signal], link: ModbusLink | None = None, **wishes: object
) -> ModbusScanner:
    clock = RealClock()
    source = modbus_source(plc.port, **wishes)
    link = link or link_to(plc)
    return ModbusScanner(source, [each for each in signals if each.source == source.name], link, clock)


def link_to(plc: Device) -> ModbusLink:
    return ModbusLink("plc", by_tcp("127.0.0.1", plc.port), RealClock(), random.Random(1).random)


def polled(
    plc: Device, signals: list[Signal], link: ModbusLink | None = None, **wishes: object
) -> PolledSource:
    return PolledSource(scanner(plc, signals, link, **wishes), RealClock())


CASES = [
    ("uint16", "H", 65535),
    ("int16", "h", -32768),
    ("uint32", "I", 4_000_000_001),
    ("int32", "i", -70_001),
    ("uint64", "Q", 2**53 - 1),
    ("int64", "q", -(2**53) + 1),
    ("float32", "f", 12.25),
    ("float64", "d", -1e300),
]
ORDERS = [(b, w) for b in (Order.BIG, Order.LITTLE) for w in (Order.BIG, Order.LITTLE)]


async def test_every_type_in_every_order_over_the_wire():
    signals, expected, at = [], [], 0
    async with device() as plc:
        for kind, code, value in CASES:
            for byte_order, word_order in ORDERS:
                raw = struct.pack(">" + code, value)
                words = [raw[place : place + 2] for place in range(0, len(raw), 2)]
                if word_order is Order.LITTLE:
                    words.reverse()
                for place, word in enumerate(words):
                    plc.registers[at + place] = int.from_bytes(word, byte_order.value)
                signals.append(
                    signal(len(signals), f"holding:{at}", kind, byte_order=byte_order, word_order=word_order)
                )
                expected.append(value)
                at += len(words)
        plc.registers[at : at + 2] = [0x4142, 0x4300]
        signals.append(signal(len(signals), f"input:{at}", "string(4)"))
        expected.append("ABC")
        plc.registers[at + 2] = 1
        signals.append(signal(len(signals), f"coil:{at + 2}", "bool"))
        expected.append(1)
        signals.append(signal(len(signals), f"discrete:{at + 3}", "bool"))
        expected.append(0)
        readings = await scanner(plc, signals).read(range(len(signals)))
    assert [reading.value for reading in readings] == expected
    assert {function for _, function, _, _ in plc.asked} == {1, 2, 3, 4}


async def test_nothing_but_reads_is_ever_sent():
    signals = [
        signal(0, "holding:1"),
        signal(1, "coil:1", "bool"),
        signal(2, "input:900"),
        signal(3, "discrete:2", "bool"),
    ]
    async with device(missing={900}) as plc, running(polled(plc, signals, interval_us=20_000)) as seen:
        await until(lambda: len(seen.of(0)) > 20)
        await plc.stop()
        await asyncio.sleep(0.1)
        await plc.start()
        known = len(seen.of(0))
        await until(lambda: len(seen.of(0)) > known)
    assert {function for _, function, _, _ in plc.asked} <= {1, 2, 3, 4}


async def test_an_address_that_does_not_exist_costs_only_its_own_value(caplog):
    signals = [signal(at, f"holding:{at}") for at in range(100)]
    async with device(missing={37, 80}) as plc:
        plc.registers[:100] = range(100)
        plc_scanner = scanner(plc, signals)
        first = await plc_scanner.scan(0)
        assert {reading.signal: reading.value for reading in first.readings} == {
            at: at for at in range(100) if at not in (37, 80)
        }
        assert set(first.failed) == {37, 80}
        assert "exception 2, illegal data address" in first.failed[37]
        assert "m.s37" in caplog.text
        plc.asked.clear()
        second = await plc_scanner.scan(0)
        assert len(second.readings) == 98
        assert [(at, count) for _, _, at, count in plc.asked] == [(0, 37), (38, 42), (81, 19)]


async def test_what_was_set_aside_comes_back(monkeypatch):
    class Later(RealClock):
        ahead_s = 0.0

        def monotonic_s(self) -> float:
            return time.monotonic() + self.ahead_s

    clock = Later()
    async with device(missing={2, 3}) as plc:
        signals = [signal(at, f"holding:{at}") for at in range(5)]
        link = ModbusLink("plc", by_tcp("127.0.0.1", plc.port), clock, lambda: 0.0)
        plc_scanner = ModbusScanner(modbus_source(plc.port), signals, link, clock)
        assert set((await plc_scanner.scan(0)).failed) == {2, 3}
        plc.missing.clear()
        assert set((await plc_scanner.scan(0)).failed) == {2, 3}
        clock.ahead_s = 6
        assert (await plc_scanner.scan(0)).failed == {}
        plc.asked.clear()
        await plc_scanner.scan(0)
        assert [(at, count) for _, _, at, count in plc.asked] == [(0, 5)]


async def test_a_gap_that_does_not_exist_is_read_no_more():
    async with device(missing={5}) as plc:
        plc_scanner = scanner(plc, [signal(0, "holding:0"), signal(1, "holding:9")])
        assert (await plc_scanner.scan(0)).failed == {}
        assert [(block.first, block.count) for block in plc_scanner.blocks()[0]] == [(0, 1), (9, 1)]


async def test_the_devices_own_maximum_is_learnt():
    async with device(most=60) as plc:
        plc_scanner = scanner(plc, [signal(at, f"holding:{at}") for at in range(120)])
        assert (await plc_scanner.scan(0)).failed == {}
        assert max(block.count for block in plc_scanner.blocks()[0]) <= 60
        plc.asked.clear()
        assert len((await plc_scanner.scan(0)).readings) == 120
        assert len(plc.asked) == 2


async def test_forbidden_registers_are_never_touched():
    source = {"forbidden": (parse_range("holding:3-4"),)}
    async with device() as plc:
        await scanner(plc, [signal(0, "holding:0"), signal(1, "holding:9")], **source).scan(0)
    assert not any(at <= 4 and at + count > 3 for _, _, at, count in plc.asked)


async def test_a_busy_device_is_asked_again_and_nothing_is_set_aside():
    async with device(refuse_with=6) as plc:
        plc_scanner = scanner(plc, [signal(at, f"holding:{at}") for at in range(4)])
        for _ in range(5):
            assert "exception 6, device busy" in (await plc_scanner.scan(0)).failed[0]
        plc.refuse_with = None
        assert len((await plc_scanner.scan(0)).readings) == 4


RUNS = [first + at for first in range(0, 40 * 7, 7) for at in range(5)]
"""200 registers in runs of five, with gaps of two."""


@pytest.mark.parametrize("how", ["missing", "mute"])
async def test_one_bad_address_among_two_hundred_is_named_within_two_cycles(how, caplog):
    signals = [signal(index, f"holding:{at}") for index, at in enumerate(RUNS)]
    bad = 123
    async with device(**{how: {RUNS[bad]}}) as plc:
        plc.registers = list(range(2000))
        plc_scanner = scanner(plc, signals, timeout_us=400_000)
        assert [len(blocks) for blocks in plc_scanner.blocks()] == [3]
        await plc_scanner.scan(0)
        second = await plc_scanner.scan(0)
        assert {reading.signal: reading.value for reading in second.readings} == {
            index: at for index, at in enumerate(RUNS) if index != bad
        }
        assert set(second.failed) == {bad}
        assert f"m.s{bad}" in caplog.text
        plc.asked.clear()
        assert len((await plc_scanner.scan(0)).readings) == 199
        assert len(plc.asked) <= 4


async def test_a_frame_that_is_lost_once_costs_nothing():
    signals = [signal(index, f"holding:{at}") for index, at in enumerate(RUNS)]
    async with device() as plc:
        plc_scanner = scanner(plc, signals, timeout_us=400_000)
        assert (await plc_scanner.scan(0)).failed == {}
        plc.lose = 1
        assert (await plc_scanner.scan(0)).failed == {}
        plc.asked.clear()
        assert len((await plc_scanner.scan(0)).readings) == 200
        assert len(plc.asked) == 3


async def test_nine_units_keep_their_scans_beside_a_silent_one():
    """Held against the same nine units on a gateway without a silent one, scanned at the same time."""
    signals = [signal(unit, "holding:1", unit=unit, interval_us=200_000) for unit in range(1, 11)]
    wishes = {"interval_us": 200_000, "timeout_us": 400_000}
    async with device(silent={4}) as plc, device() as sound:
        beside, alone = polled(plc, signals, **wishes), polled(sound, signals, **wishes)
        async with running(beside) as seen, running(alone) as control:
            await until(lambda: len(control.of(1)) >= 40, 60)
            kept = {unit: len(seen.of(unit)) / len(control.of(unit)) for unit in range(1, 11) if unit != 4}
    assert min(kept.values()) >= 0.95, kept


async def test_a_meter_that_is_mute_where_it_should_refuse():
    signals = [signal(at, f"holding:{at}") for at in range(16)]
    async with device(mute={5}) as plc, running(polled(plc, signals, timeout_us=100_000)) as seen:
        await until(
            lambda: len({reading.signal for reading, _ in seen.told if reading.value is not None}) == 15, 30
        )
        bad = [reading for reading in seen.of(5) if reading.quality is Quality.BAD]
        assert bad == seen.of(5)


async def test_a_silent_unit_does_not_slow_the_others():
    signals = [signal(unit, "holding:1", unit=unit) for unit in range(1, 11)]
    async with device(silent={4}) as plc, running(polled(plc, signals, timeout_us=300_000)) as seen:
        await until(lambda: len(seen.of(1)) >= 5)
        began = {unit: len(seen.of(unit)) for unit in range(1, 11)}
        await asyncio.sleep(2.0)
        rounds = {unit: len(seen.of(unit)) - began[unit] for unit in range(1, 11)}
        assert all(rounds[unit] >= 14 for unit in rounds if unit != 4), rounds
        assert seen.losses == []
        plc.silent.clear()
        await until(lambda: any(reading.value is not None for reading in seen.of(4)))


async def test_a_late_answer_is_never_taken_for_the_next():
    """The device answers the first request after its time-out: the value must not turn up elsewhere."""
    async with device() as plc:
        plc.registers[10], plc.registers[20] = 1010, 2020
        link = link_to(plc)
        first = scanner(plc, [signal(0, "holding:10")], link)
        second = scanner(plc, [signal(0, "holding:20")], link)
        assert (await first.scan(0)).readings[0].value == 1010
        plc.delay_s = 0.5
        late = asyncio.create_task(first.scan(0))
        assert (await late).readings == []
        plc.delay_s = 0.0
        for _ in range(30):
            for reading in (await second.scan(0)).readings:
                assert reading.value == 2020
            await asyncio.sleep(0.02)
        assert (await second.scan(0)).readings[0].value == 2020
        assert link.connects == 2


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda frame: frame[:6] + bytes([9]) + frame[7:],
        lambda frame: frame[:7] + bytes([4]) + frame[8:],
        lambda frame: (
            struct.pack(">HHHBBB", *struct.unpack(">HH", frame[:4]), 5, frame[6], 3, 2) + b"\x00\x01"
        ),
        lambda frame: struct.pack(">H", struct.unpack(">H", frame[:2])[0] ^ 77) + frame[2:],
    ],
    ids=["unit", "function", "count", "transaction"],
)
async def test_an_answer_to_another_question_is_none(spoilt):
    async with device(change_answer=spoilt) as plc:
        plc_scanner = scanner(plc, [signal(0, "holding:10", "uint32")], timeout_us=100_000)
        scan = await plc_scanner.scan(0)
        assert scan.readings == []
        plc.change_answer = None
        await until_read(plc_scanner)


async def until_read(plc_scanner: ModbusScanner) -> None:
    deadline = time.monotonic() + 20
    while not (await plc_scanner.scan(0)).readings:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_a_server_that_is_gone_and_back_delivers_again():
    async with device() as plc, running(polled(plc, [signal(0, "holding:0")])) as seen:
        await until(lambda: len(seen.of(0)) > 3)
        gone_us = time.time_ns() // 1000
        await plc.stop()
        stopped_us = time.time_ns() // 1000
        await until(lambda: seen.losses)
        assert gone_us - 5_000_000 < seen.losses[0][0] <= stopped_us, "dated at the last good scan"
        assert seen.covered()[-1][1] <= seen.losses[0][0]
        await asyncio.sleep(1.5)
        tried = plc.connections
        plc.registers[0] = 7
        await plc.start()
        await until(lambda: seen.last(0).value == 7, 20)
        assert plc.connections == tried + 1
        assert len(seen.losses) == 1
        assert seen.told[-1][0].value == 7


async def test_a_frozen_server_is_a_loss_and_then_comes_back():
    async with device() as plc, running(polled(plc, [signal(0, "holding:0")], timeout_us=200_000)) as seen:
        await until(lambda: len(seen.of(0)) > 3)
        plc.silent = {1}
        await until(lambda: seen.losses)
        assert plc.connections < 8
        plc.silent = set()
        known = len(seen.of(0))
        await until(lambda: len(seen.of(0)) > known, 20)


async def test_two_sources_share_one_connection():
    async with device() as plc:
        link = link_to(plc)
        one = polled(plc, [signal(0, "holding:0", source="a", unit=1)], link, name="a")
        two = polled(plc, [signal(1, "holding:1", source="b", unit=2)], link, name="b", index=1)
        async with running(one, two) as seen:
            await until(lambda: len(seen.of(0)) > 5 and len(seen.of(1)) > 5)
        assert plc.connections == 1


async def test_health_counts_configured_against_live():
    signals = [signal(0, "holding:0"), signal(1, "holding:900")]
    async with device(missing={900}) as plc:
        source = polled(plc, signals)
        assert (source.health().configured, source.health().live) == (2, 0)
        async with running(source) as seen:
            await until(lambda: len(seen.of(0)) > 2)
            health = source.health()
            assert (health.configured, health.live, health.connected) == (2, 1, True)
            assert "holding:900" in (health.reason or "")


async def test_a_scaled_value_carries_its_raw_value():
    async with device() as plc:
        plc.registers[3] = 123
        (reading,) = await scanner(plc, [signal(0, "holding:3", meaning=tenth())]).read([0])
    assert (reading.value, reading.raw, reading.quality) == (12.3, 123, Quality.GOOD)


async def test_reading_a_device_that_is_not_there_says_so():
    async with device() as plc:
        pass
    (reading,) = await scanner(plc, [signal(0, "holding:3")]).read([0])
    assert (reading.quality, reading.value) == (Quality.BAD, None)
    assert "takes no connection" in (reading.why or "")


async def test_coils_keep_their_order_across_bytes():
    pattern = [1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1]
    async with device() as plc:
        plc.registers[3 : 3 + len(pattern)] = pattern
        signals = [signal(at, f"coil:{3 + at}", "bool") for at in range(len(pattern))]
        plc_scanner = scanner(plc, signals)
        readings = (await plc_scanner.scan(0)).readings
    assert [reading.value for reading in readings] == pattern
    assert len(plc.asked) == 1


async def test_rtu_frames_inside_tcp():
    words = [SimData(0, values=[7] * 64, datatype=DataType.REGISTERS)]
    server = ModbusTcpServer(SimDevice(1, simdata=words), framer=FramerType.RTU, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    port = server.transport.sockets[0].getsockname()[1]
    link = ModbusLink("converter", by_tcp("127.0.0.1", port, rtu=True), RealClock(), lambda: 0.5)
    plc_scanner = ModbusScanner(
        modbus_source(port), [signal(0, "holding:3"), signal(1, "input:4", "uint32")], link, RealClock()
    )
    scan = await plc_scanner.scan(0)
    await plc_scanner.close()
    await server.shutdown()
    assert [reading.value for reading in scan.readings] == [7, 7 * 65536 + 7]
