"""A Modbus server of another stack (libmodbus) as a process, over TCP or on serial lines."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
import tty
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLONE = Path(__file__).resolve().parents[2]


@dataclass
class Peer:
    """The server. options: those of tests.peers.libmodbus; port: where it listens, also after a restart."""

    folder: Path
    options: dict[str, Any]
    port: int = 0
    process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        return self.folder / "truth.jsonl"

    def truth(self) -> list[tuple[int, float]]:
        """(time, number) of each change of the registers, as the server wrote it down."""
        lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [(line["t_us"], line["value"]) for line in lines]

    async def start(self) -> None:
        """Start the process; its registers go on where they stood."""
        start = self.truth()[-1][1] + 1 if self.log.exists() else 0
        place = {} if "lines" in self.options else {"port": self.port}
        given = {"start": start, "log": str(self.log), **place, **self.options}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.peers.libmodbus", json.dumps(given),
            stdout=asyncio.subprocess.PIPE, cwd=CLONE, env={**os.environ, "PYTHONPATH": str(CLONE)},
        )  # fmt: skip
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        word, _, port = line.decode().partition(" ")
        assert word == "listening", line
        self.port = int(port)

    def send(self, number: signal.Signals) -> None:
        """A signal to the process, if it runs: SIGSTOP freezes it, SIGCONT lets it go on."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)

    async def kill(self) -> None:
        """Gone at once."""
        self.send(signal.SIGKILL)
        if self.process is not None:
            await self.process.wait()


@contextlib.asynccontextmanager
async def peer(folder: Path, **options: Any) -> AsyncIterator[Peer]:
    """A server, for as long as the block lasts."""
    made = Peer(folder, options)
    try:
        await made.start()
        yield made
    finally:
        await made.kill()


class Line:
    """A serial line of pseudo-terminals: what one says, all others hear.

    device: the master's end. ends: those of the devices.
    """

    def __init__(self, devices: int) -> None:
        pairs = [os.openpty() for _ in range(devices + 1)]
        for own, other in pairs:
            tty.setraw(other)
            fcntl.fcntl(own, fcntl.F_SETFL, fcntl.fcntl(own, fcntl.F_GETFL) | os.O_NONBLOCK)
        self._pairs = pairs
        self._owns = [own for own, _ in pairs]
        self.device, *self.ends = [os.ttyname(other) for _, other in pairs]
        self.bytes = 0
        loop = asyncio.get_running_loop()
        for own in self._owns:
            loop.add_reader(own, self._pass_on, own)

    def _pass_on(self, own: int) -> None:
        content = os.read(own, 4096)
        self.bytes += len(content)
        for other in self._owns:
            if other != own:
                os.write(other, content)

    def close(self) -> None:
        """Let go of all terminals."""
        for own, other in self._pairs:
            asyncio.get_running_loop().remove_reader(own)
            os.close(own)
            os.close(other)


@contextlib.contextmanager
def line(devices: int) -> Iterator[Line]:
    """A line for so many devices, for as long as the block lasts."""
    made = Line(devices)
    try:
        yield made
    finally:
        made.close()
