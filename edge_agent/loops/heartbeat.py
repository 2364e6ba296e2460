"""What an agent says of itself: hello, the retained status every five seconds, the last will, the goodbye.

The counter grows with each connection and each status of a run. A connection's will and its hello carry the
same value, so that the will of an old connection is known as late.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_agent.ports import Buffer, BufferState, Clock, Uplink
from shared.control import Hello, SourceStatus, Status, StreamRange

_HELLO_STREAMS = 1000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who speaks: instance and start are 16 bytes; started_us is when this run began."""

    instance: bytes
    start: bytes
    version: str
    started_us: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the app knows and a status tells. clock_offset_s: the gateway's clock minus the cloud's."""

    config_hash: str = ""
    certificate_expires_us: int | None = None
    clock_offset_s: float | None = None
    sources: Sequence[SourceStatus] = ()


class Herald:
    """Builds the messages in which this run speaks of itself, and counts them."""

    def __init__(
        self, identity: Identity, buffer: Buffer, clock: Clock, surroundings: Callable[[], Surroundings]
    ) -> None:
        self._identity = identity
        self._buffer = buffer
        self._clock = clock
        self._surroundings = surroundings
        self._counter = 0
        self._connection = 0
        self._days = DaysLeft()

    def will(self) -> Status:
        """The last will of a connection that is about to be made."""
        self._counter += 1
        self._connection = self._counter
        return self._status(online=False, will=True)

    def hello(self) -> Hello:
        """What is said first on that connection."""
        around, state = self._surroundings(), self._buffer.state()
        dictionaries, streams = self._buffer.dictionaries(), list(state.streams)[-_HELLO_STREAMS:]
        own = self._identity.start.hex()
        if all(each.stream != own for each in streams):
            streams.append(StreamRange(own, []))  # the ack of it tells the cloud's time
        return Hello(
            instance=self._identity.instance.hex(),
            start=self._identity.start.hex(),
            counter=self._connection,
            version=self._identity.version,
            config_hash=around.config_hash,
            started_us=self._identity.started_us,
            streams=streams,
            dictionaries=[each.hex() for each in dictionaries],
            certificate_expires_us=around.certificate_expires_us,
        )

    def status(self, *, online: bool = True) -> Status:
        """The state now, or the goodbye."""
        self._counter += 1
        return self._status(online=online, will=False)

    def days_left(self) -> float | None:
        """How long the buffer lasts without the cloud at the present rate; None until a rate is known."""
        return self._days.estimate(self._buffer.state(), self._clock.monotonic_s())

    def _status(self, *, online: bool, will: bool) -> Status:
        around, state = self._surroundings(), self._buffer.state()
        now_us = self._clock.now_us() + (self._buffer.shift_us() or 0)
        lag_s = None if state.oldest_us is None else max(0.0, (now_us - state.oldest_us) / 1e6)
        return Status(
            instance=self._identity.instance.hex(),
            start=self._identity.start.hex(),
            counter=self._connection if will else self._counter,
            online=online,
            time_us=now_us,
            version=self._identity.version,
            config_hash=around.config_hash,
            stream=self._identity.start.hex(),
            will=will,
            buffer_depth=state.depth,
            buffer_bytes=state.bytes_used,
            buffer_days_left=self._days.estimate(state, self._clock.monotonic_s()),
            lag_s=lag_s,
            clock_offset_s=around.clock_offset_s,
            certificate_expires_us=around.certificate_expires_us,
            sources=list(around.sources),
        )


class DaysLeft:
    """How long the buffer lasts if the link goes down now: its room over the rate of the last ten minutes."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=120)

    def estimate(self, state: BufferState, now_s: float) -> float | None:
        """Days; None until a rate is known."""
        if not self._seen or now_s - self._seen[-1][0] >= 5.0:
            self._seen.append((now_s, state.bytes_written))
        since_s, before = self._seen[0]
        written, seconds = state.bytes_written - before, now_s - since_s
        if written <= 0 or seconds < 5.0:
            return None
        room = max(0, state.bytes_max - state.bytes_unacknowledged)
        return room / (written / seconds) / 86_400


class Heartbeat:
    """Publishes the status: every ``every_s`` seconds, and soon after each change."""

    def __init__(self, herald: Herald, uplink: Uplink, every_s: float = 5.0, soonest_s: float = 0.5) -> None:
        self._herald = herald
        self._uplink = uplink
        self._every_s = every_s
        self._soonest_s = soonest_s
        self._changed = asyncio.Event()
        self._said_goodbye = False

    def changed(self) -> None:
        """A source came or went, the config changed: do not wait for the next beat."""
        self._changed.set()

    async def beat(self, *, online: bool = True) -> bool:
        """One status now; after the goodbye (online false) ``run`` says no more."""
        self._said_goodbye = self._said_goodbye or not online
        return await self._uplink.publish_control(self._herald.status(online=online))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if self._uplink.is_connected() and not self._said_goodbye:
                await self.beat()
            await asyncio.sleep(self._soonest_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s - self._soonest_s):
                    await self._changed.wait()
            self._changed.clear()
