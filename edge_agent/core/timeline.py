"""The time by which one run dates what it sees: begun once, carried on by a clock that never steps.

A wall clock that is set (by hand, by NTP, by a battery that lost it) therefore neither reorders nor doubles
an hour. Where the run began with a wrong clock, all its stamps are off by one and the same shift, which is
applied when they leave the buffer; a drift later is followed slowly.
"""

from __future__ import annotations

from dataclasses import dataclass

SLEW = 0.01
"""The timeline follows a better clock by at most so much of the time that passes: an hour takes four days."""
CLOSE_US = 20_000
"""What differs by less is not followed."""


class Timeline:
    """Microseconds since 1970 UTC, as believed. wall_us at steady_s, a clock in seconds that never steps."""

    def __init__(self, wall_us: int, steady_s: float) -> None:
        self._at_us, self._since_s = float(wall_us), steady_s
        self._owes_us = 0.0

    def at_us(self, steady_s: float) -> int:
        """The time now; never less than before."""
        elapsed_us = max(0.0, (steady_s - self._since_s) * 1e6)
        most_us = elapsed_us * SLEW
        step_us = max(-most_us, min(most_us, self._owes_us))
        self._since_s = max(self._since_s, steady_s)
        self._at_us += elapsed_us + step_us
        self._owes_us -= step_us
        return int(self._at_us)

    def follow(self, error_us: int, steady_s: float) -> None:
        """A better clock shows error_us more than this one: drift that way, never jump."""
        self.at_us(steady_s)
        self._owes_us = float(error_us) if abs(error_us) > CLOSE_US else 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the wall clock when a run begins.

    synchronised: the kernel says so (NTP, PTP). battery: the machine has a clock that runs while it is off.
    booted_s: since boot. earliest_us: before it this program was not installed. newest_us: the newest stamp
    that the buffer holds from another boot, None without one.
    """

    synchronised: bool
    battery: bool
    booted_s: float
    earliest_us: int
    newest_us: int | None = None


SETTLED_S = 600.0
"""A machine without a battery shows the time at which it was switched off, until something sets it."""


def is_believable(wall_us: int, evidence: Evidence) -> bool:
    """Whether the wall clock may date samples, before the cloud has told its time."""
    if evidence.synchronised:
        return True
    if wall_us < evidence.earliest_us:
        return False
    if evidence.newest_us is None:
        return True
    return wall_us >= evidence.newest_us and (evidence.battery or evidence.booted_s >= SETTLED_S)
