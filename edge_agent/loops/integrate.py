"""Power meters as energy counters: in front of the recorder, the readings of ``integrate: true`` become kWh.

The total goes on where the last run left it; where the buffer was lost it begins at 0 (the dictionary
declares its falls as resets). A value counts for as long as its source is proven to be watched; what a meter
took during an outage, or while the agent was down, is not known, and not invented.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from edge_agent.config.model import Signal
from edge_agent.core.integral import Integral
from edge_agent.ports import Reading, Sink
from shared.sample import Quality


class Integrator:
    """Implements ports.Sink in front of another one. signals: those to integrate.

    kept: totals by key; they go on from these, and are written back into them.
    """

    def __init__(self, target: Sink, signals: Iterable[Signal], kept: dict[str, float] | None = None) -> None:
        self._target = target
        self._kept = {} if kept is None else kept
        self._keys: dict[int, str] = {}
        self._totals: dict[str, dict[int, Integral]] = {}
        for signal in signals:
            self._keys[signal.index] = signal.key
            begun = Integral(self._kept.get(signal.key, 0.0))
            self._totals.setdefault(signal.source, {})[signal.index] = begun

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        totals = self._totals.get(source)
        if totals is not None:
            readings = [self._taken(source, r) if r.signal in totals else r for r in readings]
        self._target.readings(source, readings, full=full)

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        """A power that stayed as it was has gone on to be used."""
        grown = []
        for signal, total in self._totals.get(source, {}).items():
            if total.kw is not None and to_us > total.at_us:
                moved = self._put(source, signal, total.until(to_us))
                grown.append(Reading(signal, to_us, moved.kwh))
        if grown:
            self._target.readings(source, grown)
        self._target.scanned(source, from_us, to_us)

    def lost(self, source: str, since_us: int, reason: str) -> None:
        totals = self._totals.get(source, {})
        for signal, total in totals.items():
            self._put(source, signal, total.take(None, since_us))
        self._target.lost(source, since_us, reason)

    def _put(self, source: str, signal: int, total: Integral) -> Integral:
        self._totals[source][signal] = total
        self._kept[self._keys[signal]] = total.kwh
        return total

    def _taken(self, source: str, reading: Reading) -> Reading:
        known = isinstance(reading.value, float) and reading.quality is not Quality.BAD
        kw = float(reading.value) if known and reading.value is not None else None
        total = self._totals[source][reading.signal].take(kw, reading.time_us)
        self._put(source, reading.signal, total)
        return replace(reading, value=total.kwh if known else None, raw=None)
