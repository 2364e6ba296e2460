"""Bytes of publish responses and of answers to reads, against the library's own encoder and decoder."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.adapters.opcua_told import Changes, LeanSession, Told
from tests.unit.edge_sources.told import told_of

AT = datetime(2026, 3, 2, 6, 0, 1, 250_000, tzinfo=UTC)
AT_US = 1_772_431_201_250_000
VALUES = [
    ua.Variant(True),
    ua.Variant(-7, ua.VariantType.SByte),
    ua.Variant(200, ua.VariantType.Byte),
    ua.Variant(-3000, ua.VariantType.Int16),
    ua.Variant(60_000, ua.VariantType.UInt16),
    ua.Variant(-70_000, ua.VariantType.Int32),
    ua.Variant(4_000_000_000, ua.VariantType.UInt32),
    ua.Variant(-(2**40), ua.VariantType.Int64),
    ua.Variant(2**63, ua.VariantType.UInt64),
    ua.Variant(0.5, ua.VariantType.Float),
    ua.Variant(0.1, ua.VariantType.Double),
    ua.Variant("Blech 3 mm, blank", ua.VariantType.String),
    ua.Variant("", ua.VariantType.String),
    ua.Variant(None, ua.VariantType.String),
    ua.Variant(AT, ua.VariantType.DateTime),
    ua.Variant(UUID(int=7), ua.VariantType.Guid),
    ua.Variant(b"\x00\x01", ua.VariantType.ByteString),
    ua.Variant(ua.LocalizedText("läuft", "de"), ua.VariantType.LocalizedText),
    ua.Variant([1, 2, 3], ua.VariantType.Int32),
    ua.Variant([[1.5, 2.5], [3.5, 4.5]], ua.VariantType.Double, Dimensions=[2, 2]),
    ua.Variant(["a", None], ua.VariantType.String),
    ua.Variant(ua.Range(0.0, 5.0), ua.VariantType.ExtensionObject),
]


class Answers(LeanSession):
    """A session whose server says these bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def _send_request(self, request: Any, timeout: Any = None, message_type: Any = None) -> bytes:
        return self.data


def published(*items: tuple[int, Any], rest: tuple[Any, ...] = ()) -> bytes:
    changes = [ua.MonitoredItemNotification(handle, value) for handle, value in items]
    data = [ua.DataChangeNotification(MonitoredItems=changes)] if items else []
    message = ua.NotificationMessage(17, AT, [*data, *rest])
    result = ua.PublishResult(5, [15, 16], False, message, [ua.StatusCode()])
    return struct_to_binary(ua.PublishResponse(Parameters=result))


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns that never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def heard(data: bytes) -> Any:
    return at_once(Answers(data).publish([])).Parameters


def read(data: bytes) -> list[Told]:
    return at_once(Answers(data).values(ua.ReadParameters()))


def answered(*values: Any) -> bytes:
    return struct_to_binary(ua.ReadResponse(Results=list(values)))


def dressed(variant: Any) -> list[Any]:
    """With and without status and times, as servers differ in what they send."""
    return [
        ua.DataValue(variant, SourceTimestamp=AT, ServerTimestamp=AT),
        ua.DataValue(variant, ua.StatusCode(ua.StatusCodes.UncertainSubNormal), SourceTimestamp=AT),
        ua.DataValue(variant, None, ServerTimestamp=AT),
        ua.DataValue(variant, None),
    ]


@pytest.mark.parametrize("variant", VALUES, ids=lambda v: f"{v.VariantType.name} {v.Value!r:.20}")
def test_every_type_is_told_as_the_library_would(variant):
    values = dressed(variant)
    data = published(*enumerate(values))
    found = heard(data).NotificationMessage.NotificationData
    assert found == [Changes([(at, told_of(value)) for at, value in enumerate(values)])]
    assert read(answered(*values)) == [told_of(value) for value in values]
    assert found[0].items[0][1].source_us == AT_US


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1),
            st.sampled_from(VALUES).flatmap(lambda v: st.sampled_from(dressed(v))),
        ),
        max_size=20,
    )
)
def test_any_mixture_is_told_item_by_item(items):
    result = heard(published(*items))
    changes = [told for each in result.NotificationMessage.NotificationData for told in each.items]
    assert changes == [(handle, told_of(value)) for handle, value in items]
    assert (result.SubscriptionId, result.NotificationMessage.SequenceNumber) == (5, 17)


def test_what_is_no_data_change_keeps_its_place():
    gone = ua.StatusChangeNotification(Status=ua.StatusCode(ua.StatusCodes.BadTimeout))
    found = heard(published((1, ua.DataValue(ua.Variant(1.0))), rest=(gone,)))
    changes, status = found.NotificationMessage.NotificationData
    assert changes.items[0][1].content == 1.0
    assert status.Status.name == "BadTimeout"
    assert heard(published()).NotificationMessage.NotificationData == []


def test_picoseconds_stand_behind_their_own_time_stamp():
    """OPC 10000-6, table 26: value, status, source time, its picoseconds, server time, its picoseconds."""
    ticks = 116_444_736_000_000_000 + AT_US * 10
    value = struct.pack("<BBdIqHqH", 0x3F, 11, 2.5, 0, ticks, 4000, ticks + 99, 7)
    none = answered()
    assert read(none[:-8] + struct.pack("<i", 1) + value + none[-4:]) == [Told(0, 2.5, 11, AT_US)]


def test_a_text_that_is_no_utf8_can_still_be_sent():
    data = answered(ua.DataValue(ua.Variant("caf\udce9", ua.VariantType.String)))
    assert read(data)[0].content == "caf\ufffd"


def test_no_time_is_no_time():
    data = answered(ua.DataValue(ua.Variant(1.0), SourceTimestamp=datetime(1601, 1, 1, tzinfo=UTC)))
    assert read(data)[0].source_us is None


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_message_that_was_cut_or_bent_is_a_fault_and_nothing_else(data):
    whole = published(*enumerate(dressed(data.draw(st.sampled_from(VALUES)))))
    at = data.draw(st.integers(0, len(whole) - 1))
    bent = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    for message in (whole[:at], bent):
        with contextlib.suppress(ua.UaError):
            heard(message)


def test_a_publish_response_that_makes_no_sense_is_told():
    session, told = Answers(published((1, ua.DataValue(ua.Variant(1.0))))[:-30]), []
    session.unreadable = told.append
    with pytest.raises(ua.UaError):
        at_once(session.publish([]))
    assert "cannot be read" in told[0]


def test_a_refusal_says_why():
    fault = ua.ReadResponse()
    fault.ResponseHeader.ServiceResult = ua.StatusCode(ua.StatusCodes.BadTooManyOperations)
    with pytest.raises(ua.uaerrors.BadTooManyOperations):
        read(struct_to_binary(fault))
