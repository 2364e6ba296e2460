"""What a segment holds, in memory: enough to send, settle and give up its batches without reading it."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_agent.adapters.buffer_segment import HEADER_BYTES, Found, Summary, encoded_summary
from edge_agent.core.seqs import Seqs

SUFFIX = ".seg"


@dataclass(slots=True)
class Segment:
    """One file. seqs: what it holds. rows, oldest_us, newest_us: of all its records. end: behind the last.

    size: of the file. settled_us: since when nothing in it waits for an ack. dictionaries: hashes it needs.
    carriers: seqs of batches that carry gap records, which must outlive the segment.
    """

    ordinal: int
    stream: bytes
    seqs: Seqs
    rows: int
    oldest_us: int
    newest_us: int
    end: int
    size: int
    dictionaries: set[bytes]
    settled_us: int | None = None
    current: bool = False
    carriers: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return name_of(self.ordinal)

    @property
    def first(self) -> int:
        return self.seqs.ranges[0][0] if self.seqs else 0

    @property
    def last(self) -> int:
        return self.seqs.ranges[-1][1] if self.seqs else -1

    def add(self, founds: list[Found]) -> None:
        """Count more records in."""
        self.settled_us = None
        runs: list[tuple[int, int]] = list(self.seqs.ranges)
        for found in founds:
            seq = found.front.seq
            if runs and runs[-1][1] + 1 == seq:
                runs[-1] = (runs[-1][0], seq)
            else:
                runs.append((seq, seq))
            self.rows += found.rows
            self.oldest_us = min(self.oldest_us, found.oldest_us)
            self.newest_us = max(self.newest_us, found.newest_us)
            self.end = max(self.end, found.offset + found.size)
            self.dictionaries.add(found.front.dictionary)
            if found.carries:
                self.carriers.append(seq)
        self.seqs = Seqs.of(runs)


def name_of(ordinal: int) -> str:
    """File name of a segment; names sort as ordinals do."""
    return f"{ordinal:012d}{SUFFIX}"


def empty_segment(ordinal: int, stream: bytes) -> Segment:
    """A segment without records."""
    return Segment(ordinal, stream, Seqs(), 0, 1 << 62, -(1 << 62), HEADER_BYTES, HEADER_BYTES, set())


def summary_bytes(segment: Segment) -> bytes:
    """What ends the file of a segment that gets no more records."""
    return encoded_summary(
        Summary(
            segment.stream,
            segment.end,
            list(segment.seqs.ranges),
            segment.rows,
            segment.oldest_us,
            segment.newest_us,
            sorted(segment.dictionaries),
            segment.carriers,
        )
    )


def believed(ordinal: int, summary: Summary) -> Segment:
    """A segment as its summary tells."""
    return Segment(
        ordinal,
        summary.stream,
        Seqs.of(summary.ranges),
        summary.rows,
        summary.oldest_us,
        summary.newest_us,
        summary.end,
        summary.end,
        set(summary.dictionaries),
        carriers=list(summary.carriers),
    )
