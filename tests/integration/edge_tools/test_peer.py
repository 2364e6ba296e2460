"""browse, probe and trust against a server of another stack, which takes little at once without saying so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.config.load import load
from edge_agent.tools.certificates import facts, loaded
from tests.integration.edge_sources.test_opcua_peer import Certificates
from tests.integration.edge_tools.commands import agent
from tests.integration.edge_tools.devices import in_thread
from tests.peers.opcua import URI, peer

pytestmark = pytest.mark.needs("node")


def test_a_server_of_small_calls_is_browsed_whole(tmp_path: Path) -> None:
    with in_thread(peer(tmp_path, items=230, read=25, told=False)) as server:
        endpoint = f"opc.tcp://127.0.0.1:{server.port}"
        done = agent("browse", endpoint, "--yaml")
        rows = [json.loads(line) for line in agent("browse", endpoint, "--json", "--values").out.splitlines()]
        deep = agent("browse", endpoint, "--under", "i=2253", "--json")
    counters = [row for row in rows if row["node"].startswith(f"nsu={URI};s=v")]
    assert {row["node"] for row in counters} == {f"nsu={URI};s=v{n}" for n in range(230)}
    assert {(row["type"], row["quality"]) for row in counters} == {("Double", "Good")}
    assert len(deep.out.splitlines()) > 100
    path = tmp_path / "gw.yaml"
    path.write_text("agent: {id: gw-1, site: s}\nuplink: {url: 'mqtt://127.0.0.1:1'}\n" + done.out, "utf-8")
    found = load(path)
    assert found.config is not None, found.faults.lines()
    assert len(found.config.signals) >= 230


def test_a_secured_server_is_trusted_then_asked(tmp_path: Path) -> None:
    place = Certificates(tmp_path)
    options = place.options("Basic256Sha256", "SignAndEncrypt")
    with in_thread(peer(tmp_path, static={"n": 7}, **options)) as server:
        endpoint = f"opc.tcp://127.0.0.1:{server.port}"
        files = ("--certificate", place.own, "--key", place.own_key, "--trusted", tmp_path / "trusted")
        fingerprint = facts(loaded(place.server_der)).fingerprint
        done = agent("trust", endpoint, "--into", tmp_path / "trusted", "--fingerprint", fingerprint)
        assert done.code == 0, done.err
        told = json.loads(agent("probe", endpoint, f"nsu={URI};s=n", "--json", *files).out)
    assert (told["node"], told["value"], told["quality"]) == (f"nsu={URI};s=n", 7, "Good")
