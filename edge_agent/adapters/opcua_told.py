"""What a server tells of a value, and how it is read out of publish responses and answers to reads in bulk.

The layout is OPC 10000-6, 5.2.2 (DataValue, Variant) and 5.3 (structures in a message). Numbers, texts and
time stamps are decoded here, one after another without an object for each part; what is rarer (arrays,
structures, node ids) is left to the library.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec
from asyncua import ua
from asyncua.client.ua_session import UaSession
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, variant_from_binary

STRING, LOCALIZED_TEXT = 12, 21
"""Built-in types by number (OPC 10000-6, table 1); 1 to 11 are truth values and numbers, 0 is no value."""

_VALUE, _STATUS, _SOURCE, _SERVER, _SOURCE_PS, _SERVER_PS = 1, 2, 4, 8, 16, 32
_NUMBERS = {1: "?", 2: "b", 3: "B", 4: "h", 5: "H", 6: "i", 7: "I", 8: "q", 9: "Q", 10: "f", 11: "d"}
_TICKS_1970 = 116_444_736_000_000_000
"""Hundreds of nanoseconds from 1601, where the protocol counts from, to 1970."""

_HEAD = struct.Struct("<IBB")
_INT, _UINT, _TICKS = struct.Struct("<i"), struct.Struct("<I"), struct.Struct("<q")


_Layout = tuple[struct.Struct, bool, bool]
"""Number, status and source time; whether the last two are there."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """One value. status: the whole StatusCode. content: a number, text, list, or an object of the library.

    kind: built-in type of the content, or of its elements, by number; 0 where there is none. source_us:
    microseconds UTC.
    """

    status: int
    content: Any = None
    kind: int = 0
    source_us: int | None = None


class Changes(msgspec.Struct, frozen=True):
    """A DataChangeNotification: (client handle, value) of each, in the order of the server."""

    items: list[tuple[int, Told]]


def status_name(status: int) -> str:
    """A StatusCode in words of the protocol."""
    return str(ua.StatusCode(status).name)


class LeanSession(UaSession):  # type: ignore[misc]
    """The library's session; the two answers that hold many values are decoded here.

    unreadable: is told of a publish response that makes no sense, which the library would pass over.
    """

    unreadable: Callable[[str], None] | None = None

    async def publish(self, acks: list[Any]) -> Any:
        """The next publish response, its data changes as ``Changes``."""
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = acks
        data = bytes(await self._send_request(request, timeout=0))
        try:
            return _publish_response(data)
        except ua.UaError:
            raise
        except Exception as fault:
            if self.unreadable is not None:
                self.unreadable(f"a publish response that cannot be read ({fault})")
            raise ua.uaerrors.UaStructParsingError from fault

    async def values(self, parameters: Any) -> list[Told]:
        """Answers of a Read in their order. Raises ua.UaError where it was refused or makes no sense."""
        request = ua.ReadRequest()
        request.Parameters = parameters
        data = bytes(await self._send_request(request))
        try:
            buffer, _ = _opened(data)
            return _results(data, buffer.cur_pos)
        except ua.UaError:
            raise
        except Exception as fault:
            raise ua.UaError(f"an answer that cannot be read ({fault})") from fault


def _opened(data: bytes) -> tuple[Any, Any]:
    """The rest behind the header of a response, and the header. Raises ua.UaError for a refusal."""
    buffer = Buffer(data)
    nodeid_from_binary(buffer)
    header = struct_from_binary(ua.ResponseHeader, buffer)
    header.ServiceResult.check()
    return buffer, header


def _publish_response(data: bytes) -> Any:
    buffer, header = _opened(data)
    response = ua.PublishResponse(ResponseHeader=header)
    result = response.Parameters
    at = buffer.cur_pos
    result.SubscriptionId, count = struct.unpack_from("<Ii", data, at)
    at += 8 + 4 * max(0, count)
    (result.MoreNotifications,) = struct.unpack_from("<?", data, at)
    message = result.NotificationMessage
    message.SequenceNumber, _, count = struct.unpack_from("<Iqi", data, at + 1)
    at += 17
    message.NotificationData = []
    for _ in range(count):
        notification, at = _notification(data, at)
        message.NotificationData.append(notification)
    return response


def _notification(data: bytes, at: int) -> tuple[Any, int]:
    """One extension object of a message: data changes are ours, what else there is the library decodes."""
    buffer = Buffer(data, at)
    kind = nodeid_from_binary(buffer)
    encoding, length = struct.unpack_from("<Bi", data, buffer.cur_pos)
    at = buffer.cur_pos + 5
    if encoding != 1 or length < 0:
        raise ValueError("a notification without a length")
    if kind.Identifier == ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary:
        return Changes(_items(data, at)), at + length
    cls = ua.extension_objects_by_typeid.get(kind)
    whole = struct_from_binary(cls, Buffer(data, at, length)) if cls is not None else None
    return whole, at + length


def _items(data: bytes, at: int) -> list[tuple[int, Told]]:
    """The monitored items of a notification."""
    (count,) = _INT.unpack_from(data, at)
    at += 4
    found: list[tuple[int, Told]] = []
    for _ in range(count):
        handle, mask, kind = _HEAD.unpack_from(data, at)
        layout = _LAYOUTS.get(mask << 8 | kind)
        if layout is None:
            told, at = _any_value(data, at + 4)
        else:
            told = _number(layout, kind, data, at + 4)
            at += 4 + layout[0].size
        found.append((handle, told))
    return found


def _results(data: bytes, at: int) -> list[Told]:
    (count,) = _INT.unpack_from(data, at)
    at += 4
    found: list[Told] = []
    for _ in range(count):
        kind = data[at + 1]
        layout = _LAYOUTS.get(data[at] << 8 | kind)
        if layout is None:
            told, at = _any_value(data, at)
        else:
            told = _number(layout, kind, data, at)
            at += layout[0].size
        found.append(told)
    return found


def _number(layout: _Layout, kind: int, data: bytes, at: int) -> Told:
    """A DataValue with a single number."""
    parts, has_status, has_source = layout
    held = parts.unpack_from(data, at)
    source_us = (held[-1] - _TICKS_1970) // 10 if has_source and held[-1] > 0 else None
    return Told(held[1] if has_status else 0, held[0], kind, source_us)


def _any_value(data: bytes, at: int) -> tuple[Told, int]:
    """A DataValue of any kind, and where it ends."""
    mask = data[at]
    at += 1
    content, kind, status, source_us = None, 0, 0, None
    if mask & _VALUE:
        content, kind, at = _variant(data, at)
    if mask & _STATUS:
        (status,) = _UINT.unpack_from(data, at)
        at += 4
    if mask & _SOURCE:
        source_us = _us(_TICKS.unpack_from(data, at)[0])
        at += 8
    at += 2 * bool(mask & _SOURCE_PS) + 8 * bool(mask & _SERVER) + 2 * bool(mask & _SERVER_PS)
    return Told(status, content, kind, source_us), at


def _variant(data: bytes, at: int) -> tuple[Any, int, int]:
    """(content, kind, where it ends)."""
    kind = data[at]
    code = _NUMBERS.get(kind)
    if code is not None:
        (number,) = struct.unpack_from(f"<{code}", data, at + 1)
        return number, kind, at + 1 + struct.calcsize(f"<{code}")
    if kind == STRING:
        return _text(data, at + 1)
    buffer = Buffer(data, at)
    variant = variant_from_binary(buffer)
    return variant.Value, variant.VariantType.value, buffer.cur_pos


def _text(data: bytes, at: int) -> tuple[str | None, int, int]:
    (length,) = _INT.unpack_from(data, at)
    at += 4
    if length < 0:
        return None, STRING, at
    if at + length > len(data):
        raise ValueError("a text that is longer than its message")
    return data[at : at + length].decode("utf-8", "replace"), STRING, at + length


def _us(ticks: int) -> int | None:
    """Microseconds since 1970; None for the time that stands for none."""
    return (ticks - _TICKS_1970) // 10 if ticks > 0 else None


def _layouts() -> dict[int, _Layout]:
    """By mask and type: the bytes of a DataValue with a single number."""
    found = {}
    for mask in range(_VALUE, 64, 2):
        for kind, code in _NUMBERS.items():
            form = f"<2x{code}{'I' * bool(mask & _STATUS)}{'q' * bool(mask & _SOURCE)}"
            form += "2x" * bool(mask & _SOURCE_PS) + "8x" * bool(mask & _SERVER)
            form += "2x" * bool(mask & _SERVER_PS)
            found[mask << 8 | kind] = (struct.Struct(form), bool(mask & _STATUS), bool(mask & _SOURCE))
    return found


_LAYOUTS = _layouts()
