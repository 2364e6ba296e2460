"""What accepted batches leave in the database beside their seqs: samples, coverage, losses, spans, marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.ingest.copy import block, rows_of
from cloud_api.ingest.registry import Registered
from cloud_api.ingest.spool import MONDAY_US, WEEK_US, week_start_us
from cloud_api.store import marks
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, hour_of, to_us
from shared.batch import Batch, Gap
from shared.errors import WireError
from shared.units import HOUR_US, MINUTE_US

LATE_US = MINUTE_US
"""A row this far behind the watermark of its machine is counted as late."""

"""1970 began on a Thursday, three days after a Monday."""

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A new batch of an agent, with what its indexes mean."""

    agent_id: int
    stream: bytes
    seq: int
    batch: Batch
    registered: Registered


def refuse_unknown_indexes(batch: Batch, registered: Registered) -> None:
    """Raises WireError for a batch that names signals or sources which its dictionary does not hold."""
    signals, sources = len(registered.series), len(registered.sources)
    if batch.signals and max(batch.signals) >= signals:
        raise WireError(f"a sample names signal {max(batch.signals)} of {signals}", "signals")
    if any(not 0 <= mark.source < sources for mark in batch.marks):
        raise WireError(f"a scan mark names a source beyond {sources}", "marks")
    if any(not 0 <= signal < signals for gap in batch.gaps for signal in gap.signals):
        raise WireError(f"a gap record names a signal beyond {signals}", "gaps")


def book(connection: Connection[TupleRow], accepted: Sequence[Accepted], received_us: int) -> None:
    """Writes all that accepted batches say, in the caller's transaction. received_us: microseconds UTC."""
    with_rows = [each for each in accepted if len(each.batch)]
    dirty: set[tuple[int, datetime]] = set()
    extents: dict[int, _Extent] = {}
    if with_rows:
        rows = rows_of([(each.batch, each.registered.series) for each in with_rows])
        with connection.cursor() as cursor, cursor.copy(statement("samples.copy")) as copy:
            for piece in block(rows, received_us):
                copy.write(piece)
        signals = [np.frombuffer(each.batch.signals, np.uint32) for each in with_rows]
        machines = np.concatenate(
            [each.registered.machines[index] for each, index in zip(with_rows, signals, strict=True)]
        )
        dirty |= _samples(connection, rows.times, machines, extents)
    dirty |= _coverage(connection, accepted, extents)
    _widen(connection, extents)
    marks.append(connection, dirty)
    for each in accepted:
        _losses(connection, each)


