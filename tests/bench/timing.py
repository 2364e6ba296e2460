"""How long something takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

RUNS = 5


def timed(work: Callable[[], object]) -> float:
    """Median of `RUNS` runs, seconds."""
    lasted = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        lasted.append(time.perf_counter() - began)
    return median(lasted)
