"""States by rules, reasons by the first bit, counts by edges, and machines that are dead behind a gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge_agent.config.model import Config
from edge_agent.core.derive import FirstBit, Known, Memory, Pulse, Rising, Rule, Rules, settle, step
from edge_agent.core.expression import parse_expression
from edge_agent.loops.derive import Deriver
from edge_agent.ports import Reading
from shared.sample import Quality, Value
from tests.unit.edge_config.files import loaded

S = 1_000_000
GOOD, BAD = Quality.GOOD, Quality.BAD
RULES = Rules(
    (
        Rule(parse_expression("fault != 0"), "down"),
        Rule(parse_expression("run and speed > 0.5"), "running"),
        Rule(parse_expression("run"), "waiting"),
        Rule(None, "idle"),
    )
)


def known(**values: Value | None) -> dict[str, Known]:
    return {name: Known(value, BAD if value is None else GOOD) for name, value in values.items()}


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"fault": 0.0, "run": 1.0, "speed": 0.6}, "running"),
        ({"fault": 0.0, "run": 1.0, "speed": 0.5}, "waiting"),
        ({"fault": 0.0, "run": 0.0, "speed": None}, "idle"),
        ({"fault": 7.0, "run": None, "speed": None}, "down"),
        ({"fault": None, "run": 1.0, "speed": 0.6}, None),
        ({"fault": 0.0, "run": 1.0, "speed": None}, None),
    ],
)
def test_the_first_rule_that_holds(values: dict[str, Value | None], word: str | None) -> None:
    _, outcome = step(RULES, Memory(), known(**values), 5)
    assert outcome is not None
    assert (outcome.value, outcome.time_us) == (word, 5)
    assert outcome.quality is (BAD if word is None else GOOD)


def test_uncertain_inputs_make_an_uncertain_state() -> None:
    tags = known(fault=0.0, run=0.0, speed=1.0) | {"run": Known(0.0, Quality.UNCERTAIN)}
    _, outcome = step(RULES, Memory(), tags, 5)
    assert outcome is not None
    assert outcome.quality is Quality.UNCERTAIN
    assert outcome.raw == "fault=0 run=0 speed=1"


def test_a_flicker_is_not_told_and_a_change_is_dated_at_its_begin() -> None:
    rules = Rules((Rule(parse_expression("run"), "running"), Rule(None, "idle")), 2 * S)
    memory = Memory()
    told: list[tuple[int, Value | None]] = []
    for time_us, run in ((0, 1.0), (10 * S, 0.0), (11 * S, 1.0), (20 * S, 0.0), (21 * S, 0.0)):
        memory, outcome = step(rules, memory, known(run=run), time_us)
        if outcome is not None:
            told.append((outcome.time_us, outcome.value))
    assert told == [(0, "running"), (11 * S, "running")]
    memory, outcome = settle(rules, memory, 22 * S - 1)
    assert outcome is None
    memory, outcome = settle(rules, memory, 22 * S)
    assert outcome is not None
    assert (outcome.time_us, outcome.value) == (20 * S, "idle")
    assert settle(rules, memory, 30 * S)[1] is None


def test_the_lowest_bit_gives_the_reason() -> None:
    first = FirstBit("fault", ((0, "guard"), (5, "jam"), (6, "")))
    found = [
        step(first, Memory(), known(fault=value), 1)[1] for value in (0.0, 1.0, 32.0, 33.0, 64.0, 2.0, None)
    ]
    assert [(o.value, o.quality) for o in found if o] == [
        (None, GOOD), ("guard", GOOD), ("jam", GOOD), ("guard", GOOD), (None, GOOD), (None, BAD), (None, BAD),
    ]  # fmt: skip


def test_edges_are_counted_and_never_across_what_was_not_seen() -> None:
    rising = Rising("eject")
    memory, totals = Memory(), []
    for time_us, value in enumerate((1.0, 0.0, 1.0, 1.0, 0.0, None, 1.0, 0.0, 1.0)):
        memory, outcome = step(rising, memory, known(eject=value), time_us)
        totals.append(outcome.value if outcome else "nothing")
    assert totals == [0.0, 0.0, 1.0, 1.0, 1.0, None, 1.0, 1.0, 2.0]


def test_a_heartbeat() -> None:
    pulse = Pulse(10 * S).beat(5.0, 0)
    assert not pulse.at(10 * S).dead
    assert pulse.at(10 * S + 1).dead
    assert pulse.beat(5.0, 11 * S).dead
    assert not pulse.at(11 * S).beat(6.0, 12 * S).dead
    assert not Pulse(10 * S).at(100 * S).dead


@dataclass
class Kept:
    config: Config
    told: list[tuple[str, int, Value | None, Quality]] = field(default_factory=list)

    def readings(self, source: str, readings: Sequence[Reading], *, full: bool = False) -> None:
        self.told += [(self.config.signals[r.signal].name, r.time_us, r.value, r.quality) for r in readings]

    def scanned(self, source: str, from_us: int, to_us: int) -> None:
        return None

    def lost(self, source: str, since_us: int, reason: str) -> None:
        self.told.append(("lost", since_us, None, BAD))


CONFIG = """\
agent: {id: a, site: b}
uplink: {url: "mqtts://b"}
sources: {plc: {type: modbus-tcp, host: h}}
machines:
  m:
    line: l
    source: plc
    alive: {register: "holding:0", within: 10 s}
    tags:
      run: {register: "holding:1", bit: 0}
      eject: {register: "holding:1", bit: 1}
      speed: {register: "holding:2", type: uint16, send: true}
    signals:
      state: {rules: [{when: run and speed > 5, is: running}, {else: idle}]}
      scrap_count: {count: rising, of: eject}
      order: {register: "holding:3", type: uint16}
