"""The door: `/login` opens a session with a key, `/logout` ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cloud_api.access import keys, sessions
from cloud_api.access.gate import caller_of
from cloud_api.access.roles import KeyRole
from cloud_api.store.pool import Pool

LARGEST_FORM = 8192
START = {KeyRole.FLOOR: "/floor", KeyRole.IT: "/keys"}
"""Where a role goes that named no page of its own."""


class Door:
    """Handlers of the two paths. `render(status, **shown)` draws the login page."""

    def __init__(
        self, pool: Pool, clock: Callable[[], datetime], render: Callable[..., Response], starts: set[str]
    ) -> None:
        self.pool, self.clock, self.render, self.starts = pool, clock, render, starts

    def show(self, request: Request) -> Response:
        """The form that asks for a key."""
        return self.render(200, wrong="", next=wished(request.query_params.get("next")))

    async def login(self, request: Request) -> Response:
        """Opens a session, or says that the key is not known."""
        fields = await _form(request)
        return await run_in_threadpool(self._open, request, fields)

    async def logout(self, request: Request) -> Response:
        """Ends the session of the browser, where the form is its own."""
        token = caller_of(request.headers, None).session
        fields = await _form(request)
        if token is not None and sessions.is_own_form(token, fields.get("token")):
            await run_in_threadpool(self._end, token)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(sessions.COOKIE, path="/")
        return answer

    def _open(self, request: Request, fields: dict[str, str]) -> Response:
        with self.pool.connection() as connection:
            key = keys.find(connection, fields.get("key", "").strip())
            if key is None:
                return self.render(
                    401, wrong="The key is not known, or was revoked.", next=wished(fields.get("next"))
                )
            token, lives = sessions.open_session(connection, key, self.clock())
        start = START.get(key.role, "/")
        target = wished(fields.get("next")) or (start if start in self.starts else "/")
        answer = RedirectResponse(target, 303)
        answer.set_cookie(
            sessions.COOKIE,
            token,
            max_age=int(lives.total_seconds()),
            path="/",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    def _end(self, token: str) -> None:
        with self.pool.connection() as connection:
            sessions.end(connection, token)


def to_login(request: Request) -> Response:
    """To the login page, and from there back."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?{urlencode({'next': path})}", 303)


def wished(address: str | None) -> str:
    """The page to go to, where it is one of ours; else empty: nobody is sent elsewhere."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")):
        return ""
    parts = urlsplit(address)
    return address if not parts.scheme and not parts.netloc and "\\" not in address else ""


async def _form(request: Request) -> dict[str, str]:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > LARGEST_FORM:
            return {}
    fields = parse_qs(content.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}
