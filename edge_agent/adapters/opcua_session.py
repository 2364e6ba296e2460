"""One session with an OPC UA server, from connect to close; nothing in it is ever repaired, a new one is
made.

Values are bound by handle. Calls are split by the server's operation limits; a refusal or time-out halves
them, and that is remembered.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from edge_agent.adapters.opcua_security import client_of
from edge_agent.config.model import OpcUaSource, Signal
from edge_agent.core.node import NodeAddress

_log = logging.getLogger(__name__)

UNKNOWN_LIMIT = 50
"""Nodes a call where the server tells no limit."""

_MOST_PER_CALL = 500
_LIFETIME_S = 60.0
_CLOSING_S = 2.0
_SHORTEST_QUEUE, _LONGEST_QUEUE = 10, 1000
_TOO_MUCH = frozenset(
    getattr(ua.StatusCodes, name)
    for name in (
        "BadTooManyOperations",
        "BadRequestTooLarge",
        "BadResponseTooLarge",
        "BadEncodingLimitsExceeded",
        "BadTcpMessageTooLarge",
        "BadTimeout",
    )
)


class SessionLost(Exception):
    """The session is of no more use; the text says why."""


@dataclass(slots=True)
class CallSize:
    """How many nodes a server takes in one call; outlives its sessions."""

    read: int = UNKNOWN_LIMIT
    subscribe: int = UNKNOWN_LIMIT
    halved: bool = False


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What the server granted. refused: signal index to its status for items that were not created."""

    publishing_s: float
    keep_alive_s: float
    refused: dict[int, str]


