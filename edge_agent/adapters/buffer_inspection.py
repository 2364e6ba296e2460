"""The durable buffer as it lies on disk, read without a lock and without changing a byte.

Safe while the agent runs: a file that it deletes meanwhile is left out, and what it is just writing is looked
at again before it is called torn.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from edge_agent.adapters.buffer_contents import SUFFIX
from edge_agent.adapters.buffer_files import checked
from edge_agent.adapters.buffer_segment import (
    HEADER_BYTES,
    RECORD_BYTES,
    SUMMARY_END_BYTES,
    Found,
    Scan,
    scan,
    summary_length,
    summary_of,
)
from edge_agent.adapters.buffer_stamps import STAMPS, Stamp
from edge_agent.adapters.buffer_state import INSTANCE, SETTLED, SettledFile
from edge_agent.adapters.buffer_totals import TOTALS
from edge_agent.core.seqs import Seqs
from edge_agent.errors import AgentError
from shared.batch import Batch
from shared.codec import unpack
from shared.dictionary import Dictionary
from shared.dictionary import unpack as unpack_dictionary
from shared.errors import WireError

_DICTIONARY = ".dictionary"
_LOOKS, _BETWEEN_LOOKS_S = 5, 0.2


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that cannot be read. place: file, or file and byte."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class _StampsFile(msgspec.Struct):
    streams: dict[str, Stamp] = {}


@dataclass(slots=True)
class SegmentFile:
    """One file of batches. finished: it ends with its summary. size: bytes, preallocated room included.

    found: its good records, where it was read whole. torn: bytes behind the last good record that were never
    committed, of a segment that is not finished.
    """

    path: Path
    stream: bytes
    found: list[Found]
    seqs: Seqs
    rows: int
    span_us: tuple[int, int] | None
    size: int
    finished: bool
    torn: int
    end: int
    damages: list[Damage] = field(default_factory=list)


@dataclass(slots=True)
class StreamView:
    """What the disk holds of one run of an agent. settled: acknowledged or given up, of what is there.

    oldest_us, newest_us: as stamped; stamp: how far that is off, None where it is right.
    """

    stream: bytes
    stamp: Stamp | None = None
    segments: int = 0
    size: int = 0
    batches: int = 0
    rows: int = 0
    oldest_us: int | None = None
    newest_us: int | None = None
    seqs: Seqs = field(default_factory=Seqs)
    settled: int = 0

    @property
    def open(self) -> int:
        """Batches that wait for the cloud's ack."""
        return self.batches - self.settled


