"""Tests that need something a machine may lack: ``@pytest.mark.needs("chromium")``.

What is missing is named at the end of the run with its mend, and its tests are left out. Where CI is
set, nothing may be left out: the run fails instead.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def _mosquitto() -> bool:
    return (
        shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is not None
    )


def _chromium() -> bool:
    return shutil.which("chromium") is not None


def _curl() -> bool:
    return shutil.which("curl") is not None


def _node() -> bool:
    return shutil.which("node") is not None and shutil.which("npm") is not None


def _libmodbus() -> bool:
    try:
        ctypes.CDLL("libmodbus.so.5")
    except OSError:
        return False
    return True


def _timescaledb() -> bool:
    return bool(os.environ.get("PLANTLEDGER_TEST_TIMESCALE_URL"))


def _root() -> bool:
    return os.geteuid() == 0


def _proc() -> bool:
    return Path("/proc/self/status").exists()


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "mosquitto": (_mosquitto, "install the package mosquitto"),
    "chromium": (_chromium, "install the package chromium"),
    "curl": (_curl, "install the package curl"),
    "node": (_node, "install the packages nodejs and npm"),
    "libmodbus": (_libmodbus, "install the package libmodbus5"),
    "timescaledb": (
        _timescaledb,
        "as root, run `eval $(.ci/timescaledb start)`, or set PLANTLEDGER_TEST_TIMESCALE_URL to a server",
    ),
    "root": (_root, "run the tests as root"),
    "proc": (_proc, "run on Linux"),
}
"""What a test may need: how to find out whether it is there, and what to do where it is not."""

_left_out: Counter[str] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(name): left out, by name, where the machine lacks it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = {name for name, (present, _) in NEEDS.items() if not present()}
    kept, out = [], []
    for item in items:
        names = {name for mark in item.iter_markers("needs") for name in mark.args}
        if unknown := names - NEEDS.keys():
            raise pytest.UsageError(f"{item.nodeid}: needs({sorted(unknown)}) is not in tests/needs.py")
        lacks = sorted(names & missing)
        _left_out.update(lacks[:1])
        (out if lacks else kept).append(item)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = kept


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of a parallel run says what it left out; every worker collects all tests."""
    for name, count in getattr(node, "workeroutput", {}).get("left_out", {}).items():
        _left_out[name] = max(_left_out[name], count)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, count in sorted(_left_out.items()):
        terminalreporter.write_line(f"NOT RUN: {count} tests need {name}: {NEEDS[name][1]}", yellow=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    workeroutput = getattr(session.config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput["left_out"] = dict(_left_out)
    elif _left_out and os.environ.get("CI") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
