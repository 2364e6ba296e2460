"""All segments of the buffer on disk: found again at start, read, settled, deleted.

Memory is bounded by the number of segments: offsets of records are kept for a few segments only and found
again by reading a segment when needed.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from edge_agent.adapters.buffer_contents import (
    SUFFIX,
    Segment,
    believed,
    empty_segment,
    name_of,
    summary_bytes,
)
from edge_agent.adapters.buffer_files import File, Files, set_aside
from edge_agent.adapters.buffer_segment import (
    HEADER_BYTES,
    RECORD_BYTES,
    SUMMARY_END_BYTES,
    Found,
    Offsets,
    Scan,
    Summary,
    header,
    record_at,
    scan,
    summary_length,
    summary_of,
)
from edge_agent.core.seqs import Seqs
from shared.batch import Lane
from shared.codec import MAX_MESSAGE

_REPAIRED = ".repaired"
_OFFSETS_KEPT = 8
_READ_BYTES = 64 * 1024
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Read:
    """A record with its message."""

    seq: int
    rows: int
    oldest_us: int
    newest_us: int
    lane: Lane
    message: bytes


class Shelf:
    """The segments in the order of their ordinals.

    torn_bytes, set_aside, repairs: what was found broken, for health. Raises OSError from the file layer,
    except where a single record cannot be read: then its segment is repaired and the record is missing.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self.segments: dict[int, Segment] = {}
        self._by_stream: dict[bytes, dict[int, Segment]] = {}
        self.torn_bytes = 0
        self.set_aside = 0
        self.repairs = 0
        self._offsets: OrderedDict[int, Offsets] = OrderedDict()
        self._open: dict[int, File] = {}

    def load(self) -> None:
        """Find all segments again: cut torn tails, repair what is damaged, set aside what is unreadable.

        A finished segment is believed by its summary; damage in it is found when it is read.
        """
        names = self.files.names()
        self.set_aside = sum(name.endswith(".bad") for name in names)
        self._finish_repairs(names)
        for name in self.files.names():
            if name.endswith(SUFFIX):
                self._load(int(name.removesuffix(SUFFIX)))

    def next_ordinal(self) -> int:
        """Higher than all before."""
        return max(self.segments, default=0) + 1

    def bytes_used(self) -> int:
        """Of all segments, preallocated room included."""
        return sum(segment.size for segment in self.segments.values())

    def of_stream(self, stream: bytes) -> list[Segment]:
        """Segments of a stream, oldest first."""
        return list(self._by_stream.get(stream, {}).values())

    def streams(self) -> list[bytes]:
        """Streams on disk, oldest first."""
        return [stream for stream, own in self._by_stream.items() if any(each.seqs for each in own.values())]

    def present(self, stream: bytes) -> Seqs:
        """The seqs of a stream that are on disk."""
        return Seqs.of(each for segment in self.of_stream(stream) for each in segment.seqs.ranges)

    def newest_us(self, stream: bytes) -> int | None:
        """The newest stamp of a stream; None where nothing of it is on disk."""
        return max((each.newest_us for each in self.of_stream(stream) if each.seqs), default=None)

    def read(self, segment: Segment, seq: int) -> Read | None:
        """A record of a segment, or None where it is gone or damaged.

        A damaged segment is repaired then, unless it is being written.
        """
        held = self.segments.get(segment.ordinal)
        if held is None or seq not in held.seqs:
            return None
        offset = self._offset(held, seq)
        content = self._bytes_at(held, offset) if offset is not None else b""
        found = record_at(content, 0)
        if found is None or found.front.seq != seq:
            _log.error("record %d of %s cannot be read", seq, held.name)
            if not held.current:
                self.repair(held)
            return None
        message = content[RECORD_BYTES : found.size]
        return Read(seq, found.rows, found.oldest_us, found.newest_us, found.front.lane, message)

    def find(self, stream: bytes, first: int, last: int) -> Iterator[Read]:
        """What is on disk of a range, in order, each seq once."""
        after = first - 1
        for segment in self.of_stream(stream):
            for since, to in list(segment.seqs.within(max(first, after + 1), last)):
                for seq in range(max(since, after + 1), to + 1):
                    if (found := self.read(segment, seq)) is not None:
                        after = seq
                        yield found

    def delete(self, segment: Segment) -> None:
        """Delete a segment's file; its name may come back after a power cut until names are synchronised."""
        self.forget(segment)
        self.files.unlink(segment.name)

    def place(self, segment: Segment) -> None:
        """A segment that is new, or that takes the place of the one of its ordinal."""
        own = self._by_stream.setdefault(segment.stream, {})
        own[segment.ordinal] = self.segments[segment.ordinal] = segment
        for index in (own, self.segments):
            if segment.ordinal < next(reversed(index)):
                ordered = sorted(index.items())
                index.clear()
                index.update(ordered)

    def forget(self, segment: Segment) -> None:
        """A segment whose file is gone or about to go."""
        self.let_go(segment.ordinal)
        self.segments.pop(segment.ordinal, None)
        own = self._by_stream.get(segment.stream, {})
        own.pop(segment.ordinal, None)
        if not own:
            self._by_stream.pop(segment.stream, None)

    def let_go(self, ordinal: int) -> None:
        """Close the file and forget the offsets of a segment."""
        self._offsets.pop(ordinal, None)
        if (file := self._open.pop(ordinal, None)) is not None:
            file.close()

    def close(self) -> None:
        """Close all files."""
        for ordinal in list(self._open):
            self.let_go(ordinal)

    def remember(self, segment: Segment, founds: list[Found]) -> None:
        """Records that were just written to the current segment and synchronised."""
        if segment.ordinal in self._offsets:
            self._offsets[segment.ordinal].add(founds)
        elif not segment.seqs:
            self._keep_offsets(segment.ordinal, Offsets(founds))
        segment.add(founds)

    def repair(self, segment: Segment) -> None:
        """Write what is good of a damaged segment anew; keep the old file as NAME.bad."""
        self.let_go(segment.ordinal)
        content = self._content(segment.name)
        result = scan(content)
        self._rewrite(segment.ordinal, segment.stream, content, result)
        self._enter(segment.ordinal, result, result.end)

    def _load(self, ordinal: int) -> None:
        name = name_of(ordinal)
        if (summary := self._summary(name)) is not None:
            self.place(believed(ordinal, summary))
            return
        content = self._content(name)
        result = scan(content)
        if not result.found:
            if content.strip(b"\0") and (result.stream is None or result.torn):
                self._put_aside(name, "holds no record that can be read")
            else:
                self.files.unlink(name)
            return
        if result.damaged and result.stream is not None:
            _log.error("segment %s is damaged: its good records are written anew, the file is kept", name)
            self._rewrite(ordinal, result.stream, content, result)
        elif len(content) > result.end:
            self._cut(name, result)
        self._enter(ordinal, result, result.end)
        self._finish(self.segments[ordinal])

    def _summary(self, name: str) -> Summary | None:
        file = self.files.open(name)
        try:
            size = file.size()
            length = summary_length(file.read(max(0, size - SUMMARY_END_BYTES), SUMMARY_END_BYTES))
            return summary_of(file.read(size - length, length), size) if 0 < length <= size else None
        except OSError as error:
            _log.error("the summary of %s cannot be read: %s", name, error)
            return None
        finally:
            file.close()

    def _finish(self, segment: Segment) -> None:
        """A summary for a segment that a power cut or a repair left without one."""
        file = self.files.open(segment.name)
        try:
            file.write(segment.end, summary_bytes(segment))
            file.sync()
        except OSError as error:
            _log.warning("segment %s stays without a summary: %s", segment.name, error)
        finally:
            file.close()

    def _cut(self, name: str, result: Scan) -> None:
        if result.torn:
            self.torn_bytes += result.torn
            _log.warning(
                "segment %s ends torn: %d bytes that were never committed are cut", name, result.torn
            )
        file = self.files.open(name)
        try:
            file.resize(result.end)
            file.sync()
        except OSError as error:
            _log.warning("segment %s keeps its tail: %s", name, error)
        finally:
            file.close()

    def _enter(self, ordinal: int, result: Scan, size: int) -> None:
        assert result.stream is not None
        segment = empty_segment(ordinal, result.stream)
        segment.add(result.found)
        segment.size = size
        self.place(segment)

    def _rewrite(self, ordinal: int, stream: bytes, content: bytes, result: Scan) -> None:
        """Good records into a new file, synchronised before it takes the place of the damaged one."""
        name, repaired = name_of(ordinal), f"{name_of(ordinal)}{_REPAIRED}"
        if repaired in self.files.names():
            self.files.unlink(repaired)
        at, parts, moved = HEADER_BYTES, [header(stream, ordinal, 0)], []
        for found in result.found:
            parts.append(content[found.offset : found.offset + found.size])
            moved.append(replace(found, offset=at))
            at += found.size
        file = self.files.create(repaired)
        try:
            file.write(0, b"".join(parts))
            file.sync()
        finally:
            file.close()
        self.files.sync_names()
        self._put_aside(name, "is damaged")
        self.files.rename(repaired, name)
        self.files.sync_names()
        result.found, result.end = moved, at
        self.repairs += 1

    def _finish_repairs(self, names: list[str]) -> None:
        for name in names:
            if not name.endswith(_REPAIRED):
                continue
            original = name.removesuffix(_REPAIRED)
            if original in names:
                self.files.unlink(name)
            else:
                self.files.rename(name, original)
                self.files.sync_names()

    def _put_aside(self, name: str, why: str) -> None:
        aside = set_aside(self.files, name)
        self.set_aside += 1
        _log.error("segment %s %s: kept as %s", name, why, aside)

    def _content(self, name: str) -> bytes:
        """A whole file; blocks that the medium does not give back read as zeros."""
        file = self.files.open(name)
        try:
            return b"".join(_block(file, at) for at in range(0, file.size(), _READ_BYTES))
        finally:
            file.close()

    def _bytes_at(self, segment: Segment, offset: int) -> bytes:
        file = self._open.get(segment.ordinal)
        if file is None:
            while len(self._open) >= _OFFSETS_KEPT:
                self._open.pop(next(iter(self._open))).close()
            file = self._open[segment.ordinal] = self.files.open(segment.name)
        try:
            head = file.read(offset, RECORD_BYTES)
            length = int.from_bytes(head[4:8], "big")
            return head + file.read(offset + RECORD_BYTES, min(length, MAX_MESSAGE))
        except OSError as error:
            _log.error("%s cannot be read at %d: %s", segment.name, offset, error)
            return b""

    def _offset(self, segment: Segment, seq: int) -> int | None:
        if segment.ordinal not in self._offsets:
            self._keep_offsets(segment.ordinal, Offsets(scan(self._content(segment.name)).found))
        self._offsets.move_to_end(segment.ordinal)
        return self._offsets[segment.ordinal].find(seq)

    def _keep_offsets(self, ordinal: int, offsets: Offsets) -> None:
        self._offsets[ordinal] = offsets
        while len(self._offsets) > _OFFSETS_KEPT:
            self._offsets.popitem(last=False)


def _block(file: File, at: int) -> bytes:
    length = min(_READ_BYTES, file.size() - at)
    try:
        return file.read(at, length)
    except OSError as error:
        _log.error("%d bytes at %d cannot be read: %s", length, at, error)
        return bytes(length)
