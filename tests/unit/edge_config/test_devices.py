"""Device presets: each loads, plans few requests, and yields to what a machine says itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.adapters.modbus import limits_of, medium_of, span_of
from edge_agent.config.devices import device, device_names
from edge_agent.config.document import Mapping, Scalar
from edge_agent.config.model import ModbusTcpSource, Signal
from edge_agent.core.plan import plan
from edge_agent.core.types import Order
from shared.roles import Role
from tests.unit.edge_config.files import loaded

HEAD = """agent: {id: gw-1, site: columbus}
uplink: {url: "mqtts://broker:8883"}
sources:
  meter: {type: modbus-tcp, host: 10.0.0.6, word_order: little, byte_order: little, address_base: 1}
  plc: {type: opcua, endpoint: "opc.tcp://10.0.0.5:4840", security: none}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "gw.yaml"
    path.write_text(HEAD + text, "utf-8")
    return path


def signals(folder: Path, text: str) -> dict[str, Signal]:
    found = loaded(written(folder, text))
    assert found.faults.lines() == []
    assert found.config is not None
    return {signal.name: signal for signal in found.config.signals}


@pytest.mark.parametrize("name", device_names())
def test_each_preset_loads_and_plans_whatever_the_source_is_like(name: str, tmp_path: Path) -> None:
    found = signals(tmp_path, f"machines:\n  m: {{line: a, source: meter, device: {name}}}\n")
    assert found["energy"].role is Role.ENERGY
    assert found["energy"].unit == "kWh"
    assert found["power"].unit in ("W", "kW")
    assert {signal.layout.word_order for signal in found.values()} == {Order.BIG}
    assert {signal.layout.byte_order for signal in found.values()} == {Order.BIG}
    source = ModbusTcpSource(index=0, name="s", interval_us=1, timeout_us=1, grace_us=1, host="h")
    spans = {span_of(signal, source) for signal in found.values()}
    assert len(plan(spans, medium_of(source), limits_of(source))) <= 3


@pytest.mark.parametrize("name", device_names())
def test_each_preset_cites_the_makers_manual(name: str) -> None:
    parts = {key.text: value for key, value in device(name).items()}
    manual = parts["manual"]
    assert isinstance(manual, Mapping)
    assert [key.text for key in manual.keys] == ["title", "number", "table"]
    assert all(isinstance(value, Scalar) and value.text for value in manual.values)


@pytest.mark.parametrize(
    ("name", "signal", "address"),
    [
        ("schneider-pm5000", "power", "holding:3059"),
        ("eastron-sdm630", "energy", "input:72"),
        ("eastron-sdm120", "power", "input:12"),
        ("janitza-umg96", "energy", "holding:19068"),
        ("siemens-pac3200", "energy", "holding:801"),
    ],
)
def test_where_they_read_on_the_wire(name: str, signal: str, address: str, tmp_path: Path) -> None:
    found = signals(tmp_path, f"machines:\n  m: {{line: a, source: meter, device: {name}}}\n")
    assert str(found[signal].address) == address


def test_a_machines_own_signals_lie_on_top_and_a_type_may_have_a_device(tmp_path: Path) -> None:
    found = signals(
        tmp_path,
        """
types:
  metered:
    device: eastron-sdm630
    signals:
      power: {register: "30053", type: float32, unit: W, interval: 30 s}
machines:
  m: {type: metered, line: a, source: meter, unit: 7, signals: {extra: {register: "30343", type: float32}}}
""",
    )
    assert found["power"].interval_us == 30_000_000
    assert found["extra"].modbus_unit == found["energy"].modbus_unit == 7


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (
            "{line: a, source: meter, device: schneider-pm500}",
            "device: 'schneider-pm500' is no preset; did you",
        ),
        (
            "{line: a, source: plc, device: eastron-sdm630}",
            "register: source 'plc' speaks OPC UA; write node",
        ),
        ("{line: a, source: meter, devise: eastron-sdm630}", "unknown key 'devise' in machine 'm'; did you"),
    ],
)
def test_mistakes_are_told_where_the_device_is_named(machine: str, says: str, tmp_path: Path) -> None:
    lines = loaded(written(tmp_path, f"machines:\n  m: {machine}\n")).faults.lines()
    assert any(says in line for line in lines)
    assert {line.split(":")[1] for line in lines} == {"7"}
    assert len(lines) <= 4
