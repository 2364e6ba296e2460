"""The processes of the demo: started in order, ended in the reverse order, their output kept in files."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
PATIENCE_S = 20.0


class DemoError(Exception):
    """Something of the demo did not work: what, where its log is, what it said last."""


class Part:
    """One running process and its log."""

    def __init__(self, name: str, argv: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                argv,
                cwd=CLONE,
                env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def runs(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        return "\n".join(self.said().splitlines()[-15:])

    def wait(self) -> int:
        return self._process.wait()

    def end(self) -> None:
        """Ask politely, then insist."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Parts:
    """All processes of one demo; leaving the context ends them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        self._parts: list[Part] = []

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        for part in reversed(self._parts):
            part.end()

    def start(self, name: str, argv: Sequence[str]) -> Part:
        part = Part(name, argv, self.folder, self.environment)
        self._parts.append(part)
        return part

    def finish(self, name: str, argv: Sequence[str]) -> str:
        """Run a command to its end; what it said. Raises DemoError when it fails."""
        part = Part(name, argv, self.folder, self.environment)
        try:
            if part.wait() != 0:
                raise DemoError(f"{name} failed: {part.log}:\n{part.last_words()}")
            return part.said()
        finally:
            if part.runs():
                part.end()

    def first_gone(self) -> Part | None:
        """A part that ended although nobody asked it to."""
        return next((part for part in self._parts if not part.runs()), None)


def program(module: str, *arguments: str) -> list[str]:
    """The command line of a module of this clone."""
    return [sys.executable, "-m", module, *arguments]


def free_port(preferred: int = 0) -> int:
    """The preferred port if nobody has it, else any free one."""
    for port in (preferred, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found: int = probe.getsockname()[1]
            return found
    raise DemoError("no free port on 127.0.0.1: the machine has run out of them: end some programs")


def wait_for(holds: Callable[[], bool], what: str, within_s: float, part: Part) -> None:
    """Poll until it holds. Raises DemoError when the part dies or time runs out."""
    deadline = time.monotonic() + within_s
    while not holds():
        if not part.runs():
            raise DemoError(f"{part.name} ended before {what}: {part.log}:\n{part.last_words()}")
        if time.monotonic() > deadline:
            raise DemoError(f"not within {within_s:.0f} s: {what}: {part.log}:\n{part.last_words()}")
        time.sleep(0.1)
