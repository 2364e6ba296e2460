"""Where a signal's value is at a server: its node in this session, the range of an array, the way from there.

Namespaces are resolved anew in each session, since their indexes change. A field of a structure is its own
node where the server shows it as one; else the structure is read, and the field taken from it where its type
is one of the standard's.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from asyncua import ua

from edge_agent.core.node import NodeAddress

Steps = tuple[str | int, ...]


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


def taken(value: Any, place: Place) -> Any:
    """The DataValue of a place, from the DataValue of its node or range."""
    variant = value.Value
    if place.whole or variant is None or variant.Value is None:
        return value
    content, kind = variant.Value, variant.VariantType
    if place.range is not None:
        for index in map(int, place.range.split(",")):
            if not isinstance(content, list) or not (len(content) == 1 or len(content) > index):
                return _nothing(value, ua.StatusCodes.BadIndexRangeNoData)
            # One element is the one asked for; more come from a server that ignores ranges.
            content = content[0] if len(content) == 1 else content[index]
    for step in place.rest:
        if isinstance(step, int):
            if not isinstance(content, list) or step >= len(content):
                return _nothing(value, ua.StatusCodes.BadIndexRangeNoData)
            content = content[step]
        elif is_dataclass(content) and hasattr(content, step):
            content, kind = getattr(content, step), None
        else:
            return _nothing(value, ua.StatusCodes.BadNoMatch)
    return replace(value, Value=ua.Variant(content, kind))


def _nothing(value: Any, status: int) -> Any:
    return replace(value, Value=None, StatusCode=ua.StatusCode(status))


def taker(places: dict[int, Place]) -> Callable[[Any], None] | None:
    """What puts the wanted parts into a publish response; None where every value is wanted whole."""
    parts = {index: place for index, place in places.items() if not place.whole}
    if not parts:
        return None

    def take(result: Any) -> None:
        for notification in result.NotificationMessage.NotificationData or ():
            if not isinstance(notification, ua.DataChangeNotification):
                continue
            for item in notification.MonitoredItems:
                place = parts.get(item.ClientHandle)
                if place is not None and item.Value is not None:
                    item.Value = taken(item.Value, place)

    return take
