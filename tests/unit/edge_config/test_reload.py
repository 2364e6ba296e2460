"""A new config touches only the sources that it changes; signals keep their meaning at whatever number."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.app.fleet import Fleet
from edge_agent.config.model import Config
from edge_agent.ports import Reading, Sink
from shared.control import SourceStatus
from tests.unit.edge_config.files import loaded

HEAD = 'agent: {id: a, site: b}\nuplink: {url: "mqtts://b"}\n'
SOURCES = """\
sources:
  one: {type: modbus-tcp, host: h1}
  two: {type: modbus-tcp, host: h2}
  three: {type: modbus-tcp, host: h2, unit: 3}
machines:
"""


@dataclass
class Recorded:
    """A sink by signal key."""

    config: Config
    told: list[tuple[str, object, bool]] = field(default_factory=list)

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        self.told += [(self.config.signals[r.signal].key, r.value, full) for r in readings]

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        self.told.append((source, from_us, False))

    def lost(self, source: str, since_us: int, reason: str) -> None:
        self.told.append((source, reason, False))


@dataclass
class Fake:
    """A source that says what the test tells it to; read gives the number of each signal as value."""

    name: str
    sink: Sink | None = None
    started: int = 0

    async def run(self, sink: Sink) -> None:
        self.sink = sink
        self.started += 1
        await asyncio.Event().wait()

    async def read(self, signals: Sequence[int]) -> list[Reading]:
        return [Reading(signal, 1, float(signal)) for signal in signals]

    async def close(self) -> None:
        return None

    def health(self) -> SourceStatus:
        return SourceStatus(self.name, 1, 1, True)


class Clock:
    def now_us(self) -> int:
        return 1

    def monotonic_s(self) -> float:
        return 1.0

    def trusted(self) -> bool:
        return True


def config(folder: Path, *machines: str, sources: str = SOURCES) -> Config:
    path = folder / "gw.yaml"
    path.write_text(HEAD + sources + "".join(f"  {machine}\n" for machine in machines), "utf-8")
    found = loaded(path)
    assert found.config is not None, found.faults.lines()
    return found.config


def machine(name: str, source: str, *signals: str) -> str:
    inner = ", ".join(f'{signal}: {{register: "holding:1", type: uint16}}' for signal in signals)
    return f"{name}: {{line: l, source: {source}, signals: {{{inner}}}}}"


async def test_only_what_changed_is_started_again(tmp_path: Path) -> None:
    made: list[Fake] = []

    def build(config: Config) -> list[Fake]:
        made.extend(Fake(source.name) for source in config.sources)
        return made[-len(config.sources) :]

    before = config(
        tmp_path, machine("m1", "one", "x", "y"), machine("m2", "two", "x"), machine("m3", "three", "x")
    )
    after = config(
        tmp_path,
        machine("a0", "two", "x"),
        machine("m1", "one", "x", "y"),
        machine("m2", "two", "x"),
        machine("m3", "three", "x"),
    )
    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(tasks, Clock(), build)
        old, new = Recorded(before), Recorded(after)
        assert fleet.use(before, old) == ["one", "three", "two"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first = {fake.name: fake for fake in made}
        # two changed; three shares its connection, so that it must start again with it; one goes on
        assert fleet.use(after, new) == ["three", "two"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        one = first["one"]
        assert [fake.started for fake in made if fake.name == "one"] == [1, 0]
        assert [fake.started for fake in made if fake.name == "two"] == [1, 1]
        assert one.sink is not None
        assert [signal.key for signal in before.signals_of("one")] == ["m1.x", "m1.y"]
        numbers = {signal.key: signal.index for signal in before.signals_of("one")}
        one.sink.readings("one", [Reading(numbers["m1.y"], 1, 7.0), Reading(numbers["m1.x"], 1, 8.0)])
        assert new.told == [("m1.y", 7.0, False), ("m1.x", 8.0, False)]
        assert old.told == []
        await fleet.read_again(["one"])
        assert new.told[2:] == [("m1.x", numbers["m1.x"], True), ("m1.y", numbers["m1.y"], True)]
        found = await fleet.read(["m1.y", "a0.x"])
        assert set(found) == {"m1.y", "a0.x"}
        assert found["m1.y"].value == numbers["m1.y"]
        assert [told.name for told in fleet.health()] == ["one", "three", "two"]
        await fleet.stop()


async def test_a_source_that_is_gone_ends(tmp_path: Path) -> None:
    before = config(tmp_path, machine("m1", "one", "x"), machine("m2", "two", "x"))
    after = config(
        tmp_path,
        machine("m1", "one", "x"),
        sources="sources: {one: {type: modbus-tcp, host: h1}}\nmachines:\n",
    )
    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(tasks, Clock(), lambda config: [Fake(source.name) for source in config.sources])
        fleet.use(before, Recorded(before))
        await asyncio.sleep(0)
        assert fleet.use(after, Recorded(after)) == ["three", "two"]
        assert fleet.names() == ["one"]
        await fleet.stop()
