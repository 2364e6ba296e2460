"""Ingest behind real brokers: mosquitto and the embedded stand-in; brokers and databases that go away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from cloud_api.ingest.broker import EmbeddedBroker
from cloud_api.ingest.consumer import MOST_QUEUED, Consumer, Inbox
from cloud_api.ingest.intake import Intake
from cloud_api.ingest.link import Broker
from cloud_api.ingest.message import Message
from cloud_api.store.pool import open_pool
from shared.control import Ack, Want, decode
from tests.integration.ingest.gateway import GOOD, Gateway, now_us, rows, sample

MOSQUITTO = pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto"))


def wait_until(what: str, holds: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


@pytest.fixture(params=[MOSQUITTO, "amqtt"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(tmp_path)
    if request.param == "amqtt":
        broker.mosquitto = None
    broker.start()
    yield broker
    broker.stop()


@contextmanager
def consuming(broker: EmbeddedBroker, database: str) -> Iterator[Consumer]:
    pool = open_pool(database, name="test", size=3)
    consumer = Consumer(Broker(broker.url, broker.shared, broker.shared), Intake(pool))
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=[stop])
    thread.start()
    try:
        wait_until("connected", consumer.connected.is_set)
        yield consumer
    finally:
        stop.set()
        thread.join(20)
        pool.close()
        assert not thread.is_alive()


class Uplink:
    """The agent's side of the broker: publishes, and notes what it is told."""

    def __init__(self, port: int, gateway: Gateway) -> None:
        self.acks: list[Ack] = []
        self.wants: list[Want] = []
        self.connections = 0
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.reconnect_delay_set(0.1, 0.5)
        topics = [(f"plantledger/v1/{gateway.site}/{gateway.agent}/{kind}", 1) for kind in ("ack", "want")]
        self.client.on_connect = lambda client, *_: client.subscribe(topics)
        self.client.on_subscribe = lambda *_: setattr(self, "connections", self.connections + 1)
        self.client.on_message = lambda client, data, message: self._hear(message.topic, message.payload)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_until("the agent is subscribed", lambda: self.connections)

    def send(self, *messages: Message) -> None:
        for each in messages:
            self.client.publish(each.topic, each.payload, qos=1, retain=each.retained)

    def through(self) -> int:
        return max((ack.through for ack in self.acks), default=0)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _hear(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/ack"):
            self.acks.append(decode(payload, Ack))
        else:
            self.wants.append(decode(payload, Want))


def test_batches_are_stored_and_acknowledged(broker: EmbeddedBroker, plain_database: str) -> None:
    gateway, t = Gateway(), now_us()
    with consuming(broker, plain_database):
        uplink = Uplink(broker.port, gateway)
        uplink.send(gateway.batch(1, [sample(GOOD, t, 1.0)]))
        wait_until("the dictionary is asked for", lambda: any(want.dictionaries for want in uplink.wants))
        uplink.send(
            gateway.dictionary(), *(gateway.batch(seq, [sample(GOOD, t + seq, 1.0)]) for seq in range(1, 41))
        )
        wait_until("all are acknowledged", lambda: uplink.through() == 40)
        uplink.close()
    assert rows(plain_database, "select count(*) from samples") == [(40,)]


def test_a_retained_status_is_heard_by_an_ingest_that_starts_later(
    broker: EmbeddedBroker, plain_database: str
) -> None:
    gateway = Gateway()
    uplink = Uplink(broker.port, gateway)
    uplink.send(gateway.status(1, retained=True, buffer_depth=5))
    with consuming(broker, plain_database):
        depth = "select status->>'buffer_depth' from agents"
        wait_until("the status is kept", lambda: rows(plain_database, depth) == [("5",)])
        uplink.close()


def test_it_lives_through_a_broker_that_restarts(broker: EmbeddedBroker, plain_database: str) -> None:
    gateway, t = Gateway(), now_us()
    with consuming(broker, plain_database) as consumer:
        uplink = Uplink(broker.port, gateway)
        uplink.send(gateway.dictionary(), gateway.batch(1, [sample(GOOD, t, 1.0)]))
        wait_until("the first is acknowledged", lambda: uplink.through() == 1)
        broker.stop()
        wait_until("the loss is noticed", lambda: not consumer.connected.is_set())
        broker.start()
        wait_until("both are connected again", lambda: consumer.connected.is_set() and uplink.connections > 1)
        uplink.send(gateway.batch(1, [sample(GOOD, t, 1.0)]), gateway.batch(2, [sample(GOOD, t + 1, 1.0)]))
        wait_until("the second is acknowledged", lambda: uplink.through() == 2)
        uplink.close()
    assert rows(plain_database, "select count(*) from samples") == [(2,)]


def test_it_lives_through_a_database_that_goes_away(broker: EmbeddedBroker, plain_database: str) -> None:
    gateway, t = Gateway(), now_us()
    info = psycopg.conninfo.conninfo_to_dict(plain_database)
    admin = psycopg.conninfo.make_conninfo(plain_database, dbname="postgres")
    with consuming(broker, plain_database), psycopg.connect(admin, autocommit=True) as connection:
        uplink = Uplink(broker.port, gateway)
        uplink.send(gateway.dictionary(), gateway.batch(1, [sample(GOOD, t, 1.0)]))
        wait_until("the first is acknowledged", lambda: uplink.through() == 1)
        connection.execute(f"alter database {info['dbname']} allow_connections false".encode())
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [info["dbname"]]
        )
        uplink.send(*(gateway.batch(seq, [sample(GOOD, t + seq, 1.0)]) for seq in range(2, 6)))
        wait_until("nobody is connected", lambda: alone(connection, str(info["dbname"])))
        assert uplink.through() == 1
        connection.execute(f"alter database {info['dbname']} allow_connections true".encode())
        wait_until("all are acknowledged", lambda: uplink.through() == 5)
        uplink.close()
    assert rows(plain_database, "select count(*) from samples") == [(5,)]


