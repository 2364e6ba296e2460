"""What is on its way to the cloud and not yet acknowledged: how much may be, and when to send it again.

Time is passed in (seconds that never step); so is chance. The cloud's ack is the only sign of delivery.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge_agent.core.retry import Backoff
from edge_agent.core.seqs import Seqs
from shared.batch import Lane

Key = tuple[bytes, int]
"""Stream and seq."""


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """batches, size: the most that may be unacknowledged. history_share: of them for the history lane."""

    batches: int = 32
    size: int = 1024 * 1024
    history_share: float = 0.5
    resend: Backoff = field(default_factory=lambda: Backoff(5.0, 60.0))


@dataclass(slots=True)
class Flight:
    """One batch on its way. sent_s: when it was last handed to the broker."""

    size: int
    lane: Lane
    sent_s: float


class Window:
    """The batches in flight: at most a number and a size of them; one alone may exceed the size."""

    def __init__(self, limits: WindowLimits) -> None:
        self._limits = limits
        self._flights: dict[Key, Flight] = {}
        self._heard = True
        self._silences = 0
        self._wait_s = limits.resend.whole_s(0)
        self._probed_s = float("-inf")

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: Key) -> bool:
        return key in self._flights

    def room(self, lane: Lane) -> int:
        """How many more batches of a lane may go now."""
        share = self._limits.history_share if lane is Lane.HISTORY else 1.0
        flying = [flight for flight in self._flights.values() if lane is Lane.LIVE or flight.lane is lane]
        if sum(flight.size for flight in flying) >= self._limits.size * share:
            return 0
        everything = self._limits.batches - len(self._flights)
        return max(0, min(everything, int(self._limits.batches * share) - len(flying)))

    def sent(self, key: Key, size: int, lane: Lane, now_s: float) -> None:
        """A batch was handed to the broker, for the first time or again."""
        self._flights[key] = Flight(size, lane, now_s)

    def acknowledged(self, stream: bytes, seqs: Seqs) -> int:
        """The cloud has these; returns how many of them were in flight."""
        done = [key for key in self._flights if key[0] == stream and key[1] in seqs]
        for key in done:
            del self._flights[key]
        self.heard()
        return len(done)

    def heard(self) -> None:
        """Any word of the cloud: the resend time-out is the first one again."""
        self._heard = True
        self._silences = 0
        self._wait_s = self._limits.resend.whole_s(0)
        self._probed_s = float("-inf")

    def expect_nothing(self) -> None:
        """The cloud asks for what it lacks: everything in flight is due now."""
        self.heard()
        for flight in self._flights.values():
            flight.sent_s = float("-inf")

    def forget(self, key: Key) -> None:
        """The batch is on disk no more."""
        self._flights.pop(key, None)

    @property
    def silences(self) -> int:
        """How many resend time-outs have passed since the last word of the cloud."""
        return self._silences

    def due(self, now_s: float, chance: float) -> list[Key]:
        """What to send again now, oldest first; while the cloud is silent, the oldest alone."""
        late = [key for key, flight in self._flights.items() if now_s - flight.sent_s >= self._wait_s]
        if not late or now_s - self._probed_s < self._wait_s:
            return []
        self._probed_s = now_s
        if self._heard:
            self._heard = False
            return late
        self._silences += 1
        self._wait_s = self._limits.resend.wait_s(self._silences, chance)
        return late[:1]

    def clear(self) -> None:
        """The connection is gone: nothing is in flight any more."""
        self._flights.clear()
        self.heard()


def seqs_of(through: int, also: Iterable[tuple[int, int]]) -> Seqs:
    """The numbers that an ack names; seq 0 and below never name a batch."""
    return Seqs.of([(1, through), *((max(1, first), last) for first, last in also)])
