"""Types, instances, includes, and what is derived from tags, as they come out of the loader."""

from __future__ import annotations

from pathlib import Path

from edge_agent.config.dictionary import build_dictionary
from edge_agent.config.model import Config
from edge_agent.core.address import Register, Space
from edge_agent.core.derive import FirstBit, Rising, Rules
from shared.roles import Fall, Role
from tests.unit.edge_config.files import CONFIGS, lines, loaded

TYPED = """\
agent: {id: a, site: b}
uplink: {url: "mqtts://b"}
sources: {plc: {type: opcua, endpoint: "opc.tcp://h", security: none}}
types:
  press:
    parameters: {at: text, low: number}
    signals:
      good_count: {node: "ns=2;s=${machine}.${at}.Good", scale: "${low * 2}"}
      product: {node: "ns=2;s=${line}.Product"}
machines:
  m1: {type: press, line: l1, source: plc, with: {at: Left, low: 0.25}}
  m2:
    type: press
    line: l2
    source: plc
    with: {at: Right, low: 1}
    signals:
      product: {node: "ns=2;s=Own"}
      speed: {node: "ns=2;s=Speed"}
"""


def three_hundred() -> Config:
    found = loaded(next(path for path in CONFIGS if path.stem == "three-hundred-presses"))
    assert found.config is not None, found.faults.lines()
    return found.config


def test_three_hundred_machines_are_one_type_and_one_row_each() -> None:
    config = three_hundred()
    assert len(config.machines) == 301
    signals = {signal.key: signal for signal in config.signals}
    tags = {tag.key: tag for tag in config.tags}
    assert len(signals) == 300 * 7 + 2
    assert len(tags) == 300 * 5
    assert [s.index for s in (*config.signals, *config.tags)] == list(range(len(signals) + len(tags)))
    far = signals["press-151.total_count"]
    assert (far.address, far.modbus_unit, far.source) == (Register(Space.HOLDING, 420), 1, "hall-2")
    assert (far.fall, far.rollover, far.width, far.signed) == (Fall.ROLLOVER, 65536, 16, True)
    assert far.line == "forging"
    assert tags["press-151.run"].address == Register(Space.HOLDING, 410)
    assert signals["press-1.order"].meaning.apply(17).value == "ORDER-Q"
    assert signals["compressor-1.energy"].integrate


def test_derived_signals_are_known_but_not_read() -> None:
    config = three_hundred()
    signals = {signal.key: signal for signal in config.signals}
    state, reason, scrap = (signals[f"press-9.{name}"] for name in ("state", "reason", "scrap_count"))
    assert isinstance(state.derivation, Rules)
    assert state.derivation.settle_us == 2_000_000
    assert isinstance(reason.derivation, FirstBit)
    assert isinstance(scrap.derivation, Rising)
    assert (state.role, state.source, state.address) == (Role.STATE, "hall-1", None)
    assert scrap.fall is Fall.RESET
    read = {signal.key for signal in config.signals_of("hall-1")}
    assert "press-9.run" in read
    assert "press-9.(alive)" in read
    assert not read & {"press-9.state", "press-9.reason", "press-9.scrap_count"}
    entries = {(entry.machine, entry.signal): entry for entry in build_dictionary(config).signals}
    assert len(entries) == len(config.signals)
    assert entries["press-9", "state"].raw
    assert not entries["press-9", "scrap_count"].raw


def test_parameters_fill_texts_and_are_reckoned_with(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(TYPED, "utf-8")
    config = loaded(path).config
    assert config is not None
    signals = {signal.key: signal for signal in config.signals}
    assert str(signals["m1.good_count"].address) == "ns=2;s=m1.Left.Good"
    assert signals["m1.good_count"].meaning.apply(3).value == 1.5
    assert str(signals["m1.product"].address) == "ns=2;s=l1.Product"
    assert str(signals["m2.product"].address) == "ns=2;s=Own"
    assert "m2.speed" in signals
    assert "m1.speed" not in signals


def test_a_mistake_in_a_type_is_told_once_and_in_the_type(tmp_path: Path) -> None:
    wrong = TYPED.replace("scale:", "scal:").replace("types:\n", "types:\n  # a type\n")
    assert lines(tmp_path, wrong) == [
        "gw.yaml:9:58: unknown key 'scal' in signal 'good_count'; did you mean 'scale'?"
    ]


def test_a_parameter_without_a_value_is_told_once(tmp_path: Path) -> None:
    found = lines(tmp_path, TYPED.replace("with: {at: Right, low: 1}", "with: {at: Right}"))
    assert found == [
        "gw.yaml:12:3: machine 'm2' gives no value to the parameter 'low' of its type; "
        "add with: {low: ...} or the column low"
    ]


def test_content_of_included_files_counts_for_the_hash(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(TYPED + "include: more.yaml\n", "utf-8")
    more = "machines:\n  m3: {type: press, line: l3, source: plc, with: {at: X, low: 1}}\n"
    (tmp_path / "more.yaml").write_text(more, "utf-8")
    first = loaded(path).config
    (tmp_path / "more.yaml").write_text(more.replace("at: X", "at: Y"), "utf-8")
    second = loaded(path).config
    assert first is not None
    assert second is not None
    assert [machine.id for machine in first.machines] == ["m1", "m2", "m3"]
    assert first.content_hash != second.content_hash
