"""One connection to the broker: MQTT 5, or 3.1.1 where the broker knows no better. Each connection is a new
client with a clean session, so that nothing is queued that the agents do not hold themselves.
"""

from __future__ import annotations

import logging
import secrets
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cloud_api.errors import CloudError
from shared.codec import MAX_MESSAGE
from shared.topics import ROOT, Kind

log = logging.getLogger(__name__)

IN_FLIGHT = 100
"""Messages that the broker may send before we acknowledge (MQTT 5; other brokers have their own limit)."""
KEEP_ALIVE_S = 20
CONNECT_S = 10.0
GROUP = "plantledger-ingest"
_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_SHARED = (Kind.HELLO, Kind.BATCH, Kind.DICTIONARY)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to reach it.

    shared: it knows $share, so that several ingests divide the work. five: it may know MQTT 5.
    """

    url: str
    shared: bool = True
    five: bool = True
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def place(self) -> str:
        """The broker without user and password, for people to read."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"

    def subscriptions(self) -> list[tuple[str, int]]:
        """Topic filters with their QoS. Every ingest hears every status: retained ones reach no group."""
        group = f"$share/{GROUP}/" if self.shared else ""
        filters = [f"{group}{ROOT}/+/+/{kind}" for kind in _SHARED]
        return [(each, 1) for each in [*filters, f"{ROOT}/+/+/{Kind.STATUS}"]]


class Link:
    """A connection that is up, until it is lost or closed.

    receive is called from the client's thread with each message; it must not block or raise. lost is set
    when the connection is gone.
    """

    def __init__(
        self, broker: Broker, version: MQTTProtocolVersion, receive: Callable[[MQTTMessage], None]
    ) -> None:
        self.broker = broker
        self.lost = threading.Event()
        self._answered = threading.Event()
        self._refused: str | None = None
        self._client = _client(broker, version)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = lambda client, data, message: receive(message)
        self._version = version

    def open(self) -> None:
        """Connects and subscribes. Raises ConnectionError with the reason; OSError from the network."""
        parts = urlsplit(self.broker.url)
        properties = None
        if self._version == MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.ReceiveMaximum = IN_FLIGHT
            properties.MaximumPacketSize = MAX_MESSAGE + 64 * 1024
        self._client.connect(
            parts.hostname or "", parts.port or _PORTS[parts.scheme], KEEP_ALIVE_S, properties=properties
        )
        self._client.loop_start()
        if not self._answered.wait(CONNECT_S):
            self.close()
            raise ConnectionError("the broker does not answer")
        if self._refused is not None:
            self.close()
            raise ConnectionError(self._refused)

    def publish(self, topic: str, payload: bytes) -> None:
        """Hands a message over; one that is lost with the connection is asked for again by the agent."""
        self._client.publish(topic, payload, qos=1)

    def acknowledge(self, message: MQTTMessage) -> None:
        """Lets the broker send another one; it is no promise of storage."""
        self._client.ack(message.mid, message.qos)

    def close(self) -> None:
        """Says goodbye and ends the client's thread."""
        self._client.disconnect()
        self._client.loop_stop()
        self.lost.set()

    def _on_connect(self, client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._refused = f"refused: {reason}"
        else:
            client.subscribe(self.broker.subscriptions())
        self._answered.set()

    def _on_disconnect(self, client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if not self._answered.is_set():
            self._refused = f"connection closed: {reason}"
        self._answered.set()
        self.lost.set()


def connect(broker: Broker, receive: Callable[[MQTTMessage], None]) -> Link:
    """A link that is up: by MQTT 5, else by MQTT 3.1.1. Raises ConnectionError or OSError."""
    versions = (MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311)
    for version in versions if broker.five else versions[1:]:
        link = Link(broker, version, receive)
        try:
            link.open()
        except ConnectionError as error:
            if version is MQTTProtocolVersion.MQTTv311 or isinstance(error, ConnectionRefusedError):
                raise
        else:
            return link
    raise AssertionError("unreachable")


def _client(broker: Broker, version: MQTTProtocolVersion) -> Client:
    parts = urlsplit(broker.url)
    web = parts.scheme in ("ws", "wss")
    five = version == MQTTProtocolVersion.MQTTv5
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"pl-ingest-{secrets.token_hex(8)}",
        clean_session=None if five else True,
        protocol=version,
        transport="websockets" if web else "tcp",
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.max_inflight_messages_set(IN_FLIGHT)
    if web:
        client.ws_set_options(path=parts.path or "/mqtt")
    if parts.username is not None:
        client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
    if parts.scheme in ("mqtts", "wss"):
        client.tls_set_context(_tls(broker))
    return client


def _tls(broker: Broker) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if broker.ca is None else str(broker.ca))
        # Python 3.13 wants all that RFC 5280 asks of a certificate; a plant's own authority may not have it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if broker.certificate is not None:
            context.load_cert_chain(broker.certificate, broker.key)
    except (OSError, ssl.SSLError) as error:
        raise CloudError(
            "the certificates for the broker cannot be used",
            str(error),
            "check PLANTLEDGER_MQTT_CA and the others",
        ) from error
    return context
