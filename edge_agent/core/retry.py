"""How long to wait before the next attempt: doubling, limited, and never in step with the neighbours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """first_s: the first wait. limit_s: the longest. Each wait is drawn between half of it and the whole."""

    first_s: float
    limit_s: float

    def whole_s(self, attempt: int) -> float:
        """The wait after this many failures (0 after the first), without jitter."""
        return min(self.limit_s, self.first_s * 2.0 ** min(attempt, 40))

    def wait_s(self, attempt: int, chance: float) -> float:
        """The wait with jitter; chance is drawn evenly from [0, 1) by the caller."""
        return self.whole_s(attempt) * (0.5 + 0.5 * chance)
