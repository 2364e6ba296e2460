"""Kepware's CSV of a device: Tag Name, Address, Data Type, scaling.

Addresses of its Modbus drivers become registers; those of any other driver are reached through Kepware's own
OPC UA server, for which a node pattern must be given. Its manual counts 400001 as the first register.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from edge_agent.core.address import Register, Space
from edge_agent.tools.tag_lists.files import Line, rows_below
from edge_agent.tools.tag_lists.tag import NodePattern, Row, Tag, TagList, Unusable, collected, with_options

HEAD = ("tag name", "address", "data type", "client access")
_TYPES = {
    "boolean": "bool", "short": "int16", "word": "uint16", "long": "int32", "dword": "uint32",
    "llong": "int64", "qword": "uint64", "float": "float32", "double": "float64",
}  # fmt: skip
_SPACES = {"0": Space.COIL, "1": Space.DISCRETE, "3": Space.INPUT, "4": Space.HOLDING}
_MODBUS = re.compile(r"^([0134])([0-9]{4,5})(?:\.([0-9]{1,3})([HhLl])?)?$")
_ARRAY = re.compile(r"\[[0-9, ]+\]|array$", re.IGNORECASE)
_HINT = (
    "Kepware takes the low word of a 32-bit value first unless its device says otherwise: compare with "
    "edge-agent probe, then write word_order: little on the source"
)


def read(lines: Sequence[Line], head: int, node: NodePattern | None) -> TagList:
    """The tags of a list whose head is at this place."""
    found = collected("Kepware", rows_below(lines, head), lambda row: _tag(row, node))
    wide = any(tag.kind.endswith(("32", "64")) and isinstance(tag.address, Register) for tag in found.tags)
    return TagList(found.maker, found.tags, found.skipped, (_HINT,) if wide else ())


def _tag(row: Row, node: NodePattern | None) -> Tag:
    full, address, kind = row.get("tag name"), row.get("address"), row.get("data type").lower()
    if not full:
        raise Unusable("it has no name")
    if row.get("client access").upper() == "WO":
        raise Unusable("it can only be written")
    if _ARRAY.search(address) or _ARRAY.search(kind):
        raise Unusable("an array: name its elements one by one")
    group, _, name = full.rpartition(".")
    tag = Tag(
        row.line,
        name,
        address,
        group=group,
        unit=row.get("eng units", "eng. units"),
        remark=row.get("description"),
    )
    if node is not None:
        tag = Tag(row.line, name, node(row, full), _TYPES.get(kind, kind), group, tag.unit, tag.remark)
    else:
        tag = _register(tag, address, kind)
    return _scaled(tag, row)


def _register(tag: Tag, address: str, kind: str) -> Tag:
    found = _MODBUS.match(address)
    if found is None:
        raise Unusable(
            f"'{address}' is no Modbus address: read it through Kepware's OPC UA server, with --node"
        )
    space, number, part, order = _SPACES[found.group(1)], int(found.group(2)), found.group(3), found.group(4)
    if number == 0:
        raise Unusable(f"'{address}' lies before the first register {found.group(1)}00001")
    register = Register(space, number - 1)
    text = kind == "string"
    if text and part is not None:
        options = (("byte_order", "little"),) if (order or "").upper() == "L" else ()
        return Tag(tag.line, tag.name, register, f"string({part})", tag.group, tag.unit, tag.remark, options)
    if order is not None or text or kind not in _TYPES:
        raise Unusable(f"type '{kind}' at '{address}' has no counterpart: look at it with edge-agent probe")
    named = Tag(tag.line, tag.name, register, _TYPES[kind], tag.group, tag.unit, tag.remark)
    if part is not None and not space.is_bits:
        return with_options(
            Tag(named.line, named.name, register, "uint16", named.group, "", named.remark), bit=part
        )
    if kind == "boolean" and not space.is_bits:
        raise Unusable(f"a boolean at '{address}' needs the number of its bit, as in {address}.0")
    return named


def _scaled(tag: Tag, row: Row) -> Tag:
    """Raw low to raw high become scaled low to scaled high."""
    mode = row.get("scaling").lower()
    sign = -1 if row.get("negate value") in ("1", "true", "True") else 1
    if mode in ("", "none"):
        return with_options(tag, scale="-1") if sign < 0 else tag
    if mode != "linear":
        raise Unusable(f"scaling '{row.get('scaling')}' cannot be said in a config: take the raw value")
    names = ("raw low", "raw high", "scaled low", "scaled high")
    try:
        raw_low, raw_high, low, high = (Fraction(row.get(name).replace(",", ".")) for name in names)
        scale = sign * (high - low) / (raw_high - raw_low)
    except (ValueError, ZeroDivisionError):
        raise Unusable("its linear scaling lacks one of its four limits") from None
    offset = sign * low - raw_low * scale
    return with_options(
        tag, scale=_number(scale) if scale != 1 else "", offset=_number(offset) if offset else ""
    )


def _number(value: Fraction) -> str:
    """As short as it can be written; a fraction without end as a float."""
    return str(value.numerator) if value.denominator == 1 else repr(float(value))
