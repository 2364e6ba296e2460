"""Bytes of structures that only a server knows, by definitions as servers give them; bytes made by hand."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import pytest
from asyncua import ua

from edge_agent.adapters.opcua_nodes import Place, taken
from edge_agent.adapters.opcua_structures import Structures
from edge_agent.adapters.opcua_told import Told

ENCODING, TYPE, INNER, KIND, LOOP = (ua.NodeId(number, 2) for number in (5001, 3001, 3002, 3003, 3004))
VARIABLE = ua.NodeId("press", 2)
DOUBLE, STRING, BYTE, DURATION = (ua.NodeId(number) for number in (11, 12, 3, 290))
PLAIN, OPTIONAL, UNION = (
    ua.StructureType.Structure,
    ua.StructureType.StructureWithOptionalFields,
    ua.StructureType.Union,
)


def field(name: str, data_type: Any, rank: int = -1, *, optional: bool = False) -> Any:
    return ua.StructureField(Name=name, DataType=data_type, ValueRank=rank, IsOptional=optional)


class Server:
    """What a server says of its types: definitions, and what stands above a type or has an encoding."""

    def __init__(
        self, *fields: Any, kind: Any = PLAIN, above: dict[Any, Any] | None = None, **more: Any
    ) -> None:
        self.definitions = {TYPE: ua.StructureDefinition(StructureType=kind, Fields=list(fields))}
        self.definitions |= more.get("types", {})
        self.above = {ENCODING: TYPE, **(above or {})}
        self.asked = 0
        self.structures = Structures(self.values, self.browse, lambda: more.get("holders", ()))

    async def values(self, wanted: Any) -> list[Told]:
        self.asked += 1
        return [
            Told(
                0, TYPE if each.AttributeId == ua.AttributeIds.DataType else self.definitions.get(each.NodeId)
            )
            for each in wanted
        ]

    async def browse(self, parameters: Any) -> list[Any]:
        above = self.above.get(parameters.NodesToBrowse[0].NodeId)
        return [SimpleNamespace(References=[] if above is None else [SimpleNamespace(NodeId=above)])]

    async def opened(self, body: bytes) -> Any:
        value = ua.ExtensionObject(TypeId=ENCODING, Body=body)
        assert self.structures.opened(value) is None
        assert await self.structures.learn()
        return self.structures.opened(value)


def text(word: str) -> bytes:
    return struct.pack("<i", len(word)) + word.encode()


async def test_fields_stand_one_after_another_nested_and_in_arrays():
    inner = {INNER: ua.StructureDefinition(StructureType=PLAIN, Fields=[field("Speed", DOUBLE)])}
    server = Server(field("Name", STRING), field("Axes", INNER, 1), field("Last", BYTE), types=inner)
    body = text("P-1") + struct.pack("<iddB", 2, 1.5, 2.5, 7)
    assert await server.opened(body) == {"Name": "P-1", "Axes": [{"Speed": 1.5}, {"Speed": 2.5}], "Last": 7}


async def test_a_mask_says_which_optional_fields_are_there():
    fields = [field("A", BYTE, optional=True), field("B", BYTE), field("C", BYTE, optional=True)]
    server = Server(*fields, kind=OPTIONAL)
    assert await server.opened(struct.pack("<IBB", 2, 8, 9)) == {"A": None, "B": 8, "C": 9}


@pytest.mark.parametrize(
    ("body", "held"),
    [
        (struct.pack("<I", 0), {"A": None, "B": None}),
        (struct.pack("<IB", 1, 7), {"A": 7, "B": None}),
        (struct.pack("<Id", 2, 0.5), {"A": None, "B": 0.5}),
        (struct.pack("<Id", 3, 0.5), None),
    ],
)
async def test_a_union_holds_one_field_or_none(body: bytes, held: Any):
    assert await Server(field("A", BYTE), field("B", DOUBLE), kind=UNION).opened(body) == held


async def test_an_array_of_two_dimensions_tells_its_sizes_first():
    body = struct.pack("<iii6B", 2, 2, 3, *range(6))
    assert await Server(field("M", BYTE, 2)).opened(body) == {"M": [[0, 1, 2], [3, 4, 5]]}


async def test_enumerations_and_kinds_of_numbers_are_numbers():
    types = {KIND: ua.EnumDefinition()}
    server = Server(field("Mode", KIND), field("Cycle", DURATION), field("Own", INNER), types=types, above={
        DURATION: DOUBLE, INNER: BYTE,
    })  # fmt: skip
    assert await server.opened(struct.pack("<idB", 1, 250.0, 9)) == {"Mode": 1, "Cycle": 250.0, "Own": 9}


async def test_a_server_that_does_not_say_whose_encoding_it_is_is_asked_for_the_type_of_the_variable():
    server = Server(field("A", BYTE), above={ENCODING: None}, holders=[VARIABLE])
    server.definitions[TYPE].DefaultEncodingId = ENCODING
    assert await server.opened(b"\x07") == {"A": 7}
    other = Server(field("A", BYTE), above={ENCODING: None}, holders=[VARIABLE])
    assert await other.opened(b"\x07") is None


async def test_a_structure_of_the_standard_in_one_of_a_maker():
    server = Server(field("Limits", ua.NodeId(ua.ObjectIds.Range)))
    assert (await server.opened(struct.pack("<dd", 1.0, 5.0)))["Limits"].High == 5.0


@pytest.mark.parametrize(
    "server",
    [
        Server(field("A", INNER)),
        Server(field("A", BYTE, -3)),
        Server(field("A", LOOP), types={LOOP: ua.StructureDefinition(Fields=[field("A", LOOP)])}),
        Server(field("A", BYTE), above={ENCODING: None}),
    ],
    ids=["not defined", "value or array", "contains itself", "encoding of nothing"],
)
async def test_what_cannot_be_read_is_said_once_and_not_asked_again(server: Server, caplog: Any):
    assert await server.opened(b"\0" * 40) is None
    asked = server.asked
    assert not await server.structures.learn()
    assert server.asked == asked
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "body", [b"", b"\x01", struct.pack("<i", 2**31 - 1), struct.pack("<i", 3) + b"\0" * 8]
)
async def test_bytes_that_do_not_fit_are_no_value(body: bytes):
    server = Server(field("A", DOUBLE, 1))
    assert await server.opened(body) is None
    told = taken(
        Told(0, ua.ExtensionObject(ENCODING, body), 22), Place(TYPE, None, ("A",)), server.structures.opened
    )
    assert (told.content, told.status) == (None, ua.StatusCodes.BadDataTypeIdUnknown)
