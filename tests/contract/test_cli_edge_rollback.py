"""A reload that loses a source that was live is taken back; one that finds a dead source dead is not."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from edge_agent.app.agent import Agent
from edge_agent.app.service import Reloading
from edge_agent.config.load import load_valid
from shared.batch import samples_of
from shared.codec import unpack
from shared.dictionary import unpack as unpack_dictionary
from tests.contract.test_cli_edge_run import config_text
from tests.integration.edge_sources.device import Device, device


async def until(holds: Callable[[], object], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def serving(path: Path, prove_s: float) -> AsyncIterator[tuple[Agent, asyncio.Event]]:
    """An agent that runs, and the event that makes it reload."""
    stop, reload = asyncio.Event(), asyncio.Event()
    agent = Agent(load_valid(path))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(agent.run(stop))
        watching = tasks.create_task(Reloading(agent, path, prove_s).watch(reload))
        try:
            yield agent, reload
        finally:
            stop.set()
            watching.cancel()


def live(agent: Agent) -> bool:
    return agent.fleet is not None and all(told.live for told in agent.fleet.health())


async def test_a_reload_that_loses_a_live_source_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    async with device() as plc:
        assert isinstance(plc, Device)
        path.write_text(config_text(plc.port), "utf-8")
        async with serving(path, 0.6) as (agent, reload):
            await until(lambda: live(agent))
            before = agent.config
            path.write_text(config_text(9), "utf-8")
            reload.set()
            await until((tmp_path / "gw.yaml.rejected").exists)
            refused = (tmp_path / "gw.yaml.rejected").read_text("utf-8")
            assert "not live 1 s after the reload: plc" in refused
            assert "port: 9," in refused
            assert agent.config == before
            await until(lambda: live(agent))
            assert not (tmp_path / "gw.yaml.good").exists()


async def test_a_source_that_was_down_before_never_counts(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(config_text(9), "utf-8")
    async with serving(path, 0.2) as (agent, reload):
        await until(lambda: agent.fleet is not None)
        path.write_text(config_text(11), "utf-8")
        reload.set()
        await until((tmp_path / "gw.yaml.good").exists)
        assert agent.config.sources[0].port == 11  # type: ignore[union-attr]
        assert not (tmp_path / "gw.yaml.rejected").exists()


async def test_samples_of_a_reload_keep_their_dictionary(tmp_path: Path) -> None:
    """What was read before the reload is kept under the old dictionary, what is read after under the new."""
    path = tmp_path / "gw.yaml"
    async with device() as plc:
        assert isinstance(plc, Device)
        plc.registers[100], plc.registers[102], plc.registers[300] = 1, 5, 77
        path.write_text(config_text(plc.port), "utf-8")
        async with serving(path, 5) as (agent, reload):
            await until(lambda: live(agent))
            more = '      a: {register: "holding:300", type: uint16}\n'
            path.write_text(config_text(plc.port, more=more), "utf-8")
            reload.set()
            await until(lambda: len(agent.config.signals) == 3)
            await until(lambda: live(agent))
            seen = agent.buffer.state().committed
            await until(lambda: agent.buffer.state().committed > seen)
            values: dict[str, set[object]] = {}
            for stored in agent.buffer.wanted(agent.buffer.state().stream, 1, agent.buffer.state().committed):
                _, batch = unpack(stored.message)
                message = agent.buffer.dictionary(batch.dictionary)
                assert message is not None
                signals = unpack_dictionary(message)[1].signals
                for sample in samples_of(batch):
                    values.setdefault(signals[sample.signal].signal, set()).add(sample.value)
    assert values == {"state": {"running"}, "good_count": {5.0}, "a": {77.0}}
