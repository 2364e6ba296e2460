"""TIA Portal's PLC tags, as CSV or xlsx: Name, Path, Data Type, Logical Address, Comment, Hmi Accessible.

Its addresses are those of the controller's memory, which Modbus does not know: %MW100 is not a holding
register here. The tags are read through the controller's OPC UA server, where a tag stands under its quoted
name.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_agent.tools.tag_lists.files import Line, rows_below
from edge_agent.tools.tag_lists.tag import NodePattern, Row, Tag, TagList, Unusable, collected, node_pattern

HEAD = ("name", "path", "data type", "logical address")
DEFAULT_NODE = 'nsu=http://www.siemens.com/simatic-s7-opcua;s="{name}"'
_SIMPLE = {
    "bool": "bool", "byte": "uint8", "word": "uint16", "dword": "uint32", "lword": "uint64", "sint": "int8",
    "int": "int16", "dint": "int32", "lint": "int64", "usint": "uint8", "uint": "uint16", "udint": "uint32",
    "ulint": "uint64", "real": "float32", "lreal": "float64", "char": "text", "wchar": "text",
    "string": "text", "wstring": "text",
}  # fmt: skip
_HINT = "switch the OPC UA server of the controller on, and Hmi Accessible of each tag"


def read(lines: Sequence[Line], head: int, node: NodePattern | None) -> TagList:
    """The tags of a list whose head is at this place."""
    pattern = node or node_pattern(DEFAULT_NODE)
    return collected("TIA Portal", rows_below(lines, head), lambda row: _tag(row, pattern), (_HINT,))


def _tag(row: Row, node: NodePattern) -> Tag:
    name, kind = row.get("name"), row.get("data type").strip('"')
    if not name:
        raise Unusable("it has no name")
    if row.get("hmi accessible").lower() in ("false", "0", "no"):
        raise Unusable("Hmi Accessible is off: OPC UA does not show it")
    plain = kind.lower().partition("[")[0].strip()
    if plain.startswith("array"):
        raise Unusable(f"'{kind}' is an array: name its elements one by one")
    if plain not in _SIMPLE:
        raise Unusable(f"'{kind}' is no single value: name its members one by one")
    remark = " ".join(part for part in (row.get("comment"), row.get("logical address")) if part)
    return Tag(row.line, name, node(row, name), _SIMPLE[plain], group=row.get("path"), remark=remark)
