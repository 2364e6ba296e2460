"""Room in the durable buffer: what goes, in which order, and what is told before it goes.

Acknowledged data goes first, silently. Then the policy: the oldest segments are thinned, or dropped, or
nothing goes and new data is refused. A gap record is committed before anything goes that the cloud lacks.
"""

from __future__ import annotations

import errno
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from edge_agent.adapters.buffer_contents import Segment
from edge_agent.adapters.buffer_files import Files
from edge_agent.adapters.buffer_front import Front
from edge_agent.adapters.buffer_ledger import Ledger
from edge_agent.adapters.buffer_limits import BufferLimits
from edge_agent.adapters.buffer_shelf import Shelf
from edge_agent.adapters.buffer_state import Dictionaries
from edge_agent.adapters.buffer_thinner import BESIDE, Thin, thin
from edge_agent.core.buffer_policy import AtCap, Room, make_room, to_thin
from edge_agent.ports import Clock, Written
from shared import dictionary as dictionaries
from shared.batch import Gap
from shared.dictionary import SignalEntry

_NEXT_DROP_S = 60.0
"""After a drop that did not make the disk take more, nothing else is dropped for so long."""
_THIN_AGAIN_S = 60.0
_log = logging.getLogger(__name__)


class Space:
    """Over the segments of one buffer. All methods belong to its event loop; thinning works beside it.

    dropped: samples given up, by policy. A dictionary must be in use before anything can be told.
    """

    def __init__(
        self, files: Files, shelf: Shelf, ledger: Ledger, front: Front, limits: BufferLimits, clock: Clock
    ) -> None:
        self._files, self._shelf, self._ledger, self._front = files, shelf, ledger, front
        self._limits, self._clock = limits, clock
        self.dictionaries = Dictionaries(files)
        self.dictionary: bytes | None = None
        self.dropped: Counter[str] = Counter({AtCap.DROP_OLDEST: 0, AtCap.THIN: 0})
        self._used: set[bytes] = set()
        self._doomed: set[int] = set()
        self._when_committed: list[tuple[int, Callable[[], None]]] = []
        self._dropped_in_vain_s = self._thin_from_s = float("-inf")
        self._repairs_told = 0
        self._levels: dict[int, int] = {}
        self._thinning: Future[Thin | None] | None = None
        self._thinned: int | None = None

    def use(self, dictionary: dictionaries.Dictionary) -> bytes:
        """What is told from now on means this dictionary; returns its hash."""
        self.dictionary = self.dictionaries.keep(dictionary)
        self._used.add(self.dictionary)
        self._repairs_told = -1
        self.owe_holes()
        return self.dictionary

    def committed(self, seq: int) -> None:
        """Everything up to seq is on disk: what waited for its gap record goes now."""
        due = [action for told, action in self._when_committed if told <= seq]
        self._when_committed = [each for each in self._when_committed if each[0] > seq]
        for action in due:
            action()

    def make(self) -> None:
        """Room for one more segment, within the cap and the reserve. Raises OSError where there is none."""
        limits, now_s = self._limits, self._clock.monotonic_s()
        in_vain = now_s - self._dropped_in_vain_s < _NEXT_DROP_S
        reserve, floor = (
            (0, limits.max_bytes) if in_vain else (limits.reserve_bytes, 4 * limits.segment_bytes)
        )
        room = Room(limits.segment_bytes, limits.max_bytes, self._files.free(), reserve, floor)
        held = [each for each in self._ledger.held() if each.ordinal not in self._doomed]
        plan = make_room(held, room, AtCap.STOP if in_vain else limits.at_cap)
        if plan.delete:
            self.delete([self._shelf.segments[ordinal] for ordinal in plan.delete])
        for ordinal in plan.drop:
            self._doom(self._shelf.segments[ordinal])
        if not plan.enough:
            raise OSError(errno.ENOSPC, "the buffer has reached its cap or the disk its reserve")

    def disk_full(self) -> None:
        """The disk takes nothing: what is to be dropped goes now, though its gap record is in memory only."""
        if self._doomed:
            for ordinal in list(self._doomed):
                self._give_up(ordinal)
            self._dropped_in_vain_s = self._clock.monotonic_s()

    def delete(self, segments: Sequence[Segment]) -> None:
        """Segments that are settled; that they are is on disk before they go."""
        try:
            self._ledger.save()
        except OSError as error:
            _log.warning("what is settled could not be written: %s", error)
        for segment in segments:
            self._shelf.delete(segment)
            self._ledger.forget(segment)
            self._levels.pop(segment.ordinal, None)
        needed = {each for segment in self._shelf.segments.values() for each in segment.dictionaries}
        self.dictionaries.forget_others(needed | self._used)

    def owe_holes(self) -> bool:
        """What a damaged segment has lost is told in a gap record, and settled once that is committed.

        Whether there was anything to tell.
        """
        if self.dictionary is None or self._shelf.repairs == self._repairs_told:
            return False
        self._repairs_told = self._shelf.repairs
        holes = self._ledger.holes()
        for gap in holes:
            span = f"{gap.seq_from} to {gap.seq_to} of stream {gap.stream.hex()}"
            _log.error("batches %s are lost: %s", span, gap.reason)
            self._tell(self.dictionary, [gap], self._settler(gap))
        return bool(holes)

    # Thinning, beside the loop

    def thin_on(self, pool: ThreadPoolExecutor) -> bool:
        """One step: take what was thinned, or begin with the next segment. Whether something was told."""
        if self._thinning is not None:
            return self._thinning.done() and self._take_thinned(self._thinning)
        now_s = self._clock.monotonic_s()
        if self._limits.at_cap is not AtCap.THIN or self._thinned is not None or now_s < self._thin_from_s:
            return False
        held = [each for each in self._ledger.held() if each.ordinal not in self._doomed]
        ordinal = to_thin(held, self._levels, self._limits.max_bytes, self._limits.segment_bytes)
        if ordinal is None:
            return False
        signals, self._thinned = self._known_signals(self._shelf.segments[ordinal]), ordinal
        self._thinning = pool.submit(thin, self._files, self._shelf.segments[ordinal], signals.get)
        return False

    def _take_thinned(self, job: Future[Thin | None]) -> bool:
        """What went is told now; the thinned file takes its place once that is committed."""
        ordinal, self._thinning = self._thinned, None
        assert ordinal is not None
        try:
            found = job.result()
        except OSError as error:
            _log.warning("segment %d cannot be thinned: %s", ordinal, error)
            self._thinned, self._thin_from_s = None, self._clock.monotonic_s() + _THIN_AGAIN_S
            return False
        self._levels[ordinal] = 99 if found is None else self._levels.get(ordinal, 0) + 1
        if found is None:
            self._thinned = None
            return False
        by: dict[bytes, list[Gap]] = {}
        for named, gap in found.gaps:
            by.setdefault(named, []).append(gap)
        for named, gaps in by.items():
            self._tell(named, gaps)
        self._when_committed.append((self._front.next_seq - 1, lambda: self._replace(found)))
        return True

    def _replace(self, found: Thin) -> None:
        """The thinned file takes the segment's place, unless that has gone meanwhile."""
        self._thinned, segment = None, found.segment
        beside, there = f"{segment.name}{BESIDE}", self._shelf.segments.get(segment.ordinal)
        try:
            if there is None or there.seqs != segment.seqs or segment.ordinal in self._doomed:
                self._files.unlink(beside)
                return
            self._shelf.let_go(segment.ordinal)
            self._files.rename(beside, segment.name)
            self._files.sync_names()
        except OSError as error:
            _log.warning("segment %s stays whole: %s", segment.name, error)
            return
        segment.settled_us = there.settled_us
        self._shelf.place(segment)
        self.dropped[AtCap.THIN] += found.lost
        _log.warning("the buffer is nearly full: %d values of %s are thinned out", found.lost, segment.name)

    def _known_signals(self, segment: Segment) -> Mapping[bytes, list[SignalEntry]]:
        messages = {named: self.dictionaries.find(named) for named in segment.dictionaries}
        return {
            named: dictionaries.unpack(message)[1].signals
            for named, message in messages.items()
            if message is not None
        }

    # Dropping

    def _doom(self, segment: Segment) -> None:
        """Tell in a gap record what will be dropped; it is dropped once that record is committed."""
        if self.dictionary is None:
            return
        reason = f"buffer full at {self._limits.max_bytes} bytes, oldest data dropped"
        gaps, rows = self._ledger.gaps_of(segment, reason, self.dictionary)
        self.dropped[AtCap.DROP_OLDEST] += rows
        self._doomed.add(segment.ordinal)
        self._tell(self.dictionary, gaps, lambda: self._give_up(segment.ordinal))
        _log.error("the buffer is full: %d samples of %s are dropped", rows, segment.name)

    def _give_up(self, ordinal: int) -> None:
        segment = self._shelf.segments.get(ordinal)
        if ordinal not in self._doomed or segment is None:
            return
        self._doomed.discard(ordinal)
        self._ledger.settle(segment.stream, segment.seqs)
        self.delete([segment])

    def _tell(self, named: bytes, gaps: Sequence[Gap], then: Callable[[], None] | None = None) -> None:
        """Gap records beyond the bounds of memory; what follows once they are on disk."""
        self._front.put(named, Written((), (), gaps), self._clock.now_us(), bounded=False)
        if then is not None:
            self._when_committed.append((self._front.next_seq - 1, then))

    def _settler(self, gap: Gap) -> Callable[[], None]:
        return lambda: self._ledger.settle_lost(gap)
