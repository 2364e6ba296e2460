"""The agent as a process beside the commands that are tried."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.integration.edge_tools.commands import agent


@contextlib.contextmanager
def running(path: Path) -> Iterator[None]:
    """``edge-agent run`` until the block ends, with every signal live."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_agent", "run", str(path)], stderr=subprocess.PIPE, text=True
    )
    try:
        until(lambda: live(path))
        yield
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def live(path: Path) -> bool:
    done = agent("status", path, "--json")
    sources = json.loads(done.out)["sources"] if done.out else []
    return bool(sources) and all(source["live"] == source["configured"] for source in sources)


def until(holds: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.1)
