"""Writes batches to the current segment and synchronises them; runs in the committer's thread."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from edge_agent.adapters.buffer_contents import Segment, empty_segment, name_of, summary_bytes
from edge_agent.adapters.buffer_files import File, Files
from edge_agent.adapters.buffer_segment import Found, Record, encoded, header
from shared.codec import read_front


class Writer:
    """One segment being written.

    Room is made in chunks of zeros, so that a commit changes data blocks alone, and no metadata.
    """

    def __init__(self, files: Files, segment_bytes: int, chunk_bytes: int) -> None:
        self._files = files
        self._segment_bytes = segment_bytes
        self._chunk_bytes = chunk_bytes
        self._file: File | None = None
        self.segment: Segment | None = None
        self.bytes_written = 0

    def room(self) -> int:
        """Bytes that still fit into the current segment; 0 when there is none."""
        return self._segment_bytes - self.segment.end if self.segment is not None else 0

    def begin(self, ordinal: int, stream: bytes, now_us: int) -> Segment:
        """Make a new segment, its name and header synchronised. Raises OSError, leaving nothing."""
        segment = empty_segment(ordinal, stream)
        file = self._files.create(segment.name)
        try:
            file.write(0, header(stream, ordinal, now_us))
            self._grow(file, segment, segment.end)
            file.sync()
            self._files.sync_names()
        except OSError:
            with contextlib.suppress(OSError):
                file.close()
                self._files.unlink(segment.name)
            raise
        segment.current = True
        self._file, self.segment = file, segment
        return segment

    def write(self, records: Sequence[Record]) -> list[Found]:
        """Append and synchronise; where each record stands. Raises OSError: then none of them counts."""
        assert self._file is not None
        assert self.segment is not None
        at = self.segment.end
        founds = []
        for record in records:
            front, span = read_front(record.message), (record.oldest_us, record.newest_us)
            founds.append(Found(at, record.size, front, record.rows, *span, record.carries))
            at += record.size
        self._grow(self._file, self.segment, at)
        self._file.write(self.segment.end, b"".join(encoded(record) for record in records))
        self._file.sync()
        self.bytes_written += at - self.segment.end
        return founds

    def end(self) -> None:
        """Give back unused room, add the summary, let go of the segment; never raises OSError."""
        if self._file is None or self.segment is None:
            return
        with contextlib.suppress(OSError):
            self._file.resize(self.segment.end)
            self.segment.size = self.segment.end
            if self.segment.seqs:
                self._file.write(self.segment.end, summary_bytes(self.segment))
            self._file.sync()
        with contextlib.suppress(OSError):
            self._file.close()
        if not self.segment.seqs:
            with contextlib.suppress(OSError):
                self._files.unlink(name_of(self.segment.ordinal))
        self.segment.current = False
        self._file = self.segment = None

    def _grow(self, file: File, segment: Segment, end: int) -> None:
        if end > segment.size or segment.size <= segment.end:
            size = max(end, min(self._segment_bytes, end + self._chunk_bytes))
            file.resize(size)
            file.sync()
            segment.size = size
