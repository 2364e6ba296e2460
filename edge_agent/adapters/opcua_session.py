"""One session with an OPC UA server, from connect to close; nothing in it is ever repaired, a new one is
made.

Values are bound by handle. Calls are split by what the server tells, what its kind is known for and what it
has refused before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

from asyncua import ua

from edge_agent.adapters.opcua_nodes import (
    Place,
    browse_path,
    fields_of,
    node_id,
    place_of,
    taken,
    taker,
    target_of,
)
from edge_agent.adapters.opcua_security import client_of
from edge_agent.adapters.opcua_structures import Structures
from edge_agent.adapters.opcua_told import Changes, Told
from edge_agent.config.model import OpcUaSource, Signal
from edge_agent.core.node import NodeAddress
from edge_agent.core.opcua_profile import CallLimit, Profile, profile_of

_log = logging.getLogger(__name__)

T = TypeVar("T")
Kind = Literal["read", "subscribe"]
_ASKED = (
    ua.ObjectIds.Server_NamespaceArray,
    ua.ObjectIds.Server_ServerStatus_BuildInfo_ProductName,
    ua.ObjectIds.Server_ServerStatus_BuildInfo_ProductUri,
    ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
)
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


_NO_SUBSCRIPTIONS = frozenset(
    getattr(ua.StatusCodes, name)
    for name in ("BadTooManySubscriptions", "BadServiceUnsupported", "BadNotImplemented", "BadNotSupported")
)
"""What a server says that cannot, or will not, report changes: it is asked instead."""


class SessionLost(Exception):
    """The session is of no more use; the text says why."""


@dataclass(slots=True)
class CallSize:
    """How many nodes a server takes in one call of a kind; outlives its sessions."""

    read: CallLimit = field(default_factory=CallLimit)
    subscribe: CallLimit = field(default_factory=CallLimit)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What the server granted. refused: signal index to its status for items that were not created.

    stands: whether there is a subscription at all.
    """

    publishing_s: float = 0.0
    keep_alive_s: float = 0.0
    refused: dict[int, str] = field(default_factory=dict)
    stands: bool = True


