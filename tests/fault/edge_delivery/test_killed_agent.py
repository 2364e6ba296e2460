"""kill -9 of a delivering agent: its will is told, and what it saw before the commit window arrives once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.edge_delivery.brokers import mosquitto
from tests.integration.edge_delivery.cloud import FakeCloud, eventually

pytestmark = pytest.mark.needs("mosquitto")
COMMITTED_WITHIN_US = 1_000_000


def spoken_until_killed(
    folder: Path, port: int, first: int, enough: Callable[[], bool]
) -> tuple[str, list[tuple[int, float]]]:
    """Stream of the run and all that it told; killed once it is enough."""
    command = [sys.executable, "-m", "tests.fault.edge_delivery.speaker", str(folder), str(port), str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        stream = process.stdout.readline().strip()
        lines: list[str] = []
        deadline = time.monotonic() + 40
        while len(lines) < 120 or not enough():
            assert time.monotonic() < deadline
            lines.append(process.stdout.readline())
    finally:
        process.kill()
        lines += process.stdout.read().splitlines()
        process.stdout.close()
        process.wait()
    told = [line.split() for line in lines if line.count(" ") == 2]
    return stream, [(int(when), float(value)) for when, value, _ in told]


def test_nothing_older_than_the_window_is_lost_and_the_will_is_told(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        cloud = FakeCloud(broker.port)
        told: list[tuple[int, float]] = []
        starts: list[str] = []
        for run in range(3):
            stream, spoken = spoken_until_killed(
                tmp_path / "buffer", broker.port, run * 100_000, lambda: len(cloud.hellos) > len(starts)
            )
            starts.append(stream)
            last_us = spoken[-1][0]
            told += [each for each in spoken if each[0] < last_us - COMMITTED_WITHIN_US]
            eventually(lambda: cloud.statuses[-1].will)
            will = cloud.statuses[-1]
            assert (will.start, will.online) == (starts[-1], False)
            assert will.counter == cloud.hellos[-1].counter
        spoken_until_killed(
            tmp_path / "buffer", broker.port, 900_000,
            lambda: set(told) <= {(sample.time_us, sample.value) for sample in cloud.samples()},
        )  # fmt: skip
        assert len(told) > 30
        assert len({hello.instance for hello in cloud.hellos}) == 1
        cloud.close()
