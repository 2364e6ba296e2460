"""From the text of a config to a Config, or to every mistake in it."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping as Words
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_agent.config.document import Mapping, Tree, content, parse_document
from edge_agent.config.faults import Faults, closest
from edge_agent.config.files import Files
from edge_agent.config.machines import Built, build_machines
from edge_agent.config.maps import MapFiles
from edge_agent.config.model import Config, Machine, Place, Signal, Source
from edge_agent.config.parts import put_together
from edge_agent.config.section import INVALID, Section, read
from edge_agent.config.sources import build_source
from edge_agent.config.substitution import World, fill
from edge_agent.config.tables import BUFFER, ROOT
from edge_agent.config.types import read_types
from edge_agent.config.uplink import build_agent, build_buffer, build_metrics, build_uplink
from edge_agent.errors import AgentError

_MAX_BYTES = 64 * 1024 * 1024
_SECTIONS = frozenset(field.name for field in ROOT.fields)


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
    folder: Path | None = None,
) -> Loaded:
    """Read and check one config.

    files_needed: a certificate or key that is not there refuses the config (to run it), instead of a warning
    (to check it on another machine). environment and hostname default to this process's; folder, where
    the paths in the file start from, to the file's own. Never raises for what the file holds.
    """
    faults = Faults()
    file = str(path)
    text = _text(path, file, faults)
    tree = None if text is None else parse_document(text, file, faults)
    if text is None or tree is None:
        return Loaded(None, faults)
    world = World(
        os.environ if environment is None else environment,
        (path.parent if folder is None else folder).absolute(),
        socket.gethostname() if hostname is None else hostname,
    )
    whole = _whole(_as_meant(tree, path.name, faults), world, faults) if isinstance(tree, Mapping) else tree
    config = _build(path, whole, Files(world.folder, faults, files_needed))
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


def _as_meant(tree: Mapping, name: str, faults: Faults) -> Mapping:
    """The tree with misspelt names of sections told and read as meant, so that no other mistake follows."""
    taken = {key.text for key in tree.keys}
    keys = []
    for key in tree.keys:
        missing = [field.name for field in ROOT.fields if field.name not in taken]
        near = None if key.text in _SECTIONS else closest(key.text, missing)
        if near is not None:
            message = f"unknown key '{key.text}' in {ROOT.title} '{name}'; did you mean '{near}'?"
            faults.add(key.place, message)
            taken.add(near)
        keys.append(key if near is None else replace(key, text=near))
    return replace(tree, keys=tuple(keys))


def _whole(tree: Mapping, world: World, faults: Faults) -> Mapping:
    """One tree, without include, types and instances: files put together, values filled in, machines made."""
    together = put_together(tree, world, faults)
    parts = {key.text: (key, value) for key, value in together.items()}
    written_types = parts.pop("types", None)
    strange = {name: parts.pop(name) for name in [*parts] if name not in _SECTIONS}
    parts = {name: (key, fill(value, world, faults)) for name, (key, value) in parts.items()} | strange
    types = read_types(written_types[1] if written_types else None, world, faults, unsure=bool(strange))
    key = parts["machines"][0] if "machines" in parts else parts.get("instances", (None,))[0]
    machines = parts["machines"][1] if "machines" in parts else None
    instances = parts.pop("instances", None)
    expanded = types.expanded(machines, instances[1] if instances else None)
    if expanded is not None and key is not None:
        maps = MapFiles(world.folder, faults)
        parts["machines"] = (replace(key, text="machines"), maps.read(expanded))
    for name in sorted(types.known.keys() - types.used):
        faults.warn(types.known[name].place, f"type '{name}': no machine is made from it")
    return Mapping(tree.place, tuple(k for k, _ in parts.values()), tuple(v for _, v in parts.values()))


def _build(path: Path, tree: Tree, files: Files) -> Config | None:
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
    machines = build_machines(root, sources, faults)
    if faults or agent is None or uplink is None or buffer is None:
        return None
    signals = _numbered([s for m in machines for s in m.signals], 0)
    tags = _numbered([t for m in machines for t in m.tags], len(signals))
    return Config(
        file=path.absolute(),
        content_hash=hashlib.sha256(content(tree).encode("utf-8", "surrogatepass")).hexdigest()[:32],
        agent=agent,
        uplink=uplink,
        buffer=buffer,
        sources=tuple(sources[name] for name in sorted(sources)),
        machines=_with_signals(machines, signals),
        signals=signals,
        tags=tags,
        metrics=_part(root, "metrics", build_metrics),
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


def _numbered(signals: list[Signal], first: int) -> tuple[Signal, ...]:
    """Numbered from ``first`` on, by machine and name."""
    every = sorted(signals, key=lambda signal: (signal.machine, signal.name))
    return tuple(replace(signal, index=index) for index, signal in enumerate(every, first))


def _with_signals(machines: list[Built], signals: tuple[Signal, ...]) -> tuple[Machine, ...]:
    by_machine: dict[str, list[Signal]] = {}
    for signal in signals:
        by_machine.setdefault(signal.machine, []).append(signal)
    return tuple(
        replace(built.machine, signals=tuple(by_machine.get(built.machine.id, ())))
        for built in sorted(machines, key=lambda built: built.machine.id)
    )
