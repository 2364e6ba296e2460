"""From the text of a config to a Config, or to every mistake in it."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping as Words
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_agent.config.document import Tree, content, parse_document
from edge_agent.config.faults import Faults, did_you_mean
from edge_agent.config.files import Files
from edge_agent.config.model import Config, Machine, Place, Signal, Source
from edge_agent.config.section import INVALID, Section, read
from edge_agent.config.signals import Owner, SignalReader
from edge_agent.config.sources import build_source
from edge_agent.config.substitution import World, fill
from edge_agent.config.tables import BUFFER, ROOT
from edge_agent.config.uplink import build_agent, build_buffer, build_uplink
from edge_agent.errors import AgentError
from shared.roles import Role

_ONCE = frozenset(Role) - {Role.MEASURE, Role.ALARM, Role.MATERIAL}
_MAX_BYTES = 64 * 1024 * 1024


class InvalidConfig(AgentError):
    """A config was refused; ``faults`` has every mistake, one line each."""

    def __init__(self, file: str, faults: Faults) -> None:
        super().__init__("the config has mistakes", file, "mend what edge-agent check names")
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(self.faults.lines())


@dataclass(frozen=True, slots=True)
class Loaded:
    """config is None when there are mistakes; warnings do not refuse it."""

    config: Config | None
    faults: Faults


def load(
    path: Path,
    *,
    environment: Words[str, str] | None = None,
    hostname: str | None = None,
    files_needed: bool = False,
) -> Loaded:
    """Read and check one config.

    files_needed: a certificate or key that is not there refuses the config (to run it), instead of a warning
    (to check it on another machine). environment and hostname default to this process's. Never raises for
    what the file holds.
    """
    faults = Faults()
    file = str(path)
    text = _text(path, file, faults)
    tree = None if text is None else parse_document(text, file, faults)
    if text is None or tree is None:
        return Loaded(None, faults)
    world = World(
        os.environ if environment is None else environment,
        path.absolute().parent,
        socket.gethostname() if hostname is None else hostname,
    )
    config = _build(path, text, fill(tree, world, faults), Files(world.folder, faults, files_needed))
    return Loaded(None if faults else config, faults)


def load_valid(path: Path, *, files_needed: bool = True) -> Config:
    """The config; raises InvalidConfig."""
    loaded = load(path, files_needed=files_needed)
    if loaded.config is None:
        raise InvalidConfig(str(path), loaded.faults)
    return loaded.config


def _text(path: Path, file: str, faults: Faults) -> str | None:
    start = Place(file, 1, 1)
    try:
        if path.is_file() and path.stat().st_size > _MAX_BYTES:
            faults.add(start, "the file is larger than 64 MiB; split it")
            return None
        raw = path.read_bytes()
    except OSError as error:
        faults.add(start, f"the file cannot be read ({error.strerror}); check path and owner")
        return None
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        faults.add(Place(file, line, column), "this is not UTF-8 text; save the file as UTF-8")
        return None


def _build(path: Path, text: str, tree: Tree, files: Files) -> Config | None:
    faults = files.faults
    start = Place(str(path), 1, 1)
    root = read(ROOT, tree, path.name, start, faults)
    if root is INVALID:
        return None
    agent = _part(root, "agent", build_agent)
    uplink = _part(root, "uplink", lambda section: build_uplink(section, files))
    buffer = _part(root, "buffer", lambda section: build_buffer(section, files))
    if not root.written("buffer"):
        buffer = build_buffer(Section(BUFFER, start), files)
    sources = _sources(root, files)
    machines = _machines(root, sources, faults)
    if faults or agent is None or uplink is None or buffer is None:
        return None
    signals = _numbered(machines)
    return Config(
        file=path.absolute(),
        content_hash=hashlib.sha256(content(tree).encode("utf-8", "surrogatepass")).hexdigest()[:32],
        agent=agent,
        uplink=uplink,
        buffer=buffer,
        sources=tuple(sources[name] for name in sorted(sources)),
        machines=_with_signals(machines, signals),
        signals=signals,
    )


def _part(root: Section, name: str, build: Any) -> Any:
    """What ``build`` makes of a section; None where the section could not be read."""
    section = root.get(name)
    return build(section) if isinstance(section, Section) else None


def _sources(root: Section, files: Files) -> dict[str, Source]:
    """The sound sources, numbered by name."""
    found = {}
    for index, (name, (section, _)) in enumerate(sorted((root.get("sources") or {}).items())):
        if section is not INVALID:
            source = build_source(index, name, section, files)
            if source is not None:
                found[name] = source
    return found


def _machines(root: Section, sources: Words[str, Source], faults: Faults) -> list[Machine]:
    known = None
    if root.has("sources"):
        known = {name: place for name, (_, place) in root.get("sources").items()}
    machines = []
    for name, (section, place) in (root.get("machines") or {}).items():
        if section is not INVALID:
            machines.append(_machine(name, section, place, sources, known, faults))
    return machines


def _machine(
    name: str,
    section: Section,
    place: Place,
    sources: Words[str, Source],
    known: Words[str, Place] | None,
    faults: Faults,
) -> Machine:
    source = section.get("source")
    if source is not None and known is not None and source not in known:
        faults.add(
            section.at("source"), f"source: '{source}' is not configured; {did_you_mean(source, known)}"
        )
    owner = Owner(name, section.get("line") or "", source, section.get("unit"))
    signals = []
    entries = section.get("signals") or {}
    for signal_name, (signal_section, at) in entries.items():
        if signal_section is INVALID:
            continue
        if source is None and "source" in section.broken and not signal_section.written("source"):
            continue
        reader = SignalReader(signal_name, signal_section, at, owner, sources, known, faults)
        if (signal := reader.build()) is not None:
            signals.append(signal)
    _together(name, signals, faults)
    return Machine(id=name, line=owner.line, signals=tuple(signals), place=place)


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


def _numbered(machines: list[Machine]) -> tuple[Signal, ...]:
    """All signals, numbered by machine and name."""
    every = sorted((s for m in machines for s in m.signals), key=lambda s: (s.machine, s.name))
    return tuple(replace(signal, index=index) for index, signal in enumerate(every))


def _with_signals(machines: list[Machine], signals: tuple[Signal, ...]) -> tuple[Machine, ...]:
    by_machine: dict[str, list[Signal]] = {}
    for signal in signals:
        by_machine.setdefault(signal.machine, []).append(signal)
    return tuple(
        replace(machine, signals=tuple(by_machine.get(machine.id, ())))
        for machine in sorted(machines, key=lambda machine: machine.id)
    )
