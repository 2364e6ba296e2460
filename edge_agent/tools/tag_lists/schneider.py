"""Variables of Unity Pro and Control Expert: an .xsy (XML), or a table with names, types and %MW addresses.

Its controllers serve %MW as holding registers and %M as coils. Values of two and more registers lie low word
first, texts low byte first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from edge_agent.core.address import LAST, Register, Space
from edge_agent.errors import AgentError
from edge_agent.tools.tag_lists.files import Line, rows_below, text_of
from edge_agent.tools.tag_lists.tag import NodePattern, Row, Tag, TagList, Unusable, collected, with_options

_TYPES = {
    "int": "int16", "uint": "uint16", "word": "uint16", "dint": "int32", "udint": "uint32", "dword": "uint32",
    "time": "uint32", "lint": "int64", "ulint": "uint64", "lword": "uint64", "real": "float32",
    "lreal": "float64",
}  # fmt: skip
_WORD = re.compile(r"^%(MW|IW|M)([0-9]{1,5})(?:(?:\.|:X)([0-9]{1,2}))?$", re.IGNORECASE)
_WIDE = re.compile(r"^%(MD|MF|KD|KF)[0-9]+", re.IGNORECASE)
_STRING = re.compile(r"^string(?:\[([0-9]{1,3})\])?$", re.IGNORECASE)
_SPACES = {"MW": Space.HOLDING, "IW": Space.INPUT, "M": Space.COIL}
_STRING_BYTES = 16
"""Of a STRING without a length, as Control Expert makes it."""


def is_exchange_file(content: bytes) -> bool:
    """Whether these are variables in Schneider's XML."""
    head = content[:4000]
    return b"ExchangeFile" in head and b"<" in head


def read_exchange_file(content: bytes, where: str, node: NodePattern | None) -> TagList:
    """The variables of an .xsy or .xef. Raises AgentError for XML that cannot be read."""
    return collected("Control Expert", _variables(content, where), lambda row: schneider_tag(row, node))


def read(lines: Sequence[Line], head: int, node: NodePattern | None) -> TagList:
    """The variables of a table whose head is at this place."""
    return collected("Control Expert", rows_below(lines, head), lambda row: schneider_tag(row, node))


def _variables(content: bytes, where: str) -> Iterator[Row]:
    """Each ``variables`` element of the data block, with the line of its name in the text."""
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise AgentError(f"this is no XML ({error})", where, "export it again") from None
    text, at = text_of(content), 0
    for block in root.iter("dataBlock"):
        for each in block.iter("variables"):
            name = each.get("name") or ""
            at = max(at, text.find(f'name="{name}"', at))
            comment = each.findtext("comment") or ""
            cells = {"name": name, "type": each.get("typeName") or "", "comment": comment}
            yield Row(text.count("\n", 0, at) + 1, cells | {"address": each.get("topologicalAddress") or ""})


def schneider_tag(row: Row, node: NodePattern | None) -> Tag:
    """A tag of a row with name, type and address."""
    name = row.get("name", "variable", "symbol", "tag name", "tag")
    kind = row.get("type", "data type", "datatype")
    address = row.get("address", "located at", "topological address")
    remark = row.get("comment", "description")
    if not name:
        raise Unusable("it has no name")
    tag = Tag(row.line, name, address, group=row.get("group", "machine"), unit=row.get("unit"), remark=remark)
    if node is not None:
        return Tag(row.line, name, node(row, name), kind.lower(), tag.group, tag.unit, remark)
    if not address:
        raise Unusable("it is not located: give it an address such as %MW100, or read it with --node")
    if _WIDE.match(address):
        words = address[3:].partition(".")[0]
        reason = f"{address} begins at %MW{words} in Unity and at %MW{2 * int(words)} in SoMachine: say which"
        raise Unusable(reason)
    found = _WORD.match(address)
    if found is None or int(found.group(2)) > LAST:
        raise Unusable(f"'{address}' is no register that Modbus can read")
    register = Register(_SPACES[found.group(1).upper()], int(found.group(2)))
    return _typed(tag, register, kind, found.group(3))


def _typed(tag: Tag, register: Register, kind: str, bit: str | None) -> Tag:
    def made(kind: str, **options: str) -> Tag:
        return with_options(
            Tag(tag.line, tag.name, register, kind, tag.group, tag.unit, tag.remark), **options
        )

    truth = kind.lower() in ("bool", "ebool")
    if register.space.is_bits:
        return made("bool")
    if bit is not None:
        return made("uint16", bit=bit)
    if truth:
        raise Unusable("a BOOL in a word needs the number of its bit, as in %MW100.3")
    if (text := _STRING.match(kind)) is not None:
        return made(f"string({text.group(1) or _STRING_BYTES})", byte_order="little")
    if kind.lower() not in _TYPES:
        raise Unusable(f"'{kind}' is no single value: name its members one by one")
    wide = _TYPES[kind.lower()].endswith(("32", "64"))
    return made(_TYPES[kind.lower()], word_order="little" if wide else "")
