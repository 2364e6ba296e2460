"""Bytes of a batch: a fixed front, then compressed columns. The format is in docs/wire.md.

The front is readable without decompressing anything: a receiver judges identity, sequence and size
first. Columns of eight-byte numbers are laid out plane by plane (all first bytes, all second bytes, ...),
times as differences, because zstd at level 1 then needs about half.
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from array import array
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Annotated, Any

import msgspec
import zstandard

from shared.batch import (
    HAS_NUMBER,
    HAS_RAW_NUMBER,
    HAS_RAW_TEXT,
    HAS_SOURCE_TIME,
    HAS_TEXT,
    QUALITY_BITS,
    Batch,
    Gap,
    Lane,
    Pending,
    ScanMark,
)
from shared.errors import WireError
from shared.unpacking import decompressed

VERSION = 1
MAX_ROWS = 65_536
MAX_LENGTH = 8 * 1024 * 1024
MAX_MESSAGE = 4 * 1024 * 1024
MAX_RATIO = 250
MAX_RECORDS = 10_000
MAX_TIME_US = 1 << 61

_MAGIC = b"PL"
_FRONT = struct.Struct(">2sBBBx16s16s16s16sQII")
FRONT_BYTES = _FRONT.size
_CRC_AT = FRONT_BYTES - 4
_STORED, _ZSTD = 0, 1
_LITTLE = sys.byteorder == "little"


@dataclass(frozen=True, slots=True)
class Front:
    """What a message says of itself before anything is unpacked.

    stream, seq: which batch it is, for ever. instance, start: who sends it now.
    dictionary: hash of the dictionary its indexes mean. length: bytes of the unpacked columns.
    """

    lane: Lane
    packing: int
    stream: bytes
    instance: bytes
    start: bytes
    dictionary: bytes
    seq: int
    length: int


class _Columns(msgspec.Struct, array_like=True):
    rows: int
    times: bytes
    signals: bytes
    flags: bytes
    numbers: bytes
    texts: bytes
    raw_numbers: bytes
    raw_texts: bytes
    source_times: bytes
    strings: Annotated[list[str], msgspec.Meta(max_length=2 * MAX_ROWS)]
    marks: Annotated[list[ScanMark], msgspec.Meta(max_length=MAX_RECORDS)]
    gaps: Annotated[list[Gap], msgspec.Meta(max_length=MAX_RECORDS)]
    pending: Annotated[list[Pending], msgspec.Meta(max_length=MAX_RECORDS)]


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch as bytes, not yet numbered."""

    dictionary: bytes
    packing: int
    length: int
    payload: bytes


def pack(batch: Batch) -> Packed:
    """The columns of a batch as bytes.

    Raises ValueError for more than MAX_ROWS rows, a number that is not finite or a time out of range:
    the caller splits or mends before anything is numbered.
    """
    _refuse_what_cannot_travel(batch)
    body = msgspec.msgpack.encode(
        _Columns(
            rows=len(batch),
            times=_planes(_differences(batch.times)),
            signals=_planes(batch.signals),
            flags=bytes(batch.flags),
            numbers=_planes(batch.numbers),
            texts=_planes(batch.texts),
            raw_numbers=_planes(batch.raw_numbers),
            raw_texts=_planes(batch.raw_texts),
            source_times=_planes(_differences(batch.source_times)),
            strings=batch.strings,
            marks=batch.marks,
            gaps=batch.gaps,
            pending=batch.pending,
        )
    )
    if len(body) > MAX_LENGTH:
        raise ValueError(f"batch of {len(body)} bytes, at most {MAX_LENGTH}: split it")
    payload = zstandard.ZstdCompressor(level=1).compress(body)
    if len(payload) * MAX_RATIO < len(body) or len(payload) >= len(body):
        return Packed(batch.dictionary, _STORED, len(body), body)
    return Packed(batch.dictionary, _ZSTD, len(body), payload)


def message(packed: Packed, *, lane: Lane, stream: bytes, seq: int, instance: bytes, start: bytes) -> bytes:
    """The whole message of a numbered batch. Raises ValueError beyond MAX_MESSAGE."""
    front = Front(lane, packed.packing, stream, instance, start, packed.dictionary, seq, packed.length)
    if FRONT_BYTES + len(packed.payload) > MAX_MESSAGE:
        raise ValueError(
            f"message of {FRONT_BYTES + len(packed.payload)} bytes, at most {MAX_MESSAGE}: split it"
        )
    return _sealed(front, packed.payload)


