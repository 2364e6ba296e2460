"""From disk to cloud: publishes only what is committed, until the cloud acknowledges it.

Live data goes first; a backlog goes beside it as history, with a rate cap. When the link comes back, or the
cloud speaks again, and live data is older than ``overtake_s``, all of it becomes history and the next live
batch begins with a full read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from edge_agent.core.lanes import HistoryBudget, HistoryRate, overtakes
from edge_agent.core.link import Key, Window, WindowLimits, seqs_of
from edge_agent.core.quality import EARLIEST_US
from edge_agent.core.seqs import Seqs
from edge_agent.loops.heartbeat import Herald, Identity
from edge_agent.ports import Buffer, Clock, Stored, Uplink
from shared.batch import Lane, Pending
from shared.codec import readdressed
from shared.control import Ack, Want

_log = logging.getLogger(__name__)
_OFFSETS_KEPT = 64


@dataclass(frozen=True, slots=True)
class DrainLimits:
    """overtake_s: age of live data from which it is left behind. overtake_pause_s: at most once in so long.

    at_once: batches handed to the broker together. tick_s: how often time-outs are looked at. ask_time_s: how
    often the cloud is asked for its time while the gateway's is not known. answer_s: longest wait for the
    answer to the first hello, where the clock is not sure.
    wanted_ranges, wanted_dictionaries: what the cloud may ask for before the rest is forgotten.
    """

    window: WindowLimits = field(default_factory=WindowLimits)
    history: HistoryRate = field(default_factory=HistoryRate)
    overtake_s: float = 10.0
    overtake_pause_s: float = 30.0
    at_once: int = 16
    tick_s: float = 0.2
    ask_time_s: float = 5.0
    answer_s: float = 3.0
    wanted_ranges: int = 1_000
    wanted_dictionaries: int = 100


@dataclass(slots=True)
class DrainCounters:
    """Since the start of this run. acknowledged: of batches in flight."""

    sent: int = 0
    sent_again: int = 0
    refused: int = 0
    acknowledged: int = 0
    overtakes: int = 0


class Drain:
    """Give ``greet`` and ``received`` to the uplink and run it. overtaken: told the spans left behind.

    chance draws evenly from [0, 1). heard: told the cloud's time, microseconds UTC, with each of its acks.
    unsure: whether the gateway's clock should be held against it before the first batch leaves.
    """

    def __init__(
        self,
        buffer: Buffer,
        uplink: Uplink,
        clock: Clock,
        herald: Herald,
        identity: Identity,
        overtaken: Callable[[Sequence[Pending]], None],
        chance: Callable[[], float],
        limits: DrainLimits | None = None,
        heard: Callable[[int], None] = lambda time_us: None,
        unsure: Callable[[], bool] = lambda: False,
    ) -> None:
        self._heard, self._unsure = heard, unsure
        self._answered = asyncio.Event()
        self._asked_time_s = float("-inf")
        self._buffer, self._uplink, self._clock = buffer, uplink, clock
        self._herald, self._identity = herald, identity
        self._overtaken, self._chance = overtaken, chance
        self._limits = limits or DrainLimits()
        self._window = Window(self._limits.window)
        self._budget = HistoryBudget(self._limits.history, clock.monotonic_s())
        self._cursors: dict[Lane, Key | None] = dict.fromkeys(Lane)
        self._wanted: deque[tuple[bytes, int, int]] = deque(maxlen=self._limits.wanted_ranges)
        self._asked: deque[bytes] = deque(maxlen=self._limits.wanted_dictionaries)
        self._dictionary: bytes | None = None
        self._overtaken_s = float("-inf")
        self._offsets: deque[float] = deque(maxlen=_OFFSETS_KEPT)
        self._news = asyncio.Event()
        self._unreadable: str | None = None
        self._lacking: set[bytes] = set()
        self.counters = DrainCounters()
        self.turned_s = clock.monotonic_s()

    def use(self, dictionary: bytes) -> None:
        """The hash of the dictionary that batches mean from now on; it is sent before them."""
        self._dictionary = dictionary
        self._asked.append(dictionary)
        self._news.set()

    def begin(self) -> None:
        """What was put so far is history: before the first batch of this run, or once its time is known."""
        if self._buffer.shift_us() is not None:
            self._tell_overtaken(self._buffer.overtake())
            self._news.set()

    @property
    def clock_offset_s(self) -> float | None:
        """The gateway's clock minus the cloud's, by the quickest of the last acks; None before the first."""
        return min(self._offsets, default=None)

    @property
    def in_flight(self) -> int:
        """Batches sent on this connection and not acknowledged."""
        return len(self._window)

    async def greet(self) -> None:
        """At each connect, before any batch: hello, status, the dictionary in use."""
        self._window.clear()
        self._asked.clear()
        self._cursors = dict.fromkeys(Lane)
        self._budget.restart(self._clock.monotonic_s())
        self._asked_time_s = self._clock.monotonic_s()
        await self._uplink.publish_control(self._herald.hello())
        await self._uplink.publish_control(self._herald.status())
        if self._dictionary is not None:
            await self._publish_dictionary(self._dictionary)
        if self._unsure():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.answer_s):
                    await self._answered.wait()
        self._overtake_if_late()
        self._news.set()

    def received(self, message: Ack | Want) -> None:
        """A word of the cloud; never raises for what it says."""
        if isinstance(message, Ack):
            self._acknowledged(message)
        else:
            self._want(message)
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        follower = asyncio.create_task(self._follow_commits())
        try:
            while True:
                self._turn()
                self._news.clear()
                if not (self._uplink.is_connected() and await self._round_on_disk()):
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._limits.tick_s):
                            await self._news.wait()
        finally:
            follower.cancel()

    def _turn(self) -> None:
        """The loop goes on; each publish ends by itself, so what waits for one is no standstill."""
        self.turned_s = self._clock.monotonic_s()

    async def _round_on_disk(self) -> bool:
        """A round, or a pause where the disk does not give back what it holds."""
        try:
            sent = await self._round()
            self._unreadable = None
            return sent
        except OSError as error:
            if str(error) != self._unreadable:
                _log.error("the buffer cannot be read (%s): trying again", error)
            self._unreadable = str(error)
            await asyncio.sleep(self._limits.overtake_s / 10)
            return False

    async def _follow_commits(self) -> None:
        while True:
            await self._buffer.committed()
            self._news.set()

    async def _round(self) -> bool:
        """One look at everything that could be sent; whether anything was."""
        if self._buffer.shift_us() is None:
            await self._ask_the_time()
            return False
        while self._asked:
            await self._publish_dictionary(self._asked.popleft())
        self._overtake_if_late()
        again = await self._send_again()
        live = await self._send_live()
        history = await self._send_history()
        return again + live + history > 0

    async def _ask_the_time(self) -> None:
        """Nothing may leave before the time is known: a further hello is acknowledged with the cloud's."""
        now_s = self._clock.monotonic_s()
        if now_s - self._asked_time_s >= self._limits.ask_time_s:
            self._asked_time_s = now_s
            await self._uplink.publish_control(self._herald.hello())

    async def _send_again(self) -> int:
        due = self._window.due(self._clock.monotonic_s(), self._chance())
        batches: list[Stored] = []
        for stream, seq in due:
            found = self._buffer.wanted(stream, seq, seq)
            batches.extend(found)
            if not found:
                self._window.forget((stream, seq))
        self.counters.sent_again += len(batches)
        await self._publish(batches)
        return len(batches)

    async def _send_live(self) -> int:
        batches = self._next(Lane.LIVE, min(self._window.room(Lane.LIVE), self._limits.at_once))
        await self._publish(batches)
        return len(batches)

    async def _send_history(self) -> int:
        room = min(self._window.room(Lane.HISTORY), self._limits.at_once)
        batches: list[Stored] = []
        while len(batches) < room and self._budget.may_send(self._clock.monotonic_s()):
            found = self._next_wanted() or self._next(Lane.HISTORY, 1)
            if not found:
                break
            batches.extend(found)
            self._budget.spend(sum(len(batch.message) for batch in found))
        await self._publish(batches)
        return len(batches)

    def _next(self, lane: Lane, count: int) -> Sequence[Stored]:
        """The next batches of a lane behind its cursor that are not in flight."""
        if count <= 0:
            return ()
        found = self._buffer.unacknowledged(lane, self._cursors[lane], count)
        if found:
            self._cursors[lane] = (found[-1].stream, found[-1].seq)
        return [batch for batch in found if (batch.stream, batch.seq) not in self._window]

    def _next_wanted(self) -> Sequence[Stored]:
        """One batch that the cloud asked for again and the disk still holds."""
        while self._wanted:
            stream, first, last = self._wanted.popleft()
            found = self._buffer.wanted(stream, first, first)
            rest = [(stream, first + 1, last)] if found else self._held(stream, [(first + 1, last)])
            self._wanted.extendleft(each for each in reversed(rest) if each[1] <= each[2])
            if found and (stream, first) not in self._window:
                return [replace(batch, lane=Lane.HISTORY) for batch in found]
        return ()

    async def _publish(self, batches: Sequence[Stored]) -> None:
        if not batches:
            return
        messages = [self._addressed(batch) for batch in batches]
        now_s = self._clock.monotonic_s()
        for batch, message in zip(batches, messages, strict=True):
            self._window.sent((batch.stream, batch.seq), len(message), batch.lane, now_s)
        taken = await asyncio.gather(*(self._uplink.publish_batch(message) for message in messages))
        self._turn()
        self.counters.sent += sum(taken)
        self.counters.refused += len(taken) - sum(taken)

    def _addressed(self, batch: Stored) -> bytes:
        """The message as this run sends it; one of its own on the live lane goes as it stands on disk."""
        if batch.stream == self._identity.start and batch.lane is Lane.LIVE:
            return batch.message
        return readdressed(
            batch.message, lane=batch.lane, instance=self._identity.instance, start=self._identity.start
        )

    async def _publish_dictionary(self, content_hash: bytes) -> None:
        message = self._buffer.dictionary(content_hash)
        if message is not None:
            self._lacking.discard(content_hash)
            await self._uplink.publish_dictionary(message)
            self._turn()
        elif content_hash not in self._lacking and len(self._lacking) < self._limits.wanted_dictionaries:
            self._lacking.add(content_hash)
            _log.error("the cloud asks for dictionary %s, which is not here", content_hash.hex())

    def _acknowledged(self, ack: Ack) -> None:
        with contextlib.suppress(ValueError):
            stream = bytes.fromhex(ack.stream)
            self._buffer.acknowledge(ack)
            self.counters.acknowledged += self._window.acknowledged(stream, seqs_of(ack.through, ack.also))
            if ack.time_us < EARLIEST_US:
                return
            self._heard(ack.time_us)
            self._answered.set()
            self._offsets.append((self._now_us() - ack.time_us) / 1e6)

    def _now_us(self) -> int:
        return self._clock.now_us() + (self._buffer.shift_us() or 0)

    def _want(self, want: Want) -> None:
        with contextlib.suppress(ValueError):
            self._asked.extend(bytes.fromhex(each) for each in want.dictionaries)
            if want.stream is not None:
                stream = bytes.fromhex(want.stream)
                self._wanted.extend(self._held(stream, want.ranges))
        self._window.expect_nothing()

    def _held(self, stream: bytes, ranges: Sequence[tuple[int, int]]) -> list[tuple[bytes, int, int]]:
        """The parts of ranges that are on disk and acknowledged: what is not goes by itself."""
        held = Seqs.of(self._buffer.settled(stream))
        return [(stream, *part) for first, last in ranges for part in held.within(first, last)]

    def _overtake_if_late(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._window.silences or now_s - self._overtaken_s < self._limits.overtake_pause_s:
            return
        oldest_us = self._buffer.oldest_us(Lane.LIVE)
        if overtakes(oldest_us, self._now_us(), int(self._limits.overtake_s * 1e6)):
            self._overtaken_s = now_s
            self._tell_overtaken(self._buffer.overtake())

    def _tell_overtaken(self, pending: Sequence[Pending]) -> None:
        if not pending:
            return
        self.counters.overtakes += 1
        self._cursors[Lane.LIVE] = None
        _log.info("a backlog is left behind as history: %d spans", len(pending))
        self._overtaken(pending)
