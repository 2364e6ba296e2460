"""The parts of a config that concern the gateway itself: its name, its broker, its buffer."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from edge_agent.config.faults import Faults, did_you_mean
from edge_agent.config.files import Files
from edge_agent.config.model import Agent, BufferSettings, MetricsSettings, Transport, Uplink
from edge_agent.config.section import Section
from edge_agent.core.buffer_policy import AtCap

_LABEL = re.compile(r"[^\W_]([\w-]{0,61}[^\W_])?")
_SCHEMES = {
    "mqtts": (Transport.TCP, True, 8883),
    "mqtt": (Transport.TCP, False, 1883),
    "wss": (Transport.WEBSOCKETS, True, 443),
    "ws": (Transport.WEBSOCKETS, False, 80),
}


def build_agent(section: Section) -> Agent | None:
    if not (section.has("id") and section.has("site")):
        return None
    return Agent(id=section.get("id"), site=section.get("site"), place=section.place)


def build_uplink(section: Section, files: Files) -> Uplink | None:
    """The uplink; None with its mistakes told."""
    faults = files.faults
    url = _url(section, faults) if section.has("url") else None
    paths = {
        "ca": files.path(section, "ca"),
        "certificate": files.path(section, "certificate"),
        "key": files.path(section, "key", secret=True),
        "password_file": files.path(section, "password_file", secret=True),
        "proxy_password_file": files.path(section, "proxy_password_file", secret=True),
    }
    for one, other in (("certificate", "key"), ("key", "certificate"), ("password_file", "user")):
        _needs(section, one, other, faults)
    _needs(section, "proxy_user", "proxy", faults)
    _needs(section, "proxy_password_file", "proxy_user", faults)
    if section.has("proxy"):
        _proxy(section, faults)
    if url is None:
        return None
    transport, tls, port = _SCHEMES[url.scheme.lower()]
    if not tls:
        _plain(section, url, faults)
    return Uplink(
        url=section.get("url"),
        transport=transport,
        tls=tls,
        host=url.hostname or "",
        port=url.port or port,
        path=url.path or "/mqtt",
        user=section.get("user"),
        proxy=section.get("proxy"),
        proxy_user=section.get("proxy_user"),
        max_packet_bytes=section.get("max_packet"),
        allow_plaintext=section.get("allow_plaintext"),
        place=section.place,
        **paths,
    )


def build_buffer(section: Section, files: Files) -> BufferSettings:
    return BufferSettings(
        path=files.folder / section.get("path"),
        max_size_bytes=section.get("max_size"),
        reserve_bytes=section.get("reserve"),
        commit_window_us=section.get("commit_window"),
        keep_us=section.get("keep"),
        at_cap=AtCap(section.get("at_cap")),
        place=section.place,
    )


def build_metrics(section: Section) -> MetricsSettings:
    return MetricsSettings(port=section.get("port"), place=section.place)


def is_loopback(host: str) -> bool:
    """Whether a connection to this host stays on this machine."""
    if host.lower() in ("localhost", "localhost.localdomain", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_host(text: str) -> bool:
    """Whether this can be the name or the address of a host."""
    if ":" in text or not text.strip("0123456789."):
        try:
            return bool(ipaddress.ip_address(text.partition("%")[0]))
        except ValueError:
            return False
    return all(_LABEL.fullmatch(label) for label in text.removesuffix(".").split("."))


def split_url(text: str) -> SplitResult:
    """The parts of an address with scheme and host; raises ValueError with the mend."""
    try:
        url = urlsplit(text)
        port, host = url.port, url.hostname
    except ValueError as error:
        raise ValueError(f"'{text}' is not an address ({error}); write scheme://host:port") from None
    if not url.scheme or not host or port == 0:
        raise ValueError(f"'{text}' is not an address; write scheme://host:port")
    if url.username is not None or url.password is not None:
        raise ValueError("an address holds no user or password; write user and password_file beside it")
    if not is_host(host) or url.path.startswith("//"):
        raise ValueError(f"'{text}' is not an address: '{url.netloc}' is no host; write scheme://host:port")
    return url


def _url(section: Section, faults: Faults) -> SplitResult | None:
    place = section.at("url")
    try:
        url = split_url(section.get("url"))
    except ValueError as error:
        faults.add(place, f"url: {str(error).replace('scheme://host:port', 'mqtts://broker:8883')}")
        return None
    if url.scheme.lower() not in _SCHEMES:
        faults.add(
            place, f"url: '{url.scheme}' is not a way to a broker; {did_you_mean(url.scheme, _SCHEMES)}"
        )
        return None
    if url.query or url.fragment or (url.path not in ("", "/") and url.scheme.lower().startswith("mqtt")):
        faults.add(place, f"url: nothing stands behind host and port of {url.scheme}://; remove it")
        return None
    return url


def _plain(section: Section, url: SplitResult, faults: Faults) -> None:
    """Without TLS only on this machine, or where the config says so in words."""
    host = url.hostname or ""
    if not is_loopback(host) and not section.get("allow_plaintext"):
        secure = "mqtts" if url.scheme.lower() == "mqtt" else "wss"
        message = f"url: {url.scheme}:// to {host} is readable by everyone on the way; write {secure}://"
        faults.add(section.at("url"), f"{message}, or allow_plaintext: true if that is accepted")
    for name in ("ca", "certificate", "key"):
        if section.has(name):
            faults.add(
                section.at(name), f"{name}: {url.scheme}:// uses no certificates; write mqtts:// or remove it"
            )


def _proxy(section: Section, faults: Faults) -> None:
    try:
        proxy = split_url(section.get("proxy"))
        if proxy.scheme != "http":
            raise ValueError(f"'{proxy.scheme}' is not a kind of proxy; write http://proxy:3128")
    except ValueError as error:
        faults.add(section.at("proxy"), f"proxy: {error}")


def _needs(section: Section, one: str, other: str, faults: Faults) -> None:
    if section.has(one) and not section.written(other):
        faults.add(section.keys[one], f"{one} is of no use without {other}; add {other}, or remove {one}")
