"""JSON bodies of requests: read field by field, so that every mistake is told at once, each by its field."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from cloud_api.answers.question import Mistake, QuestionError, near

Body = TypeVar("Body", bound=msgspec.Struct)

LARGEST = 1 << 20
"""Bytes of the largest body."""


def read_body(content: bytes, shape: type[Body]) -> tuple[Body, list[Mistake]]:
    """The body as its shape, and its mistakes: a field that is unknown, or of another type and left out, so
    that the rest can be looked at too. Raises QuestionError where a field is missing that must be there, or
    the body is no JSON object."""
    try:
        given = msgspec.json.decode(content or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise QuestionError([Mistake("body", f"is no JSON: {error}")]) from None
    if not isinstance(given, dict):
        raise QuestionError([Mistake("body", "is no JSON object; send {...}")])
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    mistakes = [
        Mistake(name, f"is no field here{near(name, fields)}; it takes {', '.join(fields)}")
        for name in given
        if name not in fields
    ]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in given:
            if field.required:
                mistakes.append(Mistake(name, "is missing"))
            continue
        if _holds_nul(given[name]):
            mistakes.append(Mistake(name, "holds a NUL character, which no text has"))
            continue
        try:
            values[field.name] = msgspec.convert(given[name], field.type, str_keys=True)
        except msgspec.ValidationError as error:
            mistakes.append(Mistake(name, _said(str(error))))
    if mistakes and any(field.required and field.name not in values for field in fields.values()):
        raise QuestionError(mistakes)
    return shape(**values), mistakes


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(_holds_nul(one) for one in value)


def _said(message: str) -> str:
    """The validator's words without the place that the field's name tells already."""
    return message.replace(" - at `$`", "").replace("`$", "`")
