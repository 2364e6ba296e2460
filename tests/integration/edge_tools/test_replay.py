"""test and read --record: what devices held, replayed through the agent's own pipeline."""

from __future__ import annotations

import csv
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.edge_sources.device import Device, device
from tests.integration.edge_tools.agents import running
from tests.integration.edge_tools.commands import agent
from tests.integration.edge_tools.devices import in_thread, modbus_config, opcua_config

SHIPPED = sorted((Path(__file__).parents[3] / "configs" / "edge" / "tests").glob("*.yaml"))
CONFIG = """\
agent: {id: gw-1, site: bench}
uplink: {url: "mqtt://127.0.0.1:9"}
buffer: {path: ./buffer}
sources: {plc: {type: modbus-tcp, host: 127.0.0.1, interval: 1 s, timeout: 30 s}}
machines:
  press-1:
    line: l
    source: plc
    alive: {register: "holding:1", within: 10 s}
    tags:
      run: {register: "holding:10", type: uint16, bit: 2}
    signals:
      state: {rules: [{when: run, is: running}, {else: idle}], settle: 3 s}
      level: {register: "holding:20", type: float32, word_order: little, scale: 0.5, deadband: 1}
      door: {register: "coil:3"}
"""


@pytest.fixture
def plc() -> Iterator[Device]:
    with in_thread(device()) as found:
        yield found


def written(folder: Path, rows: str, expect: str = "[]") -> Path:
    (folder / "gw.yaml").write_text(CONFIG, "utf-8")
    path = folder / "stop.yaml"
    path.write_text(f"config: gw.yaml\nrecording:\n{rows}\nexpect: {expect}\n", "utf-8")
    return path


def sent(path: Path) -> list[tuple[str, ...]]:
    done = agent("test", path, "--write")
    assert done.code == 0, done.out + done.err
    with (path.parent / "stop.csv").open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_test_that_is_shipped_passes(path: Path) -> None:
    done = agent("test", path)
    assert done.code == 0, done.out
    assert done.out.startswith(f"{path}: OK: ")


def test_registers_bits_rules_and_reports_are_those_of_the_agent(tmp_path: Path) -> None:
    low, high = struct.unpack(">2H", struct.pack(">f", 25.0))[::-1]
    rows = f"""\
  - {{at: 0 s, press-1.(alive): 1, press-1.run: 0x0004, press-1.level: 0x{low:04X} 0x{high:04X}}}
  - {{at: 0 s, press-1.door: 0}}
  - {{at: 2 s, press-1.run: 0}}
  - {{at: 4 s, press-1.run: 4, press-1.level: 26}}
  - {{at: 6 s, press-1.run: 0xFFFB, press-1.level: 30}}
  - {{at: 9 s, press-1.(alive): 2, press-1.door: 1}}
  - {{at: 10 s, press-1.door: bad}}"""
    assert sorted(sent(written(tmp_path, rows, "stop.csv"))) == [
        ("0", "press-1.door", "0", "good"),
        ("0", "press-1.level", "12.5", "good"),
        ("0", "press-1.state", "running", "good"),
        ("10", "press-1.door", "", "bad"),
        ("6", "press-1.level", "15", "good"),
        ("6", "press-1.state", "idle", "good"),
        ("9", "press-1.door", "1", "good"),
    ]


def test_a_heartbeat_that_stands_still_and_a_loss_are_told(tmp_path: Path) -> None:
    rows = """\
  - {at: 0 s, press-1.(alive): 1, press-1.run: 4, press-1.level: 1, press-1.door: 0}
  - {at: 60 s, press-1.(alive): 2}
  - {at: 70 s, plc: lost}"""
    found = sent(written(tmp_path, rows, "stop.csv"))
    assert ("0.000001", "press-1.state", "", "bad") in found
    assert ("60", "press-1.state", "running", "good") in found
    assert ("70", "press-1.level", "", "bad") in found


def test_every_difference_has_its_place(tmp_path: Path) -> None:
    rows = "  - {at: 0 s, press-1.door: 0}\n  - {at: 2 s, press-1.door: 1}\n  - {at: 3 s, press-1.door: 0}"
    expect = """
  - {at: 0 s, press-1.door: 0}
  - {at: 2 s, press-1.door: 0}
  - {at: 2.5 s, press-1.door: 1}"""
    path = written(tmp_path, rows, expect)
    done = agent("test", path)
    assert done.code == 1
    assert done.out.splitlines() == [
        f"{path}:8:15: press-1.door at 2 s: expected 0, sent 1",
        f"{path}:9:17: press-1.door at 2.5 s: expected 1, nothing was sent",
        f"{path}: press-1.door at 3 s: sent 0, nothing is expected",
        f"{path}: 3 differences; 3 raw values, 3 samples of 1 signals",
    ]
    nothing = agent("test", written(tmp_path, rows))
    assert (nothing.code, "nothing is expected" in nothing.out) == (1, True)


