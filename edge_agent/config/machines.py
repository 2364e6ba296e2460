"""Machines: their tags, heartbeat and signals together, and what a machine can have once only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge_agent.config.derivations import Inputs, build_derivation, is_derived, source_of
from edge_agent.config.faults import Faults, did_you_mean
from edge_agent.config.model import Alive, Machine, Place, Signal, Source
from edge_agent.config.section import INVALID, Section
from edge_agent.config.signals import Owner, SignalReader, derived_signal
from shared.roles import Role

HEARTBEAT = "(alive)"
"""Name of the tag that a heartbeat is read as; no name that a file can give."""
_ONCE = frozenset(Role) - {Role.MEASURE, Role.ALARM, Role.MATERIAL}


@dataclass(frozen=True, slots=True)
class Built:
    """A machine, and the tags that are read for it and not sent; nothing is numbered yet."""

    machine: Machine
    signals: tuple[Signal, ...]
    tags: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Yard:
    """sources: the sound ones. known: all names that the file gives to sources; None where it has none to
    read.
    """

    sources: Mapping[str, Source]
    known: Mapping[str, Place] | None
    faults: Faults


def build_machines(root: Section, sources: Mapping[str, Source], faults: Faults) -> list[Built]:
    """Every machine that can be read, its mistakes told."""
    known = None
    if root.has("sources") and not root.unsure:
        known = {name: place for name, (_, place) in root.get("sources").items()}
    yard = Yard(sources, known, faults)
    return [
        _machine(name, section, place, yard)
        for name, (section, place) in (root.get("machines") or {}).items()
        if section is not INVALID
    ]


def _machine(name: str, section: Section, place: Place, yard: Yard) -> Built:
    source = section.get("source")
    if source is not None and yard.known is not None and source not in yard.known:
        message = f"source: '{source}' is not configured; {did_you_mean(source, yard.known)}"
        yard.faults.add_alike(f"source {source}", section.at("source"), message)
    owner = Owner(name, section.get("line") or "", source, section.get("unit"))
    hidden = source is None and (section.unsure or "source" in section.broken)
    if source is None and not hidden:
        hidden = _without_source(name, section, place, yard.faults)
    tags = _read(section.get("tags"), owner, yard, hidden=hidden, tag=True)
    entries = section.get("signals") or {}
    plain = {n: e for n, e in entries.items() if e[0] is not INVALID and not is_derived(e[0])}
    signals = _read(plain, owner, yard, hidden=hidden, tag=False)
    _no_name_twice(section, yard.faults)
    inputs = {signal.name: signal.source for signal in (*tags, *signals)}
    for entry, (written, at) in entries.items():
        if written is not INVALID and is_derived(written):
            signal = _derived(entry, written, at, owner, inputs, section, yard)
            signals += [signal] if signal is not None else []
    alive, heartbeat = _alive(section, owner, yard)
    sent = [tag for tag in tags if section.get("tags")[tag.name][0].get("send")]
    unsent = [tag for tag in tags if tag not in sent] + heartbeat
    _together(name, signals, yard.faults)
    machine = Machine(id=name, line=owner.line, signals=(), alive=alive, place=place)
    return Built(machine, (*signals, *sent), tuple(unsent))


def _without_source(name: str, section: Section, place: Place, faults: Faults) -> bool:
    """Whether signals need the machine's source where it has none: told once, at the machine."""
    entries = {**(section.get("tags") or {}), **(section.get("signals") or {})}
    bare = [
        entry
        for entry, (written, _) in entries.items()
        if written is not INVALID and not is_derived(written) and not written.written("source")
    ]
    if bare:
        shown = ", ".join(bare[:3]) + (", ..." if len(bare) > 3 else "")
        message = f"machine '{name}' has no source, nor have its signals ({shown})"
        faults.add(place, f"{message}; add source: NAME to the machine")
    return bool(bare)


def _read(
    entries: Mapping[str, tuple[Section, Place]] | None, owner: Owner, yard: Yard, *, hidden: bool, tag: bool
) -> list[Signal]:
    """Signals or tags that are read from a source; hidden: the machine's source itself was a mistake."""
    found = []
    for name, (section, at) in (entries or {}).items():
        if section is INVALID or (hidden and not section.written("source")):
            continue
        reader = SignalReader(name, section, at, owner, yard.sources, yard.known, yard.faults, tag=tag)
        if (signal := reader.build()) is not None:
            found.append(signal)
    return found


def _derived(
    name: str, written: Section, at: Place, owner: Owner, inputs: dict[str, str], section: Section, yard: Yard
) -> Signal | None:
    reader = SignalReader(name, written, at, owner, yard.sources, yard.known, yard.faults)
    role = reader.role()
    names = inputs | _unread(section, inputs)
    sure = not section.unsure and "tags" not in section.broken
    derivation = build_derivation(written, role, Inputs(names, sure), yard.faults)
    if derivation is None:
        return None
    source = source_of(derivation, written, inputs, yard.faults)
    if source is None:
        return None
    return derived_signal(reader, role, derivation, source)


def _unread(section: Section, inputs: dict[str, str]) -> dict[str, str]:
    """Tags that are written and could not be read: their mistakes are told, their names are known."""
    every = [*(section.get("tags") or {}), *(section.get("signals") or {})]
    derived = {
        n for n, (s, _) in (section.get("signals") or {}).items() if s is not INVALID and is_derived(s)
    }
    return {name: "" for name in every if name not in inputs and name not in derived}


def _no_name_twice(section: Section, faults: Faults) -> None:
    signals = section.get("signals") or {}
    for name, (_, at) in (section.get("tags") or {}).items():
        if name in signals:
            line = signals[name][1].line
            faults.add(at, f"tag '{name}' has the name of the signal in line {line}; rename one of them")


def _alive(section: Section, owner: Owner, yard: Yard) -> tuple[Alive | None, list[Signal]]:
    """The heartbeat and the tag that it is read as."""
    written = section.get("alive")
    if not isinstance(written, Section) or not written.has("within"):
        return None, []
    reader = SignalReader(
        HEARTBEAT, written, written.place, owner, yard.sources, yard.known, yard.faults, tag=True
    )
    signal = reader.build(default_type="uint16")
    if signal is None:
        return None, []
    return Alive(tag=HEARTBEAT, within_us=written.get("within")), [signal]


def _together(machine: str, signals: list[Signal], faults: Faults) -> None:
    """What a machine can have once only."""
    seen: dict[tuple[Role, str | None], Signal] = {}
    for signal in signals:
        key = (signal.role, signal.item)
        if signal.role in _ONCE or signal.role is Role.MATERIAL:
            if (first := seen.get(key)) is not None:
                what = f"{signal.role} {signal.item}" if signal.item else signal.role
                message = f"machine '{machine}' has two signals with the role {what}, the other in line"
                faults.add(signal.place, f"{message} {first.place.line}; keep one, or give one role: measure")
            else:
                seen[key] = signal
    good = seen.get((Role.GOOD_COUNT, None))
    total = seen.get((Role.TOTAL_COUNT, None))
    if good is not None and total is not None:
        later = max(good, total, key=lambda signal: signal.place)
        message = f"machine '{machine}' has good_count and total_count; keep one of them"
        faults.add(later.place, f"{message} (good = total - scrap)")
