"""Power meters as energy counters: in front of the recorder, the readings of ``integrate: true`` become kWh.

The total begins at 0 with each run (the dictionary declares its falls as resets). A value counts for as long
as its source is proven to be watched; what a meter took during an outage is not known, and not invented.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from edge_agent.config.model import Signal
from edge_agent.core.integral import Integral
from edge_agent.ports import Reading, Sink
from shared.sample import Quality


class Integrator:
    """Implements ports.Sink in front of another one. signals: those to integrate."""

    def __init__(self, target: Sink, signals: Iterable[Signal]) -> None:
        self._target = target
        self._totals: dict[str, dict[int, Integral]] = {}
        for signal in signals:
            self._totals.setdefault(signal.source, {})[signal.index] = Integral()

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        totals = self._totals.get(source)
        if totals is not None:
            readings = [self._taken(totals, r) if r.signal in totals else r for r in readings]
        self._target.readings(source, readings, full=full)

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        """A power that stayed as it was has gone on to be used."""
        grown = []
        for signal, total in self._totals.get(source, {}).items():
            if total.kw is not None and to_us > total.at_us:
                moved = self._totals[source][signal] = total.until(to_us)
                grown.append(Reading(signal, to_us, moved.kwh))
        if grown:
            self._target.readings(source, grown)
        self._target.scanned(source, from_us, to_us)

    def lost(self, source: str, since_us: int, reason: str) -> None:
        totals = self._totals.get(source, {})
        for signal, total in totals.items():
            totals[signal] = total.take(None, since_us)
        self._target.lost(source, since_us, reason)

    @staticmethod
    def _taken(totals: dict[int, Integral], reading: Reading) -> Reading:
        known = isinstance(reading.value, float) and reading.quality is not Quality.BAD
        kw = float(reading.value) if known and reading.value is not None else None
        total = totals[reading.signal] = totals[reading.signal].take(kw, reading.time_us)
        return replace(reading, value=total.kwh if known else None, raw=None)
