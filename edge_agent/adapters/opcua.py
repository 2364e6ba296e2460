"""OPC UA sources: subscribed or polled, supervised, and proven to be watched.

One owner connects: while the server is down a TCP probe every two seconds, a session only where one
answers, at most one session every five seconds, a new client each time. After each connect namespaces are
resolved anew and everything is read; then a subscription reports changes, and what is configured so, or the
server does not take into the subscription, is polled. Publish responses, keep-alives among them, and reads
are the evidence that the source is watched; where they stop, the loss is dated at the last one.
Now and then everything is read again and held against what was reported: an item that the server forgot is
found by this.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence

from asyncua import ua

from edge_agent.adapters.opcua_polls import Polls
from edge_agent.adapters.opcua_session import CallSize, Session, SessionLost, Subscribed
from edge_agent.adapters.opcua_told import Told
from edge_agent.adapters.opcua_values import Dating, meant, reading_of
from edge_agent.adapters.opcua_watch import SubscriptionWatch
from edge_agent.config.model import Config, OpcUaSource, Signal
from edge_agent.core.evidence import Instant
from edge_agent.core.mapping import Meant
from edge_agent.core.quality import of_status_code
from edge_agent.core.retry import Backoff
from edge_agent.errors import AgentError
from edge_agent.ports import Clock, Reading, Sink
from shared.control import SourceStatus
from shared.sample import Quality

_log = logging.getLogger(__name__)

PROBE_EVERY_S = 2.0
SESSION_EVERY_S = 5.0
INTEGRITY_EVERY_S = 300.0
_REFUSED_BY_CONFIG = Backoff(first_s=SESSION_EVERY_S, limit_s=60.0)
_REFUSALS = ("BadCertificate", "BadIdentityToken", "BadSecurity", "BadUserAccess", "BadTooManySessions")
_FAULTS = (OSError, TimeoutError, ua.UaError, SessionLost)


def opcua_sources(config: Config, clock: Clock) -> list[OpcUa]:
    """A source for each OPC UA server of a config."""
    return [
        OpcUa(source, list(config.signals_of(source.name)), clock)
        for source in config.sources
        if isinstance(source, OpcUaSource)
    ]


class OpcUa:
    """One server (ports.Source). sessions: how often a session was asked for."""

    def __init__(self, source: OpcUaSource, signals: Sequence[Signal], clock: Clock) -> None:
        self.name = source.name
        self.sessions = 0
        self.integrity_every_s = INTEGRITY_EVERY_S
        self._source, self._clock = source, clock
        self._signals = {signal.index: signal for signal in signals}
        self._dating = Dating(source.time)
        self._size = CallSize()
        self._session: Session | None = None
        self._watch: SubscriptionWatch | None = None
        self._polls: Polls | None = None
        self._created_s = float("-inf")
        self._refusals = 0
        self._overflows = 0
        self._evidence: Instant | None = None
        self._lost = False
        self._running = False
        self._reason: str | None = None

    @property
    def clock_offset_s(self) -> float | None:
        """Gateway's clock minus the source's, as measured on changes; None before the first."""
        offset_us = self._dating.offset_us
        return None if offset_us is None else offset_us / 1e6

    @property
    def limits(self) -> CallSize:
        """How many nodes a call may hold, as told and as learnt."""
        return self._size

    @property
    def overflows(self) -> int:
        """Values that the server dropped because its queue was full, as far as it told."""
        return self._overflows + (self._watch.overflows if self._watch else 0)

    async def run(self, sink: Sink) -> None:
        """Connect, watch, and connect again, until cancelled."""
        began = self._now()
        self._running = True
        while True:
            try:
                await self._one_session(sink, began)
            except AgentError as fault:
                self._refusals += 1
                self._lose(sink, began, str(fault))
            except _FAULTS as fault:
                self._refusals += type(fault).__name__.startswith(_REFUSALS)
                self._lose(sink, began, plain(fault))
            finally:
                await self.close()
            _end_if_cancelled()

    async def read(self, signals: Sequence[int]) -> list[Reading]:
        """One direct read now, through the session that stands. Only where nobody runs the source is one
        opened.
        """
        wanted = [self._signals[index] for index in signals]
        try:
            if self._session is None and self._running:
                raise SessionLost(self._reason or f"{self.name} is not connected yet")
            session = self._session or await self._open()
            values = await session.read(wanted)
        except (AgentError, *_FAULTS) as fault:
            now_us = self._clock.now_us()
            return [Reading(index, now_us, None, Quality.BAD, why=plain(fault)) for index in signals]
        return [self._reading(session, signal, values.get(signal.index)) for signal in wanted]

    @property
    def signals(self) -> Sequence[Signal]:
        """What it reads, as it was numbered when it was made."""
        return tuple(self._signals.values())

    @property
    def session(self) -> Session | None:
        """The session that stands now, for the tools; None while there is none."""
        return self._session

    async def close(self) -> None:
        """End the session, if there is one."""
        session, self._session = self._session, None
        if self._watch is not None:
            self._overflows += self._watch.overflows
            self._watch = None
        if session is not None:
            await session.close()

    def health(self) -> SourceStatus:
        """Configured against live signals, connection, last evidence, reason."""
        return SourceStatus(
            name=self.name,
            configured=len(self._signals),
            live=len(self._watch.live) if self._watch else 0,
            connected=self._session is not None,
            last_scan_us=self._seen.at_us if self._seen else None,
            reason=self._reason,
            polled=len(self._polls.indexes) if self._polls and self._session else 0,
        )

    @property
    def _seen(self) -> Instant | None:
        """The newest evidence, of this session or an earlier one."""
        if self._watch is not None and self._watch.evidence is not None:
            self._evidence = self._watch.evidence
        return self._evidence

    async def _one_session(self, sink: Sink, began: Instant) -> None:
        """From the first probe to the loss of a session; always ends by an exception."""
        await self._until_reachable(sink, began)
        session = await self._open()
        self._refusals = 0
        self._dating.begin()
        watch = SubscriptionWatch(self.name, self._signals, self._dating, sink, self._now, session.end)
        signals = tuple(self._signals.values())
        asked_s = self._clock.monotonic_s()
        values = await session.read(signals)
        scan_us = round((self._clock.monotonic_s() - asked_s) * 1e6)
        readings = [self._reading(session, signal, values.get(signal.index), watch) for signal in signals]
        sink.readings(self.name, readings, full=True)
        reported = [signal for signal in signals if not signal.poll]
        granted = Subscribed(stands=False)
        if reported or not signals:
            granted = await session.subscribe(reported, watch.published)
        _end_if_cancelled()
        polls = self._polls = self._polls_of(granted, values, scan_us)
        watch.begin(granted if granted.stands else None, self._source.grace_us, polls.limits_us())
        self._watch = watch
        refused = {index: why for index, why in granted.refused.items() if index not in polls.indexes}
        self._reason = self._why_not_all({**session.unknown, **refused})
        if self._lost:
            _log.info("%s is back: %d of %d signals", self.name, len(watch.live), len(signals))
        self._lost = False
        polling = asyncio.create_task(self._poll(session, watch, polls), name=f"polls of {self.name}")
        try:
            await self._supervise(session, watch, granted)
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)

    def _polls_of(self, granted: Subscribed, values: Mapping[int, Told], scan_us: int) -> Polls:
        """What is read beside the subscription: as configured, and what is there and was not taken."""
        refused = {
            index: why
            for index, why in granted.refused.items()
            if index in values and of_status_code(values[index].status) is not Quality.BAD
        }
        if refused:
            message = "%s: the server does not report %d of %d signals (%s): they are polled"
            _log.warning(message, self.name, len(refused), len(self._signals), next(iter(refused.values())))
        signals = [signal for index, signal in self._signals.items() if signal.poll or index in refused]
        return Polls(signals, alone=not granted.stands, grace_us=self._source.grace_us, scan_us=scan_us)

    async def _poll(self, session: Session, watch: SubscriptionWatch, polls: Polls) -> None:
        try:
            await polls.run(session.read, watch, self._now)
        except _FAULTS as fault:
            session.end(plain(fault))

    async def _until_reachable(self, sink: Sink, began: Instant) -> None:
        """A TCP connect every two seconds until one succeeds."""
        host, port = self._source.host, self._source.port
        while True:
            began_s = self._clock.monotonic_s()
            try:
                async with asyncio.timeout(self._source.timeout_us / 1e6):
                    _, writer = await asyncio.open_connection(host, port)
            except (OSError, TimeoutError):
                self._lose(sink, began, f"{host}:{port} takes no connection")
                await asyncio.sleep(max(0.0, began_s + PROBE_EVERY_S - self._clock.monotonic_s()))
                continue
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return

    async def _open(self) -> Session:
        """A new session, no more often than allowed; ever more slowly where the config must be mended."""
        pause_s = _REFUSED_BY_CONFIG.whole_s(self._refusals)
        await asyncio.sleep(max(0.0, self._created_s + pause_s - self._clock.monotonic_s()))
        self._created_s = self._clock.monotonic_s()
        self.sessions += 1
        self._session = await Session.open(self._source, tuple(self._signals.values()), self._size)
        return self._session

    def _reading(
        self, session: Session, signal: Signal, told: Told | None, watch: SubscriptionWatch | None = None
    ) -> Reading:
        """A reading of a value that was read now; None where the node is not known."""
        now_us = self._clock.now_us()
        if told is None:
            why = session.unknown.get(signal.index, "not read")
            return Reading(signal.index, now_us, None, Quality.BAD, why=why)
        if watch is not None:
            return watch.read(signal, told)
        return reading_of(signal, told, *self._dating.seen(told.source_us, now_us))

    def _why_not_all(self, missing: dict[int, str]) -> str | None:
        for index, why in missing.items():
            signal = self._signals[index]
            _log.warning("%s: %s (%s) is not subscribed: %s", self.name, signal.key, signal.place, why)
        return next((f"{self._signals[index].key}: {why}" for index, why in missing.items()), None)

    async def _supervise(self, session: Session, watch: SubscriptionWatch, granted: Subscribed) -> None:
        """Until the session ends or evidence stays out; ends by SessionLost."""
        checked_s = self._clock.monotonic_s()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(watch.limit_us / 4e6):
                    await session.ended.wait()
            if session.ended.is_set():
                raise SessionLost(session.why_ended or "session ended")
            watch.check(self._now())
            if self._clock.monotonic_s() - checked_s >= self.integrity_every_s:
                await self._check_integrity(session, watch, granted)
                checked_s = self._clock.monotonic_s()

    async def _check_integrity(self, session: Session, watch: SubscriptionWatch, granted: Subscribed) -> None:
        """Read all that is watched; what differs and is not told within two publishes: that item is dead."""
        before = dict(watch.last)
        polled = self._polls.indexes if self._polls else frozenset()
        values = await session.read([s for index, s in self._signals.items() if index not in polled])
        wait_s = 2 * watch.publishing_s + 1.0
        await asyncio.sleep(wait_s)
        for index, value in values.items():
            signal, known = self._signals[index], before.get(index)
            found = meant(signal, value)
            if index in granted.refused and found.quality is not Quality.BAD:
                raise SessionLost(f"{signal.key} can be read now and is not subscribed yet")
            if known is None or index in granted.refused:
                continue
            silent = signal.interval_us / 1e6 <= wait_s and watch.last.get(index) is known
            if silent and _differ(meant(signal, known), found):
                raise SessionLost(f"{signal.key} changed and the server did not report it")

    def _lose(self, sink: Sink, began: Instant, why: str) -> None:
        """Tell a loss once: at its start, or after the grace where there was no session yet."""
        self._reason = why
        seen, now = self._seen, self._now()
        if self._lost or (seen is None and now.at_s - began.at_s <= self._source.grace_us / 1e6):
            return
        self._lost = True
        sink.lost(self.name, min((seen or began).at_us, now.at_us), why)
        _log.warning("%s is lost: %s", self.name, why)

    def _now(self) -> Instant:
        return Instant(self._clock.now_us(), self._clock.monotonic_s())


def _end_if_cancelled() -> None:
    """Raises CancelledError where the library swallowed a request to end."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def plain(fault: Exception) -> str:
    """A fault in words."""
    if isinstance(fault, TimeoutError):
        return "the server did not answer in time"
    return str(fault) or type(fault).__name__


def _differ(known: Meant, found: Meant) -> bool:
    return (known.value, known.quality) != (found.value, found.quality)
