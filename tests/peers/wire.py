"""A watch on the wire between the agent and a PLC: which functions or services it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

from asyncua import ua

_SUFFIX = "Request_Encoding_DefaultBinary"
SERVICES = {
    number: name.removesuffix(_SUFFIX) for number, name in ua.ObjectIdNames.items() if name.endswith(_SUFFIX)
}
"""Service by the id of its request's binary encoding."""


@dataclass
class Wire:
    """asked: how often each function (Modbus) or service (OPC UA) was asked for. port: of the watch."""

    asked: Counter[str] = field(default_factory=Counter)
    port: int = 0
    connections: int = 0


def modbus(asked: Counter[str]) -> Callable[[bytes], None]:
    """Reads requests of Modbus TCP."""
    rest = b""

    def take(content: bytes) -> None:
        nonlocal rest
        rest += content
        while len(rest) >= 8 and len(rest) >= 6 + int.from_bytes(rest[4:6], "big"):
            asked[f"function {rest[7]}"] += 1
            rest = rest[6 + int.from_bytes(rest[4:6], "big") :]

    return take


def opcua(asked: Counter[str]) -> Callable[[bytes], None]:
    """Reads requests of OPC UA over an unsecured channel."""
    rest = b""
    known: set[int] = set()

    def take(content: bytes) -> None:
        nonlocal rest
        rest += content
        while len(rest) >= 8 and len(rest) >= int.from_bytes(rest[4:8], "little"):
            length = int.from_bytes(rest[4:8], "little")
            message, rest = rest[:length], rest[length:]
            for service in _services(message, known):
                asked[service] += 1

    return take


def _services(message: bytes, known: set[int]) -> Iterator[str]:
    """The service of a message; of its further chunks, none."""
    kind = message[:3]
    if kind == b"OPN":
        yield "OpenSecureChannel"
    elif kind == b"CLO":
        yield "CloseSecureChannel"
    elif kind == b"MSG":
        request, encoding, _, number = struct.unpack_from("<IBBH", message, 20)
        if request not in known:
            known.add(request)
            yield SERVICES[number] if encoding == 1 else f"encoding {encoding}"
    elif kind != b"HEL":
        yield f"message {kind!r}"


@contextlib.asynccontextmanager
async def watched(port: int, read: Callable[[Counter[str]], Callable[[bytes], None]]) -> AsyncIterator[Wire]:
    """A way to a port of this machine that reads along what is asked there."""
    wire = Wire()
    passing: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.connections += 1
        try:
            there, onward = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        for way in (_pass(reader, onward, read(wire.asked)), _pass(there, writer, lambda _: None)):
            task = asyncio.create_task(way)
            passing.add(task)
            task.add_done_callback(passing.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        for task in list(passing):
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        await server.wait_closed()


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, see: Callable[[bytes], None]
) -> None:
    with contextlib.suppress(OSError):
        while content := await reader.read(65_536):
            see(content)
            writer.write(content)
            await writer.drain()
    writer.close()
