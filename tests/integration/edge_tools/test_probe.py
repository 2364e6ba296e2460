"""probe: registers and nodes as they are, alone and beside the running agent."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.edge_sources.device import Device, device
from tests.integration.edge_tools.agents import running
from tests.integration.edge_tools.commands import agent
from tests.integration.edge_tools.devices import in_thread, modbus_config, opcua_config


@pytest.fixture
def plc() -> Iterator[Device]:
    with in_thread(device()) as found:
        found.registers[100:102] = struct.unpack(">2H", struct.pack(">f", 12.5))
        found.registers[102:106] = struct.unpack("<4H", struct.pack("<q", -70_000))
        found.registers[200:204] = struct.unpack(">4H", b"A-4711\0\0")
        yield found


def test_every_type_and_order_of_a_register(plc: Device) -> None:
    done = agent("probe", f"127.0.0.1:{plc.port}", "holding:100")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].endswith("unit 1 holding:100 = 40101 = %MW100 = holding:0x64")
    shown = " ".join(lines[3].split())
    assert shown == "holding:100 40101 0x4148 16712 16712 0100 0001 0100 1000 3 6 8 14"
    told = json.loads(agent("probe", f"127.0.0.1:{plc.port}", "40101", "--json").out)["values"]
    assert told["float32"]["big"] == 12.5
    assert told["uint32"] == {
        "big": 0x41480000, "word_order: little": 0x00004148, "byte_order: little": 0x48410000,
        "both little": 0x00004841,
    }  # fmt: skip
    far = json.loads(agent("probe", f"127.0.0.1:{plc.port}", "%MW102", "--json").out)["values"]
    assert far["int64"]["word_order: little"] == -70_000
    text = json.loads(agent("probe", f"127.0.0.1:{plc.port}", "holding:0xC8", "--json").out)["values"]
    assert text["string(8)"]["big"] == "A-4711"
    assert text["string(8)"]["byte_order: little"].startswith("-A")


def test_what_lies_behind_the_last_register_is_left_out(plc: Device) -> None:
    plc.missing = {1003}
    done = agent("probe", f"127.0.0.1:{plc.port}", "holding:1001", "--json")
    assert [row["register"] for row in json.loads(done.out)["registers"]] == ["holding:1001", "holding:1002"]
    done = agent("probe", f"127.0.0.1:{plc.port}", "holding:1003")
    assert done.code == 1
    assert done.err.startswith("the device refuses (")
    assert f"127.0.0.1:{plc.port} unit 1 holding:1003: compare unit, table and address" in done.err


def test_bits_of_a_coil_table(plc: Device) -> None:
    plc.registers[301] = 1
    done = agent("probe", f"127.0.0.1:{plc.port}", "coil:300", "--count", "3")
    assert [line.split()[-1] for line in done.out.splitlines()[2:]] == ["0", "1", "0"]


def test_beside_the_agent_its_connection_is_used(plc: Device, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(modbus_config(plc.port, ', forbidden: ["holding:103-110"]'), "utf-8")
    with running(path):
        before = plc.connections
        done = agent("probe", f"{path}:plc", "holding:100", "--unit", "7", "--json")
        assert plc.connections == before
        assert (7, 3, 100, 3) in plc.asked
        assert len(json.loads(done.out)["registers"]) == 3
        assert agent("probe", f"{path}:plc", "holding:104").err == (
            "the config forbids this register: holding:104: see forbidden of the source\n"
        )
        asked = len(plc.asked)
        path.write_text(path.read_text("utf-8").replace("holding:103-110", "holding:900"), "utf-8")
        kept = agent("probe", f"{path}:plc", "holding:104")
        assert "the running config forbids one of these registers: holding:104, 4" in kept.err
        assert not [each for each in plc.asked[asked:] if each[2] == 104]
        plc.silent = {9}
        assert agent("probe", f"{path}:plc", "holding:20", "--unit", "9").code == 1
        assert [each for each in plc.asked if each[0] == 9] == [(9, 3, 20, 4)]
        plc.missing = {500}
        refused = agent("probe", f"{path}:plc", "holding:500")
        assert refused.code == 1
        assert "holding:500: compare unit" in refused.err


def test_a_node_tells_what_a_config_needs(small_hall: str, tmp_path: Path) -> None:
    endpoint = small_hall
    alone = agent("probe", endpoint, "ns=2;s=Press0.T0", "--json")
    told = json.loads(alone.out)
    assert (told["node"], told["type"], told["value"], told["quality"]) == (
        "nsu=urn:tests:plant;s=Press0.T0", "Double", 0.5, "Good",
    )  # fmt: skip
    assert told["source_time_us"] > 0
    text = agent("probe", endpoint, "nsu=urn:tests:plant;s=Press0.Curve")
    assert "type        Double, array" in text.out
    missing = agent("probe", endpoint, "nsu=urn:elsewhere;s=X")
    assert missing.err.splitlines()[-1].startswith("the server has no namespace urn:elsewhere: ")
    path = tmp_path / "gw.yaml"
    path.write_text(opcua_config(endpoint), "utf-8")
    with running(path):
        beside = agent("probe", f"{path}:plc", "ns=2;s=Press0.T0", "--json")
        assert json.loads(beside.out) == told
        unknown = agent("probe", f"{path}:plc", "ns=2;s=Nowhere")
        assert (unknown.code, "no such node (BadNodeIdUnknown)" in unknown.err) == (1, True)


@pytest.mark.parametrize(
    ("source", "address", "told"),
    [
        ("127.0.0.1:1", "holding:1", "127.0.0.1:1 takes no connection: 127.0.0.1:1 unit 1 holding:1: "),
        ("127.0.0.1:1", "100", "no register: 100: the bare register '100' can be read in two ways; "),
        ("opc.tcp://127.0.0.1:1", "i=2258", "127.0.0.1:1 takes no connection: opc.tcp://127.0.0.1:1: "),
        ("opc.tcp://127.0.0.1:1", "holding:1", "no node: holding:1: "),
        ("what is this", "holding:1", "this names no source: what is this: write FILE:SOURCE, "),
        ("127.0.0.1:1", "ns=2;s=A", "this is no OPC UA server: 127.0.0.1:1: "),
    ],
)
def test_a_fault_says_where_and_what_to_do(source: str, address: str, told: str) -> None:
    done = agent("probe", source, address)
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith(told)


def test_a_source_of_a_config_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(modbus_config(1), "utf-8")
    done = agent("probe", f"{path}:plcc", "holding:1")
    assert done.err == f"no source 'plcc': {path}: did you mean 'plc'?\n"
