"""The watchdog is fed while every loop comes round, and by nobody else."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import pytest

from edge_agent.app.watchdog import Loop, ServiceManager, Watchdog


def heard(listening: socket.socket) -> list[str]:
    """All datagrams so far."""
    listening.setblocking(False)
    found = []
    while True:
        try:
            found.append(listening.recv(4096).decode())
        except BlockingIOError:
            return found


@pytest.fixture
def listening(tmp_path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(tmp_path / "notify"))
    return made


def test_fed_while_all_loops_turn_and_not_when_one_stands(
    listening: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": listening.getsockname(), "WATCHDOG_USEC": "8000000"}, 7)
    now_s, turned_s = [100.0], [95.0]
    loops = [Loop("buffer", lambda: turned_s[0], 10.0), Loop("drain", lambda: now_s[0], 10.0)]
    watchdog = Watchdog(manager, loops, lambda: now_s[0], lambda: "2 of 2\nlive")
    assert manager.watchdog_s == 8.0
    watchdog.look()
    assert heard(listening) == ["WATCHDOG=1\nSTATUS=2 of 2 live"]
    now_s[0] = 106.0
    with caplog.at_level(logging.INFO):
        watchdog.look()
        watchdog.look()
    assert heard(listening) == ["STATUS=stands still: buffer"] * 2
    assert [record.message for record in caplog.records].count(
        "stands still: buffer: the watchdog is no longer fed"
    ) == 1
    turned_s[0] = 106.0
    watchdog.look()
    assert heard(listening) == ["WATCHDOG=1\nSTATUS=2 of 2 live"]
    manager.close()
    listening.close()


def test_an_abstract_socket_is_spoken_to_as_well() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        name = f"plantledger-test-{os.getpid()}-{os.urandom(4).hex()}"
        listening.bind(f"\0{name}")
        manager = ServiceManager({"NOTIFY_SOCKET": f"@{name}"}, 1)
        manager.tell(READY=1)
        assert heard(listening) == ["READY=1"]
        manager.close()


def test_without_a_manager_nothing_is_said_and_nothing_fails(tmp_path: Path) -> None:
    ServiceManager({}, 1).tell(READY=1)
    gone = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "1000"}, 1)
    gone.tell(READY=1)
    gone.close()
    gone.tell(READY=1)


def test_a_watchdog_of_another_process_is_not_ours(listening: socket.socket) -> None:
    asked = {"NOTIFY_SOCKET": listening.getsockname(), "WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "1"}
    manager = ServiceManager(asked, 2)
    assert manager.watchdog_s is None
    manager.close()
    listening.close()
