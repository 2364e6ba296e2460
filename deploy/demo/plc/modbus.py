"""The packing line's PLC: a Modbus TCP server, unit 1. Tag list, zero-based:

packer-1: holding 100 state, 101 good (uint32, low word first), 103 scrap, 104 reason code, 105 crew, 106
order string(10), 120 product string(16); input 20 energy kWh (float32), 30 film in 0.1 m (uint32), 32
cartons (uint32). palletiser: holding 200 state, 201 good (uint32), 203 scrap, 204 reason code, 205 crew,
206 order string(10), 220 product code; input 40 energy kWh (float32, low word first).
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from deploy.demo.catalogue import PACKING, STATES
from deploy.demo.plant import Value
from deploy.demo.plc.clockwork import main

SIZE = 256
REASONS = ("", *(reason for machine in PACKING.machines for reason in machine.reasons))
"""A reason register holds the place of the reason in this row."""

PRODUCTS = ("", *(product.name for product in PACKING.products))
_BASE = {"packer-1": 100, "palletiser": 200}
_OFFSETS = {"state": 0, "good_count": 1, "scrap_count": 3, "reason": 4, "crew": 5, "order": 6}


class ModbusPlc:
    """A server that can be closed and opened again; registers are kept meanwhile."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._holding, self._input = [0] * SIZE, [0] * SIZE
        self._server: Any = None

    async def open(self, *, renumbered: bool = False) -> int:
        """Listen on the port of before, or a free one."""
        words = [SimData(0, count=SIZE, values=0, datatype=DataType.REGISTERS)]
        bits = [SimData(0, count=16, values=False, datatype=DataType.BITS)]
        device = SimDevice(1, simdata=(bits, list(bits), words, list(words)), action=self._refresh)
        self._server = ModbusTcpServer(device, address=(self._host, self._port))
        await self._server.serve_forever(background=True)
        self._port = int(self._server.transport.sockets[0].getsockname()[1])
        return self._port

    async def close(self) -> None:
        """Stop listening and end all connections."""
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()
            await asyncio.sleep(0)

    async def put(self, machine: str, role: str, value: Value) -> Value | None:
        """Set the registers of a signal."""
        place = _place(machine, role)
        if place is None:
            return None
        table, address = self._holding if place[0] == "holding" else self._input, place[1]
        told, words = _words(machine, role, value)
        table[address : address + len(words)] = words
        return told

    async def _refresh(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Before each answer: the registers as they are now; nobody writes here."""
        if values is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        table = self._holding if function == 3 else self._input
        if function in (3, 4):
            registers[:SIZE] = table
        return None


def _place(machine: str, role: str) -> tuple[str, int] | None:
    packer = machine == "packer-1"
    if role in _OFFSETS:
        return "holding", _BASE[machine] + _OFFSETS[role]
    if role == "product":
        return "holding", _BASE[machine] + 20
    if role == "energy":
        return "input", 20 if packer else 40
    places = {"material:film": ("input", 30), "material:carton": ("input", 32)}
    return places.get(role)


def _words(machine: str, role: str, value: Value) -> tuple[Value, list[int]]:
    """The value as it can be read, and its registers."""
    packer = machine == "packer-1"
    if role == "state":
        code = STATES.index(str(value))
        return code, [code]
    if role == "reason":
        code = REASONS.index(str(value))
        return code, [code]
    if role == "product" and not packer:
        code = PRODUCTS.index(str(value))
        return code, [code]
    if isinstance(value, str):
        return value, _text(value, 10 if role == "order" else 16)
    if role == "energy":
        words = list(struct.unpack(">2H", struct.pack(">f", value)))
        return struct.unpack(">f", struct.pack(">f", value))[0], words if packer else words[::-1]
    if role in ("good_count", "material:film", "material:carton"):
        raw = round(value * 10) if role == "material:film" else round(value)
        words = [raw >> 16, raw & 0xFFFF]
        return raw, words[::-1] if packer and role == "good_count" else words
    return round(value), [round(value)]


def _text(text: str, length: int) -> list[int]:
    content = text.encode("latin-1")[:length].ljust(length, b"\x00")
    return list(struct.unpack(f">{length // 2}H", content))


if __name__ == "__main__":
    main("packing", ModbusPlc)
