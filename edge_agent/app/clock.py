"""The gateway's clocks, for real."""

from __future__ import annotations

import time

from edge_agent.core.quality import EARLIEST_US


class SystemClock:
    """Implements ports.Clock."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Seconds that never step."""
        return time.monotonic()

    def trusted(self) -> bool:
        """Whether the wall clock shows a time at which this program can run: a gateway without a battery
        boots in 1970.
        """
        return self.now_us() >= EARLIEST_US