def readdressed(message: bytes, *, lane: Lane, instance: bytes, start: bytes) -> bytes:
    """The same batch, sent by another run or on another lane: stream, seq and columns stay."""
    front = replace(read_front(message), lane=lane, instance=instance, start=start)
    return _sealed(front, message[FRONT_BYTES:])


def read_front(message: bytes) -> Front:
    """Front of a message, with its check sum verified. Raises WireError."""
    if not FRONT_BYTES <= len(message) <= MAX_MESSAGE:
        raise WireError(f"message of {len(message)} bytes, {FRONT_BYTES} to {MAX_MESSAGE} allowed", "front")
    magic, version, lane, packing, stream, instance, start, dictionary, seq, length, crc = _FRONT.unpack_from(
        message
    )
    if magic != _MAGIC:
        raise WireError("not a batch (it does not begin with PL)", "front")
    if version != VERSION:
        raise WireError(f"batch of version {version}, this side reads {VERSION}", "front")
    if crc != _check_sum(message):
        raise WireError("check sum differs", "front")
    if lane not in (Lane.LIVE, Lane.HISTORY) or packing not in (_STORED, _ZSTD):
        raise WireError(f"lane {lane}, packing {packing}", "front")
    if seq >= 1 << 62:
        raise WireError(f"seq {seq}", "front")
    return Front(Lane(lane), packing, stream, instance, start, dictionary, seq, length)


def unpack(message: bytes) -> tuple[Front, Batch]:
    """Front and columns of a message, bounded in size, count and ratio. Raises WireError."""
    front = read_front(message)
    body = _body(front, message[FRONT_BYTES:])
    try:
        columns = msgspec.msgpack.decode(body, type=_Columns)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"columns cannot be read ({error})", "body") from error
    return front, _batch(front, columns)


def _sealed(front: Front, payload: bytes) -> bytes:
    head = _FRONT.pack(
        _MAGIC, VERSION, front.lane, front.packing, front.stream, front.instance, front.start,
        front.dictionary, front.seq, front.length, 0,
    )  # fmt: skip
    unsealed = head + payload
    return head[:_CRC_AT] + _check_sum(unsealed).to_bytes(4, "big") + payload


def _check_sum(message: bytes) -> int:
    return zlib.crc32(memoryview(message)[FRONT_BYTES:], zlib.crc32(memoryview(message)[:_CRC_AT]))


def _body(front: Front, payload: bytes) -> bytes:
    if front.length > MAX_LENGTH:
        raise WireError(f"columns of {front.length} bytes, at most {MAX_LENGTH}", "front")
    if front.packing == _STORED:
        if len(payload) != front.length:
            raise WireError(f"{len(payload)} bytes follow, {front.length} announced", "body")
        return payload
    if front.length > len(payload) * MAX_RATIO:
        raise WireError(
            f"{len(payload)} bytes claim to hold {front.length}: more than {MAX_RATIO} to 1", "front"
        )
    body = decompressed(payload, front.length)
    if len(body) != front.length:
        raise WireError(f"{len(body)} bytes, {front.length} announced", "body")
    return body


def _batch(front: Front, columns: _Columns) -> Batch:
    rows, flags = columns.rows, columns.flags
    if not 0 <= rows <= MAX_ROWS:
        raise WireError(f"{rows} rows, at most {MAX_ROWS}", "rows")
    if len(flags) != rows:
        raise WireError(f"{len(flags)} flags for {rows} rows", "flags")
    count = {bit: _how_many(flags, bit) for bit in _SPARSE}
    batch = Batch(
        front.dictionary,
        times=_accumulated(_from_planes("q", columns.times, rows, "times"), "times"),
        signals=_from_planes("I", columns.signals, rows, "signals"),
        flags=bytearray(flags),
        numbers=_from_planes("d", columns.numbers, count[HAS_NUMBER], "numbers"),
        texts=_from_planes("I", columns.texts, count[HAS_TEXT], "texts"),
        raw_numbers=_from_planes("d", columns.raw_numbers, count[HAS_RAW_NUMBER], "raw_numbers"),
        raw_texts=_from_planes("I", columns.raw_texts, count[HAS_RAW_TEXT], "raw_texts"),
        source_times=_accumulated(
            _from_planes("q", columns.source_times, count[HAS_SOURCE_TIME], "source_times"), "source_times"
        ),
        strings=columns.strings,
        marks=columns.marks,
        gaps=columns.gaps,
        pending=columns.pending,
    )
    _refuse_nonsense(batch)
    return batch


