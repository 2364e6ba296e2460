"""Signals, a sink that remembers, clocks that can be set, and waiting with a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction

from edge_agent.config.model import ModbusTcpSource, Signal
from edge_agent.core.address import parse_register
from edge_agent.core.mapping import Meaning
from edge_agent.core.node import parse_node
from edge_agent.core.report import ReportRule
from edge_agent.core.types import Layout, Order, parse_type
from edge_agent.ports import Reading, Sink, Source
from shared.roles import Role

SECOND_US = 1_000_000


class RealClock:
    """The machine's clocks; step_us sets the wall clock."""

    def __init__(self) -> None:
        self.step_us = 0

    def now_us(self) -> int:
        return time.time_ns() // 1000 + self.step_us

    def monotonic_s(self) -> float:
        return time.monotonic()

    def trusted(self) -> bool:
        return True


@dataclass
class Memory(Sink):
    """Everything a source told, in order."""

    told: list[tuple[Reading, bool]] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)
    losses: list[tuple[int, str]] = field(default_factory=list)

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        self.told += [(reading, full) for reading in readings]

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        assert from_us < to_us
        self.marks.append((from_us, to_us))

    def lost(self, source: str, since_us: int, reason: str) -> None:
        self.losses.append((since_us, reason))

    def of(self, signal: int) -> list[Reading]:
        return [reading for reading, _ in self.told if reading.signal == signal]

    def last(self, signal: int) -> Reading | None:
        return next((reading for reading, _ in reversed(self.told) if reading.signal == signal), None)

    def covered(self) -> list[tuple[int, int]]:
        """Marks that abut, joined."""
        spans: list[tuple[int, int]] = []
        for from_us, to_us in sorted(self.marks):
            if spans and from_us <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], to_us))
            else:
                spans.append((from_us, to_us))
        return spans


async def until(holds: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait until something holds; a failure names what did not."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s")
        await asyncio.sleep(0.005)


@asynccontextmanager
async def running(*sources: Source) -> AsyncIterator[Memory]:
    """The sources at work, into a memory each shares."""
    memory = Memory()
    tasks = [asyncio.create_task(source.run(memory)) for source in sources]
    try:
        yield memory
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


def modbus_source(port: int, *, name: str = "plc", index: int = 0, **wishes: object) -> ModbusTcpSource:
    interval_us = int(wishes.pop("interval_us", 100_000))  # type: ignore[call-overload]
    given: dict[str, object] = {"timeout_us": 300_000, "grace_us": 3 * interval_us, "max_gap": 125, **wishes}
    return ModbusTcpSource(
        index=index, name=name, host="127.0.0.1", port=port, interval_us=interval_us, **given
    )  # type: ignore[arg-type]


def signal(
    index: int,
    address: str,
    kind: str = "uint16",
    *,
    source: str = "plc",
    unit: int | None = 1,
    byte_order: Order = Order.BIG,
    word_order: Order = Order.BIG,
    meaning: Meaning | None = None,
    interval_us: int = 100_000,
) -> Signal:
    """A signal of a register, or of a node where the address says so."""
    node = "=" in address
    return Signal(
        index=index,
        machine="m",
        line="l",
        name=f"s{index}",
        role=Role.MEASURE,
        source=source,
        address=parse_node(address) if node else parse_register(address),
        layout=Layout(parse_type(kind), byte_order, word_order),
        meaning=meaning or Meaning(),
        report=ReportRule(),
        interval_us=interval_us,
        modbus_unit=None if node else unit,
    )


def tenth() -> Meaning:
    return Meaning(scale=Fraction(1, 10))
