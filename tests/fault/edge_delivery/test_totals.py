"""What the agent counts itself goes on over kill -9 and power cuts: never backwards, never twice."""

from __future__ import annotations

import asyncio
import os
import random
import select
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.adapters.buffer_files import DiskFiles
from shared.control import Ack
from tests.fault.edge_delivery.power import PowerCut, PowerDisk
from tests.fault.edge_delivery.pulses import COUNT, ENERGY, LIMITS, Press, committed
from tests.fault.edge_delivery.test_power_cut import Clock
from tests.fault.edge_delivery.writer import Clock as SystemClock

TIDY = replace(LIMITS, settle_s=0.0)
"""Acks are written down, and what they settle is deleted, at each turn."""
CUTS = int(os.environ.get("POWER_CUTS") or 60)


def killed_run(folder: Path, after_s: float) -> tuple[int, int]:
    """The first total that a run told, and how many pulses it had seen when it was killed."""
    command = [sys.executable, "-m", "tests.fault.edge_delivery.pulses", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    told, deadline, end = b"", time.monotonic() + 60, None
    while end is None or time.monotonic() < end:
        assert time.monotonic() < deadline
        if select.select([process.stdout], [], [], 0.01)[0]:
            told += os.read(process.stdout.fileno(), 65536)
            end = end or time.monotonic() + after_s
    process.kill()
    told += process.stdout.read()
    process.stdout.close()
    process.wait()
    lines = [line.split() for line in told.decode().splitlines() if line.count(" ") == 1]
    return int(lines[0][1]), max([0, *(int(n) for word, n in lines if word == "seen")])


def test_a_count_goes_on_after_each_kill(tmp_path: Path) -> None:
    draw, safe, most = random.Random(3), 0.0, 0
    for _ in range(4):
        first, seen = killed_run(tmp_path / "buffer", draw.uniform(0.05, 0.5))
        assert safe <= first <= most, "never below what was committed, never above what was seen"
        most += seen + 1
        press = Press.started(DiskFiles(tmp_path / "buffer"), os.urandom(16), SystemClock())
        values = committed(press.buffer, COUNT)
        press.buffer.close()
        assert values == sorted(values), "the cloud sees a total that never falls"
        safe = values[-1]
        assert press.totals[COUNT] >= safe
    assert safe > 100


def run_until_cut(disk: PowerDisk, run: int, clock: Clock, draw: random.Random, seen: list[int]) -> None:
    """Pulses, commits, acks, deletions; seen counts each pulse right before it is fed."""
    press = Press.started(disk, bytes([run + 1]) * 16, clock, draw.choice([LIMITS, TIDY]))
    press.see(eject=0.0, energy=3.6)
    for turn in range(draw.randint(4, 12)):
        for _ in range(draw.randint(0, 9)):
            seen[0] += 1
            press.pulse()
        press.recorder.flush()
        while draw.random() < 0.7 and press.buffer.state().bytes_waiting:
            asyncio.run(press.buffer._commit())
        if turn % 3 == 2:
            state = press.buffer.state()
            press.buffer.acknowledge(Ack(state.stream.hex(), state.committed, 0))
        press.buffer._keep_house()
    if draw.random() < 0.5:
        press.buffer.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_total_never_goes_backwards_over_power_cuts(seed: int) -> None:
    draw, clock, disk = random.Random(seed), Clock(), PowerDisk(seed)
    seen, safe = [0], {COUNT: 0.0, ENERGY: 0.0}
    for run in range(CUTS // 3):
        disk.cut_at = draw.randint(0, 140)
        cut = False
        try:
            run_until_cut(disk, run, clock, draw, seen)
        except PowerCut:
            cut = True
        disk = disk.after_the_cut() if cut else disk
        disk.cut_at, disk.steps = None, 0
        press = Press.started(disk, bytes([run + 1, 0]) * 8, clock, LIMITS)
        for key in (COUNT, ENERGY):
            values = committed(press.buffer, key)
            assert values == sorted(values)
            assert press.totals.get(key, 0.0) >= max([safe[key], *values]), key
            safe[key] = press.totals.get(key, 0.0)
        assert press.totals.get(COUNT, 0.0) <= seen[0], "no pulse that nobody has seen"
        press.buffer.close()
    assert safe[COUNT] > 50
    assert safe[ENERGY] > 0


def test_a_total_outlives_its_samples() -> None:
    """Its source was away until nothing of it was left in the buffer: acknowledged data goes at once here."""
    clock, disk = Clock(), PowerDisk(1)
    press = Press.started(disk, b"a" * 16, clock, TIDY)
    press.see(eject=0.0)
    press.pulse()
    for n in range(400):
        press.see(energy=float(n))
        press.recorder.flush()
        asyncio.run(press.buffer._commit())
        state = press.buffer.state()
        press.buffer.acknowledge(Ack(state.stream.hex(), state.committed, 0))
        press.buffer._keep_house()
    assert committed(press.buffer, COUNT) == []
    again = Press.started(disk, b"b" * 16, clock, TIDY)
    again.see(eject=0.0)
    assert again.totals[COUNT] == 1


def test_a_damaged_file_of_totals_is_found_again_in_the_batches() -> None:
    clock, disk = Clock(), PowerDisk(2)
    press = Press.started(disk, b"a" * 16, clock, LIMITS)
    press.see(eject=0.0)
    for _ in range(7):
        press.pulse()
    press.buffer._save_totals()
    press.recorder.flush()
    press.buffer.close()
    disk.entries["totals"].cache[5] ^= 0xFF
    again = Press.started(disk, b"b" * 16, clock, LIMITS)
    assert again.totals[COUNT] == 7
