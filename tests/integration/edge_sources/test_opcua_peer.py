"""The OPC UA source against a server of another stack: security, limits it does not tell, arrays, fields."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from edge_agent.adapters.opcua import OpcUa
from edge_agent.adapters.opcua_probe import facts_of
from edge_agent.config.model import Security, Signal
from edge_agent.core.mapping import Meaning
from edge_agent.core.node import parse_node, parse_path
from shared.sample import Quality
from tests.integration.edge_sources.parts import RealClock, running, signal, until
from tests.integration.edge_sources.server import opcua, opcua_source
from tests.integration.edge_sources.test_opcua_security import certificate
from tests.peers import judge
from tests.peers.opcua import URI, Peer, peer

pytestmark = [pytest.mark.needs("node"), pytest.mark.timeout(400)]
_MODES = {"Sign": 2, "SignAndEncrypt": 3}


def at(index: int, name: str, path: str = "", **wishes: Any) -> Signal:
    made = signal(index, f"nsu={URI};s={name}", **wishes)
    return replace(made, address=replace(made.address, path=parse_path(path))) if path else made


class Certificates:
    """Of the server, of the agent and of its user; the server trusts both."""

    def __init__(self, folder: Path) -> None:
        self.server_der, self.server_key, made = certificate(folder, "server", "urn:tests:peer")
        self.server_pem = folder / "server.crt"
        self.server_pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self.own, self.own_key, _ = certificate(folder, "agent", "urn:plantledger:tests:agent")
        self.user, self.user_key, _ = certificate(folder, "reader", "urn:plantledger:tests:reader")

    def options(self, policy: str, mode: str) -> dict[str, Any]:
        return {
            "certificate": str(self.server_pem), "key": str(self.server_key),
            "policies": [policy], "modes": [_MODES[mode]], "trusted": [str(self.own), str(self.user)],
        }  # fmt: skip

    def security(self, policy: str, mode: str) -> Security:
        return Security(
            policy=policy, mode=mode, certificate=self.own, key=self.own_key, trusted=self.server_der
        )


@pytest.mark.parametrize(
    ("policy", "mode"),
    [
        ("Basic256Sha256", "Sign"),
        ("Aes128_Sha256_RsaOaep", "SignAndEncrypt"),
        ("Aes256_Sha256_RsaPss", "SignAndEncrypt"),
    ],
)
async def test_each_policy_with_a_user_who_signs(policy: str, mode: str, tmp_path: Path):
    place = Certificates(tmp_path)
    users = {"users": {"nobody": "knows"}}
    async with peer(tmp_path, static={"n": 7}, **place.options(policy, mode), **users) as server:
        source = OpcUa(
            opcua_source(
                server.port,
                security=place.security(policy.replace("_", ""), mode),
                user_certificate=place.user,
                user_key=place.user_key,
                timeout_us=10_000_000,
            ),
            [at(0, "n")],
            RealClock(),
        )
        async with running(source) as seen:
            await until(lambda: source.health().live == 1, 120)
            await server.write("n", 8)
            await until(lambda: seen.last(0).value == 8, 120)


async def test_limits_that_are_not_told_are_found_by_refusal_and_remembered(tmp_path: Path):
    async with peer(tmp_path, items=90, read=25, subscribe=12, told=False) as server:
        source = opcua(server.port, [at(n, f"v{n}") for n in range(90)], timeout_us=10_000_000)
        async with running(source) as seen:
            await until(lambda: source.health().live == 90, 120)
            assert (source.limits.read.most, source.limits.subscribe.most) == (25, 12)
            await server.kill()
            await until(lambda: seen.losses, 120)
            await server.start()
            await until(lambda: source.health().live == 90, 120)
            assert (source.limits.read.nodes, source.limits.subscribe.nodes) == (25, 12)


async def test_elements_of_arrays_and_fields_of_structures(tmp_path: Path):
    status = "i=2256"
    async with peer(tmp_path, static={"speeds": [10, 20, 30], "n": 1}) as server:
        signals = [
            at(0, "speeds", "[2]"),
            at(1, "speeds", "[7]"),
            replace(signal(2, status), address=replace(signal(2, status).address, path=parse_path(".State"))),
            replace(
                signal(3, status, meaning=Meaning(text=True)),
                address=replace(signal(3, status).address, path=parse_path(".BuildInfo.ManufacturerName")),
            ),
            at(4, "n", ".Nothing"),
            at(5, "speeds"),
        ]
        source = opcua(server.port, signals, timeout_us=10_000_000)
        async with running(source) as seen:
            await until(lambda: source.health().live == 3, 120)
            assert [seen.last(n).value for n in (0, 2)] == [30, 0]
            assert seen.last(3).value
            assert {seen.last(n).quality for n in (1, 4, 5)} == {Quality.BAD}
            assert "path: [3]" in (seen.last(5).why or "")
            await server.write("speeds", [10, 20, 31])
            await until(lambda: seen.last(0).value == 31, 120)


async def test_every_change_at_five_hertz_arrives_when_published_each_second(tmp_path: Path):
    async with peer(tmp_path, items=3, period_ms=200) as server:
        signals = [at(n, f"v{n}", interval_us=50_000) for n in range(3)]
        source = opcua(server.port, signals, interval_us=1_000_000, timeout_us=10_000_000)
        async with running(source) as seen:
            await until(lambda: source.health().live == 3, 120)
            known = seen.last(0).value or 0
            await until(lambda: (seen.last(0).value or 0) >= known + 25, 120)
            assert source.overflows == 0
        for n in range(3):
            told = [value for _, value in judge.told(seen.of(n))]
            assert all(b == a + 1 for a, b in pairwise(told[1:])), told


async def test_the_session_that_a_killed_agent_left_does_not_keep_its_successor_out(tmp_path: Path):
    """Two sessions are all that the server has; one of them is a corpse."""
    async with peer(tmp_path, static={"n": 1}, sessions=2) as server:
        left = await opened(server)
        source = opcua(server.port, [at(0, "n")], timeout_us=10_000_000)
        async with running(source):
            await until(lambda: source.health().live == 1, 120)
        await left.close()


async def opened(server: Peer) -> OpcUa:
    """A source that has connected and then never speaks again."""
    source = opcua(server.port, [at(0, "n")], timeout_us=10_000_000)
    assert (await source.read([0]))[0].value == 1
    await asyncio.sleep(0)
    return source


async def test_what_a_server_takes_into_no_subscription_is_polled_and_counted(tmp_path: Path):
    """Of 60 counters 20 are reported; the others arrive all the same, each change."""
    async with peer(tmp_path, items=60, period_ms=1000, read=25, most_items=20) as server:
        signals = [at(n, f"v{n}", interval_us=200_000) for n in range(60)]
        source = opcua(server.port, signals, interval_us=200_000, timeout_us=10_000_000)
        async with running(source) as seen:
            await until(lambda: source.health().polled == 40 and len(seen.marks) > 4, 120)
            await until(lambda: source.health().live == 60 and source.health().reason is None, 120)
            known = seen.last(59).value or 0
            await until(lambda: (seen.last(59).value or 0) >= known + 5, 120)
            covered = seen.covered()
        truth = server.truth()
    for n in range(60):
        told = judge.told(seen.of(n))
        assert judge.missed(truth, told, covered, 200_000) == []
        assert judge.untrue(truth, told) == []


async def test_a_polled_source_is_proven_by_its_scans_and_lost_when_it_is_silent(tmp_path: Path):
    async with peer(tmp_path, items=30, period_ms=1000, read=25) as server:
        signals = [replace(at(n, f"v{n}", interval_us=200_000), poll=True) for n in range(30)]
        source = opcua(server.port, signals, interval_us=200_000, timeout_us=3_000_000)
        async with running(source) as seen:
            await until(lambda: source.health().polled == 30 and len(seen.marks) > 4, 120)
            await until(lambda: source.health().live == 30, 120)
            server.freeze()
            await until(lambda: seen.losses and source.health().live == 0, 120)
            server.thaw()
            await until(lambda: source.health().live == 30 and seen.marks[-1][0] > seen.losses[-1][0], 120)
            known = len(seen.marks)
            await until(lambda: len(seen.marks) > known + 6, 120)
            covered = seen.covered()
        truth = server.truth()
    for n in range(30):
        told = judge.told(seen.of(n))
        assert judge.missed(truth, told, covered, 200_000) == []
        assert judge.untrue(truth, told) == []


PRESS = {
    "product": "P-1", "strokes": 7, "cycle": 1500.0, "mode": 1, "main": {"speed": 1.5, "position": -3},
    "axes": [{"speed": 2.5, "position": 4}, {"speed": 3.5, "position": 5}], "zones": [20.0, 21.5],
}  # fmt: skip


async def test_fields_of_a_structure_that_its_maker_defined(tmp_path: Path):
    """A type that the server alone knows: nested, in arrays, with a field left out; alone and in an array."""
    paths = {
        ".Product": "P-1", ".Strokes": 7, ".Cycle": 1500, ".Mode": 1, ".Main.Position": -3,
        ".Axes[1].Speed": 3.5, ".Zones[1]": 21.5,
    }  # fmt: skip
    structures = {"press": PRESS, "presses": [PRESS, PRESS | {"order": "O-9"}]}
    async with peer(tmp_path, structures=structures) as server:
        signals = [at(n, "press", path) for n, path in enumerate(paths)]
        signals += [at(7, "presses", "[1].Order"), at(8, "press", ".Order"), at(9, "press", ".Nothing")]
        signals += [at(10, "press", ".Main"), at(11, "press")]
        source = opcua(server.port, signals, timeout_us=10_000_000)
        async with running(source) as seen:
            await until(lambda: source.health().live == 8, 120)
            assert {path: seen.last(n).value for n, path in enumerate(paths)} == paths
            assert seen.last(7).value == "O-9"
            assert {seen.last(n).quality for n in (8, 9, 10, 11)} == {Quality.BAD}
            assert seen.last(10).why == "a structure of Speed, Position: say which, for example path: .Speed"
            facts = await facts_of(source.session.client, parse_node(f"nsu={URI};s=presses"))
            assert facts["value"][1]["Main"] == {"Speed": 1.5, "Position": -3}
            assert [each["Order"] for each in facts["value"]] == [None, "O-9"]
            await server.write("press", PRESS | {"strokes": 8, "order": "O-1"})
            await until(lambda: seen.last(8).value == "O-1" and seen.last(1).value == 8, 120)
