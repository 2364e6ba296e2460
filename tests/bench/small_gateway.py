"""A small gateway: a quarter of a core, 256 MB, 1,000 changing values a second; and what it holds on to.

``make bench SOAK=3600`` for an hour (60 s by default). The agent runs in a control group with a CPU quota of
25 of each 100 ms and a limit of memory; where a machine gives none, it is stopped for 75 of each 100 ms
instead. A Modbus server steps 1,000 registers each second; a cloud outside of the group keeps each batch once
and acknowledges. Of memory, descriptors, threads and tasks the first sixth is held against the last.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.bench.agent import SIGNALS, CountingPlc, cpu_s
from tests.fault.chain.process import Process, free_port, python, wait_for
from tests.integration.edge_delivery.brokers import mosquitto
from tests.integration.edge_delivery.cloud import AGENT, SITE, FakeCloud

SECONDS = int(os.environ.get("SOAK") or 60)
PERIOD_US, SHARE = 100_000, 0.25
MEMORY = 256 * 1024**2
GROUPS = Path("/sys/fs/cgroup")


class SteppingPlc(CountingPlc):
    """All registers step a second after they stepped before. stepped_us: when, number by number."""

    def __init__(self) -> None:
        super().__init__()
        self.stepped_us = [time.time_ns() // 1000]

    def run_for(self, seconds: float) -> None:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            time.sleep(1.0)
            self.ticks += 1
            self.stepped_us.append(time.time_ns() // 1000)
            self.registers[:] = [self.ticks] * SIGNALS


@contextlib.contextmanager
def limited(pid: int) -> Iterator[str]:
    """Bounds a process; how, in words."""
    made: list[Path] = []
    try:
        quota, name = str(int(PERIOD_US * SHARE)), f"plantledger-bench-{pid}"
        if (GROUPS / "cgroup.controllers").exists():
            settings = {GROUPS / name: {"cpu.max": f"{quota} {PERIOD_US}", "memory.max": str(MEMORY)}}
        else:
            settings = {
                GROUPS / "cpu" / name: {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": quota},
                GROUPS / "memory" / name: {"memory.limit_in_bytes": str(MEMORY)},
            }
        for group, values in settings.items():
            group.mkdir()
            made.append(group)
            for key, value in values.items():
                (group / key).write_text(value)
            (group / "cgroup.procs").write_text(str(pid))
        yield f"a control group, {SHARE:.0%} of a core, {MEMORY >> 20} MB"
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            time.sleep(1.0)
    except OSError as error:
        ended = threading.Event()
        threading.Thread(target=stop_and_go, args=(pid, ended), daemon=True).start()
        yield f"stopped for {1 - SHARE:.0%} of the time ({error}), memory measured only"
        ended.set()
    finally:
        for group in made:
            with contextlib.suppress(OSError):
                group.rmdir()


def stop_and_go(pid: int, ended: threading.Event) -> None:
    with contextlib.suppress(ProcessLookupError):
        while not ended.is_set():
            os.kill(pid, signal.SIGSTOP)
            time.sleep(PERIOD_US / 1e6 * (1 - SHARE))
            os.kill(pid, signal.SIGCONT)
            time.sleep(PERIOD_US / 1e6 * SHARE)


def config(mqtt: int, port: int, metrics: int, buffer: Path) -> str:
    signals = "".join(f'      r{n}: {{register: "holding:{n}", type: uint16}}\n' for n in range(SIGNALS))
    return (
        f"agent: {{id: {AGENT}, site: {SITE}}}\nuplink: {{url: 'mqtt://127.0.0.1:{mqtt}'}}\n"
        f"buffer: {{path: {buffer}, max_size: 64 MiB, keep: 1 min}}\nmetrics: {{port: {metrics}}}\n"
        f"sources:\n  plc:\n    {{type: modbus-tcp, host: 127.0.0.1, port: {port}, interval: 500 ms,\n"
        "     grace: 500 ms}\n"
        f"machines:\n  m:\n    line: l\n    source: plc\n    signals:\n{signals}"
    )


def tasks(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("plantledger_agent_tasks "))


def watched(process: psutil.Process, metrics: int, seen: list[tuple[float, int, int, int]]) -> None:
    while process.is_running():
        with contextlib.suppress(OSError, psutil.Error, StopIteration):
            resident = process.memory_info().rss / 2**20
            seen.append((resident, process.num_fds(), process.num_threads(), tasks(metrics)))
        time.sleep(2.0)


def main() -> int:
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        folder, plc, metrics = Path(name), SteppingPlc(), free_port()
        cloud, path = FakeCloud(broker.port), folder / "gw.yaml"
        path.write_text(config(broker.port, plc.port, metrics, folder / "buffer"))
        agent = Process("agent", python("-m", "edge_agent", "run", str(path)), folder)
        agent.start()
        try:
            with limited(agent.pid) as how:
                return measure(agent, plc, cloud, metrics, how)
        finally:
            agent.kill()
            cloud.close()


def measure(agent: Process, plc: SteppingPlc, cloud: FakeCloud, metrics: int, how: str) -> int:
    wait_for("the first values", lambda: len(cloud.stored) > 0, 120, agent)
    process, seen = psutil.Process(agent.pid), list[tuple[float, int, int, int]]()
    threading.Thread(target=watched, args=(process, metrics, seen), daemon=True).start()
    before = cpu_s(process)
    plc.run_for(SECONDS)
    used = cpu_s(process) - before
    wanted = {(signal, float(tick)) for signal in range(SIGNALS) for tick in range(plc.ticks + 1)}
    with contextlib.suppress(AssertionError):
        wait_for("every value", lambda: len(arrived(cloud)) >= len(wanted), 60, agent)
    missing = wanted - arrived(cloud)
    unseen = unwatched(plc, cloud)
    lost = [each for each in missing if int(each[1]) not in unseen]
    again = len(cloud.samples()) - len(wanted - missing)
    part = max(1, len(seen) // 6)
    first, last = seen[:part], seen[-part:]
    names = ("RSS in MiB", "descriptors", "threads", "tasks")
    sys.stdout.write(f"{how}: {SIGNALS} changing values/s for {SECONDS} s\n")
    sys.stdout.write(
        f"{len(lost)} of {len(wanted):,} lost; {len(unseen)} of {plc.ticks} steps fell into spans\n"
    )
    sys.stdout.write(f"that the agent says it did not watch; {again} values told again by full reads\n")
    sys.stdout.write(
        f"CPU {used / SECONDS:.1%} of a core, {used / len(wanted) * 1e6:.0f} s a million values\n"
    )
    for at, what in enumerate(names):
        early, late = (statistics.mean(each[at] for each in some) for some in (first, last))
        sys.stdout.write(f"{what:12} first sixth {early:8.1f}  last sixth {late:8.1f}  {late - early:+.1f}\n")
    return 1 if lost else 0


def unwatched(plc: SteppingPlc, cloud: FakeCloud) -> set[int]:
    """Steps whose second is not proven by scan marks: a busy machine did not let the agent look."""
    marks = sorted((m.from_us, m.to_us) for _, batch in cloud.batches() for m in batch.marks)
    spans: list[list[int]] = []
    for from_us, to_us in marks:
        if spans and from_us <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], to_us)
        else:
            spans.append([from_us, to_us])
    starts = [span[0] for span in spans]
    found = set()
    for tick, at_us in enumerate(plc.stepped_us):
        place = bisect_right(starts, at_us) - 1
        if place < 0 or spans[place][1] < at_us + 1_000_000:
            found.add(tick)
    return found


def arrived(cloud: FakeCloud) -> set[tuple[int, float]]:
    return {(sample.signal, sample.value) for sample in cloud.samples() if isinstance(sample.value, float)}


if __name__ == "__main__":
    sys.exit(main())
