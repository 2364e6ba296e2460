"""browse against a real server of some thousand nodes: complete, in bounded calls, as config that passes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.config.load import load
from tests.integration.edge_tools.agents import running
from tests.integration.edge_tools.commands import agent
from tests.integration.edge_tools.devices import hall, in_thread, opcua_config

MACHINES, TAGS = 40, 50


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with in_thread(hall(MACHINES, TAGS)) as found:
        yield found


def nodes(text: str) -> list[str]:
    return [json.loads(line)["node"] for line in text.splitlines()]


def test_every_node_is_found_once(endpoint: str) -> None:
    done = agent("browse", endpoint, "--json")
    assert done.code == 0
    found = [node for node in nodes(done.out) if node.startswith("nsu=")]
    assert len(found) == len(set(found)) == MACHINES * (1 + 3 + 1 + TAGS)
    assert "without security" in done.err


def test_a_tree_is_indented_and_can_be_cut(endpoint: str) -> None:
    under = "nsu=urn:tests:plant;s=Press7"
    lines = agent("browse", endpoint, "--under", under).out.splitlines()
    assert lines[0] == "State  nsu=urn:tests:plant;s=Press7.State"
    assert lines[3:5] == [
        "Axes/  nsu=urn:tests:plant;s=Press7.Axes",
        "  OilTemp0  nsu=urn:tests:plant;s=Press7.T0",
    ]
    assert len(lines) == 4 + TAGS
    assert len(agent("browse", endpoint, "--under", under, "--depth", "1").out.splitlines()) == 4
    hits = agent("browse", endpoint, "--match", "press1*/oiltemp3", "--values").out.splitlines()
    assert len(hits) == 11
    assert hits[0] == "Press1/Axes/OilTemp3  nsu=urn:tests:plant;s=Press1.T3  Double = 3.5"


def test_what_fits_nothing_is_told(endpoint: str) -> None:
    done = agent("browse", endpoint, "--match", "press99")
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith(f"no node fits: {endpoint}: ")
    gone = agent("browse", endpoint, "--under", "ns=2;s=Press99")
    assert gone.err.splitlines()[-1].startswith("no such node (BadNodeIdUnknown): ns=2;s=Press99: ")


def test_yaml_is_config_that_passes(endpoint: str, tmp_path: Path) -> None:
    done = agent("browse", endpoint, "--yaml", "--match", "press1*")
    assert 'state_value: {node: "nsu=urn:tests:plant;s=Press1.State"}  # Int64 = 1; role: state' in done.out
    assert '# curve: {node: "nsu=urn:tests:plant;s=Press1.Curve", path: [0]}' in done.out
    path = tmp_path / "gw.yaml"
    head = "agent: {id: gw-1, site: bench}\nuplink: {url: 'mqtt://127.0.0.1:1'}\n"
    path.write_text(head + done.out, "utf-8")
    loaded = load(path)
    assert loaded.faults.lines() == []
    assert loaded.config is not None
    assert len(loaded.config.signals) == 11 * (2 + TAGS)


def test_beside_the_agent_its_session_is_used(endpoint: str, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(opcua_config(endpoint), "utf-8")
    with running(path):
        done = agent("browse", f"{path}:plc", "--under", "ns=2;s=Press3", "--json", "--values")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert len(rows) == 4 + TAGS
    assert rows[-1]["path"] == ["Axes", f"OilTemp{TAGS - 1}"]
    assert (rows[-1]["type"], rows[-1]["value"], rows[-1]["quality"]) == ("Double", TAGS - 0.5, "Good")
