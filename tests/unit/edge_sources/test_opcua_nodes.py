"""An element of an array, from a server that honours index ranges and from one that does not."""

from __future__ import annotations

from typing import Any

import pytest
from asyncua import ua

from edge_agent.adapters.opcua_nodes import Place, taken
from edge_agent.adapters.opcua_told import Told


def read(content: Any, range_: str) -> Any:
    return taken(Told(0, content, 8), Place(ua.NodeId(1, 2), range_), lambda _: None)


@pytest.mark.parametrize(
    ("content", "range_", "element"),
    [([7], "3", 7), ([10, 11, 12, 13], "3", 13), ([[5]], "1,0", 5), ([[1, 2], [3, 4]], "1,0", 3)],
)
def test_the_element_asked_for_is_taken(content: Any, range_: str, element: int) -> None:
    assert read(content, range_).content == element


@pytest.mark.parametrize(("content", "range_"), [([1, 2], "5"), ([], "0"), (4, "0")])
def test_what_is_not_there_is_bad(content: Any, range_: str) -> None:
    value = read(content, range_)
    assert value.content is None
    assert value.status == ua.StatusCodes.BadIndexRangeNoData
