"""Two lanes: live data goes first, a backlog goes beside it as history, slowly at first.

Seconds here never step; bytes are those of whole messages.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HistoryRate:
    """bytes_per_s: the cap of the history lane. start_share: of it, right after a connect.

    double_every_s: the share doubles in this time, so that a fleet that comes back together does not
    fall upon the cloud together.
    """

    bytes_per_s: float = 1024 * 1024
    start_share: float = 0.125
    double_every_s: float = 2.0


class HistoryBudget:
    """A bucket that fills with the rate and holds at most one second of it."""

    def __init__(self, rate: HistoryRate, now_s: float) -> None:
        self._rate = rate
        self._since_s = now_s
        self._at_s = now_s
        self._bytes = 0.0

    def restart(self, now_s: float) -> None:
        """A new connection: the slow start begins again."""
        self._since_s = self._at_s = now_s
        self._bytes = 0.0

    def may_send(self, now_s: float) -> bool:
        """Whether a batch may go now; one may overdraw the bucket, the next then waits for longer."""
        elapsed = max(0.0, now_s - self._at_s)
        self._at_s = now_s
        rate = self._bytes_per_s(now_s)
        self._bytes = min(rate, self._bytes + elapsed * rate)
        return self._bytes > 0

    def spend(self, size: int) -> None:
        """A history batch of this size was sent."""
        self._bytes -= size

    def _bytes_per_s(self, now_s: float) -> float:
        doublings = (now_s - self._since_s) / self._rate.double_every_s
        share = self._rate.start_share * float(2.0 ** min(doublings, 60.0))
        return self._rate.bytes_per_s * min(1.0, share)


def overtakes(oldest_us: int | None, now_us: int, after_us: int) -> bool:
    """Whether live data should leave the unacknowledged batches behind: the oldest is older than after_us."""
    return oldest_us is not None and now_us - oldest_us > after_us
