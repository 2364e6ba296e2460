"""kill -9 of a real writer at random moments, again and again on one buffer."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.batch import samples_of
from shared.codec import unpack
from tests.fault.edge_delivery.writer import found, sample_of


def killed_run(folder: Path, after_s: float) -> tuple[str, int]:
    """Stream and the last commit counter that the writer told before it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fault.edge_delivery.writer", str(folder)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    told, deadline, end = b"", time.monotonic() + 60, None
    while end is None or time.monotonic() < end:
        assert time.monotonic() < deadline
        ready, _, _ = select.select([process.stdout], [], [], 0.01)
        if ready:
            told += os.read(process.stdout.fileno(), 65536)
            end = end or time.monotonic() + after_s
    process.kill()
    told += process.stdout.read()
    process.stdout.close()
    process.wait()
    lines = [line.split() for line in told.decode().splitlines() if line.count(" ") == 2]
    return lines[-1][0], int(lines[-1][1])


@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_killed_writer_called_safe_is_there(seed: int, tmp_path: Path) -> None:
    draw, safe = random.Random(seed), {}
    for _ in range(4):
        stream, committed = killed_run(tmp_path / "buffer", draw.uniform(0.05, 0.6))
        safe[stream] = committed
        there = found(tmp_path / "buffer")
        for each, last in safe.items():
            assert set(range(1, last + 1)) <= there[each].keys()
    for messages in there.values():
        for seq, message in messages.items():
            assert list(samples_of(unpack(message)[1])) == [sample_of(seq)]
