"""Thins a finished segment of the durable buffer: its good records with fewer rows, in a file beside it.

Nothing of the segment itself is touched here: the file takes its place once the gap records of what went
are committed. Runs beside the event loop; reads and writes files of its own alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edge_agent.adapters.buffer_contents import Segment, empty_segment, summary_bytes
from edge_agent.adapters.buffer_files import Files
from edge_agent.adapters.buffer_segment import (
    HEADER_BYTES,
    RECORD_BYTES,
    Found,
    Record,
    encoded,
    header,
    scan,
)
from edge_agent.core.thinning import Thinned, Thinning
from shared import codec
from shared.batch import Batch, Gap
from shared.codec import Front
from shared.dictionary import SignalEntry

BESIDE = ".repaired"
"""As a repair: where the segment itself is there at the next start, what stands beside it is deleted."""
MOST_SIGNALS = 1_000
WORTH = 0.9
_WHY = "buffer full: thinned"


@dataclass(frozen=True, slots=True)
class Thin:
    """segment: as it will be; its file stands beside the old one. gaps: by the dictionary they mean."""

    segment: Segment
    gaps: list[tuple[bytes, Gap]]
    lost: int


def thin(files: Files, old: Segment, signals_of: Callable[[bytes], list[SignalEntry] | None]) -> Thin | None:
    """The segment with every second value of its measures and counters; None where that is not worth it.

    signals_of: the signals of a dictionary, None where it is not known: its batches stay whole.
    Raises OSError; nothing is left beside the segment then.
    """
    content = _content(files, old.name)
    found = scan(content).found
    looks: dict[bytes, Thinning] = {}
    places: list[tuple[Found, Thinning | None, int]] = []
    seen: dict[bytes, int] = {}
    for each in found:
        named = each.front.dictionary
        if named not in looks and (signals := signals_of(named)) is not None:
            looks[named] = Thinning(signals)
        looking = looks.get(named)
        if looking is not None:
            looking.look(_batch(content, each))
        places.append((each, looking, seen.get(named, 0)))
        seen[named] = seen.get(named, 0) + 1
    for looking in looks.values():
        looking.keep_newest()
    records = [_record(content, *place) for place in places]
    if HEADER_BYTES + sum(record.size for record in records) > old.end * WORTH:
        return None
    gaps = [(named, gap) for named, look in looks.items() for gap in _gaps(old.stream, look.thinned)]
    return Thin(_written(files, old, records), gaps, sum(gap.count for _, gap in gaps))


def _content(files: Files, name: str) -> bytes:
    file = files.open(name)
    try:
        return file.read(0, file.size())
    finally:
        file.close()


def _batch(content: bytes, found: Found) -> Batch:
    return codec.unpack(content[found.offset + RECORD_BYTES : found.offset + found.size])[1]


def _record(content: bytes, found: Found, looking: Thinning | None, place: int) -> Record:
    message = content[found.offset + RECORD_BYTES : found.offset + found.size]
    rows = found.rows
    if looking is not None:
        front, batch = codec.unpack(message)
        kept = looking.stays(place, batch)
        if kept is not batch:
            message, rows = _message(front, kept), len(kept)
    return Record(found.front.seq, rows, found.oldest_us, found.newest_us, message, found.carries)


def _message(front: Front, batch: Batch) -> bytes:
    return codec.message(
        codec.pack(batch), lane=front.lane, stream=front.stream, seq=front.seq, instance=front.instance,
        start=front.start,
    )  # fmt: skip


def _gaps(stream: bytes, thinned: Thinned) -> Iterator[Gap]:
    """Spans of measures that have holes now; and, without any span, how many readings of counters went."""
    spans = sorted(thinned.measures.items())
    for at in range(0, len(spans), MOST_SIGNALS):
        some = spans[at : at + MOST_SIGNALS]
        first, last = min(s for _, (s, _) in some), max(e for _, (_, e) in some)
        count = thinned.lost_measures if at == 0 else 0
        why = f"{_WHY}, every second value of a measure kept"
        yield Gap(stream, 0, 0, first, last + 1, count, why, [signal for signal, _ in some])
    counters = sorted(thinned.counters)
    for at in range(0, len(counters), MOST_SIGNALS):
        count = thinned.lost_counters if at == 0 else 0
        why, when = f"{_WHY}, counters stay exact", thinned.oldest_us
        yield Gap(stream, 0, 0, when, when, count, why, counters[at : at + MOST_SIGNALS])


def _written(files: Files, old: Segment, records: list[Record]) -> Segment:
    made = empty_segment(old.ordinal, old.stream)
    at, founds = HEADER_BYTES, []
    for record in records:
        front = codec.read_front(record.message)
        founds.append(
            Found(at, record.size, front, record.rows, record.oldest_us, record.newest_us, record.carries)
        )
        at += record.size
    made.add(founds)
    made.size = made.end
    name = f"{old.name}{BESIDE}"
    if name in files.names():
        files.unlink(name)
    file = files.create(name)
    try:
        try:
            file.write(0, b"".join([header(old.stream, old.ordinal, 0), *map(encoded, records)]))
            file.write(made.end, summary_bytes(made))
            file.sync()
        finally:
            file.close()
    except OSError:
        with contextlib.suppress(OSError):
            files.unlink(name)
        raise
    return made
