"""The bounded memory in front of the disk: batches split to size, numbered, not yet committed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from edge_agent.adapters.buffer_segment import RECORD_BYTES, Record
from edge_agent.ports import Written
from shared import codec
from shared.batch import Lane, batch_of
from shared.codec import FRONT_BYTES, Packed


class Front:
    """Batches of one stream between put and commit; seqs rise by one from 1 and are never given twice."""

    def __init__(self, stream: bytes, instance: bytes, *, max_bytes: int, max_message: int) -> None:
        self._stream = stream
        self._instance = instance
        self._max_bytes = max_bytes
        self._max_payload = min(max_message, codec.MAX_MESSAGE) - FRONT_BYTES
        self._waiting: deque[Record] = deque()
        self.next_seq = 1
        self.size = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, dictionary: bytes, written: Written, now_us: int, *, bounded: bool = True) -> bool:
        """Number and keep a batch, split where it is too large; False when there is no room.

        Raises ValueError for what cannot travel (shared.codec.pack). Nothing is numbered then.
        """
        parts = list(_parts(dictionary, written, self._max_payload))
        size = sum(RECORD_BYTES + FRONT_BYTES + len(packed.payload) for _, packed in parts)
        if bounded and self.size + size > self._max_bytes:
            return False
        for part, packed in parts:
            self._number(part, packed, now_us)
        return True

    def head(self, room: int) -> list[Record]:
        """The oldest batches that fit into room bytes together; they stay until ``done``."""
        taken: list[Record] = []
        for record in self._waiting:
            room -= record.size
            if room < 0:
                break
            taken.append(record)
        return taken

    def done(self, count: int) -> None:
        """The oldest ``count`` batches are committed."""
        for _ in range(count):
            self.size -= self._waiting.popleft().size

    def _number(self, part: Written, packed: Packed, now_us: int) -> None:
        message = codec.message(
            packed, lane=Lane.LIVE, stream=self._stream, seq=self.next_seq, instance=self._instance,
            start=self._stream,
        )  # fmt: skip
        oldest_us, newest_us = span_of(part, now_us)
        record = Record(self.next_seq, len(part.samples), oldest_us, newest_us, message, bool(part.gaps))
        self._waiting.append(record)
        self.size += record.size
        self.next_seq += 1


def span_of(written: Written, now_us: int) -> tuple[int, int]:
    """Oldest and newest instant that a batch tells of; records without samples or marks are of now."""
    times = [sample.time_us for sample in written.samples]
    times.extend(mark.to_us for mark in written.marks)
    return (min(times), max(times)) if times else (now_us, now_us)


def _parts(dictionary: bytes, written: Written, max_payload: int) -> Iterator[tuple[Written, Packed]]:
    """A batch in as few parts as fit. Marks go with the last part: they vouch for all the samples."""
    if len(written.samples) <= codec.MAX_ROWS:
        packed = codec.pack(
            batch_of(dictionary, written.samples, written.marks, written.gaps, written.pending)
        )
        if len(packed.payload) <= max_payload:
            yield written, packed
            return
    for part in _halves(written):
        yield from _parts(dictionary, part, max_payload)


def _halves(written: Written) -> Iterable[Written]:
    middle = len(written.samples) // 2
    if middle:
        first, last = written.samples[:middle], written.samples[middle:]
        return (
            Written(first, (), written.gaps, written.pending),
            Written(last, written.marks),
        )
    return _records_apart(written)


def _records_apart(written: Written) -> Sequence[Written]:
    """One sample at most, and too many records: each kind on its own, then each half of a kind."""
    kinds = [
        Written(written.samples) if written.samples else None,
        Written((), (), written.gaps) if written.gaps else None,
        Written((), (), (), written.pending) if written.pending else None,
        Written((), written.marks) if written.marks else None,
    ]
    found = [kind for kind in kinds if kind is not None]
    if len(found) > 1:
        return found
    count = len(written.gaps) + len(written.pending) + len(written.marks)
    if count < 2:
        raise ValueError("one sample or record alone is larger than a message may be: shorten its text")
    half = count // 2
    return (
        Written((), written.marks[:half], written.gaps[:half], written.pending[:half]),
        Written((), written.marks[half:], written.gaps[half:], written.pending[half:]),
    )