def alone(connection: psycopg.Connection[tuple[object, ...]], name: str) -> bool:
    found = connection.execute("select count(*) from pg_stat_activity where datname = %s", [name]).fetchone()
    return found == (0,)


@pytest.mark.needs("mosquitto")
def test_two_ingests_divide_the_work(tmp_path: Path, plain_database: str) -> None:
    broker = EmbeddedBroker(tmp_path)
    broker.start()
    gateways = [Gateway(agent=f"gw-{number}") for number in range(3)]
    t = now_us()
    try:
        with consuming(broker, plain_database) as one, consuming(broker, plain_database) as two:
            uplinks = [Uplink(broker.port, gateway) for gateway in gateways]
            for gateway, uplink in zip(gateways, uplinks, strict=True):
                uplink.send(gateway.dictionary())
                wait_until(
                    "the dictionary is kept", lambda: rows(plain_database, "select 1 from dictionaries")
                )
                uplink.send(*(gateway.batch(seq, [sample(GOOD, t + seq, 1.0)]) for seq in range(1, 61)))
            for uplink in uplinks:
                wait_until("all are acknowledged", lambda uplink=uplink: uplink.through() == 60)  # type: ignore[misc]
                uplink.close()
            assert one.intake.counts["batches"] > 0
            assert two.intake.counts["batches"] > 0
            assert one.intake.counts["batches"] + two.intake.counts["batches"] == 180
    finally:
        broker.stop()
    assert rows(plain_database, "select count(*) from samples") == [(180,)]


def test_the_queue_is_bounded_and_counts_what_it_lets_go() -> None:
    class Arrived:
        payload = b"x" * 100

    inbox = Inbox()
    for _ in range(MOST_QUEUED + 7):
        inbox.put(Arrived())  # type: ignore[arg-type]
    assert inbox.dropped == 7
    taken = 0
    while batch := inbox.take(0):
        taken += len(batch)
    assert taken == MOST_QUEUED


def test_the_embedded_broker_keeps_its_port_unless_it_is_taken(tmp_path: Path) -> None:
    ports = []
    for _ in range(2):
        broker = EmbeddedBroker(tmp_path)
        broker.start()
        ports.append(broker.port)
        broker.stop()
    assert ports[0] == ports[1]
    with socket.socket() as other:
        other.bind(("127.0.0.1", ports[0]))
        other.listen()
        broker = EmbeddedBroker(tmp_path)
        broker.start()
        assert broker.port != ports[0]
        broker.stop()
    (tmp_path / "broker.port").write_text("nonsense")
    broker = EmbeddedBroker(tmp_path)
    broker.start()
    broker.stop()
