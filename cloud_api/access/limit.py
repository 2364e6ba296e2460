"""How often one caller may ask: a bucket of requests for each, filled evenly."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_CALLERS = 10_000
"""Callers that are remembered; who has not asked for longest is forgotten first."""


@dataclass
class Limit:
    """A bucket per caller: `per_minute` requests, at most a minute's worth at once. `clock` gives seconds
    that never step."""

    per_minute: int
    clock: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, caller: str) -> float:
        """Takes one request of the caller: 0 where it may go on, else the seconds until the next may."""
        now, rate = self.clock(), self.per_minute / 60
        with self._lock:
            left, at = self._buckets.pop(caller, (float(self.per_minute), now))
            left = min(float(self.per_minute), left + (now - at) * rate)
            wait = 0.0 if left >= 1 else (1 - left) / rate
            self._buckets[caller] = (left - 1 if not wait else left, now)
            while len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        return wait
