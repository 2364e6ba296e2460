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

from cloud_api.access.gate import Gate, caller_of
from cloud_api.access.roles import Area
from cloud_api.answers.places import Atlas
from cloud_api.answers.question import QuestionError
from cloud_api.pages import words
from cloud_api.pages.asking import Asking
from cloud_api.pages.evidence import evidence
from cloud_api.pages.home import home
from cloud_api.store.pool import Pool, snapshot
from cloud_api.store.statements import statement

Page = Callable[[Asking], dict[str, Any]]

_CSS = (files("cloud_api.pages") / "static" / "plantledger.css").read_text(encoding="utf-8")
_CSS_HASH = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
_SAFETY = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}
"""A page carries its style inside, so that it is one round trip; nothing else may load, no script may run."""


def mount(
    app: FastAPI, pool: Pool, gate: Gate, *, clock: Callable[[], datetime], atlas: Atlas | None = None
) -> None:
    """Adds `/` and `/segments` to an app. `clock` gives the present, aware."""
    pages = _Pages(pool, gate, clock, atlas or Atlas())
    app.add_api_route("/", pages.shows("home.html", home), include_in_schema=False)
    app.add_api_route("/segments", pages.shows("segments.html", evidence), include_in_schema=False)
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
        for name in ("amount", "whole", "signed", "number", "percent", "clock", "clock_s", "span"):
            self.templates.globals[name] = getattr(words, name)

    def shows(self, template: str, page: Page) -> Callable[[Request], Response]:
        def show(request: Request) -> Response:
            given = list(request.query_params.multi_items())
            address = request.client.host if request.client else None
            with self.pool.connection() as connection:
                principal = self.gate.admit(connection, caller_of(request.headers, address), Area.PAGE)
            with self.pool.connection() as connection, snapshot(connection):
                connection.execute(statement("answers.bounds"))
                places = self.atlas.places(connection).seen_by(principal.sites)
                asking = Asking(connection, places, principal, self.clock(), given)
                try:
                    shown = page(asking)
                except QuestionError as error:
                    return self._render("mistakes.html", 400, given, mistakes=error.mistakes)
            return self._render(template, 200, given, **shown)

        show.__name__ = template.partition(".")[0]
        return show

    def _render(self, template: str, status: int, given: list[tuple[str, str]], **shown: Any) -> Response:
        query = f"?{urlencode(given)}" if given else ""
        text = self.templates.get_template(template).render(css=Markup(_CSS), query=query, **shown)
        return HTMLResponse(text, status, headers=_SAFETY)
