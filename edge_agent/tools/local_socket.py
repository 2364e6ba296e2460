"""The running agent's own socket, beside its buffer: tools ask it what only it can know.

A Unix socket that its owner alone can open; one JSON question a line, one JSON answer a line. Nothing listens
on a network. Paths may be longer than a socket's address allows: the folder is opened first, and the socket
named through it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.errors import AgentError

NAME = "agent.sock"
_LIMIT = 16 * 1024 * 1024
_log = logging.getLogger(__name__)

Answer = Callable[[dict[str, Any]], Awaitable[Any]]


@contextlib.asynccontextmanager
async def serving(folder: Path, answer: Answer) -> AsyncIterator[None]:
    """Answer questions while the context lasts. Raises OSError where the folder cannot hold a socket."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            while line := await reader.readline():
                writer.write(await _answered(line, answer) + b"\n")
                await writer.drain()
        writer.close()

    listening = _bound(folder)
    server = await asyncio.start_unix_server(one, sock=listening, limit=_LIMIT)
    try:
        yield
    finally:
        server.close()
        with contextlib.suppress(OSError):
            (folder / NAME).unlink()


def _bound(folder: Path) -> socket.socket:
    """The socket, for its owner alone; what a killed agent left is taken away."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _named(folder) as path:
        Path(path).unlink(missing_ok=True)
        listening.bind(path)
        Path(path).chmod(0o600)
    return listening


async def _answered(line: bytes, answer: Answer) -> bytes:
    try:
        return msgspec.json.encode({"answer": await answer(msgspec.json.decode(line, type=dict[str, Any]))})
    except (AgentError, msgspec.MsgspecError, KeyError, ValueError) as error:
        return msgspec.json.encode({"error": str(error)})


class Asking:
    """A connection to the running agent; a context manager."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._lines = connected.makefile("rb")

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, question: dict[str, Any]) -> Any:
        """The answer; raises AgentError where the agent gives none."""
        where = "the running agent"
        try:
            self._socket.sendall(msgspec.json.encode(question) + b"\n")
            line = self._lines.readline()
        except OSError as error:
            raise AgentError("no answer", where, f"see its log ({error})") from None
        if not line:
            raise AgentError("no answer", where, "it ended while it was asked; see its log")
        reply: dict[str, Any] = msgspec.json.decode(line)
        if "error" in reply:
            raise AgentError("the question was refused", where, str(reply["error"]))
        return reply["answer"]


def connect(folder: Path, timeout_s: float = 30.0) -> Asking | None:
    """A connection to the agent that owns this buffer folder; None where none runs (on Windows: ever)."""
    if not (hasattr(socket, "AF_UNIX") and hasattr(os, "O_DIRECTORY")):
        return None
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.settimeout(timeout_s)
    try:
        with _named(folder) as path:
            connected.connect(path)
    except PermissionError:
        connected.close()
        mend = "run this command as the user of the service, or as root"
        raise AgentError("the agent's socket is not ours", str(folder / NAME), mend) from None
    except OSError:
        connected.close()
        return None
    return Asking(connected)


@contextlib.contextmanager
def _named(folder: Path) -> Iterator[str]:
    """A name of the socket that is short enough, valid while the context lasts."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)
