"""A Modbus TCP device that misbehaves on demand. A few lines of the protocol, not the agent's library."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field


@dataclass
class Device:
    """What the test wants of it. registers: every unit and table shares them; missing: exception 02.

    mute: addresses for which nothing is answered. silent: units that say nothing. delay_s: before each
    answer. lose: so many answers from now on get lost. asked: (unit, function, address, count) of each
    request.
    """

    registers: list[int] = field(default_factory=lambda: [0] * 2000)
    missing: set[int] = field(default_factory=set)
    mute: set[int] = field(default_factory=set)
    silent: set[int] = field(default_factory=set)
    most: int = 125
    delay_s: float = 0.0
    refuse_with: int | None = None
    lose: int = 0
    change_answer: Callable[[bytes], bytes] | None = None
    asked: list[tuple[int, int, int, int]] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Gone: nobody listens, all connections are reset."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await asyncio.sleep(0)
            await self._server.wait_closed()
            self._server = None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                transaction, protocol, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                body = await reader.readexactly(length - 1)
                delay_s = self.delay_s
                answer = self._answer(unit, body)
                if delay_s:
                    await asyncio.sleep(delay_s)
                if answer is None:
                    continue
                frame = struct.pack(">HHHB", transaction, protocol, len(answer) + 1, unit) + answer
                writer.write(self.change_answer(frame) if self.change_answer else frame)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()

    def _answer(self, unit: int, body: bytes) -> bytes | None:
        function, address, count = struct.unpack(">BHH", body[:5])
        self.asked.append((unit, function, address, count))
        wanted = range(address, address + count)
        self.lose -= 1
        if self.lose >= 0 or unit in self.silent or self.mute.intersection(wanted):
            return None
        if self.refuse_with is not None:
            return bytes([function | 0x80, self.refuse_with])
        if function not in (1, 2, 3, 4):
            return bytes([function | 0x80, 1])
        if self.missing.intersection(wanted) or address + count > len(self.registers) or count > self.most:
            return bytes([function | 0x80, 2])
        values = self.registers[address : address + count]
        if function in (3, 4):
            return struct.pack(f">BB{count}H", function, 2 * count, *values)
        packed = bytearray(-(-count // 8))
        for place, value in enumerate(values):
            packed[place // 8] |= (1 if value else 0) << place % 8
        return bytes([function, len(packed)]) + bytes(packed)


@contextlib.asynccontextmanager
async def device(**wishes: object) -> AsyncIterator[Device]:
    """A device on a free port, for as long as the block lasts."""
    made = Device(**wishes)  # type: ignore[arg-type]
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
