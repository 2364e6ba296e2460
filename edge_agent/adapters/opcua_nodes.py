"""Where a signal's value is at a server: its node in this session, the range of an array, the way from there.

Namespaces are resolved anew in each session, since their indexes change. A field of a structure is its own
node where the server shows it as one; else the structure is read, and the field taken from it.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any

from asyncua import ua

from edge_agent.adapters.opcua_told import Told
from edge_agent.core.node import NodeAddress

Steps = tuple[str | int, ...]
Open = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Place:
    """node: the library's node id. range: of array elements, as the protocol writes it. rest: steps on."""

    node: Any
    range: str | None = None
    rest: Steps = ()

    def wanted(self) -> Any:
        """What to read or watch."""
        return ua.ReadValueId(NodeId=self.node, AttributeId=ua.AttributeIds.Value, IndexRange=self.range)

    @property
    def whole(self) -> bool:
        """Whether the node's value is the signal's."""
        return self.range is None and not self.rest


def node_id(address: NodeAddress, space: int) -> Any:
    """The library's node id of an address, in the namespace of this index."""
    name = address.identifier
    if address.kind == "i":
        return ua.NodeId(int(name), space, ua.NodeIdType.Numeric)
    if address.kind == "g":
        return ua.NodeId(uuid.UUID(name), space, ua.NodeIdType.Guid)
    if address.kind == "b":
        return ua.NodeId(base64.b64decode(name), space, ua.NodeIdType.ByteString)
    return ua.NodeId(name, space, ua.NodeIdType.String)


def place_of(node: Any, path: Steps) -> Place:
    """The place below a node: leading numbers are a range of its array, what follows is taken from it."""
    numbers = next((n for n, step in enumerate(path) if not isinstance(step, int)), len(path))
    return Place(node, ",".join(str(step) for step in path[:numbers]) or None, path[numbers:])


def fields_of(path: Steps) -> tuple[str, ...]:
    """The names that a path begins with."""
    names: list[str] = []
    for step in path:
        if isinstance(step, int):
            break
        names.append(step)
    return tuple(names)


def browse_path(node: Any, names: Sequence[str]) -> Any:
    """From a node down its hierarchy; fields bear names in the namespace of their node."""
    elements = [
        ua.RelativePathElement(
            ReferenceTypeId=ua.NodeId(ua.ObjectIds.HierarchicalReferences),
            IsInverse=False,
            IncludeSubtypes=True,
            TargetName=ua.QualifiedName(name, node.NamespaceIndex),
        )
        for name in names
    ]
    return ua.BrowsePath(StartingNode=node, RelativePath=ua.RelativePath(Elements=elements))


def target_of(result: Any) -> Any | None:
    """The one node that a browse path leads to; None where it leads nowhere."""
    if not result.StatusCode.is_good():
        return None
    whole = [t.TargetId for t in result.Targets if t.RemainingPathIndex == 0xFFFFFFFF]
    return whole[0] if len(whole) == 1 else None


def taken(told: Told, place: Place, opened: Open) -> Told:
    """The value of a place, from that of its node or range.

    opened: the fields of a structure that only its server defines; None where that is not known.
    """
    if place.whole or told.content is None:
        return told
    content, kind = told.content, told.kind
    if place.range is not None:
        for index in map(int, place.range.split(",")):
            if not isinstance(content, list) or not (len(content) == 1 or len(content) > index):
                return _nothing(told, ua.StatusCodes.BadIndexRangeNoData)
            # One element is the one asked for; more come from a server that ignores ranges.
            content = content[0] if len(content) == 1 else content[index]
    for step in place.rest:
        kind = 0
        if isinstance(content, ua.ExtensionObject):
            content = opened(content)
            if content is None:
                return _nothing(told, ua.StatusCodes.BadDataTypeIdUnknown)
        if isinstance(step, int):
            if not isinstance(content, list) or step >= len(content):
                return _nothing(told, ua.StatusCodes.BadIndexRangeNoData)
            content = content[step]
        elif isinstance(content, dict) and step in content:
            content = content[step]
        elif is_dataclass(content) and hasattr(content, step):
            content = getattr(content, step)
        else:
            return _nothing(told, ua.StatusCodes.BadNoMatch)
    return Told(told.status, content, kind, told.source_us)


def _nothing(told: Told, status: int) -> Told:
    return Told(status, None, 0, told.source_us)


Take = Callable[[list[tuple[int, Told]]], list[tuple[int, Told]]]


def taker(places: dict[int, Place], opened: Open) -> Take | None:
    """What takes the wanted parts out of reported values; None where every value is wanted whole."""
    parts = {index: place for index, place in places.items() if not place.whole}
    if not parts:
        return None

    def take(items: list[tuple[int, Told]]) -> list[tuple[int, Told]]:
        return [
            (index, taken(told, parts[index], opened) if index in parts else told) for index, told in items
        ]

    return take
