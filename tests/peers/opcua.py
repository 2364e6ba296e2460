"""An OPC UA server of another stack (node-opcua) as a process to be frozen, killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
URI = "urn:tests:plant"


def installed() -> Path:
    """The folder of what the server is made of; fetched by the first who asks."""
    done = subprocess.run([HERE / "install"], capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@dataclass
class Peer:
    """The server. options: those of server.js; port: where it listens, also after a restart.

    lean: instead of node-opcua the server of lean.py, which costs next to nothing and knows items,
    period_ms, start, port, log and product alone.
    """

    folder: Path
    options: dict[str, Any]
    port: int = 0
    process: asyncio.subprocess.Process | None = None
    lean: bool = False

    @property
    def log(self) -> Path:
        return self.folder / "truth.jsonl"

    def truth(self) -> list[tuple[int, float]]:
        """(time, number) of each change of the counters, as the server wrote it down."""
        lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [(line["t_us"], line["value"]) for line in lines]

    async def start(self, **changed: Any) -> None:
        """Start the process, with some options changed; its counters go on where they stood."""
        start = self.truth()[-1][1] + 1 if self.log.exists() else 0
        self.options |= changed
        given = {"start": start, "port": self.port, "folder": str(self.folder), "log": str(self.log)}
        self.process = await asyncio.create_subprocess_exec(
            *self._command(), json.dumps(given | self.options), cwd=HERE.parents[1],
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PLANTLEDGER_TEST_PEERS": "" if self.lean else str(installed())},
        )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(150):
            async for line in self.process.stdout:
                if line.startswith(b"listening "):
                    self.port = int(line.split()[1])
                    return
        raise AssertionError("the server did not start")

    def _command(self) -> list[str]:
        if self.lean:
            return [sys.executable, "-m", "tests.peers.lean"]
        return ["node", str(HERE / "node/server.js")]

    def freeze(self) -> None:
        """It keeps its sockets and says nothing."""
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self.send(signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        """A signal to the process, if it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)

    async def write(self, name: str, value: Any) -> None:
        """Set one of the static variables."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"name": name, "value": value}).encode() + b"\n")
        await self.process.stdin.drain()

    async def kill(self) -> None:
        """Gone at once, without a word to its clients."""
        self.send(signal.SIGKILL)
        if self.process is not None:
            await self.process.wait()


@contextlib.asynccontextmanager
async def peer(folder: Path, *, lean: bool = False, **options: Any) -> AsyncIterator[Peer]:
    """A server on a free port, for as long as the block lasts."""
    made = Peer(folder, options, lean=lean)
    try:
        await made.start()
        yield made
    finally:
        await made.kill()
