"""The uplink over MQTT: one outgoing connection, made again with jitter; MQTT 5, or 3.1.1 where 5 is refused.

What is delivered is decided by the cloud's ack alone: PUBACK only says that the broker took a message.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from paho.mqtt.enums import MQTTProtocolVersion

from edge_agent.adapters.mqtt_proxy import Proxy
from edge_agent.adapters.mqtt_session import Dial, LinkError, Session
from edge_agent.config.model import Transport, Uplink
from edge_agent.core.retry import Backoff
from edge_agent.errors import AgentError
from shared.control import Ack, Hello, Status, Want, encode
from shared.topics import Kind, topic

_log = logging.getLogger(__name__)
_V5, _V3 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
_STEADY_S = 30.0


class MqttUplink:
    """Implements ports.Uplink. will: builds the last will of each connection; chance draws from [0, 1).

    Raises AgentError for a plain connection beyond loopback that the config does not allow in words.
    """

    def __init__(
        self,
        settings: Uplink,
        *,
        site: str,
        agent: str,
        instance: bytes,
        start: bytes,
        will: Callable[[], Status],
        chance: Callable[[], float],
        backoff: Backoff | None = None,
    ) -> None:
        if not settings.tls and not settings.allow_plaintext and not _is_loopback(settings.host):
            raise AgentError(
                "a plain connection beyond this machine",
                f"uplink.url {settings.url}",
                "use mqtts:// or wss://",
            )
        self._settings = settings
        self._topics = {kind: topic(site, agent, kind) for kind in Kind}
        self._client_id = f"pl-{agent}-{instance.hex()[:8]}-{start.hex()[:8]}"
        self._will = will
        self._chance = chance
        self._backoff = backoff or Backoff(1.0, 30.0)
        self._version = _V5
        self._session: Session | None = None
        self._greeted = False
        self.connects = 0
        self.problem: str | None = "not connected yet"

    async def run(
        self,
        connected: Callable[[], Awaitable[None]],
        received: Callable[[Ack | Want], None],
    ) -> None:
        """Connect and reconnect until cancelled; calls connected() at each connect."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began_s, version = loop.time(), self._version
            try:
                await self._one_connection(connected, received)
            except LinkError as error:
                self._fell(str(error))
                if error.refused_version:
                    self._version = _V3 if version is _V5 else _V5
            except (AgentError, OSError) as error:
                self._fell(str(error))
            failures = 0 if loop.time() - began_s > _STEADY_S else failures + 1
            if failures == 1 and self._version is not version:
                continue
            await asyncio.sleep(self._backoff.wait_s(max(0, failures - 1), self._chance()))

    async def publish_batch(self, message: bytes) -> bool:
        """True once the broker took it; False before the greeting is over, or when the link is down."""
        return self._greeted and await self._publish(Kind.BATCH, message)

    async def publish_dictionary(self, message: bytes) -> bool:
        """True once the broker took it."""
        return await self._publish(Kind.DICTIONARY, message)

    async def publish_control(self, message: Hello | Status) -> bool:
        """True once the broker took it; a status is retained."""
        kind = Kind.STATUS if isinstance(message, Status) else Kind.HELLO
        return await self._publish(kind, encode(message), retain=kind is Kind.STATUS)

    def is_connected(self) -> bool:
        """Whether the greeting is over and the link up."""
        return self._greeted

    @property
    def version(self) -> str:
        """The protocol in use, for health."""
        return "5" if self._version is _V5 else "3.1.1"

    async def _one_connection(
        self, connected: Callable[[], Awaitable[None]], received: Callable[[Ack | Want], None]
    ) -> None:
        will = (self._topics[Kind.STATUS], encode(self._will()))
        session = Session(dial_of(self._settings, self._client_id), self._version, will, received)
        try:
            await session.open([self._topics[Kind.ACK], self._topics[Kind.WANT]])
            self._session = session
            self.connects += 1
            self.problem = None
            _log.info("connected to %s with MQTT %s", self._settings.url, self.version)
            await connected()
            self._greeted = True
            why = await session.ended()
            raise LinkError(f"connection lost: {why}")
        finally:
            self._session, self._greeted = None, False
            await session.close()

    async def _publish(self, kind: Kind, payload: bytes, *, retain: bool = False) -> bool:
        if self._session is None:
            return False
        failed = await self._session.publish(self._topics[kind], payload, retain=retain)
        if failed is not None and failed != self.problem:
            _log.warning("the broker did not take a %s: %s", kind, failed)
        self.problem = failed
        return failed is None

    def _fell(self, why: str) -> None:
        if why != self.problem:
            _log.warning("uplink %s: %s", self._settings.url, why)
        self.problem = why


def dial_of(settings: Uplink, client_id: str) -> Dial:
    """How to connect. Files are read each time, so that renewed certificates and passwords count at once.

    Raises AgentError for a file that cannot be used.
    """
    return Dial(
        settings.host,
        settings.port,
        client_id,
        tls=_tls(settings) if settings.tls else None,
        path=settings.path if settings.transport is Transport.WEBSOCKETS else None,
        user=settings.user,
        password=_secret(settings.password_file),
        proxy=_proxy(settings),
    )


def _tls(settings: Uplink) -> ssl.SSLContext:
    """The broker's certificate is always verified, against ca or else the system's authorities."""
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python 3.13 wants all that RFC 5280 asks of a certificate; a plant's own authority may not have it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.key)
    except OSError as error:
        where = ", ".join(str(path) for path in (settings.ca, settings.certificate, settings.key) if path)
        raise AgentError(
            f"cannot use the TLS files ({error})", where, "check that they exist and are PEM"
        ) from error
    return context


def _secret(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(
            f"cannot read a password ({error})", str(path), "check the file and its rights"
        ) from error


def _proxy(settings: Uplink) -> Proxy | None:
    if settings.proxy is None:
        return None
    parts = urlsplit(settings.proxy if "//" in settings.proxy else f"//{settings.proxy}")
    if parts.hostname is None:
        raise AgentError("no host in the proxy's address", settings.proxy, "write http://proxy:3128")
    return Proxy(
        parts.hostname, parts.port or 3128, settings.proxy_user, _secret(settings.proxy_password_file)
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
