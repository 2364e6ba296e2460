"""The bytes of a segment: a header, then records, then zeros up to the size of the file.

Header, 64 bytes: magic ``PLSG``, version 1, three zeros, stream(16), ordinal(u64), time made (i64), CRC-32
of these 40 bytes, zeros. Record: ``A5 50 4C 52``, length(u32), rows(u32; its top bit: carries gap records),
oldest(i64), newest(i64), CRC-32 of these 28 bytes, then a message of shared.codec of that length, which has
a check sum of its own. A segment that is finished ends with a summary instead of zeros, so that it need not
be read whole at the next start: MessagePack, its CRC-32, its length(u32), ``PLSM``.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from shared.codec import MAX_MESSAGE, Front, read_front
from shared.errors import WireError

HEADER_BYTES = 64
_HEADER = struct.Struct(">4sB3x16sQq")
_MAGIC, _VERSION = b"PLSG", 1
_RECORD = struct.Struct(">4sIIqqI")
RECORD_BYTES = _RECORD.size
_MARKER = b"\xa5PLR"
_CARRIES = 1 << 31
_SUMMARY = b"PLSM"
SUMMARY_END_BYTES = 12


@dataclass(frozen=True, slots=True)
class Record:
    """One batch as it is to be written. oldest_us, newest_us: of what it tells. carries: gap records."""

    seq: int
    rows: int
    oldest_us: int
    newest_us: int
    message: bytes
    carries: bool = False

    @property
    def size(self) -> int:
        return RECORD_BYTES + len(self.message)


@dataclass(frozen=True, slots=True)
class Found:
    """A good record of a file, without its message."""

    offset: int
    size: int
    front: Front
    rows: int
    oldest_us: int
    newest_us: int
    carries: bool


@dataclass(slots=True)
class Scan:
    """What a file holds. stream: by its header, or else by its first record; None for neither.

    end: behind the last good record. damaged: something unreadable stands before it, or the header does
    not hold. torn: bytes behind it that are not zero.
    """

    stream: bytes | None = None
    ordinal: int = 0
    found: list[Found] = field(default_factory=list)
    end: int = HEADER_BYTES
    damaged: bool = False
    torn: int = 0


class Summary(msgspec.Struct, frozen=True, array_like=True):
    """What a finished segment holds. end: where the summary begins. ranges: inclusive seqs.

    carriers: seqs of batches that carry gap records.
    """

    stream: bytes
    end: int
    ranges: list[tuple[int, int]]
    rows: int
    oldest_us: int
    newest_us: int
    dictionaries: list[bytes]
    carriers: list[int]


def encoded_summary(summary: Summary) -> bytes:
    """A summary as it stands behind the last record."""
    body = msgspec.msgpack.encode(summary)
    return body + zlib.crc32(body).to_bytes(4, "big") + len(body).to_bytes(4, "big") + _SUMMARY


def summary_length(tail: bytes) -> int:
    """Bytes of the summary that ends with these last bytes of a file; 0 where there is none."""
    if len(tail) < SUMMARY_END_BYTES or not tail.endswith(_SUMMARY):
        return 0
    return int.from_bytes(tail[-8:-4], "big") + SUMMARY_END_BYTES


def summary_of(tail: bytes, size: int) -> Summary | None:
    """The summary that ends a file of this size, given its last bytes; None where none holds."""
    length = summary_length(tail)
    if not length or length > len(tail):
        return None
    body = tail[-length:-SUMMARY_END_BYTES]
    if zlib.crc32(body).to_bytes(4, "big") != tail[-12:-8]:
        return None
    try:
        summary = msgspec.msgpack.decode(body, type=Summary)
    except msgspec.MsgspecError:
        return None
    return summary if summary.end + length == size and summary.ranges else None


class Offsets:
    """Where the records of a segment stand: seqs rising, 12 bytes a record."""

    def __init__(self, founds: Iterable[Found]) -> None:
        self._seqs = array("Q")
        self._places = array("I")
        self.add(founds)

    def add(self, founds: Iterable[Found]) -> None:
        """More records, behind those that are known."""
        for found in founds:
            if not self._seqs or found.front.seq > self._seqs[-1]:
                self._seqs.append(found.front.seq)
                self._places.append(found.offset)

    def find(self, seq: int) -> int | None:
        """Offset of a record, or None where the segment does not hold it."""
        at = bisect_left(self._seqs, seq)
        return self._places[at] if at < len(self._seqs) and self._seqs[at] == seq else None


def header(stream: bytes, ordinal: int, now_us: int) -> bytes:
    """The first 64 bytes of a segment."""
    head = _HEADER.pack(_MAGIC, _VERSION, stream, ordinal, now_us)
    return (head + zlib.crc32(head).to_bytes(4, "big")).ljust(HEADER_BYTES, b"\0")


def encoded(record: Record) -> bytes:
    """A record as it stands in a segment."""
    rows = record.rows | (_CARRIES if record.carries else 0)
    length = len(record.message)
    head = _RECORD.pack(_MARKER, length, rows, record.oldest_us, record.newest_us, 0)[:-4]
    return head + zlib.crc32(head).to_bytes(4, "big") + record.message


def scan(content: bytes) -> Scan:
    """Find every good record of a file, also behind a damaged place."""
    result = Scan()
    if (summary := summary_of(content, len(content))) is not None:
        content = content[: summary.end]
    _read_header(content, result)
    at, end = HEADER_BYTES, len(content.rstrip(b"\0"))
    while at < end:
        found = record_at(content, at)
        if found is None:
            nearest = content.find(_MARKER, at + 1)
            at = nearest if nearest >= 0 else end
            continue
        if at > result.end:
            result.damaged = True
        result.found.append(found)
        at = result.end = at + found.size
    result.torn = max(0, end - result.end)
    if result.stream is None and result.found:
        result.stream, result.damaged = result.found[0].front.stream, True
    return result


def record_at(content: bytes, at: int) -> Found | None:
    """The record at an offset, or None where there is no good one."""
    head = content[at : at + RECORD_BYTES]
    if len(head) < RECORD_BYTES or not head.startswith(_MARKER):
        return None
    _, length, rows, oldest_us, newest_us, crc = _RECORD.unpack(head)
    if crc != zlib.crc32(head[:-4]) or length > MAX_MESSAGE:
        return None
    try:
        front = read_front(content[at + RECORD_BYTES : at + RECORD_BYTES + length])
    except WireError:
        return None
    carries = bool(rows & _CARRIES)
    return Found(at, RECORD_BYTES + length, front, rows & ~_CARRIES, oldest_us, newest_us, carries)


def _read_header(content: bytes, result: Scan) -> None:
    head = content[: _HEADER.size]
    crc = content[_HEADER.size : _HEADER.size + 4]
    if len(head) < _HEADER.size or crc != zlib.crc32(head).to_bytes(4, "big"):
        return
    magic, version, stream, ordinal, _ = _HEADER.unpack(head)
    if magic == _MAGIC and version == _VERSION:
        result.stream, result.ordinal = stream, ordinal
