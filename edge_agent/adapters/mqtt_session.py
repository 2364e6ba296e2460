"""One MQTT connection: a paho client that is thrown away at its end, and the way from its thread to the loop.

A new client for each connection means that no message, no id and no subscription of an old one is left. No
callback raises into paho's thread, and what comes in is bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent.adapters.mqtt_proxy import ProxiedClient, Proxy
from shared.control import Ack, Want, decode
from shared.errors import WireError
from shared.topics import Kind, parse

_log = logging.getLogger(__name__)
_MAX_INBOX = 1_000
_MAX_IN_FLIGHT = 32
_KEEP_ALIVE_S = 15
_ANSWER_S = 30.0
_PATIENCE_S = 2.0
_CONNACK_V5_S = 4.0
"""A broker that knows only 3.1.1 may stay silent instead of refusing version 5."""
_V5 = MQTTProtocolVersion.MQTTv5


class LinkError(Exception):
    """The connection could not be made or has ended. refused_version: another protocol version may work."""

    def __init__(self, what: str, *, refused_version: bool = False) -> None:
        super().__init__(what)
        self.refused_version = refused_version


@dataclass(frozen=True, slots=True)
class Dial:
    """Where and how to connect; tls None is plain TCP. path: of a WebSocket, None for plain MQTT."""

    host: str
    port: int
    client_id: str
    tls: ssl.SSLContext | None = None
    path: str | None = None
    user: str | None = None
    password: str | None = None
    proxy: Proxy | None = None
    connect_s: float = 10.0


class Session:
    """One connection, from CONNECT to its end. received is called in the event loop."""

    def __init__(
        self,
        dial: Dial,
        version: MQTTProtocolVersion,
        will: tuple[str, bytes],
        received: Callable[[Ack | Want], None],
    ) -> None:
        self._dial = dial
        self._version = version
        self._received = received
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[None] = self._loop.create_future()
        self._suback: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._pubacks: dict[int, asyncio.Future[str | None]] = {}
        self._in_flight = asyncio.Semaphore(_MAX_IN_FLIGHT)
        self._max_packet: int | None = None
        self._connecting: asyncio.Future[None] | None = None
        self._inbox = 0
        self.dropped = self.nonsense = 0
        self._client = self._make_client(will)

    async def open(self, topics: list[str]) -> None:
        """Connect and subscribe. Raises LinkError."""
        self._connecting = asyncio.ensure_future(asyncio.to_thread(self._connect))
        try:
            await asyncio.shield(self._connecting)
        except (OSError, ValueError, ssl.SSLError, paho.WebsocketConnectionError) as error:
            raise LinkError(f"{error or type(error).__name__}") from error
        self._client.loop_start()
        await self._answer(self._connack, "CONNACK")
        result, _ = self._client.subscribe([(topic, 1) for topic in topics])
        if result != paho.MQTT_ERR_SUCCESS:
            raise LinkError(f"cannot subscribe: {paho.error_string(result)}")
        await self._answer(self._suback, "SUBACK")

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> str | None:
        """None once the broker took it, else why not."""
        if self._max_packet is not None and len(payload) + len(topic) + 16 > self._max_packet:
            return f"{len(payload)} bytes, the broker takes {self._max_packet}: lower uplink.max_packet"
        async with self._in_flight:
            if self._ended.done():
                return "the link is down"
            info = self._client.publish(topic, payload, qos=1, retain=retain)
            if info.rc != paho.MQTT_ERR_SUCCESS:
                return paho.error_string(info.rc)
            taken: asyncio.Future[str | None] = self._loop.create_future()
            self._pubacks[info.mid] = taken
            try:
                async with asyncio.timeout(_ANSWER_S):
                    return await taken
            except TimeoutError:
                return "no PUBACK"
            finally:
                self._pubacks.pop(info.mid, None)

    async def ended(self) -> str:
        """Wait for the end of the connection; why it ended."""
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        """Say goodbye to the broker (no will is sent then) and end paho's thread."""
        if self._connecting is not None:
            await asyncio.wait([self._connecting], timeout=_PATIENCE_S)
        self._client.disconnect()
        stopping = asyncio.ensure_future(asyncio.to_thread(self._client.loop_stop))
        await asyncio.wait([stopping], timeout=_PATIENCE_S)
        if not stopping.done():
            self._cut()
            await stopping
        self._end("closed")

    def _cut(self) -> None:
        """The other side takes nothing any more, not even a goodbye."""
        link = self._client.socket()
        if isinstance(link, socket.socket):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def _make_client(self, will: tuple[str, bytes]) -> paho.Client:
        dial = self._dial
        client = ProxiedClient(
            CallbackAPIVersion.VERSION2,
            client_id=dial.client_id,
            protocol=self._version,
            transport="websockets" if dial.path is not None else "tcp",
            reconnect_on_failure=False,
        )
        client.http_proxy = dial.proxy
        client.suppress_exceptions = True
        client.connect_timeout = dial.connect_s
        client.max_inflight_messages_set(2 * _MAX_IN_FLIGHT)
        if dial.path is not None:
            client.ws_set_options(path=dial.path)
        if dial.tls is not None:
            client.tls_set_context(dial.tls)
        if dial.user is not None:
            client.username_pw_set(dial.user, dial.password)
        client.will_set(*will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _connect(self) -> None:
        properties = None
        if self._version is _V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0
        self._client.connect(self._dial.host, self._dial.port, _KEEP_ALIVE_S, properties=properties)

    async def _answer(self, expected: asyncio.Future[None], name: str) -> None:
        either: list[asyncio.Future[Any]] = [expected, self._ended]
        silent = expected is self._connack
        patience_s = _CONNACK_V5_S if silent and self._version is _V5 else self._dial.connect_s
        await asyncio.wait(either, timeout=patience_s, return_when="FIRST_COMPLETED")
        if expected.done():
            return expected.result()
        if self._ended.done():
            raise LinkError(f"closed before {name}: {self._ended.result()}", refused_version=silent)
        raise LinkError(f"no {name} in {patience_s:g} s", refused_version=silent)

    # Paho's thread from here on: nothing raises, everything goes to the loop

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        receive = getattr(properties, "ReceiveMaximum", None)
        packet = getattr(properties, "MaximumPacketSize", None)
        failed = str(reason) if reason.is_failure else None
        refused = failed is not None and reason.value in (0x84, 0x01)
        self._tell(self._connected, failed, refused, receive, packet)

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, reasons: Any, properties: Any) -> None:
        failed = [str(reason) for reason in reasons if reason.is_failure]
        self._tell(self._subscribed, failed[0] if failed else None)

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: Any, properties: Any) -> None:
        self._tell(self._published, mid, str(reason) if reason.is_failure else None)

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._tell(self._end, str(reason))

    def _on_message(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        if self._inbox >= _MAX_INBOX:
            self.dropped += 1
            return
        known = parse(message.topic)
        try:
            word = decode(bytes(message.payload), Want if known and known[2] is Kind.WANT else Ack)
        except WireError as error:
            if not self.nonsense:
                _log.warning("%s: %s: such messages are passed over", message.topic, error)
            self.nonsense += 1
            return
        self._inbox += 1
        self._tell(self._deliver, word)

    def _tell(self, action: Callable[..., None], *details: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(action, *details)
        except RuntimeError:
            _log.debug("the loop has ended before its connection")

    # The loop again

    def _connected(self, failed: str | None, refused: bool, receive: int | None, packet: int | None) -> None:
        if self._connack.done():
            return
        if failed is not None:
            self._connack.set_exception(LinkError(f"refused: {failed}", refused_version=refused))
            return
        if receive is not None and receive < _MAX_IN_FLIGHT:
            self._in_flight = asyncio.Semaphore(max(1, receive))
        self._max_packet = packet
        self._connack.set_result(None)

    def _subscribed(self, failed: str | None) -> None:
        if self._suback.done():
            return
        if failed is None:
            self._suback.set_result(None)
        else:
            self._suback.set_exception(LinkError(f"cannot subscribe: {failed}"))

    def _published(self, mid: int, failed: str | None) -> None:
        waiting = self._pubacks.get(mid)
        if waiting is not None and not waiting.done():
            waiting.set_result(failed)

    def _deliver(self, word: Ack | Want) -> None:
        self._inbox -= 1
        self._received(word)

    def _end(self, why: str) -> None:
        if not self._ended.done():
            self._ended.set_result(why)
        for waiting in self._pubacks.values():
            if not waiting.done():
                waiting.set_result("the link is down")
