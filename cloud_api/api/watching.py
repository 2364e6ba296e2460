"""Around every request: counts it, holds back who asks too often, sets the headers that keep it to itself.

HEAD is GET without the body."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from cloud_api.access.limit import Limit
from cloud_api.api import metrics
from cloud_api.api.problems import problem

Message = MutableMapping[str, Any]

_SAFETY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        b"base-uri 'none'; frame-ancestors 'none'",
    ),
)
"""Headers of every answer: nothing from elsewhere, no script, no frame, nothing kept by a cache."""


_UNLIMITED = frozenset({"/healthz", "/readyz"})


class Watched:
    """An app with its requests watched."""

    def __init__(
        self, app: Callable[..., Awaitable[None]], requests: metrics.Requests, limit: Limit | None
    ) -> None:
        self.app, self.requests, self.limit = app, requests, limit

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500
        is_head = scope["method"] == "HEAD"
        if is_head:
            scope = {**scope, "method": "GET"}

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message["headers"]}
                extra = [header for header in _SAFETY if header[0] not in present]
                message["headers"] = [*message["headers"], *extra]
            if is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        wait_s = self._wait_s(scope)
        try:
            if wait_s:
                refusal = problem(
                    429,
                    "too many requests from this key or address: wait as Retry-After says",
                    scope["path"],
                    (),
                    {"Retry-After": str(math.ceil(wait_s))},
                )
                await refusal(scope, receive, sending)
            else:
                await self.app(scope, receive, sending)
        finally:
            route = scope.get("route")
            path = getattr(route, "path", "other")
            self.requests.observe(path, status, time.perf_counter() - began)

    def _wait_s(self, scope: Message) -> float:
        if self.limit is None or scope["path"] in _UNLIMITED:
            return 0.0
        headers = dict(scope["headers"])
        offered = headers.get(b"authorization") or headers.get(b"cookie")
        if offered:
            return self.limit.wait_s(hashlib.sha256(offered).hexdigest())
        return self.limit.wait_s(scope["client"][0] if scope.get("client") else "")
