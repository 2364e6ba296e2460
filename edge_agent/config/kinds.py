"""Kinds of single values: what a field wants, how its text is read, and what an editor's schema says of it.

``parse`` gets the scalar as written and raises ValueError with the mend. The same table serves check and
schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from edge_agent.config.document import Scalar
from edge_agent.config.faults import closest
from edge_agent.core import durations, sizes
from edge_agent.core.node import parse_node, parse_path
from edge_agent.core.types import NUMBER_TYPES, parse_type
from shared.topics import is_name

Json = Mapping[str, object]
_INTEGER = re.compile(r"[-+]?[0-9]+|0x[0-9A-Fa-f]+|0o[0-7]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_YES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
FILLED: Json = {"type": "string", "pattern": r"\$\{.+\}"}
"""A value that comes from ``${env:NAME}``, ``${file:PATH}`` or ``${hostname}``."""


@dataclass(frozen=True, slots=True)
class ScalarKind:
    """wants: completes 'wants ...' in messages. json: the schema of a value that is written out."""

    wants: str
    parse: Callable[[Scalar], object]
    json: Json

    def schema(self) -> Json:
        return (
            self.json
            if self.json.get("type") == "string" and "pattern" not in self.json
            else _or_filled(self.json)
        )


def _or_filled(json: Json) -> Json:
    return {"anyOf": [json, FILLED]}


def to_integer(scalar: Scalar) -> int:
    """Decimal, 0x or 0o; raises ValueError."""
    text = scalar.text
    if not _INTEGER.fullmatch(text) or len(text) > 24:
        raise ValueError(f"'{scalar.shown}' is not a whole number; write digits, or hex as 0xFF")
    if text[:2] in ("0x", "0o"):
        return int(text, 0)
    return int(text)


def to_number(scalar: Scalar) -> Fraction:
    """Exactly what was written: 0.1 is one tenth; raises ValueError."""
    text = scalar.text
    if _INTEGER.fullmatch(text):
        return Fraction(to_integer(scalar))
    if not _NUMBER.fullmatch(text) or len(text) > 40:
        mend = (
            f"write {text.replace(',', '.')}"
            if _NUMBER.fullmatch(text.replace(",", "."))
            else "write for example 0.5"
        )
        raise ValueError(f"'{scalar.shown}' is not a number; {mend}")
    return Fraction(text)


def to_value(scalar: Scalar) -> float | str:
    """A raw value of a map or of ``invalid``: a number or a truth value where unquoted, else a text."""
    if scalar.plain and (_INTEGER.fullmatch(scalar.text) or _NUMBER.fullmatch(scalar.text)):
        return float(to_number(scalar))
    if scalar.plain and scalar.text in _BOOLEANS:
        return float(_BOOLEANS[scalar.text])
    return scalar.text


def _boolean(scalar: Scalar) -> bool:
    if scalar.text not in _BOOLEANS:
        meant = _YES.get(scalar.text.lower())
        mend = f"did you mean {meant}?" if meant else "write true or false"
        raise ValueError(f"'{scalar.shown}' is not a truth value; {mend}")
    return _BOOLEANS[scalar.text]


def _text(scalar: Scalar) -> str:
    text = scalar.text
    if scalar.plain and text in _BOOLEANS:
        raise ValueError(
            f'{text} is a truth value, a text is wanted; quote it ("{text}") if it is meant as text'
        )
    if not text.strip():
        raise ValueError("the text is empty; write one, or leave the key out")
    if len(text) > 500 or any(not c.isprintable() for c in text):
        raise ValueError("the text holds control characters or is longer than 500; shorten it")
    return text.strip()


def _name(scalar: Scalar) -> str:
    text = _text(scalar)
    if not is_name(text):
        shown = scalar.shown
        raise ValueError(
            f"'{shown}' cannot be part of an MQTT topic; use up to 63 letters, digits, . _ -, no spaces"
        )
    return text


def _node(scalar: Scalar) -> object:
    return parse_node(_text(scalar))


def _steps(scalar: Scalar) -> object:
    return parse_path(_text(scalar))


def _type(scalar: Scalar) -> object:
    text = _text(scalar)
    try:
        return parse_type(text)
    except ValueError as error:
        near = closest(text, (*NUMBER_TYPES, "bool", "string(16)", "s7string(16)"))
        if near is None or text.startswith(("string", "s7string")):
            raise
        raise ValueError(f"{str(error).split(';')[0]}; did you mean '{near}'?") from None


TEXT = ScalarKind("a text", _text, {"type": ["string", "number"]})
NAME = ScalarKind(
    "a name", _name, {"type": ["string", "number"], "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$|\$\{.+\}"}
)
PATH = ScalarKind("the path of a file", _text, {"type": "string"})
BOOLEAN = ScalarKind("true or false", _boolean, {"type": "boolean"})
NUMBER = ScalarKind("a number", to_number, {"type": "number"})
NODE = ScalarKind("a node id such as ns=2;s=Press1.State", _node, {"type": "string"})
STEPS = ScalarKind("a path such as [3] or .Speed", _steps, {"type": "string"})
REGISTER = ScalarKind("a register such as holding:100", _text, {"type": ["string", "integer"]})
RANGE = ScalarKind("a range such as holding:200-219", _text, {"type": "string"})
TYPE = ScalarKind(
    "a type such as uint16",
    _type,
    {"type": "string", "pattern": rf"^({'|'.join(NUMBER_TYPES)}|bool|(s7)?string\([0-9]+\))$"},
)
VALUE = ScalarKind("a raw value", to_value, {"type": ["string", "number", "boolean"]})


def integer(low: int, high: int) -> ScalarKind:
    """A whole number from ``low`` to ``high``, both included."""

    def parse(scalar: Scalar) -> int:
        number = to_integer(scalar)
        if not low <= number <= high:
            raise ValueError(f"{scalar.shown} is out of range; it can be {low} to {high}")
        return number

    json = {"type": "integer", "minimum": low, "maximum": high}
    return ScalarKind(f"a whole number from {low} to {high}", parse, json)


def duration(low_us: int, high_us: int) -> ScalarKind:
    """Microseconds from a text with its unit."""

    def parse(scalar: Scalar) -> int:
        length = durations.parse_duration(scalar.text)
        if not low_us <= length <= high_us:
            low, high = durations.shown(low_us), durations.shown(high_us)
            raise ValueError(f"{scalar.shown} is out of range; it can be {low} to {high}")
        return length

    return ScalarKind("a duration such as 500 ms", parse, {"type": "string", "pattern": durations.PATTERN})


def size(low: int, high: int) -> ScalarKind:
    """Bytes from a text with its unit."""

    def parse(scalar: Scalar) -> int:
        found = sizes.parse_size(scalar.text)
        if not low <= found <= high:
            raise ValueError(
                f"{scalar.shown} is out of range; it can be {sizes.shown(low)} to {sizes.shown(high)}"
            )
        return found

    return ScalarKind("a size such as 2 GiB", parse, {"type": "string", "pattern": sizes.PATTERN})


def words(*known: str) -> ScalarKind:
    """One of a closed list."""

    def parse(scalar: Scalar) -> str:
        if scalar.text in known:
            return scalar.text
        near = closest(scalar.text, known)
        mend = f"did you mean '{near}'?" if near else f"use {', '.join(known)}"
        raise ValueError(f"'{scalar.shown}' is not known here; {mend}")

    return ScalarKind(f"one of {', '.join(known)}", parse, {"enum": list(known)})


def numbers(*known: int) -> ScalarKind:
    """One of a closed list of whole numbers."""

    def parse(scalar: Scalar) -> int:
        number = to_integer(scalar)
        if number not in known:
            raise ValueError(f"{scalar.shown} is not possible; use {', '.join(str(n) for n in known)}")
        return number

    return ScalarKind(f"one of {', '.join(str(n) for n in known)}", parse, {"enum": list(known)})
