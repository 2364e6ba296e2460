"""The address space of an OPC UA server, looked at in batches that the server takes.

Nodes go in and out as text by namespace URI (core.node); children are objects and variables below
hierarchical references, properties left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from asyncua import ua

from edge_agent.adapters.opcua_probe import by_uri, namespaces, resolved, shown, type_name
from edge_agent.core.node import parse_node

UNKNOWN_LIMIT = 50
_MOST_PER_CALL = 500
_REFERENCES = 1000
"""Asked for per node at once; what is left comes with BrowseNext."""
_TOO_MUCH = (
    "BadTooManyOperations",
    "BadRequestTooLarge",
    "BadResponseTooLarge",
    "BadEncodingLimitsExceeded",
    "BadTcpMessageTooLarge",
    "BadTimeout",
)
_LIMITS = (
    ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
    ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
)
_DESCRIBED = ("DataType", "ValueRank", "Value")
T = TypeVar("T")


class Explorer:
    """Looks around in one session. Raises AgentError, and what the library raises."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._spaces: list[str] | None = None
        self._types: dict[Any, str] = {}
        self.browse_size = self.read_size = UNKNOWN_LIMIT

    async def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """What another process asks (tools.questions)."""
        if "describe" in question:
            return {"described": await self.described(question["describe"])}
        return {"children": await self.children(question["nodes"])}

    async def children(self, nodes: Sequence[str]) -> list[list[dict[str, Any]]]:
        """For each node its children, each ``{node, name, kind}``; kind is Object or Variable."""
        spaces = await self._learnt()
        waiting = [(place, resolved(parse_node(node), spaces)) for place, node in enumerate(nodes)]
        found: dict[int, list[Any]] = {place: [] for place, _ in waiting}
        while waiting:
            batch, waiting = waiting[: self.browse_size], waiting[self.browse_size :]
            results = await self._sized(batch, self._browse)
            if results is None:
                waiting = batch + waiting
                continue
            again = await self._taken(batch, results, found, alone=len(batch) == 1)
            waiting = again + waiting
            if again:
                self.browse_size = max(1, self.browse_size // 2)
        return [[_child(each, spaces) for each in _once_each(found[place])] for place in range(len(nodes))]

    async def described(self, nodes: Sequence[str]) -> list[dict[str, Any]]:
        """For each variable ``{type, rank, value, quality}``; rank -1 is a single value."""
        spaces = await self._learnt()
        waiting = [resolved(parse_node(node), spaces) for node in nodes]
        rows: list[dict[str, Any]] = []
        while waiting:
            size = max(1, self.read_size // len(_DESCRIBED))
            batch, waiting = waiting[:size], waiting[size:]
            values = await self._sized(batch, self._read)
            if values is None:
                waiting = batch + waiting
                continue
            for place in range(len(batch)):
                rows.append(await self._row(values[3 * place : 3 * place + 3]))
        return rows

    async def _learnt(self) -> list[str]:
        if self._spaces is None:
            self._spaces = await namespaces(self._client)
            values = await self._client.uaclient.read_attributes(
                [ua.NodeId(limit) for limit in _LIMITS], ua.AttributeIds.Value
            )
            self.browse_size, self.read_size = (_limit(value) for value in values)
        return self._spaces

    async def _sized(self, batch: Sequence[T], ask: Callable[[Sequence[T]], Awaitable[Any]]) -> Any:
        """The answer, or None where the batch was too large: then the next one is half as large."""
        try:
            return await ask(batch)
        except (ua.UaError, TimeoutError) as fault:
            name = type(fault).__name__
            if len(batch) == 1 or not (isinstance(fault, TimeoutError) or name in _TOO_MUCH):
                raise
            self.browse_size = self.read_size = len(batch) // 2
            return None

    async def _browse(self, batch: Sequence[tuple[int, Any]]) -> Any:
        wanted = [
            ua.BrowseDescription(
                NodeId=node,
                BrowseDirection=ua.BrowseDirection.Forward,
                ReferenceTypeId=ua.NodeId(ua.ObjectIds.HierarchicalReferences),
                IncludeSubtypes=True,
                NodeClassMask=ua.NodeClass.Object | ua.NodeClass.Variable,
                ResultMask=ua.BrowseResultMask.All,
            )
            for _, node in batch
        ]
        parameters = ua.BrowseParameters(
            View=ua.ViewDescription(), RequestedMaxReferencesPerNode=_REFERENCES, NodesToBrowse=wanted
        )
        return await self._client.uaclient.browse(parameters)

    async def _taken(
        self,
        batch: Sequence[tuple[int, Any]],
        results: Sequence[Any],
        found: dict[int, list[Any]],
        *,
        alone: bool,
    ) -> list[tuple[int, Any]]:
        """Take references in, follow continuation points; nodes for which the server had none left come
        back.
        """
        again, open_points = [], []
        for (place, node), result in zip(batch, results, strict=True):
            name = result.StatusCode.name
            if name == "BadNoContinuationPoints" and not alone:
                again.append((place, node))
            found[place] += result.References or []
            if result.ContinuationPoint:
                open_points.append((place, result.ContinuationPoint))
        while open_points:
            parameters = ua.BrowseNextParameters(
                ReleaseContinuationPoints=False, ContinuationPoints=[point for _, point in open_points]
            )
            more = await self._client.uaclient.browse_next(parameters)
            following = []
            for (place, _), result in zip(open_points, more, strict=True):
                found[place] += result.References or []
                if result.ContinuationPoint:
                    following.append((place, result.ContinuationPoint))
            open_points = following
        return again

    async def _read(self, batch: Sequence[Any]) -> Any:
        wanted = [
            ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds[name])
            for node in batch
            for name in _DESCRIBED
        ]
        parameters = ua.ReadParameters(
            TimestampsToReturn=ua.TimestampsToReturn.Neither, NodesToRead=wanted, MaxAge=0.0
        )
        return await self._client.uaclient.read(parameters)

    async def _row(self, values: Sequence[Any]) -> dict[str, Any]:
        data_type, rank, value = values
        node = data_type.Value.Value if data_type.Value is not None else None
        if node is not None and node not in self._types:
            self._types[node] = await type_name(self._client, node)
        return {
            "type": self._types.get(node),
            "rank": rank.Value.Value if rank.Value is not None else None,
            "value": shown(value.Value.Value) if value.Value is not None else None,
            "quality": value.StatusCode.name if value.StatusCode is not None else "Good",
        }


def _limit(value: Any) -> int:
    told = value.Value.Value if value.StatusCode.is_good() and value.Value is not None else 0
    return min(int(told), _MOST_PER_CALL) if told else UNKNOWN_LIMIT


def _once_each(references: Sequence[Any]) -> list[Any]:
    """Children by their first reference; properties left out."""
    seen: dict[Any, Any] = {}
    for reference in references:
        if reference.ReferenceTypeId.Identifier != ua.ObjectIds.HasProperty:
            seen.setdefault(reference.NodeId, reference)
    return list(seen.values())


def _child(reference: Any, spaces: Sequence[str]) -> dict[str, Any]:
    name = reference.DisplayName.Text if reference.DisplayName is not None else None
    kind = ua.NodeClass(reference.NodeClass).name
    return {"node": by_uri(reference.NodeId, spaces), "name": name or reference.BrowseName.Name, "kind": kind}
