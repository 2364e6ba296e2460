"""The durable buffer: disk first, publish second, delete on the cloud's ack.

``put`` packs and numbers a batch in bounded memory; ``run`` writes what waits to the current segment and
synchronises it, at most once in a commit window (a batch is safe once the commit counter has reached its
seq: at most one window and one synchronisation after put). What is settled (acknowledged, or given up with
a gap record on disk) is remembered per stream. All methods belong to one event loop; only writing and
synchronising happen in a thread of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from edge_agent.adapters.buffer_files import Files
from edge_agent.adapters.buffer_front import Front
from edge_agent.adapters.buffer_ledger import Ledger
from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.adapters.buffer_segment import Found, Record
from edge_agent.adapters.buffer_shelf import Read, Shelf
from edge_agent.adapters.buffer_space import Space
from edge_agent.adapters.buffer_stamps import Stamps
from edge_agent.adapters.buffer_totals import Totals
from edge_agent.adapters.buffer_writer import Writer
from edge_agent.core.link import seqs_of
from edge_agent.core.retry import Backoff
from edge_agent.ports import BufferState, Clock, Stored, Written
from shared.batch import Lane, Pending
from shared.control import Ack, StreamRange
from shared.dictionary import Dictionary

_MAX_STREAMS_TOLD = 1000
_log = logging.getLogger(__name__)


class DurableBuffer:
    """Implements ports.Buffer. Open it with the files of its folder; close it, or lose what is in memory.

    stream: 16 random bytes of this run. instance: of this installation (buffer_state.instance_of).
    Raises OSError when the folder cannot be read.
    """

    def __init__(
        self, files: Files, *, stream: bytes, instance: bytes, clock: Clock, limits: BufferLimits
    ) -> None:
        self._files = files
        self._stream = stream
        self._clock = clock
        self._limits = limits = limits.fitted()
        self._shelf = Shelf(files)
        self._shelf.load()
        self._ledger = Ledger(self._shelf, stream, clock.now_us)
        self.stamps = Stamps(files, stream, self._shelf.newest_us)
        self._front = Front(stream, instance, max_bytes=limits.front_bytes, max_message=limits.message_bytes)
        self._space = Space(files, self._shelf, self._ledger, self._front, limits, clock)
        self._totals = Totals(files, self._shelf, self._space.dictionaries)
        self._writer = Writer(files, limits.segment_bytes, limits.chunk_bytes)
        self._next_ordinal = self._shelf.next_ordinal()
        self._committed = 0
        self._live_from = 1
        self._newest_us = 0
        self._waiters: list[asyncio.Future[int]] = []
        self._wake = asyncio.Event()
        self._pool = ThreadPoolExecutor(1, "buffer")
        self._beside = ThreadPoolExecutor(1, "thinning")
        self._job: tuple[Future[list[Found]], list[Record]] | None = None
        self._failures = 0
        self._retry_s = self._began_s = self._settled_s = float("-inf")
        self._last_error: str | None = None
        self._closed = False
        self.turned_s = clock.monotonic_s()

    # What the recorder does

    def use(self, dictionary: Dictionary) -> bytes:
        """Batches from now on mean this dictionary; returns its hash."""
        in_use = self._space.use(dictionary)
        self._wake.set()
        return in_use

    def in_use(self) -> bytes | None:
        """Hash of the dictionary that batches mean now; None before ``use``."""
        return self._space.dictionary

    def put(self, written: Written) -> bool:
        """Pack, number and keep a batch in memory; False when the bounded memory in front is full.

        Raises RuntimeError before ``use``, ValueError for what cannot travel (shared.codec.pack).
        """
        if self._space.dictionary is None:
            raise RuntimeError("no dictionary in use: call use() first")
        meant = written.dictionary or self._space.dictionary
        if self._closed or not self._front.put(meant, written, self._clock.now_us()):
            return False
        self._newest_us = max([self._newest_us, *(sample.time_us for sample in written.samples[-1:])])
        self._wake.set()
        return True

    def count_on(self, keys: Iterable[str]) -> dict[str, float]:
        """Totals by signal key, of ``keys`` as the last run left them; what is written into them is kept."""
        self._totals.recover(keys)
        with contextlib.suppress(OSError):
            self._save_totals()
        return self._totals.now

    # What the drain does

    async def committed(self) -> int:
        """Wait for the next group commit; the highest seq of this run that is on disk."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return int(await waiter)

    def unacknowledged(self, lane: Lane, after: tuple[bytes, int] | None, limit: int) -> Sequence[Stored]:
        """Committed batches of a lane that are not settled, in order, after (stream, seq).

        None of a stream whose time is not known yet.
        """
        found: list[Stored] = []
        for stream, first, last in self._ledger.open_ranges(lane, self._live_from, after):
            if self.stamps.shift_us(stream) is None:
                continue
            for read in self._shelf.find(stream, first, min(last, first + limit - len(found) - 1)):
                found.append(self.stamps.stamped(_stored(stream, read, lane)))
            if len(found) >= limit:
                break
        if self._space.owe_holes():
            self._wake.set()
        return found

    def wanted(self, stream: bytes, first: int, last: int) -> Sequence[Stored]:
        """What is still on disk of a range, settled or not."""
        history = stream != self._stream or last < self._live_from
        lane = Lane.HISTORY if history else Lane.LIVE
        if self.stamps.shift_us(stream) is None:
            return []
        return [
            self.stamps.stamped(_stored(stream, read, lane)) for read in self._shelf.find(stream, first, last)
        ]

    def settled(self, stream: bytes) -> Sequence[tuple[int, int]]:
        """Inclusive seq ranges of a stream that are still on disk though they are settled."""
        return self._ledger.settled_on_disk(stream)

    def overtake(self) -> list[Pending]:
        """Everything put so far becomes history; the spans of it that still wait for an ack, by stream."""
        self._live_from = self._front.next_seq
        spans = self._ledger.pending(self._newest_us if len(self._front) else None)
        return [self.stamps.pending(stream, span) for stream, span in spans]

    def shift_us(self) -> int | None:
        """What to add to the stamps of this run; None while its clock cannot be believed."""
        return self.stamps.shift_us(self._stream)

    def oldest_us(self, lane: Lane) -> int | None:
        """Time of the first committed batch of a lane that waits for an ack."""
        first = self.unacknowledged(lane, None, 1)
        return first[0].oldest_us if first else None

    def acknowledge(self, ack: Ack) -> None:
        """Settle what the ack names and this disk holds; never more than was committed."""
        with contextlib.suppress(ValueError):
            self._ledger.settle(bytes.fromhex(ack.stream), seqs_of(ack.through, ack.also))

    def dictionary(self, content_hash: bytes) -> bytes | None:
        """The dictionary message of a hash, kept as long as a batch on disk needs it."""
        return self._space.dictionaries.find(content_hash)

    def dictionaries(self) -> list[bytes]:
        """Hashes of the dictionaries on disk."""
        return self._space.dictionaries.hashes()

    # What health reads

    def newest_us(self) -> int | None:
        """The newest stamp on disk of earlier runs."""
        found = (self._shelf.newest_us(stream) for stream in self._shelf.streams())
        return max((each for each in found if each is not None), default=None)

    def state(self) -> BufferState:
        """Depth, bytes, commit counter, errors."""
        ages = [self.oldest_us(lane) for lane in Lane]
        return BufferState(
            stream=self._stream,
            committed=self._committed,
            depth=self._ledger.depth(),
            bytes_used=self._shelf.bytes_used(),
            bytes_unacknowledged=self._ledger.bytes_open(),
            oldest_us=min((age for age in ages if age is not None), default=None),
            dropped_rows=self._space.dropped.total(),
            set_aside_files=self._shelf.set_aside,
            last_error=self._last_error,
            streams=[
                StreamRange(stream.hex(), list(self._shelf.present(stream).ranges))
                for stream in self._shelf.streams()[-_MAX_STREAMS_TOLD:]
            ],
            bytes_max=self._limits.max_bytes,
            bytes_waiting=self._front.size,
            bytes_written=self._writer.bytes_written,
            torn_bytes=self._shelf.torn_bytes,
            dropped_by=dict(self._space.dropped),
        )

    # The committer

    async def run(self) -> None:
        """Commit what waits, once a window. Ends only by cancellation, after a last commit."""
        try:
            while True:
                self.turned_s = self._clock.monotonic_s()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._wake.wait()
                await asyncio.sleep(
                    max(0.0, self._began_s + self._limits.window_s - self._clock.monotonic_s())
                )
                while await self._commit():
                    pass
                self._keep_house()
        finally:
            self.close()

    def close(self) -> None:
        """Commit what is in memory, remember what is settled, let go of the files."""
        if self._closed:
            return
        self._closed = True
        if self._job is not None:
            self._finish(*self._job)
        self._retry_s = float("-inf")
        while (records := self._begin()) is not None:
            if not self._finish(self._pool.submit(self._writer.write, records), records):
                break
        self._pool.shutdown()
        self._beside.shutdown(cancel_futures=True)
        self._writer.end()
        with contextlib.suppress(OSError):
            self._ledger.save()
            self._save_totals()
        self._shelf.close()
        self._files.close()
        if len(self._front):
            _log.error("%d batches could not be committed: %s", len(self._front), self._last_error)

    async def _commit(self) -> bool:
        """One write and synchronisation; True when more waits than went into it."""
        self._began_s = self._clock.monotonic_s()
        self._wake.clear()
        records = self._begin()
        if records is None:
            return False
        job = self._pool.submit(self._writer.write, records)
        self._job = (job, records)
        written = asyncio.Event()
        loop = asyncio.get_running_loop()
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(written.set))
        await written.wait()
        return self._finish(job, records) and len(self._front) > 0

    def _begin(self) -> list[Record] | None:
        """What the next commit writes, in a segment that has room for it; None for nothing, or not now."""
        if not len(self._front) or self._clock.monotonic_s() < self._retry_s:
            return None
        records = self._front.head(self._writer.room())
        if records:
            return records
        try:
            self._new_segment()
        except OSError as error:
            self._failed(error)
            return None
        return self._front.head(self._writer.room()) or None

    def _finish(self, job: Future[list[Found]], records: list[Record]) -> bool:
        """Count a commit in, or keep its batches for the next attempt; True when it is on disk."""
        self._job = None
        try:
            founds = job.result()
        except OSError as error:
            self._failed(error)
            return False
        segment = self._writer.segment
        assert segment is not None
        self._shelf.remember(segment, founds)
        self._front.done(len(records))
        self._committed = records[-1].seq
        if self._last_error is not None:
            _log.info("the buffer writes again")
        self._failures, self._retry_s, self._last_error = 0, float("-inf"), None
        self._space.committed(self._committed)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(self._committed)
        self._waiters.clear()
        return True

    def _failed(self, error: OSError) -> None:
        """The disk refused: leave the segment as it stands, free room if that is what lacks, try later."""
        before, self._last_error = (
            self._last_error,
            f"{error.strerror or error}: {error.filename or 'buffer'}",
        )
        if self._last_error != before:
            _log.error("the buffer cannot write (%s): batches wait in memory", self._last_error)
        if (segment := self._writer.segment) is not None:
            self._writer.end()
            self._shelf.let_go(segment.ordinal)
            if not segment.seqs:
                self._shelf.forget(segment)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            self._space.disk_full()
        self._retry_s = self._clock.monotonic_s() + Backoff(0.25, 5.0).whole_s(self._failures)
        self._failures += 1

    def _new_segment(self) -> None:
        """Close the current segment and begin another, where there is room. Raises OSError."""
        self._writer.end()
        self._space.make()
        segment = self._writer.begin(self._next_ordinal, self._stream, self._clock.now_us())
        self._next_ordinal += 1
        self._shelf.place(segment)
        with contextlib.suppress(OSError):
            self._save_totals()

    def _save_totals(self) -> None:
        self._totals.save(self._stream, self._front.next_seq, self._next_ordinal)

    def _keep_house(self) -> None:
        """Now and then: remember what is settled, delete what has been kept for long enough."""
        now_s = self._clock.monotonic_s()
        try:
            if now_s - self._settled_s >= self._limits.settle_s:
                self._settled_s = now_s
                self._ledger.save()
                self._save_totals()
                self._space.dictionaries.write()
                if expired := self._ledger.expired(int(self._limits.keep_s * 1e6)):
                    self._space.delete(expired)
            if self._space.thin_on(self._beside):
                self._wake.set()
        except OSError as error:
            self._last_error = str(error)


def _stored(stream: bytes, read: Read, lane: Lane) -> Stored:
    return Stored(stream, read.seq, lane, read.message, read.rows, read.oldest_us, read.newest_us)
