"""The pages on their paths: who may open them, what a mistake in the address looks like."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cloud_api.access.gate import Gate, Principal, Refused, caller_of
from cloud_api.access.roles import may_read
from cloud_api.answers.memory import memory
from cloud_api.answers.places import Atlas
from cloud_api.answers.question import Mistake, QuestionError
from cloud_api.pages import forms, words
from cloud_api.pages.asking import TAKES, Asking
from cloud_api.pages.contents import FORMS, PAGES
from cloud_api.pages.door import Door, to_login
from cloud_api.pages.page import Page, Told
from cloud_api.store.pool import Pool, snapshot
from cloud_api.store.statements import statement
from cloud_api.work.webhook import Reach

_STATIC = files("cloud_api.pages") / "static"
_CSS = (_STATIC / "plantledger.css").read_text(encoding="utf-8")


_WORDS = (
    "amount", "whole", "signed", "priced", "number", "percent", "sure", "clock", "clock_s", "span", "held",
    "pending",
)  # fmt: skip
"""Of `words`, what templates call."""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _safety(script: str) -> dict[str, str]:
    """A page carries its style, and its script where it has one, inside, so that it is one round trip;
    nothing else may load or run."""
    runs = f"script-src {_hash(script)}; connect-src 'self'; " if script else ""
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src {_hash(_CSS)}; {runs}img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    }


def mount(
    app: FastAPI,
    pool: Pool,
    gate: Gate,
    *,
    clock: Callable[[], datetime],
    atlas: Atlas | None = None,
    webhooks: Reach = Reach.PUBLIC,
) -> None:
    """Adds the pages to an app. `clock` gives the present, aware. `webhooks`: how far they may go."""
    pages = _Pages(pool, gate, clock, atlas or Atlas())
    for page in PAGES:
        app.add_api_route(page.path, pages.shows(page), include_in_schema=False)
    for form in FORMS:
        answer = forms.handler(form, pool, gate, pages.atlas, clock, pages, webhooks)
        app.add_api_route(form.path, answer, methods=["POST"], include_in_schema=False)
    door = Door(pool, clock, pages.door, {page.path for page in PAGES})
    app.add_api_route("/login", door.show, include_in_schema=False)
    app.add_api_route("/login", door.login, methods=["POST"], include_in_schema=False)
    app.add_api_route("/logout", door.logout, methods=["POST"], include_in_schema=False)
    app.add_api_route("/static/plantledger.css", _style, include_in_schema=False)


def _style() -> Response:
    return Response(_CSS, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


class _Pages:
    """Renders a page for whoever may open it."""

    def __init__(self, pool: Pool, gate: Gate, clock: Callable[[], datetime], atlas: Atlas) -> None:
        self.pool, self.gate, self.clock, self.atlas = pool, gate, clock, atlas
        self.templates = Environment(
            loader=PackageLoader("cloud_api.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in _WORDS:
            self.templates.globals[name] = getattr(words, name)

    def shows(self, page: Page) -> Callable[[Request], Response]:
        def show(request: Request) -> Response:
            given = list(request.query_params.multi_items())
            address = request.client.host if request.client else None
            try:
                with self.pool.connection() as connection:
                    principal = self.gate.admit(connection, caller_of(request.headers, address), page.area)
            except Refused as refused:
                if refused.status == 401 and "authorization" not in request.headers:
                    return to_login(request)
                raise
            with self.pool.connection() as connection, snapshot(connection), memory():
                connection.execute(statement("answers.bounds"))
                places = self.atlas.places(connection).seen_by(principal.sites, principal.lines)
                spoken = request.headers.get("accept-language", "")
                now = self.clock()
                asking = Asking(connection, places, principal, now, given, request.path_params, spoken)
                try:
                    shown = page.show(asking)
                except QuestionError as error:
                    return self._render(
                        "mistakes.html", 400, page, principal, given, mistakes=error.mistakes, back=None
                    )
            return self._render(page.template, 200, page, principal, given, **shown)

        show.__name__ = page.template.partition(".")[0]
        return show

    def mistaken(self, request: Request, status: int, mistakes: tuple[Mistake, ...]) -> Response:
        """What a form got wrong."""
        path = request.url.path
        own = (page for page in PAGES if page.name and page.path != "/" and path.startswith(page.path))
        back = next(own, None)
        return self._render("mistakes.html", status, None, None, [], mistakes=mistakes, back=back)

    def told(self, principal: Principal, told: Told) -> Response:
        """What a form tells in its own answer."""
        return self._render(told.template, 200, None, principal, [], **told.values)

    def door(self, status: int, **shown: Any) -> Response:
        """The login page."""
        return self._render("login.html", status, None, None, [], **shown)

    def _render(
        self,
        template: str,
        status: int,
        page: Page | None,
        principal: Principal | None,
        given: list[tuple[str, str]],
        **shown: Any,
    ) -> Response:
        kept = [(name, value) for name, value in given if name in TAKES and value]
        query = f"?{urlencode(kept)}" if kept else ""
        script = (_STATIC / page.script).read_text(encoding="utf-8") if page and page.script else ""
        nav = [
            {"name": one.name, "address": one.path + query, "current": one is page, "plant": one.plant}
            for one in PAGES
            if one.name and principal is not None and may_read(principal.role, one.area)
        ]
        about = {
            "css": Markup(_CSS),
            "script": Markup(script),
            "query": query,
            "nav": nav,
            "form_token": principal.form_token if principal else "",
            "known": principal is not None and principal.is_known,
        }
        text = self.templates.get_template(template).render(**(about | shown))
        return HTMLResponse(text, status, headers=_safety(script))
