"""In front of the recorder: tags in, derived signals out; a machine whose heartbeat stands still is bad.

A scan is looked at as a whole, so that tags that changed together are seen together; where one tag changed
twice in one delivery, every change is looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from edge_agent.config.model import Config, Machine, Signal
from edge_agent.core.derive import (
    Derivation,
    Known,
    Memory,
    Outcome,
    Pulse,
    Rising,
    forgotten,
    settle,
    step,
)
from edge_agent.ports import Reading, Sink
from shared.sample import Quality

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Derived:
    """One derived signal. key: ``machine.signal``, under which a total is kept."""

    key: str
    index: int
    how: Derivation
    inputs: frozenset[str]
    memory: Memory = field(default_factory=Memory)


@dataclass(slots=True)
class _Machine:
    """One machine on one source. names: index to name of what its derived signals look at."""

    id: str
    source: str
    names: dict[int, str]
    derived: list[_Derived]
    pulse: Pulse | None
    heartbeat: int | None
    sent: frozenset[int]
    known: dict[str, Known] = field(default_factory=dict)
    last: dict[int, Reading] = field(default_factory=dict)


class Deriver:
    """Implements ports.Sink in front of another one. Readings of tags that are not sent end here.

    totals: of counted signals by key; they go on from these, and are written back into them.
    """

    def __init__(self, target: Sink, config: Config, totals: dict[str, float] | None = None) -> None:
        self._target = target
        self._sent = len(config.signals)
        self._totals = {} if totals is None else totals
        self._machines = list(_machines(config, self._totals))
        self._by_signal: dict[int, list[_Machine]] = {}
        for machine in self._machines:
            for index in machine.names.keys() | machine.sent | {machine.heartbeat} - {None}:
                if index is not None:
                    self._by_signal.setdefault(index, []).append(machine)

    def go_on_from(self, before: Deriver, sources: Collection[str]) -> None:
        """These sources go on unchanged under a new config: what was known of their tags is known still.

        So no edge is missed.
        """
        known = {(machine.id, machine.source): machine for machine in before._machines}
        for machine in self._machines:
            old = known.get((machine.id, machine.source))
            if old is None or machine.source not in sources:
                continue
            memories = {derived.key: derived.memory for derived in old.derived}
            machine.known = dict(old.known)
            if machine.pulse is not None and old.pulse is not None:
                machine.pulse = replace(old.pulse, within_us=machine.pulse.within_us)
            for derived in machine.derived:
                derived.memory = memories.get(derived.key, derived.memory)

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        out: list[Reading] = []
        seen: set[int] = set()
        touched: dict[int, tuple[_Machine, int]] = {}
        for reading in readings:
            if reading.signal in seen:
                self._conclude(touched, out)
                seen.clear()
            seen.add(reading.signal)
            self._take(reading, touched, out)
        self._conclude(touched, out)
        if out or full:
            self._target.readings(source, out, full=full)

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        """Nothing changed until to_us: what waited may have settled, a heartbeat may have stood still too
        long.
        """
        out: list[Reading] = []
        for machine in self._machines:
            if machine.source != source:
                continue
            self._judge(machine, to_us, out)
            for derived in machine.derived:
                derived.memory, outcome = settle(derived.how, derived.memory, to_us)
                if outcome is not None:
                    self._say(machine, _reading(derived.index, outcome), out)
        if out:
            self._target.readings(source, out)
        self._target.scanned(source, from_us, to_us)

    def lost(self, source: str, since_us: int, reason: str) -> None:
        for machine in self._machines:
            if machine.source == source:
                machine.known.clear()
                machine.last.clear()
                machine.pulse = machine.pulse.forgotten() if machine.pulse else None
                for derived in machine.derived:
                    derived.memory = forgotten(derived.memory)
        self._target.lost(source, since_us, reason)

    def _take(self, reading: Reading, touched: dict[int, tuple[_Machine, int]], out: list[Reading]) -> None:
        machines = self._by_signal.get(reading.signal)
        if machines is None:
            if reading.signal < self._sent:
                out.append(reading)
            return
        value = None if reading.quality is Quality.BAD else reading.value
        for machine in machines:
            if reading.signal == machine.heartbeat and machine.pulse is not None:
                self._beat(machine, machine.pulse.beat(value, reading.time_us), out)
            if (name := machine.names.get(reading.signal)) is not None:
                machine.known[name] = Known(value, reading.quality)
                time_us = max(reading.time_us, touched.get(id(machine), (machine, reading.time_us))[1])
                touched[id(machine)] = (machine, time_us)
            if reading.signal in machine.sent:
                self._say(machine, reading, out)
        if reading.signal < self._sent and not any(reading.signal in machine.sent for machine in machines):
            out.append(reading)

    def _conclude(self, touched: dict[int, tuple[_Machine, int]], out: list[Reading]) -> None:
        """What follows from the tags that were seen together."""
        for machine, time_us in touched.values():
            for derived in machine.derived:
                if not derived.inputs <= machine.known.keys():
                    continue
                derived.memory, outcome = step(derived.how, derived.memory, machine.known, time_us)
                if outcome is not None:
                    self._say(machine, _reading(derived.index, outcome), out)
                if isinstance(derived.how, Rising):
                    self._totals[derived.key] = float(derived.memory.total)
        touched.clear()

    def _say(self, machine: _Machine, reading: Reading, out: list[Reading]) -> None:
        """A value of a machine; while its heartbeat stands still it is kept back."""
        machine.last[reading.signal] = reading
        if machine.pulse is None or not machine.pulse.dead:
            out.append(reading)

    def _judge(self, machine: _Machine, now_us: int, out: list[Reading]) -> None:
        if machine.pulse is not None:
            self._beat(machine, machine.pulse.at(now_us), out)

    def _beat(self, machine: _Machine, pulse: Pulse, out: list[Reading]) -> None:
        before, machine.pulse = machine.pulse, pulse
        was_dead = before is not None and before.dead
        if pulse.dead and not was_dead:
            since_us = pulse.changed_us or 0
            _log.warning("%s: its heartbeat stands still: its signals are bad", machine.id)
            why = "the machine's heartbeat stands still"
            out += [Reading(index, since_us, None, Quality.BAD, why=why) for index in sorted(machine.sent)]
        elif was_dead and not pulse.dead:
            _log.info("%s: its heartbeat is back", machine.id)
            now_us = pulse.changed_us or 0
            out += [_again(reading, now_us) for _, reading in sorted(machine.last.items())]


def derives(config: Config) -> bool:
    """Whether a config has anything for a Deriver to do."""
    return (
        bool(config.tags)
        or any(s.derivation for s in config.signals)
        or any(m.alive for m in config.machines)
    )


def _machines(config: Config, totals: Mapping[str, float]) -> Iterable[_Machine]:
    """The machines with derived signals or a heartbeat, once for each of their sources."""
    by_key = {signal.key: signal for signal in (*config.signals, *config.tags)}
    for machine in config.machines:
        derived = [signal for signal in machine.signals if signal.derivation is not None]
        if not derived and machine.alive is None:
            continue
        for source in sorted({signal.source for signal in machine.signals}):
            yield _machine(machine, source, [s for s in derived if s.source == source], by_key, totals)


def _machine(
    machine: Machine,
    source: str,
    derived: list[Signal],
    by_key: dict[str, Signal],
    totals: Mapping[str, float],
) -> _Machine:
    found = []
    names: dict[int, str] = {}
    for signal in derived:
        if signal.derivation is not None:
            inputs = signal.derivation.inputs()
            names |= {by_key[f"{machine.id}.{name}"].index: name for name in inputs}
            memory = Memory(total=int(totals.get(signal.key, 0)))
            found.append(_Derived(signal.key, signal.index, signal.derivation, inputs, memory))
    heartbeat = by_key[f"{machine.id}.{machine.alive.tag}"] if machine.alive is not None else None
    beats = heartbeat is not None and heartbeat.source == source
    watched = machine.alive is not None and beats
    return _Machine(
        id=machine.id,
        source=source,
        names=names,
        derived=found,
        pulse=Pulse(machine.alive.within_us) if watched and machine.alive is not None else None,
        heartbeat=heartbeat.index if heartbeat is not None and beats else None,
        sent=frozenset(s.index for s in machine.signals if s.source == source) if watched else frozenset(),
    )


def _reading(index: int, outcome: Outcome) -> Reading:
    return Reading(index, outcome.time_us, outcome.value, outcome.quality, outcome.raw, None, outcome.why)


def _again(reading: Reading, now_us: int) -> Reading:
    return Reading(
        reading.signal,
        max(now_us, reading.time_us),
        reading.value,
        reading.quality,
        reading.raw,
        None,
        reading.why,
    )
