"""Sources: what planning, decoding and readings cost over a bare read loop with the same library.

Ratios are rates of ours against the bare loop, medians of five; CPU is of this process alone, seconds per
million values.
"""

from __future__ import annotations

import asyncio
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from asyncua import Client, ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from pymodbus.client import AsyncModbusTcpClient

from edge_agent.adapters.modbus import ModbusScanner
from edge_agent.adapters.modbus_link import ModbusLink, by_tcp
from edge_agent.adapters.opcua_session import Subscribed
from edge_agent.adapters.opcua_told import LeanSession
from edge_agent.adapters.opcua_values import Dating
from edge_agent.adapters.opcua_watch import SubscriptionWatch
from edge_agent.config.model import TimePolicy
from edge_agent.core.decode import decoder
from edge_agent.core.evidence import Instant
from tests.integration.edge_sources.parts import Memory, RealClock, modbus_source, signal
from tests.integration.edge_sources.server import URI, opcua, plant

REGISTERS = 1000
NODES = 500
ROUNDS = 5
SECONDS = 0.6


class Nowhere(Memory):
    """Takes readings and keeps none."""

    def readings(self, source: str, readings: Any, *, full: bool = False) -> None:
        return


class _Said(LeanSession):
    """A session whose server says the bytes in data."""

    data = b""

    async def _send_request(self, request: Any, timeout: Any = None, message_type: Any = None) -> bytes:
        return self.data


Work = Callable[[], Awaitable[int]]
Rate = tuple[float, float]
"""Values a second, CPU seconds a million values."""


async def once(work: Work) -> Rate:
    """One round of some work that returns how many values it took."""
    began_s, cpu_s, values = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began_s < SECONDS:
        values += await work()
    return values / (time.perf_counter() - began_s), (time.process_time() - cpu_s) / values * 1e6


async def rates(*works: Work) -> list[Rate]:
    """Medians of each, their rounds taken in turns, so that a busy machine is equally busy for all."""
    rounds = [[await once(work) for work in works] for _ in range(ROUNDS)]
    return [
        (
            statistics.median(one[place][0] for one in rounds),
            statistics.median(one[place][1] for one in rounds),
        )
        for place in range(len(works))
    ]


def tell(what: str, ours: Rate, bare: Rate) -> None:
    sys.stdout.write(
        f"{what:<34} {ours[0]:>10,.0f}/s  bare {bare[0]:>10,.0f}/s  ratio {ours[0] / bare[0]:>5.2f}"
        f"   CPU {ours[1]:>6.2f} s/M  bare {bare[1]:>6.2f} s/M\n"
    )


async def modbus(port: int) -> None:
    link = ModbusLink("plc", by_tcp("127.0.0.1", port), RealClock(), lambda: 0.5)
    source = modbus_source(port, timeout_us=3_000_000)
    signals = [signal(at, f"holding:{at}") for at in range(REGISTERS)]
    scanner = ModbusScanner(source, signals, link, RealClock())
    client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
    await client.connect()

    async def ours() -> int:
        return len((await scanner.scan(0)).readings)

    async def bare() -> int:
        for at in range(0, REGISTERS, 125):
            answer = await client.read_holding_registers(at, count=125, device_id=1)
            assert len(answer.registers) == 125
        return REGISTERS

    async def single() -> int:
        for at in range(20):
            await client.read_holding_registers(at, count=1, device_id=1)
        return 20

    planned, blocks, singles = await rates(ours, bare, single)
    tell("Modbus registers, planned blocks", planned, blocks)
    tell("  against one request a register", planned, singles)
    client.close()
    await scanner.close()


async def decoding() -> None:
    # As values are decoded that are scaled, mapped or of another order; plain ones are taken together.
    signals = [signal(at, f"holding:{at}") for at in range(125)]
    decoders = [decoder(each.layout, each.meaning, at) for at, each in enumerate(signals)]
    blocks = [struct.pack(">125H", *(at * step % 65536 for at in range(125))) for step in range(1, 9)]
    unpack = struct.Struct(">125H").unpack

    async def ours() -> int:
        for block in blocks:
            for decode in decoders:
                decode(block)
        return 1000

    async def bare() -> int:
        for block in blocks:
            unpack(block)
        return 1000

    tell("decode, every value changed", *(await rates(ours, bare)))


async def subscription() -> None:
    signals = {at: signal(at, f"s=v{at}") for at in range(NODES)}
    clock, ends = RealClock(), []

    def now() -> Instant:
        return Instant(clock.now_us(), clock.monotonic_s())

    watch = SubscriptionWatch("plc", signals, Dating(TimePolicy()), Nowhere(), now, ends.append)
    watch.begin(Subscribed(1.0, 1.0, {}), 60_000_000)
    sequence, session = 0, _Said(None)

    def response() -> Any:
        at = datetime.now(UTC)
        items = [
            ua.MonitoredItemNotification(
                handle, ua.DataValue(ua.Variant(float(sequence + handle)), SourceTimestamp=at)
            )
            for handle in range(NODES)
        ]
        data = [ua.DataChangeNotification(MonitoredItems=items)]
        message = ua.NotificationMessage(sequence, NotificationData=data)
        return struct_to_binary(
            ua.PublishResponse(Parameters=ua.PublishResult(1, NotificationMessage=message))
        )

    async def ours() -> int:
        nonlocal sequence
        sequence += 1
        session.data = response()
        watch.published((await session.publish([])).Parameters)
        return NODES

    async def library() -> int:
        struct_from_binary(ua.PublishResponse, Buffer(response()))
        return NODES

    async def bare() -> int:
        response()
        return NODES

    both, theirs, alone = await rates(ours, library, bare)
    assert not ends
    cost_us, theirs_us = both[1] - alone[1], theirs[1] - alone[1]
    sys.stdout.write(
        f"{'OPC UA bytes to reading':<34} {1e6 / cost_us:>10,.0f}/s  CPU {cost_us:>6.2f} s/M, "
        f"the library's decoder alone {theirs_us:.2f} s/M, ratio {cost_us / theirs_us:.2f}\n"
    )


async def opcua_reads() -> None:
    async with plant({f"v{at}": at for at in range(NODES)}) as server:
        signals = [signal(at, f"nsu={URI};s=v{at}") for at in range(NODES)]
        source = opcua(server.port, signals, timeout_us=10_000_000)
        indexes = [each.index for each in signals]
        async with Client(server.endpoint) as client:
            space = await client.get_namespace_index(URI)
            nodes = [client.get_node(f"ns={space};s=v{at}") for at in range(NODES)]

            async def ours() -> int:
                return len(await source.read(indexes))

            async def bare() -> int:
                count = 0
                for at in range(0, NODES, 50):
                    count += len(await client.read_values(nodes[at : at + 50]))
                return count

            tell("OPC UA values read (with server)", *(await rates(ours, bare)))
        await source.close()


async def here() -> None:
    await decoding()
    await subscription()
    await opcua_reads()


def main() -> None:
    serving = subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert serving.stdout is not None
        asyncio.run(modbus(int(serving.stdout.readline())))
    finally:
        serving.kill()
        serving.wait()
    asyncio.run(here())


_SERVER = """
import asyncio, sys
from tests.integration.edge_sources.device import device
async def main():
    async with device() as plc:
        plc.asked = type("None", (list,), {"append": lambda self, item: None})()
        sys.stdout.write(f"{plc.port}\\n"); sys.stdout.flush()
        await asyncio.Event().wait()
asyncio.run(main())
"""

if __name__ == "__main__":
    main()
