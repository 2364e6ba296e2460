"""A batch: the unit that is written, sent, stored and acknowledged. Columns, not rows."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

import msgspec

from shared.sample import Quality, Sample, Value

QUALITY_BITS = 0x03
HAS_NUMBER = 0x04
HAS_TEXT = 0x08
HAS_RAW_NUMBER = 0x10
HAS_RAW_TEXT = 0x20
HAS_SOURCE_TIME = 0x40


class Lane(IntEnum):
    """Live data overtakes a backlog; the backlog goes on beside it as history."""

    LIVE = 0
    HISTORY = 1


class ScanMark(msgspec.Struct, frozen=True, array_like=True):
    """A source was scanned well all through [from_us, to_us]: what did not change was seen not to."""

    source: int
    from_us: int
    to_us: int


class Gap(msgspec.Struct, frozen=True, array_like=True):
    """Data that is gone for good: the seqs [seq_from, seq_to] of a stream that it replaces.

    signals: indexes in the batch's dictionary; empty means every signal of the agent.
    from_us, to_us: half-open span of the lost samples. count: samples lost. reason: in plain words.
    """

    stream: bytes
    seq_from: int
    seq_to: int
    from_us: int
    to_us: int
    count: int
    reason: str
    signals: list[int] = []


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """A backlog is on its way for the half-open span [from_us, to_us)."""

    from_us: int
    to_us: int


@dataclass(slots=True)
class Batch:
    """Columns of samples, and the records that travel with them.

    times: int64 microseconds UTC. signals: uint32 indexes. flags: quality in the two low bits, and
    which of the sparse columns the row has a place in. numbers, raw_numbers: float64. texts,
    raw_texts: uint32 indexes into strings. source_times: int64.
    """

    dictionary: bytes
    times: array[int] = field(default_factory=lambda: array("q"))
    signals: array[int] = field(default_factory=lambda: array("I"))
    flags: bytearray = field(default_factory=bytearray)
    numbers: array[float] = field(default_factory=lambda: array("d"))
    texts: array[int] = field(default_factory=lambda: array("I"))
    raw_numbers: array[float] = field(default_factory=lambda: array("d"))
    raw_texts: array[int] = field(default_factory=lambda: array("I"))
    source_times: array[int] = field(default_factory=lambda: array("q"))
    strings: list[str] = field(default_factory=list)
    marks: list[ScanMark] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.times)


def batch_of(
    dictionary: bytes,
    samples: Iterable[Sample],
    marks: Iterable[ScanMark] = (),
    gaps: Iterable[Gap] = (),
    pending: Iterable[Pending] = (),
) -> Batch:
    """Columns of samples, in the order given. A NUL in a text becomes U+FFFD: no database keeps it."""
    batch = Batch(dictionary, marks=list(marks), gaps=list(gaps), pending=list(pending))
    places: dict[str, int] = {}

    def place(text: str) -> int:
        text = text.replace("\x00", "\ufffd")
        if text not in places:
            places[text] = len(batch.strings)
            batch.strings.append(text)
        return places[text]

    for sample in samples:
        flags = int(sample.quality)
        if isinstance(sample.value, str):
            flags |= HAS_TEXT
            batch.texts.append(place(sample.value))
        elif sample.value is not None:
            flags |= HAS_NUMBER
            batch.numbers.append(sample.value)
        if isinstance(sample.raw, str):
            flags |= HAS_RAW_TEXT
            batch.raw_texts.append(place(sample.raw))
        elif sample.raw is not None:
            flags |= HAS_RAW_NUMBER
            batch.raw_numbers.append(sample.raw)
        if sample.source_time_us is not None:
            flags |= HAS_SOURCE_TIME
            batch.source_times.append(sample.source_time_us)
        batch.times.append(sample.time_us)
        batch.signals.append(sample.signal)
        batch.flags.append(flags)
    return batch


def samples_of(batch: Batch) -> Iterator[Sample]:
    """The rows of a batch again, in their order; for tools and tests, not for the fast path."""
    numbers, texts = iter(batch.numbers), iter(batch.texts)
    raw_numbers, raw_texts = iter(batch.raw_numbers), iter(batch.raw_texts)
    source_times = iter(batch.source_times)
    for time_us, signal, flags in zip(batch.times, batch.signals, batch.flags, strict=True):
        value: Value | None = None
        raw: Value | None = None
        if flags & HAS_NUMBER:
            value = next(numbers)
        elif flags & HAS_TEXT:
            value = batch.strings[next(texts)]
        if flags & HAS_RAW_NUMBER:
            raw = next(raw_numbers)
        elif flags & HAS_RAW_TEXT:
            raw = batch.strings[next(raw_texts)]
        source_time = next(source_times) if flags & HAS_SOURCE_TIME else None
        yield Sample(signal, time_us, value, Quality(flags & QUALITY_BITS), raw, source_time)
