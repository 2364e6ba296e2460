"""What a tag list says of one tag, in the words of a config."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from edge_agent.core.address import LAST, Register
from edge_agent.core.types import parse_type


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list. line: of the file, from 1. cells: by the name of the column, lower case."""

    line: int
    cells: Mapping[str, str]

    def get(self, *names: str) -> str:
        """The first of these columns that holds something."""
        return next((text for name in names if (text := self.cells.get(name, "").strip())), "")


@dataclass(frozen=True, slots=True)
class Tag:
    """address: a register or a node id. kind: its type in a config's words; for a node only a hint.

    options: further keys of the signal, such as scale, as YAML. group: what belongs to one machine.
    """

    line: int
    name: str
    address: Register | str
    kind: str = ""
    group: str = ""
    unit: str = ""
    remark: str = ""
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that gave no tag. reason: why, and what to do where there is something."""

    line: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class TagList:
    """A whole list. hints: what a person should know before pasting."""

    maker: str
    tags: list[Tag] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    hints: tuple[str, ...] = ()


class Unusable(ValueError):
    """A row gives no tag; the text says why."""


NodePattern = Callable[[Row, str], str]
"""From a row and the tag's name to its OPC UA node id."""


def node_pattern(text: str) -> NodePattern:
    """``nsu=urn:maker;s=[PLC]{name}``: ``{name}``, or any column of the list in lower case.

    Raises ValueError for a pattern without ``{name}``, or when a row lacks a column.
    """
    if "{name}" not in text:
        raise ValueError(f"'{text}' names no tag; write {{name}} where its name belongs")

    def node(row: Row, name: str) -> str:
        found = text.replace("{name}", name)
        for column, cell in row.cells.items():
            found = found.replace(f"{{{column}}}", cell.strip())
        if "{" in found:
            raise Unusable(f"the list has no column for {found[found.index('{') :].split('}')[0]}}}")
        return found

    return node


def collected(
    maker: str, rows: Iterator[Row], read: Callable[[Row], Tag], hints: tuple[str, ...] = ()
) -> TagList:
    """All rows of a list, each read or skipped; a name that comes twice is skipped the second time."""
    found = TagList(maker, hints=hints)
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        try:
            tag = _fitting(read(row))
        except Unusable as fault:
            name = row.get("tag name", "name", "tag", "symbol", "variable") or "(no name)"
            found.skipped.append(Skipped(row.line, name, str(fault)))
            continue
        first = seen.setdefault((tag.group, tag.name), row.line)
        if first != row.line:
            found.skipped.append(Skipped(row.line, tag.name, f"the same name as in line {first}"))
            continue
        found.tags.append(tag)
    return found


def _fitting(tag: Tag) -> Tag:
    """The tag, where a register can hold it. Raises Unusable."""
    if not isinstance(tag.address, Register) or tag.address.space.is_bits:
        return tag
    try:
        kind = parse_type(tag.kind)
    except ValueError as fault:
        raise Unusable(str(fault)) from None
    if tag.address.address + kind.registers - 1 > LAST:
        raise Unusable(f"{kind} fills {kind.registers} registers from {tag.address}, beyond the last one")
    if int(dict(tag.options).get("bit", 0)) >= kind.bits > 0:
        raise Unusable(f"bit {dict(tag.options)['bit']} is beyond {kind}")
    return tag


def with_options(tag: Tag, **options: str) -> Tag:
    """The tag with further keys, those that are not empty."""
    more = tuple((name, text) for name, text in options.items() if text)
    return replace(tag, options=(*tag.options, *more))
