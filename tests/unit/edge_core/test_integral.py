"""A power meter as an energy counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge_agent.config.dictionary import build_dictionary
from edge_agent.core.integral import Integral
from edge_agent.loops.integrate import Integrator
from edge_agent.ports import Reading
from shared.roles import Fall
from shared.sample import Quality
from tests.unit.edge_config.files import FRAME, loaded

HOUR = 3_600_000_000


@dataclass
class Kept:
    told: list[tuple[int, object, Quality]] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        self.told += [(r.time_us, r.value, r.quality) for r in readings]

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        self.other.append("scanned")

    def lost(self, source: str, since_us: int, reason: str) -> None:
        self.other.append("lost")


def test_each_value_holds_until_the_next() -> None:
    total = Integral().take(10.0, 0).take(20.0, HOUR).take(None, 2 * HOUR).take(5.0, 5 * HOUR).until(6 * HOUR)
    assert total.kwh == pytest.approx(10 + 20 + 5)
    assert total.until(0) == total


def test_power_becomes_a_counter(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(
        FRAME + '      energy: {register: "holding:1", type: float32, unit: W, integrate: true}\n'
        '      speed: {register: "holding:3", type: uint16}\n'
    )
    config = loaded(path).config
    assert config is not None
    power, speed = config.signals
    assert power.meaning.apply(1500).value == 1.5
    entry = build_dictionary(config).signals[0]
    assert (entry.unit, entry.fall, entry.scale, entry.raw, entry.width) == (
        "kWh",
        Fall.RESET,
        1.0,
        False,
        None,
    )
    kept = Kept()
    sink = Integrator(kept, [power])
    sink.readings("plc", [Reading(power.index, HOUR, 2.0), Reading(speed.index, HOUR, 7.0)])
    sink.scanned("plc", HOUR, 2 * HOUR)
    sink.readings("plc", [Reading(power.index, 3 * HOUR, 4.0)])
    sink.lost("plc", 4 * HOUR, "no answer")
    sink.readings("plc", [Reading(power.index, 9 * HOUR, 1.0)])
    sink.readings("plc", [Reading(power.index, 10 * HOUR, None, Quality.BAD)])
    sink.scanned("plc", 9 * HOUR, 12 * HOUR)
    assert kept.told == [
        (HOUR, 0.0, Quality.GOOD),
        (HOUR, 7.0, Quality.GOOD),
        (2 * HOUR, pytest.approx(2.0), Quality.GOOD),
        (3 * HOUR, pytest.approx(4.0), Quality.GOOD),
        (9 * HOUR, pytest.approx(8.0), Quality.GOOD),
        (10 * HOUR, None, Quality.BAD),
    ]
    assert kept.other == ["scanned", "lost", "scanned"]
