"""``buffer inspect``, ``verify``, ``export``: the durable buffer as it lies on disk. Nothing is changed in
it, and the agent may go on.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from msgspec.structs import replace

from edge_agent.adapters.buffer_inspection import (
    BufferFolder,
    Damage,
    SegmentFile,
    StreamView,
    batches_of,
)
from edge_agent.adapters.buffer_stamps import Stamp
from edge_agent.config.load import load_valid
from edge_agent.core import sizes
from edge_agent.core.seqs import Seqs
from edge_agent.errors import AgentError
from edge_agent.tools.moments import shown
from shared.batch import samples_of
from shared.dictionary import Dictionary, SignalEntry
from shared.sample import Quality, Sample

COLUMNS = (
    "time", "machine", "role", "value", "quality", "signal", "item", "unit", "raw", "source_time", "line",
    "source", "stream", "seq",
)  # fmt: skip
"""Of an export; the first five are those of a historian file that ``cloud-api backfill`` reads."""


def folder_of(file: Path) -> BufferFolder:
    """The buffer of a config, or of a folder that is given itself. Raises AgentError."""
    return BufferFolder(file if file.is_dir() else load_valid(file, files_needed=False).buffer.path)


def inspect(file: Path, *, as_json: bool) -> int:
    """Print what the buffer holds."""
    told = inspection(folder_of(file))
    print(json.dumps(told, indent=2) if as_json else "\n".join(_lines(told)))
    return 0


def inspection(folder: BufferFolder) -> dict[str, Any]:
    """What a buffer holds, as plain values: bytes, counts, times in RFC 3339, UTC.

    Finished segments are believed by their summaries, so that a full buffer on a slow card is no burden.
    """
    torn: list[dict[str, Any]] = []
    damages: list[str] = []

    def noted() -> Iterator[SegmentFile]:
        for segment in folder.segments(whole=False):
            if segment.torn:
                torn.append({"place": f"{segment.path}:{segment.end}", "bytes": segment.torn})
            damages.extend(str(damage) for damage in segment.damages)
            yield segment

    views = [_view(view) for view in folder.streams(noted())]
    sums = {
        name: sum(view[name] for view in views)
        for name in ("segments", "batches", "acknowledged", "rows", "bytes")
    }
    times = [view[name] for view in views for name in ("oldest", "newest") if view[name]]
    return {
        "folder": str(folder.folder),
        **sums,
        "unacknowledged": sums["batches"] - sums["acknowledged"],
        "oldest": min(times, default=None),
        "newest": max(times, default=None),
        "streams": views,
        "dictionaries": len(folder.dictionaries()),
        "set_aside": folder.set_aside,
        "torn": torn,
        "damaged": damages,
    }


def verify(file: Path) -> int:
    """Check every check sum; each that does not hold with its place. 1 if there is any."""
    folder = folder_of(file)
    dictionaries = folder.dictionaries()
    damages: list[Damage] = list(folder.small_damages())
    segments = batches = rows = 0
    for segment in folder.segments():
        needed: set[bytes] = set()
        for found, batch in batches_of(segment):
            batches, rows = batches + 1, rows + len(batch)
            needed.add(found.front.dictionary)
        segments += 1
        damages += segment.damages
        for missing in sorted(needed - dictionaries.keys()):
            damages.append(Damage(str(segment.path), f"dictionary {missing.hex()} is missing or damaged"))
        if segment.torn:
            place = f"{segment.path}:{segment.end}"
            damages.append(Damage(place, f"{segment.torn} bytes of a torn write; the next start cuts them"))
    for name in folder.set_aside:
        print(f"{folder.folder / name}: set aside by the agent earlier; its good batches were kept")
    print(*damages, sep="\n", end="\n" if damages else "")
    counted = f"{segments} segments, {batches} batches, {rows} values"
    if damages:
        print(f"{folder.folder}: {len(damages)} damages; good: {counted}")
        return 1
    print(f"{folder.folder}: OK: {counted}, every check sum holds")
    return 0


@dataclass(slots=True)
class Wish:
    """What an export is to hold: values of [from_us, to_us) whose machine.signal holds ``only``.

    unacknowledged: of batches that wait for the cloud alone.
    """

    from_us: int | None = None
    to_us: int | None = None
    only: str | None = None
    unacknowledged: bool = False

    def covers(self, time_us: int) -> bool:
        """Whether the instant lies in the span that is wanted."""
        after = self.from_us is None or time_us >= self.from_us
        return after and (self.to_us is None or time_us < self.to_us)


@dataclass(slots=True)
class _Count:
    rows: int = 0
    batches: int = 0
    gaps: int = 0
    unknown: int = 0
    undated: int = 0
    damages: list[Damage] = field(default_factory=list)


def export(file: Path, out: Path | None, *, as_csv: bool, wish: Wish) -> int:
    """Write the values to a file, or to standard output; 1 where something could not be read."""
    folder, count = folder_of(file), _Count()
    rows = _rows(folder, wish, count)
    if out is None:
        _write(sys.stdout, rows, as_csv)
    else:
        try:
            with out.open("w", encoding="utf-8", newline="") as file_:
                _write(file_, rows, as_csv)
        except OSError as error:
            raise AgentError(
                f"cannot be written ({error.strerror})", str(out), "choose another place"
            ) from None
    gaps = f", {count.gaps} gap records of data that was dropped" if count.gaps else ""
    print(f"{count.rows} values of {count.batches} batches{gaps}", file=sys.stderr)
    if count.unknown:
        print(f"{count.unknown} values without a name: their dictionary is missing", file=sys.stderr)
    if count.undated:
        mend = "their gateway's clock was not set; times are as it showed them"
        print(f"{count.undated} values without a known time: {mend}", file=sys.stderr)
    print(*count.damages, sep="\n", end="\n" if count.damages else "", file=sys.stderr)
    return 1 if count.damages or count.unknown else 0


def _write(to: TextIO, rows: Iterable[dict[str, Any]], as_csv: bool) -> None:
    if not as_csv:
        for row in rows:
            to.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    table = csv.DictWriter(to, COLUMNS, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow(row)


def _rows(folder: BufferFolder, wish: Wish, count: _Count) -> Iterator[dict[str, Any]]:
    dictionaries, settled, stamps = folder.dictionaries(), folder.settled(), folder.stamps()
    for segment in folder.segments():
        own, stamp = settled.get(segment.stream, Seqs()), stamps.get(segment.stream)
        for found, batch in batches_of(segment):
            if wish.unacknowledged and found.front.seq in own:
                continue
            count.batches += 1
            count.gaps += len(batch.gaps)
            dictionary = dictionaries.get(found.front.dictionary)
            for sample in (_stamped(each, stamp) for each in samples_of(batch)):
                if not wish.covers(sample.time_us):
                    continue
                entry = _entry(dictionary, sample.signal)
                count.unknown += entry is None
                count.undated += stamp is not None and stamp.shift_us is None
                row = _row(sample, entry, dictionary) | {
                    "stream": found.front.stream.hex(),
                    "seq": found.front.seq,
                }
                if wish.only is None or wish.only in f"{row['machine']}.{row['signal']}":
                    count.rows += 1
                    yield row
        count.damages += segment.damages


def _stamped(sample: Sample, stamp: Stamp | None) -> Sample:
    """As it would leave: its time put right where the clock became known later."""
    if stamp is None:
        return sample
    sure = stamp.shift_us is not None and not stamp.guessed
    quality = sample.quality if sure else max(sample.quality, Quality.UNCERTAIN)
    return replace(sample, time_us=sample.time_us + (stamp.shift_us or 0), quality=quality)


def _entry(dictionary: Dictionary | None, index: int) -> SignalEntry | None:
    return dictionary.signals[index] if dictionary and index < len(dictionary.signals) else None


def _row(sample: Sample, entry: SignalEntry | None, dictionary: Dictionary | None) -> dict[str, Any]:
    source = dictionary.sources[entry.source].name if entry and dictionary else None
    return {
        "time": shown(sample.time_us),
        "machine": entry.machine if entry else None,
        "role": _role(entry) if entry else None,
        "value": sample.value,
        "quality": sample.quality.name.lower(),
        "signal": entry.signal if entry else f"#{sample.signal}",
        "item": entry.item if entry else None,
        "unit": entry.unit if entry else None,
        "raw": sample.raw,
        "source_time": None if sample.source_time_us is None else shown(sample.source_time_us),
        "line": entry.line if entry else None,
        "source": source,
    }


def _role(entry: SignalEntry) -> str:
    """As a historian file names it: a material with its item, a measure with its name."""
    if entry.item is not None:
        return f"{entry.role}:{entry.item}"
    return f"{entry.role}:{entry.signal}" if entry.role == "measure" else str(entry.role)


def _view(view: StreamView) -> dict[str, Any]:
    shift_us = 0 if view.stamp is None else view.stamp.shift_us or 0
    clock = "right" if view.stamp is None else "unknown" if view.stamp.shift_us is None else "put right"
    return {
        "stream": view.stream.hex(),
        "segments": view.segments,
        "seqs": [list(each) for each in view.seqs.ranges],
        "batches": view.batches,
        "acknowledged": view.settled,
        "unacknowledged": view.open,
        "rows": view.rows,
        "bytes": view.size,
        "oldest": None if view.oldest_us is None else shown(view.oldest_us + shift_us),
        "newest": None if view.newest_us is None else shown(view.newest_us + shift_us),
        "clock": "guessed" if view.stamp is not None and view.stamp.guessed else clock,
    }


def _lines(told: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{told['folder']}: {sizes.shown(told['bytes'])} in {told['segments']} segments of "
        f"{len(told['streams'])} streams"
    )
    yield (
        f"{told['batches']} batches, {told['rows']} values: {told['acknowledged']} batches acknowledged, "
        f"{told['unacknowledged']} not"
    )
    if told["oldest"]:
        yield f"oldest {told['oldest']}, newest {told['newest']}"
    for view in told["streams"]:
        seqs = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in view["seqs"][:5])
        more = f" and {len(view['seqs']) - 5} more ranges" if len(view["seqs"]) > 5 else ""
        yield (
            f"stream {view['stream'][:8]}: seq {seqs}{more}; {view['unacknowledged']} of {view['batches']} "
            f"batches not acknowledged; {view['rows']} values, {sizes.shown(view['bytes'])}; "
            f"{view['oldest']} to {view['newest']}"
            + ("" if view["clock"] == "right" else f", clock {view['clock']}")
        )
    for torn in told["torn"]:
        yield f"torn tail: {torn['place']}: {torn['bytes']} bytes of a torn write; the next start cuts them"
    for name in told["set_aside"]:
        yield f"set aside: {name}"
    for damage in told["damaged"]:
        yield f"damaged: {damage}"