class Session:
    """A connected, activated session. Raises ConnectionError, TimeoutError, ua.UaError where a call fails."""

    def __init__(self, source: OpcUaSource, signals: Sequence[Signal], client: Any, size: CallSize) -> None:
        self._source, self._signals, self._client, self._size = source, signals, client, size
        self._places: dict[int, Place] = {}
        self._structures = Structures(self._values, client.uaclient.browse, self._holders)
        self.profile: Profile = profile_of(())
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
        client.uaclient.session.unreadable = session.end
        try:
            await client.connect()
            await session._meet()
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

    async def read(self, signals: Sequence[Signal]) -> dict[int, Told]:
        """Value by signal index, for the signals whose node is known.

        Where none is, the server is asked how it is: what returns has been answered in any case.
        """
        known = [signal.index for signal in signals if signal.index in self._places]
        if not known:
            await self._told([ua.ObjectIds.Server_ServerStatus_State])

        async def ask(batch: Sequence[int]) -> Sequence[Any]:
            parameters = ua.ReadParameters(
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                NodesToRead=[self._places[index].wanted() for index in batch],
            )
            return cast(Sequence[Any], await self._client.uaclient.session.values(parameters))

        values = await self._in_calls("read", known, ask)
        while True:
            opened = self._structures.opened
            found = {index: taken(told, self._places[index], opened) for index, told in values}
            if not await self._structures.learn():
                return found

    def _holders(self) -> list[Any]:
        """Nodes of which a field of a structure is wanted, each once."""
        return list({place.node: None for place in self._places.values() if place.rest})

    async def _values(self, wanted: Sequence[Any]) -> list[Told]:
        parameters = ua.ReadParameters(NodesToRead=list(wanted))
        return cast(list[Told], await self._client.uaclient.session.values(parameters))

    async def _in_calls(
        self, kind: Kind, waiting: Sequence[T], ask: Callable[[Sequence[T]], Awaitable[Sequence[Any]]]
    ) -> list[tuple[T, Any]]:
        """Each of what waits with its answer, in calls as large as the server takes.

        Raises what the library raises where a call is not answered, and it is not for its size.
        """
        found: list[tuple[T, Any]] = []
        while len(found) < len(waiting):
            size: CallLimit = getattr(self._size, kind)
            batch = waiting[len(found) : len(found) + size.nodes]
            try:
                answers = await ask(batch)
            except (ua.UaError, TimeoutError) as fault:
                self._too_much(kind, size, len(batch), fault)
                continue
            setattr(self._size, kind, size.answered(len(batch)))
            found += zip(batch, answers, strict=True)
        return found

    def _too_much(self, kind: Kind, size: CallLimit, asked: int, fault: Exception) -> None:
        """Remember a refusal for its size; raises any other fault."""
        if isinstance(fault, TimeoutError):
            setattr(self._size, kind, size.unanswered(asked))
            raise fault
        if getattr(fault, "code", None) not in _TOO_MUCH or asked <= 1 or self.ended.is_set():
            raise fault
        smaller = size.refused(asked)
        setattr(self._size, kind, smaller)
        _log.info(
            "%s: %d nodes a call were too many, %d from now on", self._source.name, asked, smaller.nodes
        )

    async def subscribe(self, signals: Sequence[Signal], published: Callable[[Any], None]) -> Subscribed:
        """One subscription for these signals; published gets each PublishResult, keep-alives too.

        A server of a kind that takes so many items and no more is asked for the quickest of them.
        """
        known = sorted((s for s in signals if s.index in self._places), key=lambda s: s.interval_us)
        most = len(known) if self.profile.items is None else self.profile.items
        beyond = {signal.index: "BadTooManyMonitoredItems" for signal in known[most:]}
        try:
            granted = await self._create_subscription(published)
        except ua.UaError as fault:
            if getattr(fault, "code", None) not in _NO_SUBSCRIPTIONS:
                raise
            name = ua.StatusCode(fault.code).name
            return Subscribed(refused={signal.index: name for signal in known}, stands=False)
        publishing_s = granted.RevisedPublishingInterval / 1000
        refused = await self._create_items(granted.SubscriptionId, publishing_s, known[:most])
        keep_alive_s = publishing_s * granted.RevisedMaxKeepAliveCount
        return Subscribed(publishing_s, keep_alive_s, refused | beyond)

    async def _create_subscription(self, published: Callable[[Any], None]) -> Any:
        interval_ms = self._source.interval_us / 1000
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=interval_ms,
            RequestedMaxKeepAliveCount=max(1, round(1000 / interval_ms)),
            RequestedLifetimeCount=max(60, round(_LIFETIME_S * 1000 / interval_ms)),
            MaxNotificationsPerPublish=0,
            PublishingEnabled=True,
        )
        return await self._client.uaclient.create_subscription(parameters, self._reporter(published))

    def _reporter(self, published: Callable[[Any], None]) -> Callable[[Any], None]:
        take = taker(self._places, self._structures.opened)
        if take is None:
            return published

        def reported(result: Any) -> None:
            message = result.NotificationMessage
            message.NotificationData = [
                Changes(take(each.items)) if isinstance(each, Changes) else each
                for each in message.NotificationData or ()
            ]
            published(result)

        return reported

    async def _create_items(
        self, subscription: int, publishing_s: float, waiting: Sequence[Signal]
    ) -> dict[int, str]:
        """Status by signal index of the items that the server refused."""

        async def ask(batch: Sequence[Signal]) -> Sequence[Any]:
            parameters = ua.CreateMonitoredItemsParameters(
                SubscriptionId=subscription,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                ItemsToCreate=[self._item(signal, publishing_s) for signal in batch],
            )
            try:
                return cast(Sequence[Any], await self._client.uaclient.create_monitored_items(parameters))
            except ua.uaerrors.BadTooManyMonitoredItems as fault:
                return [ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(fault.code))] * len(batch)

        granted = await self._in_calls("subscribe", waiting, ask)
        self._tell_short_queues(granted, publishing_s)
        return {
            signal.index: result.StatusCode.name
            for signal, result in granted
            if not result.StatusCode.is_good()
        }

    def _tell_short_queues(self, granted: Sequence[tuple[Signal, Any]], publishing_s: float) -> None:
        """Say so where the server keeps fewer values than it samples between two publishes."""
        short = [
            signal.key
            for signal, result in granted
            if result.StatusCode.is_good()
            and result.RevisedSamplingInterval > 0
            and result.RevisedQueueSize < int(publishing_s * 1000 / result.RevisedSamplingInterval)
        ]
        if short:
            _log.warning(
                "%s: the server keeps too few values of %d signals between two publishes, quick changes may "
                "be lost: %s ...: a shorter interval of the source mends it",
                self._source.name, len(short), short[0],
            )  # fmt: skip

    def _item(self, signal: Signal, publishing_s: float) -> Any:
        sampling_s = signal.interval_us / 1e6
        queue = max(_SHORTEST_QUEUE, 2 * round(publishing_s / sampling_s) + 2)
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=self._places[signal.index].wanted(),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=signal.index,
                SamplingInterval=sampling_s * 1000,
                QueueSize=min(_LONGEST_QUEUE, queue),
                DiscardOldest=True,
            ),
        )

    async def _meet(self) -> None:
        """Learn what the server is, what it takes, and where the signals are in this session."""
        told = await self._told(_ASKED)
        spaces = list(told[0] or [])
        self.profile = profile_of(str(word) for word in (*spaces, *told[1:3]) if word)
        read, subscribe = (int(limit or 0) for limit in told[3:])
        self._size.read = self._size.read.meets(self.profile, read)
        self._size.subscribe = self._size.subscribe.meets(self.profile, subscribe)
        await self._resolve(spaces)

    async def _told(self, nodes: Sequence[int]) -> list[Any]:
        """Contents of standard nodes; None for those that the server does not have."""
        asked = [ua.NodeId(node) for node in nodes]
        values = await self._client.uaclient.read_attributes(asked, ua.AttributeIds.Value)
        return [
            value.Value.Value if value.StatusCode.is_good() and value.Value is not None else None
            for value in values
        ]

    async def _resolve(self, spaces: Sequence[str]) -> None:
        """Places for this session: a namespace's index may have changed since the last one."""
        by_field: list[tuple[Signal, NodeAddress, Any]] = []
        for signal in self._signals:
            address = signal.address
            assert isinstance(address, NodeAddress)
            if address.uri is not None and address.uri not in spaces:
                self.unknown[signal.index] = f"the server has no namespace {address.uri}"
                continue
            index = spaces.index(address.uri) if address.uri is not None else address.index or 0
            node = node_id(address, index)
            self._places[signal.index] = place_of(node, address.path)
            if fields_of(address.path):
                by_field.append((signal, address, node))
        await self._resolve_fields(by_field)

    async def _resolve_fields(self, waiting: Sequence[tuple[Signal, NodeAddress, Any]]) -> None:
        """Fields that are nodes of their own."""

        async def ask(batch: Sequence[tuple[Signal, NodeAddress, Any]]) -> Sequence[Any]:
            paths = [browse_path(node, fields_of(address.path)) for _, address, node in batch]
            return cast(Sequence[Any], await self._client.uaclient.translate_browsepaths_to_nodeids(paths))

        for (signal, address, _), result in await self._in_calls("read", waiting, ask):
            own = target_of(result)
            if own is not None:
                rest = address.path[len(fields_of(address.path)) :]
                self._places[signal.index] = place_of(own, rest)
