"""Whether two scans of a source prove what lay between them."""

from __future__ import annotations

from dataclasses import dataclass

STEP_US = 500_000
"""Two clocks that differ by more than this since the last scan: the wall clock was set, or the machine
slept.
"""


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
