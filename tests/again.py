"""Tests of whole processes are tried once more before they fail: see docs/decisions/0006.

What was tried twice is named at the end of the run with what went wrong, so that nothing passes in silence.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

FOLDERS = frozenset({"contract", "e2e", "fault", "integration"})
"""Folders whose tests start processes and wait for them on a machine that others use too."""

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("PLANTLEDGER_TEST_ONCE"):
        return
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).parts[0] in FOLDERS:
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for report in terminalreporter.stats.get("rerun", []):
        why = str(report.longrepr).strip().splitlines()[-1] if report.longrepr else ""
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            why += f": {' '.join(crash.message.split())[:400]}"
        terminalreporter.write_line(f"TRIED TWICE: {report.nodeid}: {why}", yellow=True)
