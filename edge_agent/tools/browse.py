"""``browse``: the address space of an OPC UA server as a tree, or as config to paste.

Goes through the running agent where that holds the source. Below the Objects folder the server's own
diagnostics are left out; ``--under i=2253`` shows them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol

from edge_agent.config.model import OpcUaSource
from edge_agent.core.node import parse_node
from edge_agent.errors import AgentError
from edge_agent.tools.local_socket import Asking, connect
from edge_agent.tools.proposals import remark
from edge_agent.tools.target import Target, opcua_of

OBJECTS = "i=85"
SERVER = "i=2253"
_AT_ONCE = 100
_PROGRESS_EVERY = 500
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Look:
    """What is wanted. depth: levels below the first node; None for all. values: with type and value.

    match: part of a path or node id, or a pattern with ``*`` and ``?``.
    """

    under: str = OBJECTS
    match: str | None = None
    depth: int | None = None
    values: bool = False

    def fits(self, path: str, node: str) -> bool:
        """Whether a node is one of those that are wanted."""
        if self.match is None:
            return True
        wanted = self.match.lower()
        if any(sign in wanted for sign in "*?["):
            return fnmatchcase(path.lower(), wanted) or fnmatchcase(node.lower(), wanted)
        return wanted in path.lower() or wanted in node.lower()


@dataclass(slots=True)
class Seen:
    """A node of the tree. path: names from the first node on. again: it was shown before, under another.

    type, rank, value, quality: of a variable, where they were asked for.
    """

    node: str
    name: str
    kind: str
    path: tuple[str, ...]
    again: bool = False
    described: dict[str, Any] = field(default_factory=dict)


class Space(Protocol):
    """An address space: adapters.opcua_browse.Explorer, or the running agent's."""

    async def children(self, nodes: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Children of each node."""

    async def described(self, nodes: Sequence[str]) -> list[dict[str, Any]]:
        """Type, rank, value and quality of each variable."""


class _Asked:
    """The address space through the running agent."""

    def __init__(self, asking: Asking, source: str) -> None:
        self._asking, self._question = asking, {"ask": "browse", "source": source}

    async def children(self, nodes: Sequence[str]) -> list[list[dict[str, Any]]]:
        found: list[list[dict[str, Any]]] = self._ask({"nodes": list(nodes)})["children"]
        return found

    async def described(self, nodes: Sequence[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask({"describe": list(nodes)})["described"]
        return found

    def _ask(self, more: dict[str, Any]) -> Any:
        return self._asking.ask(self._question | more)


@contextlib.asynccontextmanager
async def space_of(target: Target, under: str) -> AsyncIterator[Space]:
    """The address space, by the running agent or a session of our own; ``under`` must be in it."""
    source = opcua_of(target)
    asking = connect(target.config.buffer.path) if target.config is not None else None
    if asking is not None:
        with asking:
            asking.ask({"ask": "node", "source": source.name, "node": under})
            yield _Asked(asking, source.name)
        return
    from edge_agent.adapters.opcua_browse import Explorer
    from edge_agent.adapters.opcua_probe import facts_of, session_with

    async with session_with(source) as session:
        await facts_of(session.client, parse_node(under))
        yield Explorer(session.client)


async def walk(space: Space, look: Look) -> AsyncIterator[Seen]:
    """Every node below the first one, parents before children, each described where that is wanted.

    A hundred siblings are asked for at once; what is kept is one path and the siblings on it.
    """
    seen = {look.under} | ({SERVER} if look.under == OBJECTS else set())
    (first,) = await space.children([look.under])
    async for each in _below(space, look, _siblings(first, (), seen), seen):
        yield each


async def _below(space: Space, look: Look, siblings: Sequence[Seen], seen: set[str]) -> AsyncIterator[Seen]:
    for at in range(0, len(siblings), _AT_ONCE):
        chunk = siblings[at : at + _AT_ONCE]
        deeper = [s.node for s in chunk if not s.again and (look.depth is None or len(s.path) < look.depth)]
        children = dict(zip(deeper, await space.children(deeper), strict=True)) if deeper else {}
        if look.values:
            await _describe(space, [s for s in chunk if s.kind == "Variable"])
        for each in chunk:
            yield each
            if found := children.get(each.node, []) if not each.again else []:
                async for below in _below(space, look, _siblings(found, each.path, seen), seen):
                    yield below


def _siblings(children: Sequence[dict[str, Any]], path: tuple[str, ...], seen: set[str]) -> list[Seen]:
    found = []
    for child in children:
        if child["node"] == SERVER and SERVER in seen:
            continue
        name = child["name"]
        found.append(Seen(child["node"], name, child["kind"], (*path, name), child["node"] in seen))
        seen.add(child["node"])
    return found


async def _describe(space: Space, variables: Sequence[Seen]) -> None:
    if variables:
        described = await space.described([each.node for each in variables])
        for each, facts in zip(variables, described, strict=True):
            each.described = facts


def browse(target: Target, look: Look, *, as_yaml: bool, as_json: bool) -> int:
    """Print the nodes that fit; 1 where none does."""
    if as_yaml:
        from edge_agent.tools.browse_config import lines_of

        show: Show = lines_of
    else:
        show = _as_json if as_json else _as_text
    return asyncio.run(_browse(target, look, show))


class Show(Protocol):
    """Turns the nodes into lines."""

    def __call__(self, source: OpcUaSource, found: AsyncIterator[Seen], look: Look) -> AsyncIterator[str]: ...


async def _browse(target: Target, look: Look, show: Show) -> int:
    source, count = opcua_of(target), _Count()
    if source.security is None:
        print(f"{source.endpoint}: without security, as this source is configured", file=sys.stderr)
    async with space_of(target, look.under) as space:
        async for line in show(source, count.counted(walk(space, look), look), look):
            print(line)
    count.end()
    if not count.shown:
        raise AgentError(
            "no node fits", source.endpoint, f"{count.seen} were seen; choose another --match or --under"
        )
    return 0


class _Count:
    """Nodes seen and shown; on a terminal the number goes along on standard error."""

    def __init__(self) -> None:
        self.seen = self.shown = 0
        self._told = sys.stderr.isatty() and not sys.stdout.isatty()

    async def counted(self, found: AsyncIterator[Seen], look: Look) -> AsyncIterator[Seen]:
        """Those that fit."""
        async for each in found:
            self.seen += 1
            if self._told and self.seen % _PROGRESS_EVERY == 0:
                print(f"\r{self.seen:,} nodes", end="", file=sys.stderr, flush=True)
            if look.fits("/".join(each.path), each.node):
                self.shown += 1
                yield each

    def end(self) -> None:
        """The last number."""
        if self._told:
            print(f"\r{self.seen:,} nodes", file=sys.stderr)


async def _as_text(source: OpcUaSource, found: AsyncIterator[Seen], look: Look) -> AsyncIterator[str]:
    """A tree; with ``match`` a list of whole paths."""
    async for each in found:
        flat = look.match is not None
        indent = "" if flat else "  " * (len(each.path) - 1)
        name = indent + remark("/".join(each.path) if flat else each.name)
        again = "  (shown above)" if each.again else ""
        yield f"{name}{'/' if each.kind == 'Object' else ''}  {each.node}{_told(each)}{again}"


def _told(each: Seen) -> str:
    facts = each.described
    if not facts:
        return ""
    if facts["quality"] != "Good":
        return f"  {facts['type']}: {facts['quality']}"
    value = remark(str(facts["value"]))
    cut = value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "..."
    return f"  {facts['type']} = {cut}"


async def _as_json(source: OpcUaSource, found: AsyncIterator[Seen], look: Look) -> AsyncIterator[str]:
    async for each in found:
        row = {"node": each.node, "path": list(each.path), "kind": each.kind, **each.described}
        yield json.dumps(row, ensure_ascii=False)
