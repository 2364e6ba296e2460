"""A power turned into energy: each value holds until the next one, or until nothing is known any more."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.units import HOUR_US


@dataclass(frozen=True, slots=True)
class Integral:
    """kwh: in all runs so far. kw: what holds since at_us (microseconds UTC); None: unknown."""

    kwh: float = 0.0
    kw: float | None = None
    at_us: int = 0

    def until(self, time_us: int) -> Integral:
        """The same, moved on to time_us; a time in the past changes nothing."""
        if time_us <= self.at_us:
            return self
        more = 0.0 if self.kw is None else self.kw * (time_us - self.at_us) / HOUR_US
        return replace(self, kwh=self.kwh + more, at_us=time_us)

    def take(self, kw: float | None, time_us: int) -> Integral:
        """The power is kw (None: unknown) from time_us on."""
        return replace(self.until(time_us), kw=kw)
