"""run, read and status against a Modbus device: real processes, no broker needed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.edge_sources.device import Device

AGENT = [sys.executable, "-m", "edge_agent"]


class Plc:
    """A Modbus device in a thread of its own."""

    def __init__(self) -> None:
        self.device = Device()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Plc:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.device.start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.device.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def plc() -> Iterator[Plc]:
    with Plc() as found:
        found.device.registers[100] = 1
        found.device.registers[102] = 4711
        yield found


def config_text(port: int, *, more: str = "") -> str:
    return (
        "agent: {id: gw-1, site: bench}\n"
        'uplink: {url: "mqtt://127.0.0.1:9"}\n'
        "buffer: {path: ./buffer, max_size: 16 MiB, reserve: 0 B}\n"
        f"sources: {{plc: {{type: modbus-tcp, host: 127.0.0.1, port: {port}, interval: 50 ms}}}}\n"
        "machines:\n"
        "  press-1:\n"
        "    line: stamping\n"
        "    source: plc\n"
        "    signals:\n"
        '      state: {register: "holding:100", type: uint16, map: {0: idle, 1: running}}\n'
        '      good_count: {register: "holding:101", type: uint32}\n' + more
    )


@contextlib.contextmanager
def running(path: Path) -> Iterator[subprocess.Popen[str]]:
    agent = subprocess.Popen([*AGENT, "run", str(path)], stderr=subprocess.PIPE, text=True)
    try:
        yield agent
    finally:
        if agent.poll() is None:
            agent.kill()
        agent.communicate(timeout=20)


def ask(command: str, path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*AGENT, command, str(path), *options], capture_output=True, text=True, timeout=60)


def until(holds: Callable[[], object], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.05)


def status(path: Path) -> dict[str, object] | None:
    done = ask("status", path, "--json")
    return json.loads(done.stdout) if done.stdout else None


def live(path: Path) -> bool:
    told = status(path)
    return told is not None and told["sources"][0]["live"] == told["sources"][0]["configured"]  # type: ignore[index]


def test_read_shows_each_signal_without_an_agent(plc: Plc, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(config_text(plc.device.port), "utf-8")
    done = ask("read", path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = {row["signal"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert (rows["press-1.state"]["value"], rows["press-1.state"]["raw"]) == ("running", 1.0)
    assert (rows["press-1.good_count"]["value"], rows["press-1.good_count"]["quality"]) == (4711.0, "good")
    assert not (tmp_path / "buffer").exists()
    table = ask("read", path)
    assert table.returncode == 0
    assert [line.split()[:2] for line in table.stdout.splitlines()[1:]] == [
        ["press-1.good_count", "4711"],
        ["press-1.state", "running"],
    ]


DERIVED = (
    "  press-2:\n"
    "    line: stamping\n"
    "    source: plc\n"
    '    alive: {register: "holding:300", within: 1 s}\n'
    "    tags:\n"
    '      run: {register: "holding:301", bit: 0}\n'
    '      fault: {register: "holding:302", type: uint16}\n'
    "    signals:\n"
    "      state: {rules: [{when: fault != 0, is: down}, {when: run, is: running}, {else: idle}]}\n"
    "      reason: {first_bit: fault, map: {0: guard open, 5: jam}}\n"
)


def of_press_2(path: Path) -> dict[str, tuple[object, object]]:
    """Signal to (value, quality)."""
    rows = map(json.loads, ask("read", path, "--json", "--only", "press-2").stdout.splitlines())
    return {row["name"]: (row["value"], row["quality"]) for row in rows}


def test_what_is_derived_is_shown_as_it_is_sent(plc: Plc, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(config_text(plc.device.port, more=DERIVED), "utf-8")
    plc.device.registers[301] = 1
    shown = {
        "state": ("running", "good"),
        "reason": (None, "good"),
        "run": (1.0, "good"),
        "fault": (0.0, "good"),
    }
    assert of_press_2(path) == shown
    with running(path) as agent:
        until(lambda: live(path))
        assert of_press_2(path) == shown
        plc.device.registers[302] = 32
        assert of_press_2(path)["state"] == ("down", "good")
        assert of_press_2(path)["reason"] == ("jam", "good")
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(20) == 0


def test_read_of_a_device_that_is_not_there_says_why(plc: Plc, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(config_text(9), "utf-8")
    done = ask("read", path, "--json", "--only", "state")
    assert done.returncode == 1
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["quality"], row["value"]) == ("bad", None)
    assert row["why"]


def test_read_only_names_what_fits(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(config_text(9), "utf-8")
    done = ask("read", path, "--only", "pump")
    assert done.returncode == 1
    assert done.stderr.startswith("no signal fits: pump: ")


def test_run_keeps_everything_and_ends_cleanly(plc: Plc, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(config_text(plc.device.port), "utf-8")
    with running(path) as agent:
        until(lambda: live(path))
        plc.device.registers[102] = 4712
        until(lambda: "4712" in ask("read", path).stdout)
        assert plc.device.connections == 1, "read goes through the agent's own connection"
        shown = ask("status", path)
        assert shown.returncode == 0
        assert "not connected: the buffer keeps everything" in shown.stdout
        assert "source plc: connected, 2 of 2 signals live" in shown.stdout
        second = ask("run", path)
        assert second.returncode == 1
        assert "another process holds the buffer" in second.stderr
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(20) == 0
    assert ask("status", path).returncode == 1
    assert not (tmp_path / "buffer" / "agent.sock").exists()
    with running(path) as agent:
        until(lambda: status(path))
        told = status(path)
        assert told is not None
        assert told["buffer"]["depth"] >= 2, "what the first run saw is still there"  # type: ignore[index]
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(20) == 0


def test_a_buffer_that_cannot_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(config_text(9), "utf-8")
    (tmp_path / "buffer").write_text("a file where a folder is wanted", "utf-8")
    done = ask("run", path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"the buffer cannot be opened (File exists): {tmp_path}/buffer: ")


def test_reload_takes_a_sound_file_and_refuses_a_broken_one(plc: Plc, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    text = config_text(plc.device.port)
    path.write_text(text, "utf-8")
    with running(path) as agent:
        until(lambda: live(path))
        path.write_text(text + '      order: {register: "holding:200", type: uint16}\n', "utf-8")
        agent.send_signal(signal.SIGHUP)
        until(lambda: "press-1.order" in ask("read", path, "--only", "order").stdout)
        until(lambda: live(path))
        good = path.read_bytes()
        until(lambda: (tmp_path / "gw.yaml.good").read_bytes() == good)
        path.write_text(text.replace("map:", "mapp:"), "utf-8")
        agent.send_signal(signal.SIGHUP)
        until((tmp_path / "gw.yaml.rejected").exists)
        refused = (tmp_path / "gw.yaml.rejected").read_text("utf-8")
        assert refused.startswith(f"# refused: {path}:10:")
        assert "did you mean 'map'?" in refused
        assert "mapp:" in refused
        assert "press-1.order" in ask("read", path.with_name("gw.yaml.good"), "--only", "order").stdout
        path.write_text(text.replace("id: gw-1", "id: gw-2"), "utf-8")
        agent.send_signal(signal.SIGHUP)
        until(lambda: "restart the agent" in (tmp_path / "gw.yaml.rejected").read_text("utf-8"))
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(20) == 0


def test_a_config_that_broke_while_the_gateway_was_off(plc: Plc, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(config_text(plc.device.port), "utf-8")
    (tmp_path / "gw.yaml.good").write_bytes(path.read_bytes())
    path.write_text("agent: {id: gw-1\n", "utf-8")
    with running(path) as agent:
        until((tmp_path / "buffer" / "agent.sock").exists)
        assert "press-1.state" in ask("read", tmp_path / "gw.yaml.good").stdout
        agent.send_signal(signal.SIGTERM)
        _, said = agent.communicate(timeout=20)
    assert agent.returncode == 0
    assert "runs the last good version" in said
    assert (tmp_path / "gw.yaml.rejected").read_text("utf-8").startswith(f"# refused: {path}:")
    (tmp_path / "gw.yaml.good").unlink()
    assert ask("run", path).returncode == 1


def test_a_buffer_deeper_than_a_socket_address_allows(plc: Plc, tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * 5)
    folder.mkdir(parents=True)
    path = folder / "gw.yaml"
    path.write_text(config_text(plc.device.port), "utf-8")
    assert len(os.fsencode(folder)) > 120
    with running(path) as agent:
        until(lambda: live(path))
        agent.send_signal(signal.SIGINT)
        assert agent.wait(20) == 0