class BufferFolder:
    """Raises AgentError where the folder holds no buffer, or cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.names = sorted(path.name for path in folder.iterdir())
        except OSError as error:
            mend = "give the config, or the folder that its buffer.path names; run as the agent's user"
            raise AgentError(f"no buffer can be read ({error.strerror})", str(folder), mend) from None

    @property
    def set_aside(self) -> list[str]:
        """Files that the agent found damaged and kept; their good records were written anew."""
        return [name for name in self.names if name.endswith(".bad")]

    def segments(self, *, whole: bool = True) -> Iterator[SegmentFile]:
        """Every segment, oldest first, one at a time in memory. whole False: finished ones are believed by
        their summary, of which only the end of the file is read.
        """
        for name in self.names:
            if name.endswith(SUFFIX):
                path = self.folder / name
                segment = (None if whole else _summarised(path)) or self._segment(path)
                if segment is not None:
                    yield segment

    def settled(self) -> dict[bytes, Seqs]:
        """Seqs by stream that need not be sent again."""
        content = self._whole(SETTLED)
        try:
            kept = msgspec.json.decode(content or b"", type=SettledFile)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return {}
        return {bytes.fromhex(stream): Seqs.of(ranges) for stream, ranges in kept.streams.items()}

    def stamps(self) -> dict[bytes, Stamp]:
        """Streams that were stamped by a clock that could not be believed, and by how much they are off."""
        try:
            kept = msgspec.json.decode(self._whole(STAMPS) or b"{}", type=_StampsFile)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return {}
        return {bytes.fromhex(stream): stamp for stream, stamp in kept.streams.items()}

    def dictionaries(self) -> dict[bytes, Dictionary]:
        """By hash, those that hold."""
        found = {}
        for name in self.names:
            if name.endswith(_DICTIONARY) and (read := self._dictionary(name)) is not None:
                found[read[0]] = read[1]
        return found

    def streams(self, segments: Iterable[SegmentFile]) -> list[StreamView]:
        """The segments counted by stream, in the order in which the streams were written."""
        views: dict[bytes, StreamView] = {}
        for segment in segments:
            view = views.setdefault(segment.stream, StreamView(segment.stream))
            view.segments += 1
            view.size += segment.size
            view.rows += segment.rows
            view.seqs = Seqs.of([*view.seqs.ranges, *segment.seqs.ranges])
            if segment.span_us is not None:
                oldest, newest = segment.span_us
                view.oldest_us = oldest if view.oldest_us is None else min(oldest, view.oldest_us)
                view.newest_us = newest if view.newest_us is None else max(newest, view.newest_us)
        settled, stamps = self.settled(), self.stamps()
        for view in views.values():
            view.stamp = stamps.get(view.stream)
            own = settled.get(view.stream, Seqs())
            view.batches = sum(last - first + 1 for first, last in view.seqs.ranges)
            view.settled = sum(own.count(first, last) for first, last in view.seqs.ranges)
        return [view for view in views.values() if view.batches]

    def small_damages(self) -> Iterator[Damage]:
        """Files beside the segments whose check sum does not hold."""
        for name in self.names:
            kept = name in (SETTLED, INSTANCE, STAMPS, TOTALS)
            sound = self._dictionary(name) if name.endswith(_DICTIONARY) else not kept or self._whole(name)
            if not sound and (self.folder / name).exists():
                yield Damage(str(self.folder / name), "the file's check sum does not hold")

    def _whole(self, name: str) -> bytes | None:
        try:
            return checked((self.folder / name).read_bytes())
        except OSError:
            return None

    def _dictionary(self, name: str) -> tuple[bytes, Dictionary] | None:
        message = self._whole(name)
        try:
            read = unpack_dictionary(message) if message is not None else None
        except WireError:
            return None
        return read if read is not None and read[0].hex() == name.removesuffix(_DICTIONARY) else None

    def _segment(self, path: Path) -> SegmentFile | None:
        """None where it is gone; looked at again while its end is not whole, for it may be written now."""
        for look in range(_LOOKS):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return None
            except OSError as error:
                damage = Damage(str(path), f"the file cannot be read ({error.strerror})")
                return SegmentFile(path, b"", [], Seqs(), 0, None, 0, False, 0, 0, [damage])
            result = scan(content)
            if not result.torn or look == _LOOKS - 1:
                return _examined(path, content, result)
            time.sleep(_BETWEEN_LOOKS_S)
        return None


def batches_of(segment: SegmentFile) -> Iterator[tuple[Found, Batch]]:
    """The good records of a segment with their columns; one that does not unpack is added to its damages."""
    try:
        content = segment.path.read_bytes()
    except OSError:
        return
    for found in segment.found:
        try:
            batch = unpack(content[found.offset + RECORD_BYTES : found.offset + found.size])[1]
        except WireError as error:
            place = f"{segment.path}:{found.offset}"
            segment.damages.append(Damage(place, f"batch {found.front.seq} does not unpack ({error})"))
            continue
        yield found, batch


def _summarised(path: Path) -> SegmentFile | None:
    """A finished segment by its summary; None where it has none that holds."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - SUMMARY_END_BYTES))
            length = summary_length(file.read())
            if not 0 < length <= size:
                return None
            file.seek(size - length)
            summary = summary_of(file.read(), size)
    except OSError:
        return None
    if summary is None:
        return None
    span_us = (summary.oldest_us, summary.newest_us)
    seqs, end = Seqs.of(summary.ranges), summary.end
    return SegmentFile(path, summary.stream, [], seqs, summary.rows, span_us, size, True, 0, end)


def _examined(path: Path, content: bytes, result: Scan) -> SegmentFile:
    summary = summary_of(content, len(content))
    segment = SegmentFile(
        path=path,
        stream=result.stream or b"",
        found=result.found,
        seqs=Seqs.of((found.front.seq, found.front.seq) for found in result.found),
        rows=sum(found.rows for found in result.found),
        span_us=_span_us(result.found),
        size=len(content),
        finished=summary is not None,
        torn=0 if summary is not None else result.torn,
        end=result.end,
    )
    segment.damages += _holes(path, content, result)
    if content.endswith(b"PLSM") and summary is None:
        segment.damages.append(Damage(f"{path}:{len(content)}", "the summary's check sum does not hold"))
    if summary is not None and summary.end != result.end:
        lost = f"{summary.end - result.end} bytes before the summary hold no good record"
        segment.damages.append(Damage(f"{path}:{result.end}", lost))
    if summary is not None:
        missing = [each for first, last in summary.ranges for each in segment.seqs.missing(first, last)]
        for first, last in missing:
            what = f"batch {first}" if first == last else f"batches {first} to {last}"
            segment.damages.append(Damage(str(path), f"{what} of its summary cannot be read"))
    return segment


def _span_us(found: list[Found]) -> tuple[int, int] | None:
    if not found:
        return None
    return min(each.oldest_us for each in found), max(each.newest_us for each in found)


def _holes(path: Path, content: bytes, result: Scan) -> Iterator[Damage]:
    """Bytes before or between good records that are no record."""
    if content.strip(b"\0") and (result.stream is None or result.ordinal == 0):
        yield Damage(f"{path}:0", "the header's check sum does not hold")
    at = HEADER_BYTES
    for found in result.found:
        if found.offset > at:
            yield Damage(f"{path}:{at}", f"{found.offset - at} bytes hold no good record")
        at = found.offset + found.size
