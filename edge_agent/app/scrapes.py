"""Answers a Prometheus of this machine: GET on 127.0.0.1, a few fixed paths, nothing else.

HTTP/1.0 as far as a scraper needs it, one request a connection. Nothing beyond loopback can reach it, and a
web page cannot either: a request that names another host than this machine is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

_log = logging.getLogger(__name__)
ADDRESS = "127.0.0.1"
_AGAIN_S = 5.0
_PATIENCE_S = 5.0
_MOST_BYTES = 8 * 1024
_AT_ONCE = 8
_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", ""})


class Scrapes:
    """Listens on a port of loopback while ``run`` lasts. answers: path to the text that it answers."""

    def __init__(self, port: int, answers: Mapping[str, Callable[[], str]]) -> None:
        self._port, self._answers = port, answers
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._refused = False

    async def run(self) -> None:
        """Until cancelled. A port that is taken is told once and tried again: the agent goes on without."""
        while True:
            try:
                server = await asyncio.start_server(self._one, ADDRESS, self._port, limit=_MOST_BYTES)
            except OSError as error:
                if not self._refused:
                    _log.error("no metrics on %s:%d: %s", ADDRESS, self._port, error.strerror or error)
                self._refused = True
                await asyncio.sleep(_AGAIN_S)
                continue
            self._refused = False
            _log.info("metrics on http://%s:%d/metrics", ADDRESS, self._port)
            async with server:
                await server.serve_forever()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(TimeoutError, OSError, asyncio.IncompleteReadError, ValueError):
                async with self._at_once, asyncio.timeout(_PATIENCE_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._answer(head.decode("latin-1")))
                    await writer.drain()
        finally:
            writer.close()

    def _answer(self, head: str) -> bytes:
        first, *fields = head.split("\r\n")
        method, _, rest = first.partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        named = [each.partition(":")[2].strip() for each in fields if each.lower().startswith("host:")]
        if any(_host(each) not in _HOSTS for each in named):
            return _response("403 Forbidden", "ask for 127.0.0.1\n")
        if method != "GET":
            return _response("405 Method Not Allowed", "GET alone\n")
        if path not in self._answers:
            return _response("404 Not Found", "".join(f"{known}\n" for known in self._answers))
        return _response("200 OK", self._answers[path]())


def _host(authority: str) -> str:
    """Without its port."""
    host, colon, port = authority.rpartition(":")
    return host if colon and port.isdecimal() else authority


def _response(status: str, text: str) -> bytes:
    body = text.encode()
    kind = "text/plain; version=0.0.4; charset=utf-8"
    head = f"HTTP/1.0 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
