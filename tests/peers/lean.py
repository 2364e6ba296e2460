"""An OPC UA server that costs next to nothing: counters that change together, sent as one block of bytes.

``python -m tests.peers.lean OPTIONS``, a JSON object: items, period_ms, start, port and log as node/server.js
has them; product: its name. It prints "listening PORT". No security, one subscription a session; it answers
what a client needs to read and to subscribe, and writes down each number that its counters take.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from asyncua import ua
from asyncua.common.connection import SecureConnection, TransportLimits
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.ua.ua_binary import (
    header_from_binary,
    nodeid_from_binary,
    struct_from_binary,
    struct_to_binary,
    uatcp_to_binary,
)

URI = "urn:tests:plant"
CHUNK = 65_535
TICKS_1970 = 116_444_736_000_000_000
VALUE = np.dtype(
    [
        ("mask", "u1"),
        ("kind", "u1"),
        ("value", "<f8"),
        ("status", "<u4"),
        ("source", "<i8"),
        ("server", "<i8"),
    ]
)
ITEM = np.dtype([("handle", "<u4"), *((name, VALUE[name]) for name in VALUE.names or ())])
GIVEN = 1 | 2 | 4 | 8
DOUBLE = 11


def filled(form: np.dtype, count: int, value: float, us: int) -> np.ndarray:
    """So many values of one moment."""
    made = np.zeros(count, form)
    made["mask"], made["kind"], made["value"] = GIVEN, DOUBLE, value
    made["source"] = made["server"] = us * 10 + TICKS_1970
    return made


class Counters:
    """The numbers that all items take, one after another."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.items, self.period_s = int(options["items"]), options["period_ms"] / 1000
        self.value, self.us = float(options.get("start") or 0), time.time_ns() // 1000
        self.product = str(options.get("product") or "")
        self._log = Path(options["log"])
        self.listeners: set[Session] = set()
        self._note()

    async def run(self) -> None:
        due_s = time.monotonic()
        while True:
            due_s += self.period_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            self.value, self.us = self.value + 1, time.time_ns() // 1000
            self._note()
            for session in self.listeners:
                session.waiting.append((self.value, self.us))

    def _note(self) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"t_us": self.us, "value": self.value}) + "\n")


