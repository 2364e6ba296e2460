"""Servers that outlived their owner: found by the pid file of their cluster, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

STOP_S = 15.0


def end_leftover(data: Path) -> None:
    """Ends a server that an earlier owner, killed, left running on this cluster; removes a stale pid file."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not _serves(pid, data):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        deadline = time.monotonic() + STOP_S
        while _serves(pid, data) and time.monotonic() < deadline:
            time.sleep(0.02)
    pid_file.unlink(missing_ok=True)


def _serves(pid: int, data: Path) -> bool:
    """Whether a process is a server of this cluster: its command line names the data directory."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in words
