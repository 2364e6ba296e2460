"""The whole agent on one core at 2,000 changing values a second: what it loses, and what it costs.

A Modbus server counts 1,000 registers up every half second; the agent, pinned to one core, scans them every
quarter. Counted in the database: every value of every register, exactly once. The obvious limit beside it is
a bare loop that reads and decodes the same registers and keeps nothing.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import psycopg

from tests.bench.latency import Plc, ready
from tests.fault.chain.plc import modbus_reply
from tests.fault.chain.process import Process, free_port, python, wait_for

SIGNALS = 1000
TICK_S = 0.5
SECONDS = 60
SITE = "bench"


class CountingPlc(Plc):
    """All registers step together; `ticks` says how often."""

    def __init__(self) -> None:
        super().__init__()
        self.registers[:] = [0] * SIGNALS
        self.ticks = 0

    def run_for(self, seconds: float) -> None:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            time.sleep(max(0.0, began + (self.ticks + 1) * TICK_S - time.monotonic()))
            self.ticks += 1
            self.registers[:] = [self.ticks] * SIGNALS


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        running: list[Process] = []
        try:
            return measure(Path(name), running)
        finally:
            for process in reversed(running):
                process.kill()


def measure(folder: Path, running: list[Process]) -> int:
    plc = CountingPlc()
    http_port = free_port()
    settings = {"PLANTLEDGER_DATA_DIR": str(folder / "cloud"), "PLANTLEDGER_HTTP_PORT": str(http_port)}
    cloud = Process("cloud", python("-m", "cloud_api", "serve"), folder, settings)
    running.append(cloud)
    cloud.start()
    wait_for("ready", lambda: ready(f"http://127.0.0.1:{http_port}"), 60, cloud)
    mqtt = (folder / "cloud" / "broker.url").read_text().strip()
    config = folder / "agent.yaml"
    config.write_text(agent_config(mqtt, plc.port, folder / "buffer"))
    agent = Process("agent", python("-m", "edge_agent", "run", str(config)), folder)
    running.append(agent)
    agent.start()
    os.sched_setaffinity(agent.pid, {0})
    url = (folder / "cloud" / "database.url").read_text().strip()
    wait_for("the first values", lambda: stored(url)[0] >= SIGNALS, 60, agent, cloud)
    watched = psutil.Process(agent.pid)
    before, peak = cpu_s(watched), Peak(watched)
    plc.run_for(SECONDS)
    used = cpu_s(watched) - before
    expected = (plc.ticks + 1) * SIGNALS
    wait_for("every value", lambda: stored(url)[1] >= expected, 60, agent, cloud)
    rows, distinct = stored(url)
    rate = plc.ticks * SIGNALS / SECONDS
    bare = bare_loop_s(plc)
    sys.stdout.write(
        f"{rate:,.0f} changing values/s for {SECONDS} s on one core: {expected - distinct} lost, "
        f"{rows - distinct} stored twice\n"
        f"agent: {used / SECONDS:.0%} of a core, {used / (rate * SECONDS) * 1e6:.0f} CPU s a million values, "
        f"peak RSS {peak.bytes / 2**20:.0f} MiB (bar 120 MB)\n"
        f"bare loop that reads the same, keeps nothing: {bare / SIGNALS * 1e6:.1f} CPU s a million values\n"
    )
    return 0 if distinct == expected == rows else 1


class Peak:
    """Largest resident memory of a process while the benchmark lasts."""

    def __init__(self, process: psutil.Process) -> None:
        self.bytes = 0
        self._process = process
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while self._process.is_running():
            try:
                self.bytes = max(self.bytes, self._process.memory_info().rss)
            except psutil.Error:
                return
            time.sleep(0.2)


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def stored(url: str) -> tuple[int, int]:
    """(rows, distinct values of distinct registers) of the register signals."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select count(*), count(distinct (series_id, value)) from samples join series using (series_id) "
            "where signal like 'r%'"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def bare_loop_s(plc: CountingPlc) -> float:
    """CPU seconds to ask for and decode all registers once, without a socket or a disk."""
    began = time.process_time()
    rounds = 200
    for _ in range(rounds):
        for first in range(0, SIGNALS, 125):
            body = bytes([3]) + first.to_bytes(2, "big") + (125).to_bytes(2, "big")
            answer = modbus_reply(plc.registers, 1, 0, 1, body)
            memoryview(answer[9:]).cast("B").tolist()
    return (time.process_time() - began) / rounds


def agent_config(mqtt: str, port: int, buffer: Path) -> str:
    signals = "".join(f'      r{n}: {{register: "holding:{n}", type: uint16}}\n' for n in range(SIGNALS))
    return (
        f"agent: {{id: gw, site: {SITE}}}\nuplink: {{url: {mqtt}}}\n"
        f"buffer: {{path: {buffer}, max_size: 256 MiB}}\n"
        f"sources:\n  plc: {{type: modbus-tcp, host: 127.0.0.1, port: {port}, unit: 1, interval: 250 ms}}\n"
        f"machines:\n  m:\n    line: l\n    source: plc\n    signals:\n{signals}"
    )


if __name__ == "__main__":
    sys.exit(main())
