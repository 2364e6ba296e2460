"""``import-tags``: a tag list of a PLC tool as config to paste; a row that gave nothing with its reason."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_agent.core.address import Register
from edge_agent.errors import AgentError
from edge_agent.tools.proposals import Names, guessed_role, measure_name, name_of, quoted, remark
from edge_agent.tools.tag_lists import generic, kepware, rockwell, schneider, siemens
from edge_agent.tools.tag_lists.files import content_of, head_with, lines_of
from edge_agent.tools.tag_lists.tag import NodePattern, Tag, TagList, node_pattern

_MAKERS = ((kepware.HEAD, kepware.read), (siemens.HEAD, siemens.read), (rockwell.HEAD, rockwell.read))
_REMARK_CHARACTERS = 80


def import_tags(file: Path, *, node: str | None, machine: str | None, source: str) -> int:
    """Print the config; the skipped rows go to standard error. 1 where no row gave a tag.

    node: pattern of the OPC UA node of a tag. machine: one for all tags, instead of one for each group.
    """
    found = read(file, node)
    for row in found.skipped:
        print(f"{file}:{row.line}: {row.name}: skipped: {row.reason}", file=sys.stderr)
    print(f"{file}: {len(found.tags)} tags, {len(found.skipped)} rows skipped", file=sys.stderr)
    if not found.tags:
        raise AgentError("no tag could be taken", str(file), "see the reasons above")
    print("\n".join(config_lines(found, file.name, machine=machine, source=source)))
    return 0


def read(file: Path, node: str | None) -> TagList:
    """The list, by whichever tool made it. Raises AgentError for a file that is none."""
    pattern = _pattern(node)
    content = content_of(file)
    if schneider.is_exchange_file(content):
        return schneider.read_exchange_file(content, str(file), pattern)
    lines = lines_of(content, str(file))
    for head, reader in _MAKERS:
        if (place := head_with(lines, *head)) is not None:
            return reader(lines, place, pattern)
    place = generic.head_of(lines)
    if place is None:
        mend = "it needs a first row with the columns name, address and type"
        raise AgentError("no list of tags", str(file), mend)
    cells = (cell for _, row in lines[place + 1 : place + 200] for cell in row)
    if any(cell.strip().upper().startswith(("%MW", "%MD", "%MF", "%M")) for cell in cells):
        return schneider.read(lines, place, pattern)
    return generic.read(lines, place, pattern)


def _pattern(node: str | None) -> NodePattern | None:
    try:
        return node_pattern(node) if node is not None else None
    except ValueError as error:
        raise AgentError("no pattern", "--node", str(error)) from None


def config_lines(found: TagList, name: str, *, machine: str | None, source: str) -> Iterator[str]:
    """The tags as YAML: machines with their signals, every one a measure until a person says its role."""
    yield f"# {len(found.tags)} tags of {remark(name)} ({found.maker}): choose line and roles"
    yield from (f"# {hint}" for hint in found.hints)
    groups: dict[str, list[Tag]] = {}
    for tag in found.tags:
        groups.setdefault("" if machine is not None else tag.group, []).append(tag)
    yield "machines:"
    machines = Names()
    for group, tags in groups.items():
        chosen = machine or name_of(group, fallback="machine-1").replace("_", "-")
        yield f"  {machines.unique(chosen)}:" + (f"  # {remark(group)}" if group and machine is None else "")
        yield "    line: line-1"
        yield f"    source: {source}"
        yield "    signals:"
        yield from _signals(tags)


def _signals(tags: Sequence[Tag]) -> Iterator[str]:
    names = Names()
    for tag in tags:
        name = names.unique(measure_name(tag.name))
        guess = guessed_role(tag.name, text=tag.kind.startswith(("text", "string")), truth=_is_truth(tag))
        told = [part for part in (_original(tag, name), remark(tag.remark)[:_REMARK_CHARACTERS]) if part]
        told += [f"role: {guess}?"] if guess is not None else []
        yield f"      {name}: {{{', '.join(_fields(tag))}}}" + (f"  # {'; '.join(told)}" if told else "")


def _fields(tag: Tag) -> Iterator[str]:
    if isinstance(tag.address, Register):
        yield f"register: {quoted(str(tag.address))}"
        if not tag.address.space.is_bits:
            yield f"type: {tag.kind}"
    else:
        yield f"node: {quoted(tag.address)}"
    yield from (f"{name}: {text}" for name, text in tag.options)
    if tag.unit and not tag.unit.isdigit():
        yield f"unit: {quoted(remark(tag.unit))}"


def _original(tag: Tag, name: str) -> str:
    return remark(tag.name) if name_of(tag.name) != tag.name and name != tag.name else ""


def _is_truth(tag: Tag) -> bool:
    return tag.kind == "bool" or any(name == "bit" for name, _ in tag.options)