def weeks_of(batches: Iterable[Batch]) -> set[int]:
    """Weeks (by number, as `week_start_us` takes them) that samples of batches fall into."""
    weeks: set[int] = set()
    for batch in batches:
        if batch.times:
            weeks.update(np.unique((np.frombuffer(batch.times, np.int64) - MONDAY_US) // WEEK_US).tolist())
    return weeks


def ensure_partitions(connection: Connection[TupleRow], weeks: Iterable[int]) -> None:
    """Makes the partitions of weeks where they lack."""
    times = [from_us(week_start_us(week)) for week in sorted(weeks)]
    if times:
        connection.execute(statement("samples.ensure_partitions"), {"times": times})


@dataclass(slots=True)
class _Extent:
    first_us: int | None = None
    last_us: int | None = None
    mark_us: int | None = None


def _samples(
    connection: Connection[TupleRow], times: Int, machines: Int, extents: dict[int, _Extent]
) -> set[tuple[int, datetime]]:
    """Extents of the machines, late rows counted; tells the machine-hours that the rows touch."""
    seen = np.zeros(int(machines.max()) + 1, np.bool_)
    seen[machines] = True
    ids = np.flatnonzero(seen)
    places = np.cumsum(seen) - 1
    local = places[machines]
    first, last = np.full(len(ids), times.max()), np.full(len(ids), times.min())
    np.minimum.at(first, local, times)
    np.maximum.at(last, local, times)
    for place, machine_id in enumerate(ids.tolist()):
        extents[machine_id] = _Extent(int(first[place]), int(last[place]))
    hours = times // HOUR_US
    _count_late(connection, ids, local, times, hours)
    return {
        (machine_id, from_us(hour * HOUR_US)) for machine_id, hour, _ in _machine_hours(ids, local, hours)
    }


def _count_late(connection: Connection[TupleRow], ids: Int, local: Int, times: Int, hours: Int) -> None:
    watermarks = np.full(len(ids), np.iinfo(np.int64).min)
    rows = connection.execute(statement("samples.lock_spans"), {"machines": ids.tolist()}).fetchall()
    for machine_id, watermark in rows:
        if watermark is not None:
            watermarks[np.searchsorted(ids, machine_id)] = to_us(watermark) - LATE_US
    late = np.flatnonzero(times < watermarks[local])
    if len(late):
        counted = list(_machine_hours(ids, local[late], hours[late]))
        connection.execute(
            statement("samples.count_late"),
            {
                "machines": [machine_id for machine_id, _, _ in counted],
                "hours": [from_us(hour * HOUR_US) for _, hour, _ in counted],
                "rows": [count for _, _, count in counted],
            },
        )


def _machine_hours(ids: Int, local: Int, hours: Int) -> Iterator[tuple[int, int, int]]:
    """(machine_id, hour number, rows) of every machine-hour that has rows."""
    earliest = int(hours.min())
    width = int(hours.max()) - earliest + 1
    keys = local * width + (hours - earliest)
    if width * len(ids) <= 1_000_000:
        counts = np.bincount(keys, minlength=1)
        found = np.flatnonzero(counts)
        counts = counts[found]
    else:
        found, counts = np.unique(keys, return_counts=True)
    for key, count in zip(found.tolist(), counts.tolist(), strict=True):
        yield int(ids[key // width]), earliest + key % width, count


def _coverage(
    connection: Connection[TupleRow], accepted: Sequence[Accepted], extents: dict[int, _Extent]
) -> set[tuple[int, datetime]]:
    """Scan marks, cut at UTC hours; tells the machine-hours that they touch."""
    dirty: set[tuple[int, datetime]] = set()
    parts: set[tuple[int, int, int, int]] = set()
    for each in accepted:
        for mark in each.batch.marks:
            source_id = each.registered.sources[mark.source]
            machines = each.registered.watched[mark.source]
            for machine_id in machines:
                extent = extents.setdefault(machine_id, _Extent())
                extent.mark_us = max(mark.to_us, extent.mark_us or mark.to_us)
            for hour in range(hour_of(mark.from_us), mark.to_us + 1, HOUR_US):
                parts.add((source_id, hour, max(mark.from_us, hour), min(mark.to_us, hour + HOUR_US)))
                dirty |= {(machine_id, from_us(hour)) for machine_id in machines}
    if parts:
        ordered = sorted(parts)
        connection.execute(
            statement("samples.cover"),
            {
                "sources": [source_id for source_id, _, _, _ in ordered],
                "hours": [from_us(hour) for _, hour, _, _ in ordered],
                "firsts": [from_us(first) for _, _, first, _ in ordered],
                "lasts": [from_us(last) for _, _, _, last in ordered],
            },
        )
    return dirty


def _widen(connection: Connection[TupleRow], extents: dict[int, _Extent]) -> None:
    if not extents:
        return
    ids = sorted(extents)
    connection.execute(
        statement("samples.widen_spans"),
        {
            "machines": ids,
            "firsts": [_at(extents[machine_id].first_us) for machine_id in ids],
            "lasts": [_at(extents[machine_id].last_us) for machine_id in ids],
            "marks": [_at(extents[machine_id].mark_us) for machine_id in ids],
        },
    )


def _losses(connection: Connection[TupleRow], each: Accepted) -> None:
    for gap in each.batch.gaps:
        series = each.registered.series[gap.signals].tolist() if gap.signals else []
        _lose(connection, each, "gap", gap.from_us, gap.to_us, gap.reason, series, gap)
    for pending in each.batch.pending:
        _lose(connection, each, "pending", pending.from_us, pending.to_us, "in transit", [], None)


def _lose(
    connection: Connection[TupleRow],
    each: Accepted,
    kind: str,
    from_at: int,
    to_at: int,
    reason: str,
    series: list[int],
    gap: Gap | None,
) -> None:
    connection.execute(
        statement("losses.add"),
        {
            "agent": each.agent_id,
            "kind": kind,
            "starts_at": from_us(from_at),
            "ends_at": from_us(to_at),
            "reason": reason,
            "series": series,
            "samples": 0 if gap is None else gap.count,
            "stream": None if gap is None else gap.stream,
            "seqs": None if gap is None or gap.seq_from < 1 else f"[{gap.seq_from},{gap.seq_to}]",
            "told_stream": each.stream,
            "told_seq": each.seq,
        },
    )
    mark_agent(connection, each.agent_id, from_us(from_at), from_us(to_at), series)


def mark_agent(
    connection: Connection[TupleRow],
    agent_id: int,
    starts_at: datetime,
    ends_at: datetime,
    series: Sequence[int] = (),
) -> None:
    """Marks the hours of a span for the machines of an agent, or of some of its series."""
    rows = connection.execute(statement("losses.machines"), {"agent": agent_id, "series": list(series)})
    marks.append_span(connection, [machine_id for (machine_id,) in rows.fetchall()], starts_at, ends_at)


def _at(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)
