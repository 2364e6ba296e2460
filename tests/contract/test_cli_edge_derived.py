"""What is derived from tags reaches the durable buffer, and a heartbeat that stands still makes it bad."""

from __future__ import annotations

from pathlib import Path

from edge_agent.app.agent import Agent
from shared.batch import samples_of
from shared.codec import unpack
from shared.sample import Quality, Sample
from tests.contract.test_cli_edge_rollback import serving, until
from tests.contract.test_cli_edge_run import DERIVED, config_text
from tests.integration.edge_sources.device import Device, device


def stored(agent: Agent, key: str) -> list[Sample]:
    """The samples of a signal that are on disk."""
    (index,) = (signal.index for signal in agent.config.signals if signal.key == key)
    state = agent.buffer.state()
    return [
        sample
        for batch in agent.buffer.wanted(state.stream, 1, state.committed)
        for sample in samples_of(unpack(batch.message)[1])
        if sample.signal == index
    ]


async def test_derived_signals_and_their_heartbeat(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    async with device() as plc:
        assert isinstance(plc, Device)
        path.write_text(config_text(plc.port, more=DERIVED), "utf-8")
        plc.registers[300], plc.registers[301] = 1, 1
        async with serving(path, 5) as (agent, _):
            await until(lambda: stored(agent, "press-2.state"))
            first = stored(agent, "press-2.state")[0]
            assert (first.value, first.quality, first.raw) == ("running", Quality.GOOD, "fault=0 run=1")
            await until(lambda: stored(agent, "press-2.state")[-1].quality is Quality.BAD)
            *before, bad = stored(agent, "press-2.state")
            begun = [sample.time_us for sample in before if sample.value == "running"]
            assert any(abs(bad.time_us - at_us) < 500_000 for at_us in begun), "bad since its last change"
            assert stored(agent, "press-1.state")[-1].quality is Quality.GOOD
            plc.registers[300], plc.registers[302] = 2, 1
            await until(lambda: stored(agent, "press-2.state")[-1].value == "down")
            await until(lambda: stored(agent, "press-2.reason")[-1].value == "guard open")
            assert {sample.signal for sample in stored(agent, "press-2.reason")} < {
                signal.index for signal in agent.config.signals
            }


PULSES = (
    "    tags:\n"
    '      eject: {register: "holding:310", type: uint16}\n'
    "    signals:\n"
    "      scrap_count: {count: rising, of: eject}\n"
)


async def pulses(agent: Agent, plc: Device, count: int) -> float:
    """So many pulses, each of them seen; the total on disk after them."""
    before = agent.totals["press-3.scrap_count"]
    index = next(s.index for s in agent.config.signals if s.key == "press-3.scrap_count")
    for n in range(1, count + 1):
        plc.registers[310], high_us = 0, agent.recorder.seen_us()[index]
        await until(lambda: agent.recorder.seen_us()[index] > high_us + 200_000)  # noqa: B023
        plc.registers[310] = 1
        await until(lambda: agent.totals["press-3.scrap_count"] == before + n)  # noqa: B023
    await until(lambda: stored(agent, "press-3.scrap_count")[-1].value == before + count)
    return before + count


async def test_a_count_of_pulses_goes_on_over_a_restart_and_a_reload(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    press = "  press-3:\n    line: stamping\n    source: plc\n" + PULSES
    async with device() as plc:
        assert isinstance(plc, Device)
        path.write_text(config_text(plc.port, more=press), "utf-8")
        async with serving(path, 5) as (agent, _):
            await until(lambda: stored(agent, "press-3.scrap_count"))
            assert stored(agent, "press-3.scrap_count")[0].value == 0
            assert await pulses(agent, plc, 3) == 3
        plc.registers[310] = 0
        async with serving(path, 5) as (agent, reload):
            await until(lambda: stored(agent, "press-3.scrap_count"))
            assert {sample.value for sample in stored(agent, "press-3.scrap_count")} == {3.0}
            assert await pulses(agent, plc, 2) == 5
            path.write_text(config_text(plc.port, more=press + '      z: {register: "holding:9", bit: 1}\n'))
            reload.set()
            await until(lambda: len(agent.config.signals) > 3)
            await until(lambda: len(agent.recorder.seen_us()) == len(agent.config.signals))
            assert await pulses(agent, plc, 1) == 6
