"""Whether two scans of a source prove what lay between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.units import SECOND_US

STEP_US = 500_000
"""Two clocks that differ by more than this since the last scan: the wall clock was set, or the machine
slept.
"""


EVIDENCE_AT_LEAST_US = 10 * SECOND_US
"""A source that is asked is looked at no less often than this, however slow its signals. Groups that are read
so often prove that it was watched; slower ones prove nothing."""


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment by both clocks: microseconds UTC, and seconds that never step."""

    at_us: int
    at_s: float


def break_between(last: Instant, now: Instant, grace_us: int) -> str | None:
    """None where the source was watched from ``last`` to ``now``; else the reason in plain words.

    A process that was stopped, a link that hung, or a clock that was set between two good scans must not
    make a span look watched that nobody watched.
    """
    elapsed_us = round((now.at_s - last.at_s) * 1e6)
    if elapsed_us > grace_us:
        return f"not scanned for {elapsed_us / 1e6:.1f} s"
    step_us = (now.at_us - last.at_us) - elapsed_us
    if abs(step_us) > STEP_US:
        return f"the gateway's clock was set by {step_us / 1e6:+.1f} s"
    return None


class Witnesses:
    """Several that watch one source together, such as reports of changes and reads on a grid.

    limits_us: by witness, the longest time between two of its words. What the source is proven to have been
    watched for ends where the slowest of them was last heard; tell gets each span as it grows.
    """

    def __init__(
        self, limits_us: Mapping[str, int], began: Instant, tell: Callable[[int, int], None]
    ) -> None:
        self._limits_us, self._tell = dict(limits_us), tell
        self._last = dict.fromkeys(limits_us, began)
        self._until_us = began.at_us

    @property
    def until(self) -> Instant:
        """The newest instant that all of them vouch for."""
        return min(self._last.values(), key=lambda instant: instant.at_us)

    def broken(self, now: Instant, witness: str | None = None) -> str | None:
        """Why nothing is proven any more, by this one or by any of them; None while all is well."""
        for name, last in self._last.items():
            if witness in (None, name) and (why := break_between(last, now, self._limits_us[name])):
                return why
        return None

    def heard(self, witness: str, now: Instant) -> None:
        """This one has told all that happened until now."""
        self._last[witness] = now
        until_us = self.until.at_us
        if until_us > self._until_us:
            self._tell(self._until_us, until_us)
            self._until_us = until_us
