"""Browsing a server of narrow limits: few nodes a call, few references an answer, few open places."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from asyncua import ua

from edge_agent.adapters.opcua_browse import Explorer


class NarrowServer:
    """A node ``P<n>`` has so many children; the calls are kept to the limits, as a small PLC keeps them."""

    def __init__(self, children: int, *, per_call: int, per_answer: int, open_places: int) -> None:
        self.children, self.per_call, self.per_answer, self.open_places = (
            children, per_call, per_answer, open_places,
        )  # fmt: skip
        self.open: dict[bytes, list[Any]] = {}
        self.sizes: list[int] = []

    async def read_attributes(self, nodes: list[Any], attribute: Any) -> list[Any]:
        if nodes[0].Identifier == ua.ObjectIds.Server_NamespaceArray:
            return [ua.DataValue(ua.Variant(["urn:ua", "urn:own", "urn:plant"]))]
        return [ua.DataValue(ua.Variant(0, ua.VariantType.UInt32)) for _ in nodes]

    async def browse(self, parameters: Any) -> list[Any]:
        asked = parameters.NodesToBrowse
        self.sizes.append(len(asked))
        if len(asked) > self.per_call:
            raise ua.uaerrors.BadTooManyOperations()
        return [self._answer(self._references(each.NodeId.Identifier)) for each in asked]

    async def browse_next(self, parameters: Any) -> list[Any]:
        return [self._answer(self.open.pop(point)) for point in parameters.ContinuationPoints]

    def _references(self, parent: str) -> list[Any]:
        return [
            ua.ReferenceDescription(
                ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasComponent),
                NodeId=ua.ExpandedNodeId(f"{parent}.{number}", 2),
                DisplayName=ua.LocalizedText(f"{number}"),
                NodeClass=ua.NodeClass.Variable,
            )
            for number in range(self.children)
        ]

    def _answer(self, references: list[Any]) -> Any:
        now, later = references[: self.per_answer], references[self.per_answer :]
        if not later:
            return SimpleNamespace(StatusCode=ua.StatusCode(0), References=now, ContinuationPoint=None)
        if len(self.open) >= self.open_places:
            refused = ua.StatusCode(ua.StatusCodes.BadNoContinuationPoints)
            return SimpleNamespace(StatusCode=refused, References=[], ContinuationPoint=None)
        point = f"{id(later)}".encode()
        self.open[point] = later
        return SimpleNamespace(StatusCode=ua.StatusCode(0), References=now, ContinuationPoint=point)


async def test_every_child_comes_in_its_place_whatever_the_server_bears() -> None:
    server = NarrowServer(23, per_call=7, per_answer=5, open_places=2)
    explorer = Explorer(SimpleNamespace(uaclient=server))
    parents = [f"nsu=urn:plant;s=P{number}" for number in range(60)]
    found = await explorer.children(parents)
    assert [[child["node"] for child in own] for own in found] == [
        [f"{parent}.{number}" for number in range(23)] for parent in parents
    ]
    assert not server.open
    assert server.sizes[-1] <= 7
