"""Ports of embedded servers: chosen once, and kept, for others write them down."""

from __future__ import annotations

import socket
import time
from pathlib import Path

FREED_S = 3.0
"""How long the port of a server that is just ending is waited for."""


def kept_port(file: Path) -> int:
    """The port on loopback that a file names, where it is free or soon is; else another, then kept."""
    said = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    kept = int(said) if said.isdecimal() and int(said) < 65536 else 0
    deadline = time.monotonic() + FREED_S
    while (port := _free(kept)) is None:
        time.sleep(0.05)
        if time.monotonic() > deadline:
            kept = 0
    file.write_text(f"{port}\n", encoding="utf-8")
    return port


def _free(port: int) -> int | None:
    """The port, or any where it is 0; None where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        free: int = probe.getsockname()[1]
        return free
