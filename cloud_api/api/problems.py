"""Errors as RFC 9457 problem JSON: every bad parameter at once, each with its field and its mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cloud_api.answers.question import Mistake

MEDIA_TYPE = "application/problem+json"


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake: the parameter, and what is wrong with it."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem in the manner of RFC 9457. `errors` names each field."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Wrong] = msgspec.field(default_factory=list)


def problem(
    status: int,
    detail: str,
    instance: str,
    mistakes: Sequence[Mistake] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as a response. `instance` is the path that was asked for, without its query."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=instance,
        errors=[Wrong(field=mistake.field, message=mistake.message) for mistake in mistakes],
    )
    return Response(msgspec.json.encode(body), status, dict(headers or {}), MEDIA_TYPE)


def bad_parameters(mistakes: Sequence[Mistake], instance: str, method: str) -> Response:
    """400 with every mistake of a question, or of what was to be done."""
    count = len(mistakes)
    kind, done = ("parameter", "answered") if method in ("GET", "HEAD") else ("field", "changed")
    detail = f"{count} {kind}{'s are' if count > 1 else ' is'} wrong; nothing was {done}"
    return problem(400, detail, instance, mistakes)


def for_reader(request: Request, response: Response) -> Response:
    """A problem as a page where a person asked with a browser, outside of the API; else as it is."""
    accepts = request.headers.get("accept", "")
    if request.url.path.startswith("/v1/") or "text/html" not in accepts or response.media_type != MEDIA_TYPE:
        return response
    said = msgspec.json.decode(response.body, type=Problem)
    return HTMLResponse(_page(said), response.status_code, _kept(response))


def _page(said: Problem) -> str:
    wrong = "".join(
        f"<li><strong>{escape(one.field)}</strong> {escape(one.message)}</li>" for one in said.errors
    )
    detail = f"{said.detail[:1].upper()}{said.detail[1:]}."
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<title>{escape(said.title)} - Plantledger</title>"
        '<link rel="stylesheet" href="/static/plantledger.css"><body><main><div class="answer apart">'
        f'<h1>{escape(said.title)}</h1><p class="why">{escape(detail)}</p>'
        f"{f'<ul>{wrong}</ul>' if wrong else ''}"
        '<p><a href="/">To the figures</a></p></div></main></body></html>'
    )


def _kept(response: Response) -> dict[str, str]:
    return {
        name: value
        for name, value in response.headers.items()
        if name not in ("content-type", "content-length")
    }
