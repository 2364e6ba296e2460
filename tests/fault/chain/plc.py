"""A PLC that writes down what it did: ``python -m tests.fault.chain.plc modbus|opcua PORT SEED LOG``.

Counters w0, w1, ... each step by one at random moments, so that every value appears exactly once. Each
step is logged as ``{"t_us": ..., "signal": ..., "value": ...}`` with the instant at which a client could
first read it. The Modbus side is a server of its own (functions 3 and 4 only), not the agent's library.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

SIGNALS = 12
HOLDS_S = (0.25, 0.5, 1.0, 2.0, 4.0)
Step = Callable[[int, int], Awaitable[int]]
"""Sets counter w{index} to a value; returns the instant in microseconds at which it could be read."""


class Truth:
    """Append-only log of steps, line by line."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def write(self, t_us: int, signal: str, value: int) -> None:
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"t_us": t_us, "signal": signal, "value": value}) + "\n")


async def drive(step: Step, truth: Truth, seed: int) -> None:
    """Step the counters for ever, each at its own random holds."""

    async def one(index: int) -> None:
        chance = random.Random(f"{seed}-{index}")
        value = 0
        while True:
            await asyncio.sleep(chance.choice(HOLDS_S) * chance.uniform(1.0, 1.5))
            value += 1
            truth.write(await step(index, value), f"w{index}", value)

    async with asyncio.TaskGroup() as tasks:
        for index in range(SIGNALS):
            tasks.create_task(one(index))


async def serve_modbus(port: int, seed: int, truth: Truth) -> None:
    registers = [0] * 256

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                transaction, protocol, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                body = await reader.readexactly(length - 1)
                writer.write(modbus_reply(registers, transaction, protocol, unit, body))
                await writer.drain()
        writer.close()

    async def step(index: int, value: int) -> int:
        registers[2 * index], registers[2 * index + 1] = value >> 16, value & 0xFFFF
        return time.time_ns() // 1000

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    _announce(server.sockets[0].getsockname()[1])
    await drive(step, truth, seed)


def modbus_reply(registers: list[int], transaction: int, protocol: int, unit: int, body: bytes) -> bytes:
    """The answer of a PLC that knows holding and input registers only."""
    function = body[0]
    if function not in (3, 4) or len(body) != 5:
        answer = bytes([function | 0x80, 1])
    else:
        address, count = struct.unpack(">HH", body[1:])
        if not 1 <= count <= 125 or address + count > len(registers):
            answer = bytes([function | 0x80, 2])
        else:
            values = registers[address : address + count]
            answer = struct.pack(f">BB{count}H", function, 2 * count, *values)
    return struct.pack(">HHHB", transaction, protocol, len(answer) + 1, unit) + answer


async def serve_opcua(port: int, seed: int, truth: Truth) -> None:
    from asyncua import Server, ua

    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/truth")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    space = await server.register_namespace("urn:truth")
    nodes = [
        await server.nodes.objects.add_variable(
            ua.NodeId(f"w{index}", space), f"w{index}", ua.Variant(0, ua.VariantType.UInt32)
        )
        for index in range(SIGNALS)
    ]

    async def step(index: int, value: int) -> int:
        t_us = time.time_ns() // 1000
        at = datetime.fromtimestamp(t_us / 1e6, UTC)
        await nodes[index].write_value(
            ua.DataValue(ua.Variant(value, ua.VariantType.UInt32), SourceTimestamp=at, ServerTimestamp=at)
        )
        return t_us

    async with server:
        _announce(port)
        await drive(step, truth, seed)


def _announce(port: int) -> None:
    sys.stdout.write(f"listening 127.0.0.1 {port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    kind, port, seed, log = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    serve = {"modbus": serve_modbus, "opcua": serve_opcua}[kind]
    asyncio.run(serve(port, seed, Truth(log)))