class Session:
    """A connected, activated session. Raises ConnectionError, TimeoutError, ua.UaError where a call fails."""

    def __init__(self, source: OpcUaSource, signals: Sequence[Signal], client: Any, size: CallSize) -> None:
        self._source, self._signals, self._client, self._size = source, signals, client, size
        self._nodes: dict[int, Any] = {}
        self.unknown: dict[int, str] = {}
        self.ended = asyncio.Event()
        self.why_ended: str | None = None

    @classmethod
    async def open(cls, source: OpcUaSource, signals: Sequence[Signal], size: CallSize) -> Session:
        """Connect, create a session, learn limits and namespaces. Raises AgentError besides."""
        client = await client_of(source)
        session = cls(source, signals, client, size)

        async def lost(fault: Exception) -> None:
            session.end(f"connection lost: {fault}")

        client.connection_lost_callback = lost
        try:
            await client.connect()
            await session._learn_limits()
            await session._resolve()
        except BaseException:
            await session.close()
            raise
        return session

    @property
    def client(self) -> Any:
        """The library's client, for other adapters of this folder."""
        return self._client

    def end(self, why: str) -> None:
        """Say that this session is of no more use; the first reason counts."""
        if not self.ended.is_set():
            self.why_ended = why
            self.ended.set()

    async def close(self) -> None:
        """Close the session at the server where it still listens; drop the socket in any case."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_CLOSING_S):
                await self._client.disconnect()
        with contextlib.suppress(Exception):
            self._client.disconnect_socket()

    async def read(self, signals: Sequence[Signal]) -> dict[int, Any]:
        """DataValue by signal index, for the signals whose node is known."""
        known = [signal for signal in signals if signal.index in self._nodes]
        found: dict[int, Any] = {}
        while known:
            batch, known = known[: self._size.read], known[self._size.read :]
            nodes = [self._nodes[signal.index] for signal in batch]
            try:
                values = await self._client.uaclient.read_attributes(nodes, ua.AttributeIds.Value)
            except (ua.UaError, TimeoutError) as fault:
                self._size.read = self._halved(fault, len(batch))
                known = batch + known
                continue
            found.update(zip((signal.index for signal in batch), values, strict=True))
        return found

    async def subscribe(self, published: Callable[[Any], None]) -> Subscribed:
        """One subscription for all signals; published gets each PublishResult, keep-alives too."""
        interval_ms = self._source.interval_us / 1000
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=interval_ms,
            RequestedMaxKeepAliveCount=max(1, round(1000 / interval_ms)),
            RequestedLifetimeCount=max(60, round(_LIFETIME_S * 1000 / interval_ms)),
            MaxNotificationsPerPublish=0,
            PublishingEnabled=True,
        )
        granted = await self._client.uaclient.create_subscription(parameters, published)
        publishing_s = granted.RevisedPublishingInterval / 1000
        refused = await self._create_items(granted.SubscriptionId, publishing_s)
        return Subscribed(publishing_s, publishing_s * granted.RevisedMaxKeepAliveCount, refused)

    async def _create_items(self, subscription: int, publishing_s: float) -> dict[int, str]:
        waiting = [signal for signal in self._signals if signal.index in self._nodes]
        refused: dict[int, str] = {}
        while waiting:
            batch, waiting = waiting[: self._size.subscribe], waiting[self._size.subscribe :]
            parameters = ua.CreateMonitoredItemsParameters(
                SubscriptionId=subscription,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                ItemsToCreate=[self._item(signal, publishing_s) for signal in batch],
            )
            try:
                results = await self._client.uaclient.create_monitored_items(parameters)
            except (ua.UaError, TimeoutError) as fault:
                self._size.subscribe = self._halved(fault, len(batch))
                waiting = batch + waiting
                continue
            for signal, result in zip(batch, results, strict=True):
                if not result.StatusCode.is_good():
                    refused[signal.index] = result.StatusCode.name
        return refused

    def _item(self, signal: Signal, publishing_s: float) -> Any:
        sampling_s = signal.interval_us / 1e6
        queue = max(_SHORTEST_QUEUE, 2 * round(publishing_s / sampling_s) + 2)
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=self._nodes[signal.index], AttributeId=ua.AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=signal.index,
                SamplingInterval=sampling_s * 1000,
                QueueSize=min(_LONGEST_QUEUE, queue),
                DiscardOldest=True,
            ),
        )

    def _halved(self, fault: Exception, asked: int) -> int:
        """Half of what was asked, where the fault says that it was too much; raises it else."""
        too_much = isinstance(fault, TimeoutError) or getattr(fault, "code", None) in _TOO_MUCH
        if not too_much or asked <= 1 or self.ended.is_set():
            raise fault
        self._size.halved = True
        _log.info("%s: %d nodes a call were too many, %d from now on", self._source.name, asked, asked // 2)
        return asked // 2

    async def _learn_limits(self) -> None:
        limits = (
            ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
            ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
        )
        if self._size.halved:
            return
        values = await self._client.uaclient.read_attributes(
            [ua.NodeId(limit) for limit in limits], ua.AttributeIds.Value
        )
        self._size.read, self._size.subscribe = (_limit(value) for value in values)

    async def _resolve(self) -> None:
        """Node ids for this session: a namespace's index may have changed since the last one."""
        node = ua.NodeId(ua.ObjectIds.Server_NamespaceArray)
        (value,) = await self._client.uaclient.read_attributes([node], ua.AttributeIds.Value)
        spaces = list(value.Value.Value or []) if value.Value is not None else []
        for signal in self._signals:
            address = signal.address
            assert isinstance(address, NodeAddress)
            if address.uri is not None and address.uri not in spaces:
                self.unknown[signal.index] = f"the server has no namespace {address.uri}"
                continue
            index = spaces.index(address.uri) if address.uri is not None else address.index or 0
            self._nodes[signal.index] = node_id(address, index)


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


def _limit(value: Any) -> int:
    """An operation limit; 0, absent or refused means unknown."""
    told = value.Value.Value if value.StatusCode.is_good() and value.Value is not None else 0
    return min(int(told), _MOST_PER_CALL) if told else UNKNOWN_LIMIT
