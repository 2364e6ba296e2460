"""Any table with a name and an address a row: registers in every notation of a config, or node ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from edge_agent.core.address import parse_register
from edge_agent.core.node import parse_node
from edge_agent.core.types import parse_type
from edge_agent.tools.tag_lists.files import Line, rows_below
from edge_agent.tools.tag_lists.tag import NodePattern, Row, Tag, TagList, Unusable, collected, with_options

NAMES = ("name", "tag", "tag name", "signal", "symbol", "variable", "bezeichnung", "nom")
ADDRESSES = ("address", "register", "node", "node id", "nodeid", "adresse", "modbus address")
_TYPES = ("type", "data type", "datatype", "datentyp", "format")
_GROUPS = ("machine", "group", "device", "path", "maschine")
_UNITS = ("unit", "units", "eng units", "engineering unit", "einheit")
_REMARKS = ("description", "comment", "beschreibung", "kommentar")
_SCALES = ("scale", "factor", "multiplier", "faktor")
_SPELT = {
    "bool": "bool", "boolean": "bool", "int": "int16", "short": "int16", "i16": "int16", "s16": "int16",
    "uint": "uint16", "word": "uint16", "u16": "uint16", "dint": "int32", "long": "int32", "i32": "int32",
    "s32": "int32", "udint": "uint32", "dword": "uint32", "u32": "uint32", "real": "float32",
    "float": "float32", "f32": "float32", "single": "float32", "lreal": "float64", "double": "float64",
    "f64": "float64", "lint": "int64", "ulint": "uint64", "i64": "int64", "u64": "uint64",
}  # fmt: skip
_NUMBER = re.compile(r"^-?[0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?$")


def head_of(lines: Sequence[Line]) -> int | None:
    """Place of the first row that names a column for names and one for addresses."""
    for place, (_, cells) in enumerate(lines[:50]):
        names = {cell.strip().lower() for cell in cells}
        if names & set(NAMES) and names & set(ADDRESSES):
            return place
    return None


def read(lines: Sequence[Line], head: int, node: NodePattern | None) -> TagList:
    """The tags of a table whose head is at this place."""
    return collected("a table", rows_below(lines, head), lambda row: _tag(row, node))


def _tag(row: Row, node: NodePattern | None) -> Tag:
    name, address = row.get(*NAMES), row.get(*ADDRESSES)
    if not name:
        raise Unusable("it has no name")
    told: dict[str, Any] = {
        "group": row.get(*_GROUPS),
        "unit": row.get(*_UNITS),
        "remark": row.get(*_REMARKS),
    }
    kind = _kind(row.get(*_TYPES))
    if node is not None:
        tag = Tag(row.line, name, node(row, name), kind, **told)
    elif "=" in address:
        tag = Tag(row.line, name, _node(address), kind, **told)
    else:
        tag = _register(row, name, address, kind, told)
    scale, offset = (row.get(*names).replace(",", ".") for names in (_SCALES, ("offset",)))
    for text in (scale, offset):
        if text and not _NUMBER.match(text):
            raise Unusable(f"'{text}' is no number")
    return with_options(
        tag, scale="" if scale in ("1", "1.0") else scale, offset="" if offset == "0" else offset
    )


def _node(text: str) -> str:
    try:
        return str(parse_node(text))
    except ValueError as error:
        raise Unusable(str(error)) from None


def _register(row: Row, name: str, address: str, kind: str, told: dict[str, Any]) -> Tag:
    if not address:
        raise Unusable("it has no address")
    try:
        register = parse_register(address)
        bit = row.get("bit")
        if register.space.is_bits:
            return Tag(row.line, name, register, "bool", **told)
        if bit:
            return with_options(Tag(row.line, name, register, kind or "uint16", **told), bit=str(int(bit)))
        if not kind:
            raise Unusable("it has no type")
        if kind == "bool":
            raise Unusable("a boolean in a register needs the number of its bit, in a column 'bit'")
        return Tag(row.line, name, register, str(parse_type(kind)), **told)
    except Unusable:
        raise
    except ValueError as error:
        raise Unusable(str(error)) from None


def _kind(text: str) -> str:
    return _SPELT.get(text.strip().lower(), text.strip().lower())