_SPARSE = (HAS_NUMBER, HAS_TEXT, HAS_RAW_NUMBER, HAS_RAW_TEXT, HAS_SOURCE_TIME)
_TABLES = {bit: bytes(1 if flags & bit else 0 for flags in range(256)) for bit in _SPARSE}
_WRONG = bytes(
    1
    if flags & QUALITY_BITS == 3
    or flags & 0x80
    or flags & (HAS_NUMBER | HAS_TEXT) == HAS_NUMBER | HAS_TEXT
    or flags & (HAS_RAW_NUMBER | HAS_RAW_TEXT) == HAS_RAW_NUMBER | HAS_RAW_TEXT
    else 0
    for flags in range(256)
)


def _how_many(flags: bytes, bit: int) -> int:
    return flags.translate(_TABLES[bit]).count(1)


def _refuse_nonsense(batch: Batch) -> None:
    if batch.flags.translate(_WRONG).count(1):
        raise WireError("a row has two values, or a quality that is none", "flags")
    for name, places in (("texts", batch.texts), ("raw_texts", batch.raw_texts)):
        if places and max(places) >= len(batch.strings):
            raise WireError(f"text {max(places)} of {len(batch.strings)}", name)
    if any("\x00" in text for text in batch.strings):
        raise WireError("a text holds a NUL", "strings")
    try:
        _refuse_what_cannot_travel(batch)
    except ValueError as error:
        raise WireError(str(error), "columns") from error
    for mark in batch.marks:
        if not -MAX_TIME_US < mark.from_us <= mark.to_us < MAX_TIME_US:
            raise WireError("a scan mark ends before it begins", "marks")
    for gap in batch.gaps:
        if len(gap.stream) != 16 or not 0 <= gap.seq_from <= gap.seq_to < 1 << 62 or gap.from_us > gap.to_us:
            raise WireError("a gap record has no stream, range or span", "gaps")
        if "\x00" in gap.reason or not -MAX_TIME_US < gap.from_us <= gap.to_us < MAX_TIME_US:
            raise WireError("a gap record is out of range", "gaps")
    for pending in batch.pending:
        if not -MAX_TIME_US < pending.from_us <= pending.to_us < MAX_TIME_US:
            raise WireError("a pending record ends before it begins", "pending")


def _refuse_what_cannot_travel(batch: Batch) -> None:
    if len(batch) > MAX_ROWS:
        raise ValueError(f"{len(batch)} rows, at most {MAX_ROWS}: split the batch")
    if max(len(batch.marks), len(batch.gaps), len(batch.pending)) > MAX_RECORDS:
        raise ValueError(f"more than {MAX_RECORDS} records of a kind: split the batch")
    if not math.isfinite(sum(batch.numbers)) and not all(map(math.isfinite, batch.numbers)):
        raise ValueError("a number is not finite: give it as raw, with bad quality and no value")
    for times in (batch.times, batch.source_times):
        if times and not -MAX_TIME_US < min(times) <= max(times) < MAX_TIME_US:
            raise ValueError("a time is out of range")


def _differences(times: array[int]) -> array[int]:
    if not times:
        return times
    return array("q", [times[0], *map(int.__sub__, times[1:], times[:-1])])


def _accumulated(differences: array[int], where: str) -> array[int]:
    try:
        return array("q", accumulate(differences))
    except OverflowError as error:
        raise WireError("times run out of range", where) from error


def _planes(column: array[int] | array[float]) -> bytes:
    """Little-endian bytes of a column, all first bytes first, then all second bytes, and so on."""
    data = column.tobytes() if _LITTLE else _swapped(column).tobytes()
    return b"".join(data[plane :: column.itemsize] for plane in range(column.itemsize))


def _from_planes(code: str, data: bytes, rows: int, where: str) -> array[Any]:
    column: array[Any] = array(code)
    if len(data) != rows * column.itemsize:
        raise WireError(f"{len(data)} bytes for {rows} rows", where)
    woven = bytearray(len(data))
    for plane in range(column.itemsize):
        woven[plane :: column.itemsize] = data[plane * rows : (plane + 1) * rows]
    column.frombytes(bytes(woven))
    return column if _LITTLE else _swapped(column)


def _swapped(column: array[Any]) -> array[Any]:
    copy = column[:]
    copy.byteswap()
    return copy
