"""Through an HTTP proxy: the CONNECT request before MQTT or TLS begins. TLS still ends at the broker."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
from dataclasses import dataclass

import paho.mqtt.client as paho

_MAX_ANSWER = 16 * 1024


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy is, and who asks."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None


class ProxiedClient(paho.Client):
    """A paho client that goes through ``http_proxy``, where there is one, and leaks no socket."""

    http_proxy: Proxy | None = None

    def _create_socket_connection(self) -> socket.socket:
        if self.http_proxy is None:
            return super()._create_socket_connection()
        return tunnel(self.http_proxy, self._host, self._port, self._connect_timeout)

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """As paho does it for a verifying context, but a handshake that fails closes its socket."""
        context = self._ssl_context
        if context is None:
            raise ValueError("no TLS context")
        link = context.wrap_socket(tcp_sock, server_hostname=self._host, do_handshake_on_connect=False)
        with contextlib.ExitStack() as undo:
            undo.callback(link.close)
            link.settimeout(self._connect_timeout)
            link.do_handshake()
            undo.pop_all()
        return link


def tunnel(proxy: Proxy, host: str, port: int, timeout_s: float) -> socket.socket:
    """A connection to host:port through a proxy. Raises OSError with the proxy's answer."""
    link = socket.create_connection((proxy.host, proxy.port), timeout_s)
    with contextlib.ExitStack() as undo:
        undo.callback(link.close)
        link.sendall(_request(proxy, host, port))
        status = _answer(link)
        if len(status) < 2 or not status[1].startswith("2"):
            raise OSError(f"the proxy {proxy.host}:{proxy.port} says {' '.join(status) or 'nothing'}")
        undo.pop_all()
    return link


def _request(proxy: Proxy, host: str, port: int) -> bytes:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.user is not None:
        secret = base64.b64encode(f"{proxy.user}:{proxy.password or ''}".encode()).decode("ascii")
        lines.append(f"Proxy-Authorization: Basic {secret}")
    return ("\r\n".join([*lines, "", ""])).encode("ascii")


def _answer(link: socket.socket) -> list[str]:
    """The status line; reads byte by byte up to the empty line, so that nothing of the broker is taken."""
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        part = link.recv(1)
        if not part or len(answer) > _MAX_ANSWER:
            return []
        answer += part
    return answer.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
