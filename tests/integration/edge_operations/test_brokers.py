"""The shipped brokers with real certificates: rights by identity, and the way through a DMZ."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.config.model import Uplink
from shared.topics import Kind, topic
from tests.integration.edge_delivery.agent import running, until, uplink_to
from tests.integration.edge_delivery.brokers import MOSQUITTO, BrokerProcess, free_port, wait_for_port
from tests.integration.edge_delivery.cloud import AGENT, SITE, FakeCloud
from tests.integration.edge_delivery.test_mqtt import authority, issue

pytestmark = pytest.mark.needs("mosquitto")
SHIPPED = Path(__file__).resolve().parents[3] / "deploy" / "mosquitto"
OTHER = "gw-2"


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    """The files that the shipped configs name, of one authority; the broker's name is this machine's."""
    folder = tmp_path / "certs"
    folder.mkdir()
    key, _ = authority(folder, "ca")
    for name in ("broker", "bridge", "ingest", AGENT, OTHER):
        issue(folder, key, "ca", name)
    return folder


@contextlib.contextmanager
def shipped(name: str, folder: Path, ports: dict[str, str]) -> Iterator[BrokerProcess]:
    """A broker with a shipped config; only its folder, ports and host are of this test."""
    assert MOSQUITTO is not None
    text = (SHIPPED / name).read_text("utf-8")
    for theirs, ours in {**ports, "/etc/mosquitto": str(folder)}.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    (folder / "plantledger.acl").write_bytes((SHIPPED / "plantledger.acl").read_bytes())
    config = folder / f"{name}.used"
    config.write_text(("user root\n" if os.geteuid() == 0 else "") + text, "utf-8")
    first = next(line for line in text.splitlines() if line.startswith("listener"))
    broker = BrokerProcess([MOSQUITTO, "-c", str(config)], int(first.split()[1]))
    broker.start()
    assert broker._process is not None
    for line in text.splitlines():
        if line.startswith("listener"):
            wait_for_port(int(line.split()[1]), broker._process)
    try:
        yield broker
    finally:
        broker.kill()


@contextlib.contextmanager
def outer(folder: Path) -> Iterator[tuple[BrokerProcess, int]]:
    """The broker of gateways; and its port for an ingest on the same machine."""
    port, local = free_port(), free_port()
    ports = {"listener 8883": f"listener {port}", "listener 1883": f"listener {local}"}
    with shipped("plantledger.conf", folder, ports) as broker:
        yield broker, local


def as_gateway(port: int, certs: Path, name: str = AGENT) -> Uplink:
    own = {"certificate": certs / f"{name}.pem", "key": certs / f"{name}.key", "ca": certs / "ca.pem"}
    return uplink_to(port, tls=True, **own)


class Listener:
    """A plain client with a certificate: what it hears of some topics."""

    def __init__(self, port: int, certs: Path, name: str) -> None:
        self.heard: list[str] = []
        self.ready = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.tls_set(str(certs / "ca.pem"), str(certs / f"{name}.pem"), str(certs / f"{name}.key"))
        self.client.on_connect = lambda client, *_: client.subscribe("plantledger/#", 1)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.ready.wait(20)

    def say(self, where: str) -> None:
        self.client.publish(where, b"{}", 1).wait_for_publish(20)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


async def test_a_gateway_speaks_for_itself_alone(tmp_path: Path, certs: Path) -> None:
    with outer(tmp_path) as (broker, local):
        cloud, stranger = FakeCloud(local), Listener(broker.port, certs, OTHER)
        stranger.say(topic(SITE, AGENT, Kind.STATUS))
        stranger.say(topic(SITE, AGENT, Kind.ACK))
        async with running(tmp_path / "buffer", as_gateway(broker.port, certs)) as agent:
            agent.tell(1.0)
            await until(lambda: len(cloud.samples()) >= 1 and agent.buffer.state().depth == 0)
        stranger.say(topic(SITE, OTHER, Kind.STATUS))
        ingest = Listener(broker.port, certs, "ingest")
        ingest.say(topic(SITE, OTHER, Kind.ACK))
        await until(lambda: stranger.heard == [topic(SITE, OTHER, Kind.ACK)])
        stranger.close()
        ingest.close()
        cloud._client.disconnect()
        cloud._client.loop_stop()
        assert all(status.instance for status in cloud.statuses), "nothing of the stranger's"


async def test_through_a_dmz_nothing_is_lost_while_the_inner_broker_is_away(
    tmp_path: Path, certs: Path
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "certs").symlink_to(certs)
    with outer(tmp_path) as (dmz, _):
        port = free_port()
        ports = {"listener 1884": f"listener {port}", "dmz-broker.example.com:8883": f"127.0.0.1:{dmz.port}"}
        with shipped("bridge.conf", inside, ports) as inner:
            cloud = FakeCloud(inner.port)
            async with running(tmp_path / "buffer", as_gateway(dmz.port, certs)) as agent:
                for n in range(20):
                    agent.tell(float(n))
                await until(lambda: agent.buffer.state().depth == 0 and len(cloud.samples()) >= 20, 60.0)
                inner.kill()
                for n in range(20, 40):
                    agent.tell(float(n))
                await until(lambda: agent.buffer.state().depth > 0)
                inner.start()
                await until(lambda: {s.value for s in cloud.samples()} >= set(map(float, range(40))), 60.0)
                await until(lambda: agent.buffer.state().depth == 0, 60.0)
            cloud.close()
