"""Whether the broker lets this agent in, and what it may do there; for ``doctor``.

A connection of its own, under a client id of its own, so that a running agent keeps its. What is published is
empty and not retained: the cloud looks at no empty message.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge_agent.adapters.mqtt import dial_of
from edge_agent.adapters.mqtt_proxy import ProxiedClient, tunnel
from edge_agent.adapters.mqtt_session import Dial
from edge_agent.config.model import Uplink
from shared.topics import Kind, topic

_PUBLISHED = (Kind.HELLO, Kind.DICTIONARY, Kind.BATCH, Kind.STATUS)
_SUBSCRIBED = (Kind.ACK, Kind.WANT)
_NOBODY_LISTENS = 0x10
_ANSWER_S = 10.0


class NotLetIn(Exception):
    """The broker cannot be reached, or refuses the connection; the text says why."""


@dataclass(slots=True)
class Rights:
    """What the broker allows. version: of MQTT. denied: topic to reason; for 3.1.1 publishing is not told.

    unheard: topics that nobody subscribes to, as far as the broker tells.
    """

    version: str
    denied: dict[str, str] = field(default_factory=dict)
    unheard: list[str] = field(default_factory=list)


def certificate_end(settings: Uplink) -> tuple[float, str]:
    """(end of the broker's certificate in seconds since 1970, TLS version), after a verified handshake.

    Raises OSError, ssl.SSLError among them, and AgentError for files that cannot be used.
    """
    dial = dial_of(settings, "")
    assert dial.tls is not None
    with _link(dial) as link, dial.tls.wrap_socket(link, server_hostname=dial.host) as secured:
        told = secured.getpeercert() or {}
        return ssl.cert_time_to_seconds(str(told["notAfter"])), str(secured.version())


def rights_of(settings: Uplink, *, site: str, agent: str, nonce: str) -> Rights:
    """Log in, subscribe and publish as the agent would. Raises NotLetIn, AgentError."""
    dial = dial_of(settings, f"pl-{agent}-doctor-{nonce}")
    try:
        return _Visit(dial, MQTTProtocolVersion.MQTTv5).rights(site, agent)
    except _OtherVersion:
        return _Visit(dial, MQTTProtocolVersion.MQTTv311).rights(site, agent)


class _OtherVersion(Exception):
    pass


def _link(dial: Dial) -> socket.socket:
    if dial.proxy is not None:
        return tunnel(dial.proxy, dial.host, dial.port, dial.connect_s)
    return socket.create_connection((dial.host, dial.port), dial.connect_s)


class _Visit:
    """One connection. Answers come in paho's thread and are waited for in ours."""

    def __init__(self, dial: Dial, version: MQTTProtocolVersion) -> None:
        self._dial, self._version = dial, version
        self._news = threading.Condition()
        self._connack: Any = None
        self._ended: str | None = None
        self._answers: dict[int, list[Any]] = {}
        self._client = client = ProxiedClient(
            CallbackAPIVersion.VERSION2,
            client_id=dial.client_id,
            protocol=version,
            transport="websockets" if dial.path is not None else "tcp",
            reconnect_on_failure=False,
        )
        client.http_proxy, client.suppress_exceptions = dial.proxy, True
        client.connect_timeout = dial.connect_s
        if dial.path is not None:
            client.ws_set_options(path=dial.path)
        if dial.tls is not None:
            client.tls_set_context(dial.tls)
        if dial.user is not None:
            client.username_pw_set(dial.user, dial.password)
        client.on_connect = lambda c, u, f, reason, p: self._tell("connack", reason)
        client.on_disconnect = lambda c, u, f, reason, p: self._tell("ended", str(reason))
        client.on_subscribe = lambda c, u, mid, reasons, p: self._tell(mid, reasons)
        client.on_publish = lambda c, u, mid, reason, p: self._tell(mid, [reason])

    def rights(self, site: str, agent: str) -> Rights:
        """Raises NotLetIn, _OtherVersion."""
        v5 = self._version is MQTTProtocolVersion.MQTTv5
        found = Rights("5" if v5 else "3.1.1")
        try:
            self._client.connect(self._dial.host, self._dial.port, 15)
        except (OSError, ValueError, paho.WebsocketConnectionError) as error:
            raise NotLetIn(str(error) or type(error).__name__) from error
        self._client.loop_start()
        try:
            self._let_in(v5)
            for kind in _SUBSCRIBED:
                name = topic(site, agent, kind)
                self._note(found, name, *self._client.subscribe(name, 1)[::-1])
            for kind in _PUBLISHED:
                name = topic(site, agent, kind)
                info = self._client.publish(name, b"", qos=1)
                self._note(found, name, info.mid, info.rc)
        finally:
            self._client.disconnect()
            self._client.loop_stop()
        return found

    def _let_in(self, v5: bool) -> None:
        with self._news:
            self._news.wait_for(lambda: self._connack is not None or self._ended is not None, _ANSWER_S)
        if self._connack is None and v5:
            raise _OtherVersion
        if self._connack is None:
            raise NotLetIn(self._ended or "no answer to the login")
        if v5 and self._connack.is_failure and self._connack.value in (0x84, 0x01):
            raise _OtherVersion
        if self._connack.is_failure:
            raise NotLetIn(f"refused: {self._connack}")

    def _note(self, found: Rights, name: str, mid: int | None, rc: Any) -> None:
        """Wait for the answer to one request, and keep what it says."""
        if mid is None or rc != paho.MQTT_ERR_SUCCESS:
            found.denied[name] = paho.error_string(rc)
            return
        with self._news:
            self._news.wait_for(lambda: mid in self._answers or self._ended is not None, _ANSWER_S)
            reasons = self._answers.get(mid)
        if reasons is None:
            found.denied[name] = self._ended or "no answer"
        elif reasons[0].is_failure:
            found.denied[name] = str(reasons[0])
        elif reasons[0].value == _NOBODY_LISTENS:
            found.unheard.append(name)

    def _tell(self, what: str | int, content: Any) -> None:
        with contextlib.suppress(Exception), self._news:
            if what == "connack":
                self._connack = content
            elif what == "ended":
                self._ended = content
            elif isinstance(what, int):
                self._answers[what] = list(content)
            self._news.notify_all()
