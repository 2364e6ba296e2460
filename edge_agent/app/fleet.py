"""The sources that run, and how a new config touches only those that it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from edge_agent.config.model import Config, ModbusRtuSource, OpcUaSource, Signal
from edge_agent.config.model import Source as SourceSettings
from edge_agent.errors import AgentError
from edge_agent.loops.poll import run_sources
from edge_agent.ports import Clock, Reading, Sink, Source
from shared.control import SourceStatus

_log = logging.getLogger(__name__)

Build = Callable[[Config], Sequence[Source]]


class Renumbered:
    """A sink for one source: its signals keep the numbers of the config that it was started with.

    numbers: number then to number now; what is not in it is not wanted any more. losses: how often the source
    was lost.
    """

    def __init__(self, target: Sink) -> None:
        self.target = target
        self.numbers: dict[int, int] | None = None
        self.losses = 0
        self._lost = False

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        numbers, self._lost = self.numbers, False
        if numbers is not None:
            readings = [
                replace(reading, signal=numbers[reading.signal])
                for reading in readings
                if reading.signal in numbers
            ]
        self.target.readings(source, readings, full=full)

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        self.target.scanned(source, from_us, to_us)

    def lost(self, source: str, since_us: int, reason: str) -> None:
        self.losses += not self._lost
        self._lost = True
        self.target.lost(source, since_us, reason)


@dataclass(slots=True)
class _Running:
    """One source; signals as they were numbered when it was started, by key."""

    settings: SourceSettings
    source: Source
    sink: Renumbered
    task: asyncio.Task[None]
    signals: dict[str, Signal] = field(default_factory=dict)


class Fleet:
    """Runs each source in a task of its own. build makes the sources of a config, and touches no network."""

    def __init__(self, tasks: asyncio.TaskGroup, clock: Clock, build: Build) -> None:
        self._tasks, self._clock, self._build = tasks, clock, build
        self._running: dict[str, _Running] = {}

    def use(self, config: Config, sink: Sink) -> list[str]:
        """Run the sources of a config; those that it leaves as they are go on. Returns the names of those it
        touched.
        """
        built = {source.name: source for source in self._build(config)}
        kept = self._unchanged(config)
        touched = sorted(set(built) - kept | set(self._running) - kept)
        for name in [name for name in self._running if name not in kept]:
            self._running.pop(name).task.cancel()
        for settings in config.sources:
            signals = {signal.key: signal for signal in config.signals_of(settings.name)}
            if settings.name in kept:
                running = self._running[settings.name]
                numbers = {old.index: signals[key].index for key, old in running.signals.items()}
                running.sink.target, running.sink.numbers = sink, numbers
            else:
                self._start(settings, built[settings.name], signals, sink)
        return touched

    def _unchanged(self, config: Config) -> set[str]:
        """Sources of which nothing changed, nor of any other on the same connection."""
        same = set()
        changed_places = set()
        for settings in config.sources:
            running = self._running.get(settings.name)
            signals = {signal.key: signal for signal in config.signals_of(settings.name)}
            if running is not None and (running.settings, running.signals) == (settings, signals):
                same.add(settings.name)
            else:
                changed_places |= {place_of(settings)} | ({place_of(running.settings)} if running else set())
        gone = set(self._running) - {settings.name for settings in config.sources}
        changed_places |= {place_of(self._running[name].settings) for name in gone}
        return {name for name in same if place_of(self._running[name].settings) not in changed_places}

    def _start(
        self, settings: SourceSettings, source: Source, signals: dict[str, Signal], sink: Sink
    ) -> None:
        own = Renumbered(sink)
        runs = run_sources([source], own, self._clock)
        task = self._tasks.create_task(runs, name=f"source {settings.name}")
        self._running[settings.name] = _Running(settings, source, own, task, signals)

    async def read_again(self, names: Sequence[str]) -> None:
        """A full read of sources that went on: the new recorder knows nothing of them yet."""
        for name in names:
            if (running := self._running.get(name)) is not None:
                indexes = [signal.index for signal in running.signals.values()]
                try:
                    readings = await running.source.read(indexes)
                except Exception:
                    _log.exception(
                        "%s: fault in the agent's own code: its values follow as they change", name
                    )
                else:
                    running.sink.readings(name, readings, full=True)

    async def read(self, keys: Sequence[str]) -> dict[str, Reading]:
        """Read these signals now (all, if none is named); raises KeyError for one that is not configured."""
        known = {key: running for running in self._running.values() for key in running.signals}
        wanted: dict[str, list[str]] = {}
        for key in keys or known:
            wanted.setdefault(known[key].settings.name, []).append(key)
        found = await asyncio.gather(*(self._read(name, mine) for name, mine in wanted.items()))
        return {key: reading for part in found for key, reading in part.items()}

    async def _read(self, name: str, keys: Sequence[str]) -> dict[str, Reading]:
        running = self._running[name]
        by_index = {running.signals[key].index: key for key in keys}
        return {by_index[r.signal]: r for r in await running.source.read(list(by_index))}

    def source(self, name: str) -> Source:
        """A source that runs. Raises AgentError."""
        if name not in self._running:
            mend = "reload it: kill -HUP the agent, or restart it"
            raise AgentError("a source that the running agent does not know", name, mend)
        return self._running[name].source

    def names(self) -> list[str]:
        """Of all sources, sorted."""
        return sorted(self._running)

    def health(self) -> list[SourceStatus]:
        """Of every source, by name."""
        return [self._running[name].source.health() for name in self.names()]

    def losses(self) -> dict[str, int]:
        """How often each source was lost since it was started."""
        return {name: running.sink.losses for name, running in sorted(self._running.items())}

    async def stop(self) -> None:
        """End every source; what it has seen so far is with the recorder."""
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()


def place_of(settings: SourceSettings) -> str:
    """What sources share a connection by: host and port, or device."""
    if isinstance(settings, ModbusRtuSource):
        return settings.device
    if isinstance(settings, OpcUaSource):
        return f"opcua {settings.name}"
    return f"{settings.host}:{settings.port}"
