"""What ``doctor`` looks at in the network: names, reach, TLS, the broker's rights."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from edge_agent.config.model import Config, ModbusRtuSource
from edge_agent.errors import AgentError
from edge_agent.tools.cert import certificates_of
from edge_agent.tools.certificates import WARN_DAYS, facts, loaded
from edge_agent.tools.finding import Finding, State, fail, ok, warn

_TCP_S = 5.0
_DAY_S = 86_400.0


def places_of(config: Config) -> list[tuple[str, str, int]]:
    """(whose, host, port) of what the agent dials; through a proxy only the proxy is ours to find."""
    uplink = config.uplink
    if uplink.proxy is not None:
        parts = urlsplit(uplink.proxy if "//" in uplink.proxy else f"//{uplink.proxy}")
        found = [("proxy", parts.hostname or "", parts.port or 3128)]
    else:
        found = [("broker", uplink.host, uplink.port)]
    for source in config.sources:
        if not isinstance(source, ModbusRtuSource):
            found.append((f"source {source.name}", source.host, source.port))
    return found


def name_findings(config: Config) -> Iterator[Finding]:
    """Each name once; an address needs no name."""
    for host in dict.fromkeys(host for _, host, _ in places_of(config)):
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(host)
            continue
        try:
            found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None)})
        except OSError as error:
            mend = "check the name, and the name server of this gateway"
            yield fail(f"name {host}", f"cannot be resolved ({error})", mend)
            continue
        yield ok(f"name {host}", f"is {', '.join(found)}")


def reach_findings(config: Config, *, held: bool) -> Iterator[Finding]:
    """A TCP connect to each place. held: the running agent holds the sources, whose devices may take no
    second one.
    """
    for name, host, port in places_of(config):
        if held and name.startswith("source"):
            continue
        began_s = time.monotonic()
        try:
            with socket.create_connection((host, port), _TCP_S):
                taken_ms = (time.monotonic() - began_s) * 1000
        except OSError as error:
            why = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
            mend = "check address, port, cable and firewall"
            yield fail(f"reach {name}", f"{host}:{port} takes no connection ({why})", mend)
            continue
        yield ok(f"reach {name}", f"{host}:{port} connected in {taken_ms:.0f} ms")


def broker_findings(config: Config, now_us: int, nonce: str) -> Iterator[Finding]:
    """The TLS handshake, login and the rights on our topics."""
    if config.uplink.tls:
        finding = _handshake(config, now_us)
        yield finding
        if finding.state is State.FAIL:
            return
    yield from _rights(config, nonce)


def certificate_findings(config: Config, now_us: int) -> Iterator[Finding]:
    """The end of every certificate that the config names."""
    for what, path in certificates_of(config):
        try:
            found = facts(loaded(path))
        except AgentError as error:
            yield fail(what, f"{error.what}: {error.where}", error.mend)
            continue
        trouble, days = found.trouble(now_us), found.days_left(now_us)
        mend = "renew it: edge-agent cert; of a server: edge-agent trust"
        if trouble is None:
            yield ok(what, f"{path.name}, {days} days left")
        elif 0 <= days < WARN_DAYS:
            yield warn(what, f"{path.name} {trouble}", mend)
        else:
            yield fail(what, f"{path.name} {trouble}", mend)


def _handshake(config: Config, now_us: int) -> Finding:
    from edge_agent.adapters.mqtt_check import certificate_end

    try:
        end_s, version = certificate_end(config.uplink)
    except AgentError as error:
        return fail("broker TLS", f"{error.what}: {error.where}", error.mend)
    except ssl.SSLCertVerificationError as error:
        mend = "give the broker's authority as uplink.ca; the name in url must stand in the certificate"
        return fail("broker TLS", f"the certificate is not trusted ({error.verify_message})", mend)
    except OSError as error:
        mend = "check that this port speaks TLS, and certificate and key of the agent"
        return fail("broker TLS", f"no handshake ({error.strerror or error})", mend)
    days = int((end_s - now_us / 1e6) // _DAY_S)
    if days < WARN_DAYS:
        return warn("broker TLS", f"{version}, its certificate ends in {days} days", "have it renewed")
    return ok("broker TLS", f"{version}, certificate trusted, {days} days left")


def _rights(config: Config, nonce: str) -> Iterator[Finding]:
    from edge_agent.adapters.mqtt_check import NotLetIn, rights_of

    agent = config.agent
    try:
        rights = rights_of(config.uplink, site=agent.site, agent=agent.id, nonce=nonce)
    except NotLetIn as error:
        mend = "check user, password file or certificate against the broker's list"
        yield fail("broker login", str(error), mend)
        return
    except AgentError as error:
        yield fail("broker login", f"{error.what}: {error.where}", error.mend)
        return
    yield ok("broker login", f"let in, MQTT {rights.version}")
    for topic, why in rights.denied.items():
        yield fail(f"right {topic}", f"denied ({why})", "allow it in the broker's access list")
    if not rights.denied:
        told = "publish and subscribe allowed" if rights.version == "5" else "subscribe allowed"
        hidden = "" if rights.version == "5" else "; MQTT 3.1.1 does not tell whether publishing is"
        yield ok("broker rights", told + hidden)
    if rights.unheard:
        mend = "start the cloud's ingest, or bridge these topics to it; the buffer keeps everything meanwhile"
        yield warn("broker listeners", f"nobody listens on {', '.join(rights.unheard)}", mend)
