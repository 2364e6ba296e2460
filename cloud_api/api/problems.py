"""Errors as RFC 9457 problem JSON: every bad parameter at once, each with its field and its mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.responses import Response

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


def bad_parameters(mistakes: Sequence[Mistake], instance: str, method: str = "GET") -> Response:
    """400 with every mistake of a question, or of what was to be done."""
    count = len(mistakes)
    kind, done = ("parameter", "answered") if method in ("GET", "HEAD") else ("field", "changed")
    detail = f"{count} {kind}{'s are' if count > 1 else ' is'} wrong; nothing was {done}"
    return problem(400, detail, instance, mistakes)