class Session(asyncio.Protocol):
    """One connection: channel, session and subscription in one."""

    def __init__(self, counters: Counters) -> None:
        self._counters, self._data, self._transport = counters, b"", None
        self._channel = SecureConnection(SecurityPolicyNone(), TransportLimits(CHUNK, CHUNK, 0, 0))
        self._handles: list[int] = []
        self._asked: list[tuple[int, Any]] = []
        self.waiting: list[tuple[float, int]] = []
        self._sequence, self._beats, self._publishing = 0, 0, None

    def get_new_channel_id(self) -> int:
        return 1

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, fault: Exception | None) -> None:
        self._counters.listeners.discard(self)
        if self._publishing is not None:
            self._publishing.cancel()

    def data_received(self, data: bytes) -> None:
        self._data += data
        while len(self._data) >= 8 and len(self._data) >= (
            size := struct.unpack_from("<I", self._data, 4)[0]
        ):
            whole, self._data = self._data[:size], self._data[size:]
            buffer = Buffer(whole)
            self._heard(self._channel.receive_from_header_and_body(header_from_binary(buffer), buffer))

    def _heard(self, message: Any) -> None:
        if isinstance(message, ua.Hello):
            acknowledged = ua.Acknowledge(0, CHUNK, CHUNK, 0, 0)
            self._transport.write(uatcp_to_binary(ua.MessageType.Acknowledge, acknowledged))
            return
        if message is None:
            return
        body = message.body()
        kind = nodeid_from_binary(body).Identifier
        asked = _REQUESTS[kind]
        request = struct_from_binary(asked, self._whole(kind, body))
        answer = getattr(self, f"_{asked.__name__.removesuffix('Request')}")
        answer(message.request_id(), request)

    def _whole(self, kind: int, rest: Buffer) -> Buffer:
        return Buffer(ua.ua_binary.nodeid_to_binary(ua.FourByteNodeId(kind)) + bytes(rest))

    def _say(self, request: int, response: Any, asked: Any, kind: Any = ua.MessageType.SecureMessage) -> None:
        response.ResponseHeader.RequestHandle = asked.RequestHeader.RequestHandle
        self._send(request, struct_to_binary(response), kind)

    def _send(self, request: int, body: bytes, kind: Any = ua.MessageType.SecureMessage) -> None:
        self._transport.write(self._channel.message_to_binary(body, message_type=kind, request_id=request))

    def _OpenSecureChannel(self, at: int, asked: Any) -> None:
        response = ua.OpenSecureChannelResponse(Parameters=self._channel.open(asked.Parameters, self))
        self._say(at, response, asked, ua.MessageType.SecureOpen)

    def _CloseSecureChannel(self, at: int, asked: Any) -> None:
        self._transport.close()

    def _CreateSession(self, at: int, asked: Any) -> None:
        result = ua.CreateSessionResult(ua.NodeId(1, 1), ua.NodeId(2, 1), 600_000.0)
        endpoint = ua.EndpointDescription(
            EndpointUrl=asked.Parameters.EndpointUrl,
            SecurityMode=ua.MessageSecurityMode.None_,
            SecurityPolicyUri=SecurityPolicyNone.URI,
            UserIdentityTokens=[ua.UserTokenPolicy("anonymous", ua.UserTokenType.Anonymous)],
            TransportProfileUri="http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary",
        )
        result.ServerEndpoints = [endpoint]
        self._say(at, ua.CreateSessionResponse(Parameters=result), asked)

    def _ActivateSession(self, at: int, asked: Any) -> None:
        self._say(at, ua.ActivateSessionResponse(), asked)

    def _CloseSession(self, at: int, asked: Any) -> None:
        self._say(at, ua.CloseSessionResponse(), asked)

    def _Read(self, at: int, asked: Any) -> None:
        nodes = [each.NodeId for each in asked.Parameters.NodesToRead]
        if all(node.NamespaceIndex == 0 for node in nodes):
            results = [_told(node.Identifier, self._counters.product) for node in nodes]
            self._say(at, ua.ReadResponse(Results=results), asked)
            return
        values = filled(VALUE, len(nodes), self._counters.value, self._counters.us)
        empty = ua.ReadResponse()
        empty.ResponseHeader.RequestHandle = asked.RequestHeader.RequestHandle
        front = struct_to_binary(empty)
        self._send(at, front[:-8] + struct.pack("<i", len(nodes)) + values.tobytes() + front[-4:])

    def _CreateSubscription(self, at: int, asked: Any) -> None:
        wish = asked.Parameters
        keep_alive, lifetime = wish.RequestedMaxKeepAliveCount, wish.RequestedLifetimeCount
        result = ua.CreateSubscriptionResult(1, wish.RequestedPublishingInterval, lifetime, keep_alive)
        self._publishing = asyncio.get_running_loop().create_task(
            self._publish_all(wish.RequestedPublishingInterval / 1000, keep_alive)
        )
        self._say(at, ua.CreateSubscriptionResponse(Parameters=result), asked)

    def _CreateMonitoredItems(self, at: int, asked: Any) -> None:
        wishes = [each.RequestedParameters for each in asked.Parameters.ItemsToCreate]
        self._handles += [wish.ClientHandle for wish in wishes]
        results = [
            ua.MonitoredItemCreateResult(
                ua.StatusCode(), number + 1, wish.SamplingInterval, wish.QueueSize, None
            )
            for number, wish in enumerate(wishes)
        ]
        if self not in self._counters.listeners:
            self.waiting.append((self._counters.value, self._counters.us))
            self._counters.listeners.add(self)
        self._say(at, ua.CreateMonitoredItemsResponse(Results=results), asked)

    def _Publish(self, at: int, asked: Any) -> None:
        self._asked.append((at, asked))

    async def _publish_all(self, every_s: float, keep_alive: int) -> None:
        due_s = time.monotonic()
        while True:
            due_s += every_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            self._beats += 1
            if self._asked and (self.waiting or self._beats >= keep_alive):
                self._publish(*self._asked.pop(0))

    def _publish(self, at: int, asked: Any) -> None:
        """What has gathered as one notification; a keep-alive where nothing has."""
        ticks, self.waiting, self._beats = self.waiting, [], 0
        message = ua.NotificationMessage(self._sequence + 1, datetime.now(UTC), [])
        empty = ua.PublishResponse(Parameters=ua.PublishResult(1, NotificationMessage=message))
        empty.ResponseHeader.RequestHandle = asked.RequestHeader.RequestHandle
        front = struct_to_binary(empty)
        if not ticks:
            self._send(at, front)
            return
        self._sequence += 1
        blocks = [filled(ITEM, len(self._handles), value, us) for value, us in ticks]
        for block in blocks:
            block["handle"] = self._handles
        items = struct.pack("<i", len(ticks) * len(self._handles))
        body = items + b"".join(block.tobytes() for block in blocks) + struct.pack("<i", 0)
        kind = ua.ua_binary.nodeid_to_binary(
            ua.FourByteNodeId(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary)
        )
        data = struct.pack("<i", 1) + kind + struct.pack("<Bi", 1, len(body)) + body
        self._send(at, front[:-12] + data + front[-8:])


_REQUESTS = {
    getattr(ua.ObjectIds, f"{name}Request_Encoding_DefaultBinary"): getattr(ua, f"{name}Request")
    for name in (
        "OpenSecureChannel", "CloseSecureChannel", "CreateSession", "ActivateSession", "CloseSession", "Read",
        "CreateSubscription", "CreateMonitoredItems", "Publish",
    )
}  # fmt: skip


def _told(node: int, product: str) -> Any:
    """What the server says of itself."""
    if node == ua.ObjectIds.Server_ServerStatus_BuildInfo_ProductName and product:
        return ua.DataValue(ua.Variant(product))
    if node == ua.ObjectIds.Server_NamespaceArray:
        return ua.DataValue(ua.Variant(["http://opcfoundation.org/UA/", URI]))
    if node in (
        ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
        ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
    ):
        return ua.DataValue(ua.Variant(1000, ua.VariantType.UInt32))
    if node == ua.ObjectIds.Server_ServerStatus_State:
        return ua.DataValue(ua.Variant(0, ua.VariantType.Int32))
    return ua.DataValue(None, ua.StatusCode(ua.StatusCodes.BadNodeIdUnknown))


async def main(options: dict[str, Any]) -> None:
    counters = Counters(options)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(counters), "127.0.0.1", options.get("port") or 0)
    sys.stdout.write(f"listening {server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await counters.run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
