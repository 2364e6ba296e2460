"""A Modbus server of another stack: libmodbus, called from Python. Run as a process of its own.

``python -m tests.peers.libmodbus OPTIONS``: a JSON object:
  port: Modbus TCP; 0 finds a free one. Or lines: {device of a serial line: unit number}, with baud, parity.
  registers: how many holding registers it has. period_ms: each period all registers take the next number.
  log: a file that gets {"t_us", "value"} of each. start: the first number.
It prints "listening PORT" and serves until it is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import select
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIBRARY = "libmodbus.so.5"
_MOST = 260


class _Mapping(ctypes.Structure):
    """modbus_mapping_t as modbus.h defines it."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("nb_bits", "start_bits", "nb_input_bits", "start_input_bits")),
        *((name, ctypes.c_int) for name in ("nb_input_registers", "start_input_registers")),
        *((name, ctypes.c_int) for name in ("nb_registers", "start_registers")),
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    )


def library() -> Any:
    """The library with the types of what is called. Raises OSError where it is not installed."""
    lib = ctypes.CDLL(LIBRARY)
    lib.modbus_new_tcp.restype = lib.modbus_new_rtu.restype = ctypes.c_void_p
    lib.modbus_new_rtu.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int]
    lib.modbus_mapping_new.restype = ctypes.POINTER(_Mapping)
    lib.modbus_mapping_new.argtypes = [ctypes.c_int] * 4
    for name in ("modbus_set_socket", "modbus_set_slave"):
        getattr(lib, name).argtypes = [ctypes.c_void_p, ctypes.c_int]
    for name in ("modbus_connect", "modbus_get_socket"):
        getattr(lib, name).argtypes = [ctypes.c_void_p]
    lib.modbus_receive.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    lib.modbus_reply.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Mapping)]
    return lib


@dataclass
class _Table:
    """The registers, and the numbers that they take."""

    mapping: Any
    registers: int
    period_s: float
    value: int
    log: Path | None
    due_s: float = 0.0

    def note(self) -> None:
        now_us = time.time_ns() // 1000
        for at in range(self.registers):
            self.mapping.contents.tab_registers[at] = self.value & 0xFFFF
            self.mapping.contents.tab_input_registers[at] = self.value & 0xFFFF
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"t_us": now_us, "value": self.value}) + "\n")
        self.due_s = time.monotonic() + self.period_s

    def wait_s(self) -> float | None:
        """Until the next number is due, which it takes once it is."""
        if not self.period_s:
            return None
        if time.monotonic() >= self.due_s:
            self.value += 1
            self.note()
        return max(0.0, self.due_s - time.monotonic())


class _Server:
    def __init__(self, options: dict[str, Any]) -> None:
        self._lib = library()
        count = options.get("registers", 500)
        log = options.get("log")
        self._table = _Table(
            self._lib.modbus_mapping_new(count, count, count, count),
            count,
            options.get("period_ms", 0) / 1000,
            options.get("start", 0),
            Path(log) if log else None,
        )
        self._table.note()
        self._answer: dict[int, Callable[[], bool]] = {}
        self._open: dict[int, socket.socket] = {}

    def serve(self) -> None:
        while True:
            ready, _, _ = select.select(list(self._answer), [], [], self._table.wait_s())
            for file in ready:
                if not self._answer[file]():
                    del self._answer[file]
                    self._open.pop(file).close()

    def by_tcp(self, port: int) -> int:
        listening = socket.create_server(("127.0.0.1", port))
        context = self._lib.modbus_new_tcp(None, 0)

        def accept() -> bool:
            client, _ = listening.accept()
            file = client.fileno()
            self._open[file] = client
            self._answer[file] = lambda: self._reply(context, file)
            return True

        self._open[listening.fileno()] = listening
        self._answer[listening.fileno()] = accept
        return int(listening.getsockname()[1])

    def by_line(self, device: str, unit: int, baud: int, parity: str) -> None:
        context = self._lib.modbus_new_rtu(device.encode(), baud, parity[0].upper().encode(), 8, 1)
        self._lib.modbus_set_slave(context, unit)
        if self._lib.modbus_connect(context) != 0:
            raise OSError(f"no line {device}")
        file = self._lib.modbus_get_socket(context)
        self._answer[file] = lambda: self._reply(context) or True

    def _reply(self, context: Any, file: int | None = None) -> bool:
        if file is not None:
            self._lib.modbus_set_socket(context, file)
        request = ctypes.create_string_buffer(_MOST)
        length = self._lib.modbus_receive(context, request)
        if length < 0:
            return False
        if length > 0:
            self._lib.modbus_reply(context, request, length, self._table.mapping)
        return True


def main() -> None:
    options = json.loads(sys.argv[1])
    server = _Server(options)
    port = server.by_tcp(options["port"]) if "port" in options else 0
    for device, unit in options.get("lines", {}).items():
        server.by_line(device, unit, options.get("baud", 19200), options.get("parity", "none"))
    sys.stdout.write(f"listening {port}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve()


if __name__ == "__main__":
    main()
