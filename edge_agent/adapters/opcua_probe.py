"""What an OPC UA server tells of one node, and sessions for the tools that look around."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from asyncua import ua

from edge_agent.adapters.opcua import plain
from edge_agent.adapters.opcua_nodes import node_id
from edge_agent.adapters.opcua_session import CallSize, Session, SessionLost
from edge_agent.adapters.opcua_structures import Structures
from edge_agent.adapters.opcua_told import status_name
from edge_agent.adapters.opcua_values import to_us
from edge_agent.config.model import OpcUaSource, Signal
from edge_agent.core.node import NodeAddress
from edge_agent.errors import AgentError

FAULTS = (OSError, TimeoutError, ua.UaError, SessionLost)
_ATTRIBUTES = (
    "NodeClass",
    "BrowseName",
    "DisplayName",
    "Description",
    "Value",
    "DataType",
    "ValueRank",
    "ArrayDimensions",
    "AccessLevel",
    "UserAccessLevel",
    "MinimumSamplingInterval",
)
_SHOWN_ELEMENTS = 20


@contextlib.asynccontextmanager
async def session_with(source: OpcUaSource, signals: Sequence[Signal] = ()) -> AsyncIterator[Session]:
    """A session of our own, closed at the end. Raises AgentError where the server cannot be asked.

    signals: those that it is to read.
    """
    mend = "check address, port and firewall; edge-agent trust shows what security the server offers"
    try:
        session = await Session.open(source, signals, CallSize())
    except FAULTS as fault:
        refused = isinstance(fault, OSError) and not isinstance(fault, TimeoutError)
        what = f"{source.host}:{source.port} takes no connection" if refused else plain(fault)
        raise AgentError(what, source.endpoint, mend) from None
    try:
        yield session
    except FAULTS as fault:
        raise AgentError(plain(fault), source.endpoint, "try again; see the server's log") from None
    finally:
        await session.close()


async def namespaces(client: Any) -> list[str]:
    """The server's namespace URIs, in the order of their indexes."""
    node = ua.NodeId(ua.ObjectIds.Server_NamespaceArray)
    (value,) = await client.uaclient.read_attributes([node], ua.AttributeIds.Value)
    return list(value.Value.Value or []) if value.Value is not None else []


def resolved(address: NodeAddress, spaces: Sequence[str]) -> Any:
    """The library's node id in this session. Raises AgentError for a namespace that is not there."""
    if address.uri is not None and address.uri not in spaces:
        mend = f"the server has: {', '.join(spaces)}"
        raise AgentError(f"the server has no namespace {address.uri}", str(address), mend)
    return node_id(address, spaces.index(address.uri) if address.uri is not None else address.index or 0)


def by_uri(node: Any, spaces: Sequence[str]) -> str:
    """A node id as a config should write it: by the URI of its namespace, which outlives a restart."""
    text = str(node.to_string())
    name = text.rpartition(";")[2] if node.NodeIdType != ua.NodeIdType.String else f"s={node.Identifier}"
    if node.NodeIdType == ua.NodeIdType.ByteString:
        name = text[text.index("b=") :]
    index = node.NamespaceIndex
    if index == 0:
        return name
    return f"nsu={spaces[index]};{name}" if index < len(spaces) else f"ns={index};{name}"