def test_every_mistake_has_its_place(tmp_path: Path) -> None:
    rows = """\
  - {at: soon, press-1.door: 0}
  - {at: 1 s, press-1.dor: 0}
  - {press-1.door: 0}
  - {at: 2 s, press-1.state: running}
  - {at: 3 s, plcc: lost}"""
    path = written(tmp_path, rows, "[{at: 0 s, press-1.run: 1}]\nexpct: x")
    done = agent("test", path)
    assert done.code == 1
    assert done.err.splitlines() == [
        f"{path}:3:10: 'soon' is no time; write 2 s, 0.5, or 2026-11-22T06:00:00Z",
        f"{path}:4:15: 'press-1.dor' is no tag that is read; did you mean 'press-1.door'?",
        f"{path}:5:5: at is missing; write for example at: 2 s",
        f"{path}:6:15: 'press-1.state' is no tag that is read; did you mean 'press-1.(alive)'?",
        f"{path}:7:15: 'plcc' is no source; did you mean 'plc'?",
        f"{path}:8:20: 'press-1.run' is not sent; did you mean 'press-1.door'?",
        f"{path}:9:1: unknown key 'expct'; did you mean 'expect'?",
    ]
    short = written(tmp_path, "  - {at: 0 s, press-1.level: 0x0001}", "[{at: 0 s, press-1.door: 1}]")
    assert agent("test", short).out == (f"{short}:3:15: press-1.level is float32: 2 registers, not 1\n")


def test_what_is_recorded_is_replayed_to_what_is_read(plc: Device, tmp_path: Path) -> None:
    low, high = struct.unpack(">2H", struct.pack(">f", 25.0))[::-1]
    plc.registers[1], plc.registers[10], plc.registers[20:22] = 7, 4, [low, high]
    plc.registers[3] = 1
    path = tmp_path / "gw.yaml"
    path.write_text(CONFIG.replace("127.0.0.1, int", f"127.0.0.1, port: {plc.port}, int"), "utf-8")
    done = agent("read", path, "--record", tmp_path / "now.csv")
    assert (done.code, done.out) == (0, "4 tags recorded, 0 of them bad\n"), done.err
    with (tmp_path / "now.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["tag"]: row for row in csv.DictReader(file)}
    assert rows["press-1.level"]["raw"] == f"0x{low:04X} 0x{high:04X}"
    assert rows["press-1.door"]["raw"] == "1"
    test = tmp_path / "stop.yaml"
    test.write_text("config: gw.yaml\nrecording: now.csv\nexpect: stop.csv\n", "utf-8")
    replayed = {row[1]: row[2] for row in sent(test)}
    read = {
        row["signal"]: row["value"] for row in map(json.loads, agent("read", path, "--json").out.splitlines())
    }
    assert replayed == {"press-1.state": "running", "press-1.level": "12.5", "press-1.door": "1"}
    assert [read[name] for name in replayed] == [float(v) if v[0].isdigit() else v for v in replayed.values()]
    assert agent("test", test).code == 0
    path.write_text(path.read_text("utf-8").replace("word_order: little, ", ""), "utf-8")
    assert "press-1.level at " in agent("test", test).out
    plc.missing = {20}
    bad = agent("read", path, "--record", tmp_path / "bad.csv", "--only", "level")
    assert (bad.code, bad.out) == (1, "1 tags recorded, 1 of them bad\n")
    again = agent("read", path, "--record", tmp_path / "bad.csv")
    assert again.err == f"cannot be written (File exists): {tmp_path}/bad.csv: choose another file\n"


def test_a_recording_beside_the_agent_uses_its_connections(
    plc: Device, small_hall: str, tmp_path: Path
) -> None:
    plc.registers[100] = 0x1234
    path = tmp_path / "gw.yaml"
    path.write_text(modbus_config(plc.port), "utf-8")
    with running(path):
        connections = plc.connections
        assert agent("read", path, "--record", tmp_path / "now.csv").code == 0
        assert plc.connections == connections
    assert (tmp_path / "now.csv").read_text("utf-8").splitlines()[1].endswith(",press-1.v,0x1234,good")
    signals = 'product: {node: "ns=2;s=Press0.Product"}, oil: {node: "ns=2;s=Press0.T0", scale: 10}'
    path.write_text(opcua_config(small_hall, signals), "utf-8")
    wanted = [",press-0.oil,0.5,good", ',press-0.product,"""A-1""",good']
    assert agent("read", path, "--record", tmp_path / "alone.csv").code == 0
    with running(path):
        assert agent("read", path, "--record", tmp_path / "beside.csv").code == 0
    for name in ("alone.csv", "beside.csv"):
        lines = (tmp_path / name).read_text("utf-8").splitlines()[1:]
        assert [line[line.index(",") :] for line in lines] == wanted