"""


def deriver(folder: Path) -> tuple[Deriver, Kept, dict[str, int]]:
    path = folder / "gw.yaml"
    path.write_text(CONFIG, "utf-8")
    config = loaded(path).config
    assert config is not None, loaded(path).faults.lines()
    kept = Kept(config)
    numbers = {value.name: value.index for value in (*config.signals, *config.tags)}
    return Deriver(kept, config), kept, numbers


def scan(numbers: dict[str, int], time_us: int, **values: Value | None) -> list[Reading]:
    return [
        Reading(numbers[name], time_us, value, BAD if value is None else GOOD)
        for name, value in (
            {"(alive)": values.pop("alive")} | values if "alive" in values else values
        ).items()
    ]


def test_a_scan_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    sink, kept, numbers = deriver(tmp_path)
    sink.readings("plc", scan(numbers, S, alive=1.0, run=1.0, eject=0.0, speed=9.0, order="7"))
    sink.readings("plc", scan(numbers, 2 * S, run=0.0, eject=1.0, speed=0.0))
    assert sorted(kept.told) == [
        ("order", S, "7", GOOD),
        ("scrap_count", S, 0.0, GOOD),
        ("scrap_count", 2 * S, 1.0, GOOD),
        ("speed", S, 9.0, GOOD),
        ("speed", 2 * S, 0.0, GOOD),
        ("state", S, "running", GOOD),
        ("state", 2 * S, "idle", GOOD),
    ]


def test_every_pulse_of_one_delivery_counts(tmp_path: Path) -> None:
    sink, kept, numbers = deriver(tmp_path)
    pulses = [Reading(numbers["eject"], at * S, value) for at, value in enumerate((0.0, 1.0, 0.0, 1.0))]
    sink.readings("plc", pulses)
    assert [told[2] for told in kept.told if told[0] == "scrap_count"] == [0.0, 0.0, 1.0, 1.0, 2.0][
        -len(kept.told) :
    ]


def test_nothing_is_derived_before_every_input_was_seen(tmp_path: Path) -> None:
    sink, kept, numbers = deriver(tmp_path)
    sink.readings("plc", scan(numbers, S, run=1.0))
    assert kept.told == []


def test_a_heartbeat_that_stands_still_makes_the_machine_bad_and_comes_back(tmp_path: Path) -> None:
    sink, kept, numbers = deriver(tmp_path)
    sink.readings("plc", scan(numbers, S, alive=1.0, run=1.0, eject=0.0, speed=9.0, order="7"))
    kept.told.clear()
    sink.scanned("plc", S, 11 * S)
    assert kept.told == []
    sink.scanned("plc", 11 * S, 12 * S)
    assert sorted(kept.told) == [(name, S, None, BAD) for name in ("order", "scrap_count", "speed", "state")]
    kept.told.clear()
    sink.readings("plc", scan(numbers, 13 * S, alive=1.0, order="8", speed=1.0))
    assert kept.told == []
    sink.readings("plc", scan(numbers, 14 * S, alive=2.0, order="8"))
    assert ("order", 14 * S, "8", GOOD) in kept.told
    assert ("state", 14 * S, "idle", GOOD) in kept.told
    assert {told[3] for told in kept.told} == {GOOD}


def test_a_loss_forgets_what_was_known(tmp_path: Path) -> None:
    sink, kept, numbers = deriver(tmp_path)
    sink.readings("plc", scan(numbers, S, alive=1.0, run=1.0, eject=0.0, speed=9.0))
    sink.lost("plc", 2 * S, "no answer")
    kept.told.clear()
    sink.readings("plc", scan(numbers, 60 * S, alive=1.0, eject=1.0))
    assert kept.told == [("scrap_count", 60 * S, 0.0, GOOD)]
    sink.scanned("plc", 60 * S, 65 * S)
    assert len(kept.told) == 1


def test_no_edge_is_missed_where_a_source_goes_on_under_a_new_config(tmp_path: Path) -> None:
    sink, kept, numbers = deriver(tmp_path)
    sink.readings("plc", scan(numbers, S, alive=1.0, run=1.0, eject=0.0, speed=9.0))
    for sources, total in (([], 0.0), (["plc"], 1.0)):
        again = Deriver(kept, kept.config)
        again.go_on_from(sink, sources)
        kept.told.clear()
        again.readings("plc", scan(numbers, 2 * S, alive=2.0, run=1.0, eject=1.0, speed=9.0))
        assert ("scrap_count", 2 * S, total, GOOD) in kept.told
