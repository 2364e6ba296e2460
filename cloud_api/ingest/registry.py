"""Numbers that the database gives to names: agents, machines, sources, series. Kept once committed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from cloud_api.store.statements import statement
from shared import dictionary as wire
from shared.dictionary import Dictionary, SignalEntry

MOST_KEPT = 2_000
_DECLARED = ("fall", "rollover", "width", "signed", "scale", "offset", "raw", "map")


@dataclass(frozen=True, slots=True)
class Registered:
    """What the indexes of a dictionary are in the database, for one agent.

    series, machines: ids by index of signal. sources: ids by index of source. watched: machines by index of
    source.
    """

    series: NDArray[np.int64]
    machines: NDArray[np.int64]
    sources: list[int]
    watched: list[list[int]]


@dataclass
class Registry:
    """Names that this process has seen registered. Forgets all when the database may be another one."""

    agents: dict[tuple[str, str], int] = field(default_factory=dict)
    known: dict[tuple[int, bytes], Registered] = field(default_factory=dict)

    def forget(self) -> None:
        """After the database went away: it may come back restored from a copy."""
        self.agents.clear()
        self.known.clear()

    def agent_ids(
        self, connection: Connection[TupleRow], names: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], int]:
        """Ids of agents by (site, agent), rows made where they lack. Commits."""
        wanted = sorted(set(names))
        missing = [name for name in wanted if name not in self.agents]
        if missing:
            sites, agents = [site for site, _ in missing], [agent for _, agent in missing]
            connection.execute(statement("agents.add_sites"), {"sites": sites})
            connection.execute(statement("agents.add"), {"sites": sites, "agents": agents})
            rows = connection.execute(statement("agents.ids"), {"sites": sites, "agents": agents}).fetchall()
            connection.commit()
            self.agents |= {(site, agent): agent_id for site, agent, agent_id in rows}
        return {name: self.agents[name] for name in wanted}

    def registered(
        self, connection: Connection[TupleRow], site: str, agent_id: int, content_hash: bytes
    ) -> Registered | None:
        """What a dictionary means for an agent, or None for one that the database lacks. Commits."""
        key = agent_id, content_hash
        if key not in self.known:
            row = connection.execute(statement("series.dictionary"), {"dictionary": content_hash}).fetchone()
            if row is None:
                return None
            dictionary = wire.unpack(bytes(row[0]))[1]
            registered = register(connection, site, agent_id, dictionary)
            connection.commit()
            while len(self.known) >= MOST_KEPT:
                del self.known[next(iter(self.known))]
            self.known[key] = registered
        return self.known[key]


def keep(connection: Connection[TupleRow], content_hash: bytes, packed: bytes) -> None:
    """Keeps the bytes of a dictionary under its hash. Commits."""
    connection.execute(statement("series.keep_dictionary"), {"dictionary": content_hash, "packed": packed})
    connection.commit()


def register(
    connection: Connection[TupleRow], site: str, agent_id: int, dictionary: Dictionary
) -> Registered:
    """Rows for the machines, sources and series of a dictionary, made where they lack."""
    machines = _machines(connection, site, dictionary.signals)
    sources = _sources(connection, agent_id, dictionary)
    series = _series(connection, machines, sources, dictionary.signals)
    machine_ids = [machines[signal.machine] for signal in dictionary.signals]
    watched: list[set[int]] = [set() for _ in sources]
    for signal, machine_id in zip(dictionary.signals, machine_ids, strict=True):
        watched[signal.source].add(machine_id)
    return Registered(
        np.array(series, np.int64),
        np.array(machine_ids, np.int64),
        sources,
        [sorted(each) for each in watched],
    )


def _machines(connection: Connection[TupleRow], site: str, signals: list[SignalEntry]) -> dict[str, int]:
    lines: dict[str, str | None] = {}
    for signal in signals:
        lines[signal.machine] = lines.get(signal.machine) or signal.line
    names = sorted(lines)
    told = {"site": site, "machines": names, "lines": [lines[name] for name in names]}
    connection.execute(statement("agents.add_sites"), {"sites": [site]})
    connection.execute(statement("series.add_machines"), told)
    rows = connection.execute(statement("series.machines"), {"site": site, "machines": names}).fetchall()
    return {machine: machine_id for machine, machine_id in rows}  # noqa: C416  rows are tuples of any length


def _sources(connection: Connection[TupleRow], agent_id: int, dictionary: Dictionary) -> list[int]:
    names = [source.name for source in dictionary.sources]
    connection.execute(
        statement("series.add_sources"),
        {"agent": agent_id, "sources": names, "kinds": [source.type for source in dictionary.sources]},
    )
    rows = connection.execute(statement("series.sources"), {"agent": agent_id}).fetchall()
    ids = {source: source_id for source, source_id in rows}  # noqa: C416
    return [ids[name] for name in names]


def _series(
    connection: Connection[TupleRow],
    machines: Mapping[str, int],
    sources: list[int],
    signals: list[SignalEntry],
) -> list[int]:
    wanted = [_description(machines[signal.machine], sources[signal.source], signal) for signal in signals]
    ids = _known_series(connection, machines.values())
    missing = sorted({key for key in wanted if key not in ids}, key=repr)
    if missing:
        columns: list[list[Any]] = [list(column) for column in zip(*missing, strict=True)]
        names = ("machines", "sources", "signals", "roles", "items", "units", "declared")
        columns[-1] = [Jsonb(json.loads(declared)) for declared in columns[-1]]
        connection.execute(statement("series.add"), dict(zip(names, columns, strict=True)))
        ids = _known_series(connection, machines.values())
    return [ids[key] for key in wanted]


def _known_series(connection: Connection[TupleRow], machines: Iterable[int]) -> dict[tuple[Any, ...], int]:
    rows = connection.execute(statement("series.of_machines"), {"machines": sorted(machines)}).fetchall()
    return {(*description, _canonical(declared)): series_id for series_id, *description, declared in rows}


def _description(machine_id: int, source_id: int, signal: SignalEntry) -> tuple[Any, ...]:
    said = msgspec.to_builtins(signal)
    declared = _canonical({name: said[name] for name in _DECLARED if name in said})
    return machine_id, source_id, signal.signal, str(signal.role), signal.item, signal.unit, declared


def _canonical(declared: Mapping[str, Any]) -> str:
    return json.dumps(declared, sort_keys=True)
