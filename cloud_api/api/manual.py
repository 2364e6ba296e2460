"""The OpenAPI document, and a page that shows it without anything from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

import msgspec

from cloud_api.access.roles import READERS
from cloud_api.api.action import Action
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.formats import MEDIA_TYPES
from cloud_api.api.parameters import told, told_options
from cloud_api.api.problems import MEDIA_TYPE as PROBLEM
from cloud_api.api.problems import Problem

_REFUSALS = {
    "400": "Parameters are wrong; each is named.",
    "401": "No key, or one that is not known.",
    "403": "The key's role does not open this path.",
    "503": "The database does not answer.",
}


def document(endpoints: Sequence[Endpoint], actions: Sequence[Action]) -> dict[str, Any]:
    """OpenAPI 3.1 of the endpoints and actions."""
    shapes = list(
        dict.fromkeys(
            [
                *(endpoint.shape for endpoint in endpoints),
                *(shape for action in actions for shape in (action.body, action.shape)),
                Problem,
            ]
        )
    )
    told_as, schemas = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    references = dict(zip(shapes, told_as, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(f"/v1{endpoint.path}", {})["get"] = _operation(endpoint, references[endpoint.shape])
    for action in actions:
        paths.setdefault(f"/v1{action.path}", {})[action.method.lower()] = _action(
            action, references[action.body], references[action.shape]
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Plantledger",
            "version": "1",
            "description": "Why cost moved, from what the machines did. Money is a JSON number with 4 "
            "decimals, whose parts add up to its whole. Times are RFC 3339; `to` is exclusive.",
        },
        "paths": paths,
        "components": {
            "schemas": _numbers(schemas),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`cloud-api key create --role finance`",
                },
                "password": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Any name, the key as password.",
                },
            },
        },
        "security": [{"key": []}, {"password": []}, {}],
    }


def page(said: dict[str, Any]) -> str:
    """The document as one plain page."""
    parts = [
        _path(path, method, operation)
        for path, operations in said["paths"].items()
        for method, operation in operations.items()
    ]
    parts += [_schema(name, schema) for name, schema in sorted(said["components"]["schemas"].items())]
    links = "".join(
        f'<li><a href="#{method}-{_anchor(path)}"><code>{method.upper()} {escape(path)}</code></a></li>'
        for path, operations in said["paths"].items()
        for method in operations
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Plantledger API</title>'
        '<link rel="stylesheet" href="/static/plantledger.css"><link rel="icon" href="data:,">'
        '<body class="manual">'
        f"<main><h1>Plantledger API</h1><p>{_marked(said['info']['description'])}</p>"
        '<p>The same for programs: <a href="/openapi.json"><code>/openapi.json</code></a>. '
        'Back to <a href="/">the figures</a>.</p>'
        f"<nav><ul>{links}</ul></nav>{''.join(parts)}</main></body></html>"
    )


def _action(action: Action, body: dict[str, Any], reference: dict[str, Any]) -> dict[str, Any]:
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refusals = {
        **_REFUSALS,
        "400": "The body is wrong; each field is named. Nothing was done.",
        "404": "What the path names is not there.",
        "409": "It cannot be done as things stand; `detail` says why.",
        "413": "The body is too large.",
    }
    content: dict[str, Any] = {"schema": body}
    if action.example is not None:
        content["example"] = action.example
    return {
        "operationId": f"{action.method.lower()}_{_anchor(action.path)}".replace("-", "_"),
        "summary": action.summary,
        "description": f"{action.description} Roles: {', '.join(sorted(READERS[action.area]))}.",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", action.path)
        ],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {
            str(action.status): {
                "description": (action.shape.__doc__ or "").strip(),
                "content": {"application/json": {"schema": reference}},
            },
            **{status: {"description": text, "content": problem} for status, text in refusals.items()},
        },
    }


def _operation(endpoint: Endpoint, reference: dict[str, Any]) -> dict[str, Any]:
    good = {"application/json": {"schema": reference}}
    good |= {media.partition(";")[0]: {} for name, media in MEDIA_TYPES.items() if name != "json"}
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    example = f"/v1{endpoint.path}{'?' if endpoint.example else ''}{endpoint.example}"
    return {
        "operationId": endpoint.path.strip("/").replace("/", "_"),
        "summary": endpoint.summary,
        "x-example": example,
        "description": f"{endpoint.description} Roles: {', '.join(sorted(READERS[endpoint.area]))}.",
        "parameters": [*told(endpoint.parameters), *told_options(endpoint.options)],
        "responses": {
            "200": {"description": (endpoint.shape.__doc__ or "").strip(), "content": good},
            **{status: {"description": text, "content": problem} for status, text in _REFUSALS.items()},
        },
    }


def _numbers(schema: Any) -> Any:
    """Decimals leave as JSON numbers, so the schema says number."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {**{key: value for key, value in schema.items() if key != "format"}, "type": "number"}
        return {key: _numbers(value) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_numbers(one) for one in schema]
    return schema


def _path(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{_marked(one.get('description', ''))}</td></tr>"
        for one in operation["parameters"]
    )
    good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    given = _link(good["content"]["application/json"]["schema"])
    takes = ""
    if "requestBody" in operation:
        takes = f"<p>Takes {_link(operation['requestBody']['content']['application/json']['schema'])}.</p>"
    tables = ", or the same rows as CSV, Excel or Parquet" if method == "get" else ""
    details = f"<details><summary>Parameters</summary><table>{rows}</table></details>" if rows else ""
    return (
        f'<section id="{method}-{_anchor(path)}"><h2><code>{method.upper()} {escape(path)}</code></h2>'
        f"<p><strong>{escape(operation['summary'])}.</strong> {_marked(operation['description'])}</p>"
        f"{takes}<p>Gives {given}{tables}.</p>{details}</section>"
    )


def _link(schema: dict[str, Any]) -> str:
    shape = schema["$ref"].rpartition("/")[2]
    return f'<a href="#{shape}">{shape}</a>'


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_kind(about)}</td>"
        f"<td>{_marked(_said(about))}</td></tr>"
        for field, about in schema.get("properties", {}).items()
    )
    return (
        f'<section id="{escape(name)}"><h3>{escape(name)}</h3>'
        f"<p>{_marked(schema.get('description', ''))}</p><table>{rows}</table></section>"
    )


def _kind(about: dict[str, Any]) -> str:
    if "$ref" in about:
        name = about["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in about:
        return " or ".join(_kind(one) for one in about["anyOf"])
    if about.get("type") == "array":
        return f"list of {_kind(about.get('items', {}))}"
    if "enum" in about:
        return escape(" or ".join(str(one) for one in about["enum"]))
    return escape(str(about.get("format", about.get("type", "any"))))


def _said(about: dict[str, Any]) -> str:
    return about.get("description") or next(
        (one["description"] for one in about.get("anyOf", ()) if "description" in one), ""
    )


def _marked(text: str) -> str:
    """Escaped text, its `quoted words` as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))


def _anchor(path: str) -> str:
    return path.strip("/").replace("/", "-").translate(str.maketrans("", "", "{}"))
