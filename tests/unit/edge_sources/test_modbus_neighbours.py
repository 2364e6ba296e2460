"""Ten devices behind one gateway, one of them silent: what the other nine keep of their scans.

Time is counted, not waited for: a device's answer and a time-out move a clock on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from edge_agent.adapters.modbus import ModbusScanner
from edge_agent.adapters.modbus_link import ModbusLink
from edge_agent.core.schedule import next_due_s
from tests.integration.edge_sources.parts import modbus_source, signal

UNITS = range(1, 11)


@dataclass
class Clock:
    now: float = 1000.0

    def now_us(self) -> int:
        return int(self.now * 1e6)

    def monotonic_s(self) -> float:
        return self.now

    def trusted(self) -> bool:
        return True


@dataclass
class Gateway:
    """As the library's client: takes() says how long a unit takes to answer, None: it says nothing."""

    clock: Clock
    answers_in_s: dict[int, float | None]
    asked: list[tuple[float, int, float]] = field(default_factory=list)
    connected: bool = False

    def __post_init__(self) -> None:
        self.ctx = SimpleNamespace(
            comm_params=SimpleNamespace(timeout_connect=0.0),
            dummy_trace_connect=None,
            trace_connect=None,
            response_future=None,
        )

    async def connect(self) -> bool:
        self.connected = True
        return True

    def close(self) -> None:
        self.connected = False

    async def _answer(self, first: int, count: int, device_id: int) -> Any:
        patience_s, takes_s = self.ctx.comm_params.timeout_connect, self.answers_in_s[device_id]
        self.asked.append((self.clock.now, device_id, patience_s))
        if takes_s is None or takes_s > patience_s:
            self.clock.now += patience_s
            raise TimeoutError
        self.clock.now += takes_s
        return SimpleNamespace(
            dev_id=device_id, function_code=3, isError=lambda: False, registers=[7] * count
        )

    read_holding_registers = read_coils = read_discrete_inputs = read_input_registers = _answer


def scanner_of(gateway: Gateway, interval_s: float, timeout_s: float, *, numbered: bool) -> ModbusScanner:
    link = ModbusLink("gw", lambda _: gateway, gateway.clock, lambda: 0.5, numbered=numbered)
    interval_us = int(interval_s * 1e6)
    signals = [signal(unit, "holding:1", unit=unit, interval_us=interval_us) for unit in UNITS]
    source = modbus_source(502, interval_us=interval_us, timeout_us=int(timeout_s * 1e6))
    return ModbusScanner(source, signals, link, gateway.clock)


async def kept(
    gateway: Gateway, scanner: ModbusScanner, interval_s: float, lasts_s: float
) -> dict[int, float]:
    """Share of the scans of each unit that brought its value, of those that the interval asks for."""
    began_s, values = gateway.clock.now, dict.fromkeys(UNITS, 0)
    while gateway.clock.now < began_s + lasts_s:
        for reading in (await scanner.scan(0)).readings:
            values[reading.signal] += 1
        gateway.clock.now = next_due_s(began_s, interval_s, gateway.clock.now)
    return {unit: count * interval_s / lasts_s for unit, count in values.items()}


@pytest.mark.parametrize("lasts_s", [30.0, 60.0, 600.0])
@pytest.mark.parametrize("silent", [1, 5, 10])
@pytest.mark.parametrize(
    ("interval_s", "timeout_s", "answer_s", "numbered"),
    [(1.0, 3.0, 0.02, True), (0.5, 1.0, 0.01, True), (0.2, 1.0, 0.005, True), (2.0, 1.0, 0.05, False)],
)
async def test_nine_units_keep_their_scans(
    interval_s: float, timeout_s: float, answer_s: float, numbered: bool, silent: int, lasts_s: float
) -> None:
    gateway = Gateway(Clock(), dict.fromkeys(UNITS, answer_s) | {silent: None})
    scanner = scanner_of(gateway, interval_s, timeout_s, numbered=numbered)
    shares = await kept(gateway, scanner, interval_s, lasts_s)
    assert min(share for unit, share in shares.items() if unit != silent) >= 0.95
    assert shares[silent] == 0


async def test_a_unit_that_falls_silent_costs_no_more() -> None:
    gateway = Gateway(Clock(), dict.fromkeys(UNITS, 0.02))
    scanner = scanner_of(gateway, 1.0, 3.0, numbered=True)
    assert set((await kept(gateway, scanner, 1.0, 20.0)).values()) == {1.0}
    gateway.answers_in_s[4] = None
    shares = await kept(gateway, scanner, 1.0, 60.0)
    assert min(share for unit, share in shares.items() if unit != 4) >= 0.95


@pytest.mark.parametrize(("takes_s", "within_s"), [(0.3, 1.0), (1.2, 120.0), (2.5, 600.0)])
async def test_a_slow_unit_is_heard_and_stays(takes_s: float, within_s: float) -> None:
    """Slower than its neighbours, quicker than the time-out."""
    gateway = Gateway(Clock(), dict.fromkeys(UNITS, 0.02) | {3: takes_s})
    scanner = scanner_of(gateway, 5.0, 3.0, numbered=True)
    await kept(gateway, scanner, 5.0, within_s)
    assert (await kept(gateway, scanner, 5.0, 100.0))[3] == 1.0


async def test_a_silent_unit_is_heard_again_within_half_a_minute() -> None:
    gateway = Gateway(Clock(), dict.fromkeys(UNITS, 0.02) | {3: None})
    scanner = scanner_of(gateway, 1.0, 3.0, numbered=True)
    await kept(gateway, scanner, 1.0, 300.0)
    gateway.answers_in_s[3] = 0.02
    assert (await kept(gateway, scanner, 1.0, 60.0))[3] >= 0.45
