"""Real processes that a test may kill, stop and start again; their output is kept for a failure's report."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

CLONE = Path(__file__).resolve().parents[3]


class Process:
    """One program; starting it again appends to the same log."""

    def __init__(
        self, name: str, argv: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.log = folder / f"{name}.log"
        self._environment = {**os.environ, **(environment or {}), "PYTHONUNBUFFERED": "1"}
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self.argv,
                cwd=CLONE,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self._running is not None, f"{self.name} was never started"
        return self._running.pid

    def runs(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, nothing said before."""
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError):
                self._running.send_signal(signal.SIGCONT)
            self._running.kill()
            self._running.wait()

    def end(self, within_s: float = 20.0) -> int:
        """SIGTERM, and its exit code."""
        assert self._running is not None, f"{self.name} was never started"
        self._running.terminate()
        return self._running.wait(within_s)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: str, holds: Callable[[], bool], within_s: float, *processes: Process) -> None:
    """Polls until it holds; fails with the last words of the processes when it never does."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            words = "\n".join(f"--- {process.name}\n{process.said()[-3000:]}" for process in processes)
            raise AssertionError(f"not within {within_s} s: {what}\n{words}")
        time.sleep(0.05)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def mosquitto() -> str:
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found is not None, "mosquitto is not installed"
    return found
