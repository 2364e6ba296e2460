"""What of the buffer is settled: acknowledged by the cloud, or given up with a gap record on disk.

The ledger is written lazily: losing its newest state costs only a repeated batch. It is always written
before a settled segment is deleted, so that a hole in a stream always means lost data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from edge_agent.adapters.buffer_contents import Segment
from edge_agent.adapters.buffer_shelf import Shelf
from edge_agent.adapters.buffer_state import load_settled, save_settled
from edge_agent.core.buffer_policy import Held, expired, merged
from edge_agent.core.seqs import Seqs
from shared.batch import Gap, Lane, Pending
from shared.codec import unpack

Open = tuple[bytes, int, int]
"""Stream, first and last seq of a run of batches that wait for an ack."""


class Ledger:
    """Settled seqs by stream, over the segments of a shelf. now_us: the wall clock."""

    def __init__(self, shelf: Shelf, stream: bytes, now_us: Callable[[], int]) -> None:
        self._shelf = shelf
        self._stream = stream
        self._now_us = now_us
        loaded = load_settled(shelf.files)
        self._known = loaded is not None
        self._settled, since = loaded if loaded is not None else ({}, {})
        self._told: dict[bytes, Seqs] = {}
        self._changed = False
        for segment in shelf.segments.values():
            if self._of(segment.stream).holds_range(segment.first, segment.last):
                segment.settled_us = since.get(segment.ordinal, now_us())

    def settle(self, stream: bytes, seqs: Seqs) -> None:
        """These are done with. Only what this disk has held can be settled."""
        top = max((segment.last for segment in self._shelf.of_stream(stream)), default=0)
        before = self._of(stream)
        news = [each for since, to in seqs.within(1, top) for each in before.missing(since, to)]
        if not news:
            return
        after = self._settled[stream] = Seqs.of([*before.ranges, *news])
        self._changed = True
        low, high = min(first for first, _ in news), max(last for _, last in news)
        for segment in self._shelf.of_stream(stream):
            touched = segment.settled_us is None and segment.first <= high and segment.last >= low
            if touched and _all_in(segment, after):
                segment.settled_us = self._now_us()

    def settle_lost(self, gap: Gap) -> None:
        """A gap record for lost batches is on disk."""
        before = self._of(gap.stream)
        self._settled[gap.stream] = before.with_range(gap.seq_from, gap.seq_to)
        self._changed = True

    def settled_on_disk(self, stream: bytes) -> list[tuple[int, int]]:
        """What is settled of a stream and not yet deleted."""
        settled = self._of(stream)
        return [each for present in self._shelf.present(stream).ranges for each in settled.within(*present)]

    def open_ranges(self, lane: Lane, live_from: int, after: tuple[bytes, int] | None) -> Iterator[Open]:
        """Runs of batches of a lane that are not settled, in order, after (stream, seq)."""
        streams = self._shelf.streams()
        if lane is Lane.LIVE:
            streams = [self._stream] if self._stream in streams else []
        if after is not None and after[0] in streams:
            streams = streams[streams.index(after[0]) :]
        for stream in streams:
            first = after[1] + 1 if after is not None and after[0] == stream else 1
            last = (1 << 62) - 1
            if stream == self._stream:
                first, last = (max(first, live_from), last) if lane is Lane.LIVE else (first, live_from - 1)
            yield from self._open_of(stream, first, last)

    def _open_of(self, stream: bytes, first: int, last: int) -> Iterator[Open]:
        for segment in self._shelf.of_stream(stream):
            if segment.current or segment.settled_us is None:
                for since, to in segment.seqs.within(first, last):
                    for low, high in list(self._of(stream).missing(since, to)):
                        yield stream, low, high
                        first = high + 1

    def pending(self, newest_us: int | None) -> list[tuple[bytes, Pending]]:
        """Each stream and its span that still waits for an ack; newest_us: of what is not committed yet."""
        spans = []
        for stream in dict.fromkeys([*self._shelf.streams(), self._stream]):
            opens = [each for each in self._shelf.of_stream(stream) if self._is_open(each)]
            ends = [segment.newest_us for segment in opens]
            starts = [segment.oldest_us for segment in opens[1:]]
            if opens:
                starts.append(self._first_open_us(opens[0]))
            if stream == self._stream and newest_us is not None:
                ends.append(newest_us)
                starts.append(newest_us)
            if starts:
                spans.append((stream, Pending(min(starts), max(ends) + 1)))
        return spans

    def depth(self) -> int:
        """Batches on disk that wait for an ack."""
        return sum(
            sum(
                to - since + 1 - self._of(stream).count(since, to)
                for since, to in self._shelf.present(stream).ranges
            )
            for stream in self._shelf.streams()
        )

    def bytes_open(self) -> int:
        """Bytes of segments that wait for an ack, each by its share of open batches."""
        total = 0.0
        for segment in self._shelf.segments.values():
            batches = sum(to - since + 1 for since, to in segment.seqs.ranges)
            if self._is_open(segment) and batches:
                settled = sum(self._of(segment.stream).count(*each) for each in segment.seqs.ranges)
                total += segment.end * (1 - settled / batches)
        return int(total)

    def held(self) -> list[Held]:
        """The segments as the policy sees them."""
        return [
            Held(each.ordinal, each.size, not self._is_open(each), each.settled_us, each.current)
            for each in self._shelf.segments.values()
        ]

    def expired(self, keep_us: int) -> list[Segment]:
        """Settled segments that have been kept for long enough."""
        return [self._shelf.segments[ordinal] for ordinal in expired(self.held(), self._now_us(), keep_us)]

    def gaps_of(self, segment: Segment, reason: str, dictionary: bytes) -> tuple[list[Gap], int]:
        """What is lost when a segment goes before the cloud has it, for a batch of that dictionary; rows.

        A record for each run of open batches, and the gap records that these batches carry.
        """
        gaps: list[Gap] = []
        for stream, first, last in self._opens_in(segment):
            if (first, last) == (segment.first, segment.last):
                rows, oldest_us, newest_us = segment.rows, segment.oldest_us, segment.newest_us
            else:
                rows, oldest_us, newest_us = self._measured(stream, first, last)
            gaps.append(Gap(stream, first, last, oldest_us, newest_us + 1, rows, reason))
        rows = sum(gap.count for gap in gaps)
        return merged([*gaps, *self._carried(segment, dictionary)]), rows

    def _carried(self, segment: Segment, dictionary: bytes) -> list[Gap]:
        """Gap records of open batches; indexes of another dictionary mean nothing, so then all signals."""
        gaps: list[Gap] = []
        for seq in segment.carriers:
            if seq in self._of(segment.stream):
                continue
            for read in self._shelf.find(segment.stream, seq, seq):
                front, batch = unpack(read.message)
                same = front.dictionary == dictionary
                gaps.extend(gap if same else msgspec.structs.replace(gap, signals=[]) for gap in batch.gaps)
        return gaps

    def holes(self) -> list[Gap]:
        """Batches that were on disk and can be read no more; each is told once."""
        gaps = []
        for stream in self._shelf.streams():
            present = self._shelf.present(stream)
            first = 1 if self._known else present.ranges[0][0]
            known = Seqs.of(
                [*present.ranges, *self._of(stream).ranges, *self._told.get(stream, Seqs()).ranges]
            )
            for low, high in list(known.missing(first, present.ranges[-1][1])):
                self._told[stream] = self._told.get(stream, Seqs()).with_range(low, high)
                gaps.append(self._hole(stream, low, high))
        return gaps

    def forget(self, segment: Segment) -> None:
        """A segment is deleted; of a stream that is gone from the disk nothing needs to be remembered."""
        self._changed = True
        if segment.stream != self._stream and not self._shelf.of_stream(segment.stream):
            self._settled.pop(segment.stream, None)
            self._told.pop(segment.stream, None)

    def save(self) -> None:
        """Write what changed since the last time. Raises OSError."""
        if not self._changed and self._known:
            return
        since = {
            each.ordinal: each.settled_us
            for each in self._shelf.segments.values()
            if each.settled_us is not None and not each.current
        }
        save_settled(self._shelf.files, self._settled, since)
        self._changed, self._known = False, True

    def _of(self, stream: bytes) -> Seqs:
        return self._settled.get(stream, Seqs())

    def _is_open(self, segment: Segment) -> bool:
        return bool(segment.seqs) and not _all_in(segment, self._of(segment.stream))

    def _opens_in(self, segment: Segment) -> list[Open]:
        settled = self._of(segment.stream)
        return [
            (segment.stream, low, high)
            for since, to in segment.seqs.ranges
            for low, high in settled.missing(since, to)
        ]

    def _first_open_us(self, segment: Segment) -> int:
        for stream, low, _ in self._opens_in(segment):
            for read in self._shelf.find(stream, low, low):
                return read.oldest_us
        return segment.oldest_us

    def _measured(self, stream: bytes, first: int, last: int) -> tuple[int, int, int]:
        rows, oldest_us, newest_us = 0, 1 << 60, -(1 << 60)
        for read in self._shelf.find(stream, first, last):
            rows += read.rows
            oldest_us, newest_us = min(oldest_us, read.oldest_us), max(newest_us, read.newest_us)
        return (rows, oldest_us, newest_us) if oldest_us <= newest_us else (0, 0, 0)

    def _hole(self, stream: bytes, low: int, high: int) -> Gap:
        """The span of lost batches is that between their neighbours; their count is not known any more."""
        before = [read.newest_us for read in self._shelf.find(stream, low - 1, low - 1)]
        behind = [read.oldest_us for read in self._shelf.find(stream, high + 1, high + 1)]
        edges = before + behind
        from_us, to_us = (min(edges), max(edges)) if edges else (0, 0)
        return Gap(stream, low, high, from_us, to_us + 1, 0, "damaged on the agent's disk")


def _all_in(segment: Segment, settled: Seqs) -> bool:
    return all(settled.holds_range(*each) for each in segment.seqs.ranges)
