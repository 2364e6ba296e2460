"""Structures that a maker has defined: the server tells their layout, their bytes become fields by name.

The definition of a type is the attribute DataTypeDefinition of its node (OPC 10000-3, 8.47 to 8.51), the
bytes are OPC 10000-6, 5.2.6 to 5.2.8. What the library knows as a type of the standard is left to it.
"""

from __future__ import annotations

import contextlib
import logging
import math
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import extensionobject_from_binary, struct_from_binary, unpack_uatype

_log = logging.getLogger(__name__)

_INT32, _EXTENSION_OBJECT, _VARIANT = 6, 22, 24
_LAST_BUILT_IN, _ENUMERATION = 25, 29
_ABSTRACT_NUMBERS = (26, 27, 28)
_PLAIN, _OPTIONAL, _UNION, _SUBTYPED = 0, 1, 2, 3
_MOST_FIELDS, _DEEPEST = 1_000, 20

Decode = Callable[[Any], Any]
"""Takes its bytes off a buffer of the library."""

Values = Callable[[Sequence[Any]], Awaitable[list[Any]]]
"""Reads ReadValueIds; a Told of each."""
Browse = Callable[[Any], Awaitable[list[Any]]]
"""The results of a browse."""


class Unreadable(Exception):
    """Why a type cannot be decoded."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    decode: Decode
    optional: bool


class Structures:
    """The types of one server, learnt as they are met: those that were missing are remembered.

    holders: nodes whose values may be of these types; asked for their type by a server that does not say to
    which one an encoding belongs.
    """

    def __init__(self, values: Values, browse: Browse, holders: Callable[[], Sequence[Any]]) -> None:
        self._values, self._browse, self._holders = values, browse, holders
        self._by_encoding: dict[Any, Decode | None] = {}
        self._by_type: dict[Any, Decode] = {}
        self._wanted: set[Any] = set()

    def opened(self, value: Any) -> Any:
        """The fields of a structure by name; None where its type is not known, or its bytes do not fit."""
        if value.TypeId not in self._by_encoding:
            self._wanted.add(value.TypeId)
            return None
        decode = self._by_encoding[value.TypeId]
        if decode is None or value.Body is None:
            return None
        with contextlib.suppress(struct.error, ValueError, TypeError, IndexError, ua.UaError):
            return decode(Buffer(value.Body))
        return None

    async def learn(self) -> bool:
        """Ask for the types that were missing; whether there were any. Raises what a call raises."""
        wanted, self._wanted = self._wanted, set()
        for encoding in wanted:
            self._by_encoding[encoding] = None
            try:
                found = await self._sources_of(encoding, ua.ObjectIds.HasEncoding)
                data_type = found[0] if found else await self._type_of_a_holder(encoding)
                self._by_encoding[encoding] = await self._decode_of(data_type, 0)
            except (Unreadable, ua.UaError) as fault:
                _log.warning("values of the type %s cannot be read: %s", encoding.to_string(), fault)
        return bool(wanted)

    async def _type_of_a_holder(self, encoding: Any) -> Any:
        """The type of a variable whose default encoding is this one."""
        kind, definition = ua.AttributeIds.DataType, ua.AttributeIds.DataTypeDefinition
        for holder in self._holders():
            (told,) = await self._values([ua.ReadValueId(NodeId=holder, AttributeId=kind)])
            if isinstance(told.content, ua.NodeId):
                (defined,) = await self._values([ua.ReadValueId(NodeId=told.content, AttributeId=definition)])
                if getattr(defined.content, "DefaultEncodingId", None) == encoding:
                    return told.content
        raise Unreadable("the server does not say which type it encodes")

    async def _sources_of(self, node: Any, reference: int) -> list[Any]:
        """The nodes that refer to this one so."""
        wish = ua.BrowseDescription(
            NodeId=node,
            BrowseDirection=ua.BrowseDirection.Inverse,
            ReferenceTypeId=ua.NodeId(reference),
            IncludeSubtypes=True,
            NodeClassMask=0,
            ResultMask=0,
        )
        (result,) = await self._browse(ua.BrowseParameters(NodesToBrowse=[wish]))
        return [reference.NodeId for reference in result.References or ()]

    async def _decode_of(self, data_type: Any, depth: int) -> Decode:
        if data_type not in self._by_type:
            if depth > _DEEPEST:
                raise Unreadable("its types contain each other")
            self._by_type[data_type] = _standard(data_type) or await self._asked(data_type, depth)
        return self._by_type[data_type]

    async def _asked(self, data_type: Any, depth: int) -> Decode:
        """As the server defines it; without a definition it is encoded as the type above it."""
        attribute = ua.AttributeIds.DataTypeDefinition
        (told,) = await self._values([ua.ReadValueId(NodeId=data_type, AttributeId=attribute)])
        if isinstance(told.content, ua.EnumDefinition):
            return _built_in(_INT32)
        if isinstance(told.content, ua.StructureDefinition):
            return await self._structure(told.content, depth)
        above = await self._sources_of(data_type, ua.ObjectIds.HasSubtype)
        if len(above) != 1 or above[0] == ua.NodeId(ua.ObjectIds.Structure):
            raise Unreadable(f"the server does not define {data_type.to_string()}")
        return await self._decode_of(above[0], depth + 1)

    async def _structure(self, definition: Any, depth: int) -> Decode:
        kind = int(definition.StructureType)
        if kind not in (_PLAIN, _OPTIONAL, _UNION, _SUBTYPED) or len(definition.Fields) > _MOST_FIELDS:
            raise Unreadable("a structure of a kind that is not supported")
        fields = []
        for field in definition.Fields:
            decode = await self._decode_of(field.DataType, depth + 1)
            if kind == _SUBTYPED and field.IsOptional:
                decode = self._any_subtype
            decode = _ranked(decode, field.ValueRank)
            fields.append(_Field(str(field.Name), decode, kind == _OPTIONAL and field.IsOptional))
        return _union(fields) if kind == _UNION else _fields(fields)

    def _any_subtype(self, data: Any) -> Any:
        return extensionobject_from_binary(data)


def _standard(data_type: Any) -> Decode | None:
    """How a type of the standard is decoded; None for others, and for those that only the server knows."""
    number = data_type.Identifier
    if data_type.NamespaceIndex != 0 or not isinstance(number, int):
        return None
    if number in _ABSTRACT_NUMBERS:
        return _built_in(_VARIANT)
    if number == _ENUMERATION:
        return _built_in(_INT32)
    if 0 < number <= _LAST_BUILT_IN:
        return _built_in(number)
    found = getattr(ua, str(ua.ObjectIdNames.get(number, "")), None)
    if isinstance(found, type) and issubclass(found, Enum):
        return _built_in(_INT32)
    return (lambda data: struct_from_binary(found, data)) if is_dataclass(found) else None


def _built_in(number: int) -> Decode:
    kind = ua.VariantType(number)
    return lambda data: unpack_uatype(kind, data)


def _ranked(decode: Decode, rank: int) -> Decode:
    """A single value, an array, or one of several dimensions (OPC 10000-6, 5.2.5)."""
    if rank == -1:
        return decode
    if rank < 0:
        raise Unreadable("a field that may be a value or an array")
    return (lambda data: _matrix(decode, data)) if rank > 1 else (lambda data: _array(decode, data))


def _array(decode: Decode, data: Any) -> list[Any]:
    return _elements(decode, data, unpack_uatype(ua.VariantType.Int32, data))


def _elements(decode: Decode, data: Any, count: int) -> list[Any]:
    if count > len(data):
        raise ValueError("an array that is longer than its message")
    return [decode(data) for _ in range(count)]


def _matrix(decode: Decode, data: Any) -> list[Any]:
    sizes = _array(_built_in(_INT32), data)
    flat = _elements(decode, data, math.prod(sizes))
    for size in reversed(sizes[1:]):
        flat = [flat[at : at + size] for at in range(0, len(flat), max(1, size))]
    return flat


def _fields(fields: Sequence[_Field]) -> Decode:
    """One field after another; before them a mask of the optional ones that are there."""
    places = {field.name: at for at, field in enumerate(f for f in fields if f.optional)}

    def decode(data: Any) -> dict[str, Any]:
        mask = unpack_uatype(ua.VariantType.UInt32, data) if places else 0
        found: dict[str, Any] = {}
        for field in fields:
            there = not field.optional or mask >> places[field.name] & 1
            found[field.name] = field.decode(data) if there else None
        return found

    return decode


def _union(fields: Sequence[_Field]) -> Decode:
    """The number of the field that is there, and that field; 0 is none."""

    def decode(data: Any) -> dict[str, Any]:
        found: dict[str, Any] = dict.fromkeys(field.name for field in fields)
        which = unpack_uatype(ua.VariantType.UInt32, data)
        if which:
            field = fields[which - 1]
            found[field.name] = field.decode(data)
        return found

    return decode