async def facts_of(client: Any, address: NodeAddress) -> dict[str, Any]:
    """Attributes of a node as plain values; times in microseconds since 1970, UTC.

    Raises AgentError for a node that is not there, and what the library raises.
    """
    spaces = await namespaces(client)
    node = resolved(address, spaces)
    wanted = [ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds[name]) for name in _ATTRIBUTES]
    parameters = ua.ReadParameters(
        TimestampsToReturn=ua.TimestampsToReturn.Both, NodesToRead=wanted, MaxAge=0.0
    )
    found = dict(zip(_ATTRIBUTES, await client.uaclient.read(parameters), strict=True))
    if not found["NodeClass"].StatusCode.is_good():
        mend = "find it with edge-agent browse; names are case sensitive"
        raise AgentError(f"no such node ({found['NodeClass'].StatusCode.name})", str(address), mend)
    value = found["Value"]
    content = {name: _content(attribute) for name, attribute in found.items()}
    return {
        "node": by_uri(node, spaces),
        "by_index": str(node.to_string()),
        "node_class": ua.NodeClass(content["NodeClass"]).name,
        "browse_name": content["BrowseName"].Name if content["BrowseName"] else None,
        "display_name": content["DisplayName"].Text if content["DisplayName"] else None,
        "description": content["Description"].Text if content["Description"] else None,
        "type": await type_name(client, content["DataType"]) if content["DataType"] else None,
        "variant": value.Value.VariantType.name if value.Value is not None else None,
        "value_rank": content["ValueRank"],
        "dimensions": content["ArrayDimensions"] or None,
        "value": shown(await _opened(client, node, value.Value.Value)) if value.Value is not None else None,
        "quality": value.StatusCode.name if value.StatusCode is not None else "Good",
        "source_time_us": to_us(value.SourceTimestamp),
        "server_time_us": to_us(value.ServerTimestamp),
        "readable": None if content["UserAccessLevel"] is None else bool(int(content["UserAccessLevel"]) & 1),
        "sampling_ms": content["MinimumSamplingInterval"],
    }


async def _opened(client: Any, node: Any, content: Any) -> Any:
    """The value of a node with structures that only the server defines as their fields by name."""

    async def values(wanted: Sequence[Any]) -> list[Any]:
        found = await client.uaclient.session.values(ua.ReadParameters(NodesToRead=list(wanted)))
        return list(found)

    structures = Structures(values, client.uaclient.browse, lambda: [node])

    def inside(held: Any) -> Any:
        if isinstance(held, ua.ExtensionObject):
            fields = structures.opened(held)
            return held if fields is None else inside(fields)
        if isinstance(held, list):
            return [inside(each) for each in held]
        return {name: inside(each) for name, each in held.items()} if isinstance(held, dict) else held

    opened = inside(content)
    while await structures.learn():
        opened = inside(content)
    return opened


async def held_by(session: Session, signals: Sequence[Signal]) -> dict[str, dict[str, Any]]:
    """``{value, quality}`` of each signal by its key, before mask, bit, scale and map."""
    values = await session.read(signals)
    found: dict[str, dict[str, Any]] = {}
    for signal in signals:
        value = values.get(signal.index)
        if value is None:
            found[signal.key] = {"value": None, "quality": session.unknown.get(signal.index, "Bad")}
            continue
        found[signal.key] = {"value": shown(value.content), "quality": status_name(value.status)}
    return found


def _content(attribute: Any) -> Any:
    good = attribute.StatusCode is None or attribute.StatusCode.is_good()
    return attribute.Value.Value if good and attribute.Value is not None else None


async def type_name(client: Any, node: Any) -> str:
    """Name of a data type: of the standard ones without asking."""
    if node.NamespaceIndex == 0 and node.NodeIdType in (
        ua.NodeIdType.TwoByte,
        ua.NodeIdType.Numeric,
        ua.NodeIdType.FourByte,
    ):
        return str(ua.ObjectIdNames.get(node.Identifier, node.Identifier))
    (name,) = await client.uaclient.read_attributes([node], ua.AttributeIds.BrowseName)
    found = _content(name)
    return str(found.Name) if found is not None else str(node.to_string())


def shown(content: Any) -> Any:
    """A value as JSON can hold it: numbers, texts, fields by name, arrays cut, all else in words."""
    if isinstance(content, bool | int | float | str) and not isinstance(content, Enum):
        return content
    if content is None:
        return None
    if isinstance(content, Enum):
        return content.value if isinstance(content.value, int | str) else str(content)
    if isinstance(content, bytes):
        return content.hex(" ")
    if isinstance(content, datetime):
        return content.isoformat()
    if isinstance(content, ua.LocalizedText):
        return content.Text
    if isinstance(content, dict):
        return {name: shown(each) for name, each in content.items()}
    if isinstance(content, list):
        more = [f"... {len(content)} values"] if len(content) > _SHOWN_ELEMENTS else []
        return [shown(each) for each in content[:_SHOWN_ELEMENTS]] + more
    return str(content)
