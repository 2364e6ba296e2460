"""kill -9 of a real writer at 200 random moments on one buffer (KILLS=n for another count).

Counted: what it had called safe and is not there, and what is there twice or otherwise than it was put.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from shared.batch import samples_of
from shared.codec import unpack
from tests.fault.edge_delivery.test_kill import killed_run
from tests.fault.edge_delivery.writer import found, sample_of

KILLS = int(os.environ.get("KILLS") or 200)
TOGETHER = 20
"""So many kills on one buffer, then a fresh one: each start reads what is there."""


def wrong(there: Mapping[int, bytes]) -> int:
    """Batches whose content is not what was put under their number."""
    return sum(list(samples_of(unpack(message)[1])) != [sample_of(seq)] for seq, message in there.items())


def main() -> int:
    draw, safe, lost, broken = random.Random(1), 0, 0, 0
    for _ in range(0, KILLS, TOGETHER):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "buffer"
            told = dict(killed_run(folder, draw.uniform(0.05, 0.6)) for _ in range(TOGETHER))
            there = found(folder)
            safe += sum(told.values())
            lost += sum(len(set(range(1, last + 1)) - there[each].keys()) for each, last in told.items())
            broken += sum(map(wrong, there.values()))
    sys.stdout.write(
        f"{KILLS} kills: {safe:,} batches called safe, {lost} lost, {broken} not as they were put\n"
    )
    return 0 if lost == broken == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
