"""The counters of a machine while its samples are swept: what each adds to the piece of the time line it is
seen in.

Quantities are integers in units of 1e-12."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from cloud_api.interpret.counters import Fall, Reading, declared, increase
from cloud_api.interpret.model import BAD, Base, Sample, Signal
from cloud_api.interpret.plant import CounterRule
from cloud_api.interpret.readings import number, raw_number, text
from cloud_api.interpret.trust import slot

ROLES = ("good_count", "scrap_count", "rework_count", "total_count", "energy", "material")


class Basket(Protocol):
    """What a counter adds to."""

    good: int
    scrap: int
    rework: int
    energy: int
    materials: dict[str, int]
    late: bool


class Counter:
    """One counter: its base, and whether trust was lost, or order or product changed, since."""

    __slots__ = ("base", "item", "lost", "role", "slot", "source", "turned")

    def __init__(self, name: str) -> None:
        self.slot = name
        self.role, _, self.item = name.partition(":")
        self.base: Reading | None = None
        self.lost = self.turned = False
        self.source: str | None = None


class Tally:
    """All counters of a machine."""

    def __init__(
        self, signals: Mapping[int, Signal], rules: Mapping[str, CounterRule], bases: Iterable[Base]
    ) -> None:
        self._falls: dict[int, Fall] = {
            series: declared(signal, rules.get(slot(signal)))
            for series, signal in signals.items()
            if signal.role in ROLES
        }
        self._counts_good = any(signal.role == "good_count" for signal in signals.values())
        self._counters: dict[str, Counter] = {}
        for base in bases:
            counter = self._counters[base.slot] = Counter(base.slot)
            counter.base = Reading(base.value, base.raw)
            counter.lost, counter.turned, counter.source = base.lost, base.turned, base.source
        self.metered = self._metered()

    def bases(self) -> tuple[Base, ...]:
        """What the next hour needs to know of them."""
        return tuple(
            Base(c.slot, c.base.value, c.base.raw, c.lost, c.turned, None if c.lost else c.source)
            for c in sorted(self._counters.values(), key=lambda c: c.slot)
            if c.base is not None
        )

    def _metered(self) -> frozenset[str]:
        names = (c.slot for c in self._counters.values() if c.base is not None)
        return frozenset(name for name in names if name.startswith(("energy", "material:")))

    def turn(self) -> None:
        """Order or product has changed."""
        for counter in self._counters.values():
            counter.turned = True

    def interrupt(self, source: str | None, slots: frozenset[str]) -> None:
        """End trust in what came from the source, and in the slots."""
        for counter in self._counters.values():
            if counter.slot in slots or (source is not None and counter.source == source):
                counter.lost = True

    def start(self, name: str, sample: Sample) -> bool:
        """Whether the sample is the first trusted value of its counter, which is its baseline and adds
        nothing."""
        counter = self._counters.get(name)
        if counter is None:
            counter = self._counters[name] = Counter(name)
        return counter.base is None and sample.quality < BAD and number(sample) is not None

    def count(self, name: str, sample: Sample, source: str | None, basket: Basket) -> tuple[str, str] | None:
        """Add what the sample shows to the basket; returns a finding (kind, detail) where it books
        nothing."""
        counter = self._counters.get(name)
        if counter is None:
            counter = self._counters[name] = Counter(name)
        value = number(sample) if sample.quality < BAD else None
        if value is None:
            counter.lost = True
            return ("unusable", text(sample)) if sample.quality < BAD and text(sample) else None
        reading = Reading(value, raw_number(sample))
        old, counter.base = counter.base, reading
        finding = None
        if old is None:
            self.metered = self._metered()
        else:
            step = increase(old, reading, self._falls[sample.series], counter.turned)
            if step is None:
                finding = ("correction", "")
            elif step:
                self._add(counter, step, basket)
                basket.late = basket.late or counter.lost
        counter.lost = counter.turned = False
        counter.source = source
        return finding

    def _add(self, counter: Counter, step: int, basket: Basket) -> None:
        role = counter.role
        if role == "good_count":
            basket.good += step
        elif role == "scrap_count":
            basket.scrap += step
            if not self._counts_good and self._has_total():
                basket.good -= step
        elif role == "rework_count":
            basket.rework += step
        elif role == "energy":
            basket.energy += step
        elif role == "material":
            basket.materials[counter.item] = basket.materials.get(counter.item, 0) + step
        elif not self._counts_good:
            basket.good += step

    def _has_total(self) -> bool:
        total = self._counters.get("total_count")
        return total is not None and total.base is not None
