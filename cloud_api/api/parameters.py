"""Parameters of the paths: which each takes, what OpenAPI says of them, and how a request is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from cloud_api.access.gate import Caller, caller_of
from cloud_api.answers.options import Option
from cloud_api.answers.question import ALL_RESOURCES, CAUSES, FILTERS, LIMIT, MOST_ROWS, SPANS_OF_TIME

WINDOW = ("from", "to", "period")
PAGE = ("limit", "cursor")
GROUPS = (*FILTERS, *SPANS_OF_TIME)
ANSWER = (*WINDOW, *FILTERS, "by", "basis", "format", *PAGE)
EVIDENCE = (*WINDOW, *FILTERS, "basis", "format", *PAGE)
SAMPLES = (*WINDOW, "site", "line", "machine", "signal", "role", "format", *PAGE)
CONFIDENCE = (*WINDOW, "site", "line", "machine", "product", "order", "shift", "basis", "format")
AGENTS = ("site", "format")
PERIODS = ("site", "format")

_DATE = "A production day at the site (2026-03-02), or RFC 3339 with an offset (2026-03-02T06:00:00-05:00)."
_SAID: Mapping[str, dict[str, Any]] = {
    "from": {
        "description": f"First instant. {_DATE} Absent: from the first data on.",
        "example": "2026-03-02",
    },
    "to": {"description": f"End, exclusive. {_DATE} Absent: to the last data.", "example": "2026-03-09"},
    "period": {
        "description": "A fiscal period instead of from and to, as in /v1/periods.",
        "example": "2026-03",
    },
    "resource": {"description": "Resource.", "schema": {"type": "string", "enum": list(ALL_RESOURCES)}},
    "cause": {"description": f"Cause: {', '.join(CAUSES)}, or one that a charge names."},
    "by": {"description": f"Comma list to group by: {', '.join(GROUPS)}.", "example": "resource,cause"},
    "basis": {
        "description": "posting: adjustments count where they were booked; event: where they belong.",
        "schema": {"type": "string", "enum": ["posting", "event"], "default": "posting"},
    },
    "format": {
        "description": "Wins over the Accept header.",
        "schema": {"type": "string", "enum": ["json", "csv", "xlsx", "parquet"], "default": "json"},
    },
    "limit": {
        "description": "Rows in one answer.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": LIMIT},
    },
    "cursor": {"description": "`next_cursor` of the answer before."},
    "signal": {"description": "Name of a signal of the machine."},
    "role": {"description": "Role of a signal: state, good_count, product, ..."},
}


def told(names: Sequence[str]) -> list[dict[str, Any]]:
    """What OpenAPI says of the parameters."""
    parameters = []
    for name in names:
        said = dict(
            _SAID.get(name, {"description": f"Only this {name}. Repeat for several; empty: without one."})
        )
        schema = said.pop("schema", {"type": "string"})
        parameters.append({"name": name, "in": "query", "required": False, "schema": schema, **said})
    return parameters


def told_options(options: Sequence[Option]) -> list[dict[str, Any]]:
    """What OpenAPI says of parameters that one path alone takes."""
    parameters = []
    for option in options:
        schema: dict[str, Any] = {"type": "number" if option.kind == "number" else "string"}
        if option.kind == "list":
            schema = {"type": "array", "items": schema}
        if option.kind == "word":
            schema["enum"] = list(option.words)
        if option.default is not None:
            schema["default"] = option.default
        description = f"{option.description} {_DATE}" if option.kind == "time" else option.description
        said = {"name": option.name, "in": "query", "required": False, "schema": schema}
        said["description"] = description
        if option.example is not None:
            said["example"] = option.example
        parameters.append(said)
    return parameters


def caller(request: Request) -> Caller:
    """What of a request tells who asks."""
    return caller_of(request.headers, request.client.host if request.client else None)


def given(request: Request) -> list[tuple[str, str]]:
    """Query parameters as they came, repeated ones too."""
    return list(request.query_params.multi_items())
