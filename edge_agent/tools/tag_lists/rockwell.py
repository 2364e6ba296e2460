"""Studio 5000's tag export: TYPE,SCOPE,NAME,DESCRIPTION,DATATYPE,SPECIFIER,ATTRIBUTES.

Logix controllers speak no Modbus; their tags are read through an OPC UA server in front of them, whose way
to name a tag must be given: ``--node "nsu=urn:maker;s=[PLC]{name}"``. A tag of a program is named
``Program:SCOPE.NAME``, as Logix does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edge_agent.tools.tag_lists.files import Line
from edge_agent.tools.tag_lists.tag import NodePattern, Row, Tag, TagList, Unusable, collected

HEAD = ("type", "scope", "name", "datatype")
_COLUMNS = ("type", "scope", "name", "description", "datatype", "specifier", "attributes")
_SIMPLE = {
    "bool": "bool", "bit": "bool", "sint": "int8", "int": "int16", "dint": "int32", "lint": "int64",
    "usint": "uint8", "uint": "uint16", "udint": "uint32", "ulint": "uint64", "real": "float32",
    "lreal": "float64", "string": "text",
}  # fmt: skip
_NO_ACCESS = re.compile(r"ExternalAccess\s*:=\s*None", re.IGNORECASE)
_ESCAPE = re.compile(r"\$(?:([0-9A-Fa-f]{4})|([0-9A-Fa-f]{2})|([NRTLPnrtlp])|(.))")
_MEANT = {"n": "\n", "l": "\n", "r": "\n", "t": "\t", "p": "\n"}


def read(lines: Sequence[Line], head: int, node: NodePattern | None) -> TagList:
    """The tags of a list whose first head is at this place; each program may have a head of its own."""
    return collected("Studio 5000", _rows(lines[head:]), lambda row: _tag(row, node))


def _rows(lines: Sequence[Line]) -> Iterator[Row]:
    names: Sequence[str] = _COLUMNS
    for line, cells in lines:
        first = cells[0].strip().lower()
        if first == "type":
            names = [cell.strip().lower() for cell in cells]
        elif first != "remark":
            yield Row(line, dict(zip(names, cells, strict=False)))


def _tag(row: Row, node: NodePattern | None) -> Tag:
    what, name, kind = row.get("type").upper(), row.get("name"), row.get("datatype")
    if what == "ALIAS":
        raise Unusable(f"an alias of {row.get('specifier') or 'another tag'}: take that")
    if what in ("COMMENT", "RCOMMENT"):
        raise Unusable("a comment on a part of a tag, no tag")
    if what != "TAG" or not name:
        raise Unusable(f"'{what}' is no tag")
    if _NO_ACCESS.search(row.get("attributes")):
        raise Unusable("ExternalAccess is None: nobody outside the controller can read it")
    if "[" in kind:
        raise Unusable(f"'{kind}' is an array: name its elements one by one")
    if kind.lower() not in _SIMPLE:
        raise Unusable(f"'{kind}' is a structure: name its members one by one")
    if node is None:
        raise Unusable("Logix is read through an OPC UA server: say how that names it, with --node")
    scope = row.get("scope")
    full = f"Program:{scope}.{name}" if scope else name
    return Tag(
        row.line,
        name,
        node(row, full),
        _SIMPLE[kind.lower()],
        group=scope,
        remark=_plain(row.get("description")),
    )


def _plain(text: str) -> str:
    """A description without Logix's escapes: $N is a new line, $20AC a character."""

    def meant(found: re.Match[str]) -> str:
        wide, narrow, letter, other = found.groups()
        if wide or narrow:
            return chr(int(wide or narrow, 16))
        return _MEANT[letter.lower()] if letter else str(other)

    return _ESCAPE.sub(meant, text)
