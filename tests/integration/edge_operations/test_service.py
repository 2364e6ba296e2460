"""The agent as a service manager sees it: a real process, a real socket, the shipped unit."""

from __future__ import annotations

import configparser
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
UNIT = ROOT / "deploy" / "systemd" / "plantledger-agent.service"
AGENT = [sys.executable, "-m", "edge_agent"]
CONFIG = (
    "agent: {id: gw-1, site: bench}\n"
    'uplink: {url: "mqtt://127.0.0.1:9"}\n'
    "buffer: {path: ./buffer, max_size: 16 MiB, reserve: 0 B}\n"
    "sources: {plc: {type: modbus-tcp, host: 127.0.0.1, port: 9}}\n"
    "machines: {p: {line: a, source: plc, signals: {good_count: {register: 'holding:1', type: uint16}}}}\n"
)


class Manager:
    """What systemd hears of a service, in the order in which it was said."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.settimeout(0.2)
        self.said: list[str] = []

    def until(self, word: str, within_s: float = 40.0) -> None:
        """Until a line begins with this word, after those that were waited for before."""
        deadline = time.monotonic() + within_s
        while True:
            while self.said:
                if self.said.pop(0).startswith(word):
                    return
            assert time.monotonic() < deadline, f"{word} was not said"
            try:
                self.said += self._socket.recv(4096).decode().splitlines()
            except TimeoutError:
                continue

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path)
    yield made
    made.close()


def test_ready_fed_reloading_ready_and_stopping_are_told(manager: Manager, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(CONFIG, "utf-8")
    environment = {**os.environ, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "2000000"}
    agent = subprocess.Popen([*AGENT, "run", str(path)], env=environment, stderr=subprocess.DEVNULL)
    try:
        manager.until("READY=1")
        manager.until("WATCHDOG=1")
        manager.until("STATUS=0 of 1 signals live; broker not connected")
        manager.until("WATCHDOG=1")
        agent.send_signal(signal.SIGHUP)
        manager.until("RELOADING=1")
        manager.until("MONOTONIC_USEC=")
        manager.until("READY=1")
        agent.send_signal(signal.SIGTERM)
        manager.until("STOPPING=1")
        assert agent.wait(40) == 0
    finally:
        agent.kill()
        agent.wait()


def unit() -> configparser.SectionProxy:
    parsed = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(UNIT, "utf-8")
    return parsed["Service"]


def test_the_unit_gives_the_agent_its_own_user_and_no_more_than_it_needs() -> None:
    service = unit()
    assert (service["Type"], service["User"], service["Restart"]) == ("notify", "plantledger", "always")
    assert (service["CapabilityBoundingSet"], service["AmbientCapabilities"]) == ("", "")
    hardened = {
        "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
        "ProtectKernelTunables": "yes", "ProtectKernelModules": "yes", "ProtectKernelLogs": "yes",
        "ProtectControlGroups": "yes", "ProtectHostname": "yes", "ProtectProc": "invisible",
        "RestrictNamespaces": "yes", "RestrictRealtime": "yes", "RestrictSUIDSGID": "yes",
        "LockPersonality": "yes", "MemoryDenyWriteExecute": "yes", "DevicePolicy": "closed",
        "SystemCallArchitectures": "native", "UMask": "0077", "StateDirectoryMode": "0700",
    }  # fmt: skip
    assert {key: service.get(key) for key in hardened} == hardened
    assert service["RestrictAddressFamilies"].split() == ["AF_UNIX", "AF_INET", "AF_INET6"]
    assert int(service["WatchdogSec"]) >= 30
    analyzer = shutil.which("systemd-analyze")
    if analyzer is not None:
        asked = [analyzer, "security", "--offline=true", "--threshold=20", str(UNIT)]
        judged = subprocess.run(asked, capture_output=True, text=True)
        assert judged.returncode == 0, judged.stdout.splitlines()[-1]
