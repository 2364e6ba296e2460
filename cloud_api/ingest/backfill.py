"""`backfill`: history files into samples, as if they had come live.

Everything is read and checked first, into a spool on disk; one bad row and nothing is stored. Then the rows
that are not there yet are stored week by week, each week with its marks in one transaction: a run that was
cut short is finished by running it again, and running it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.errors import CloudError
from cloud_api.ingest.copy import HISTORY, Rows, block
from cloud_api.ingest.history_files import Faults, read_columns
from cloud_api.ingest.history_rows import Samples, Targets, read_samples
from cloud_api.ingest.spool import WEEK_US, Extent, Records, Spool, copy_rows, extents, week_start_us
from cloud_api.interpret.model import Span
from cloud_api.interpret.plant import Plant
from cloud_api.store import marks, plant
from cloud_api.store.evidence import subject
from cloud_api.store.pool import connect
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us
from shared.units import HOUR_US

AHEAD_US = HOUR_US
"""Rows later than an hour from now are told."""

Progress = Callable[[str, int, int], None]
"""Takes the phase ('reading', 'storing'), how much is done and how much there is."""


class BackfillRefused(CloudError):
    """History files with bad rows; nothing of them was stored. ``faults`` has the first, and the count."""

    def __init__(self, faults: Faults) -> None:
        rows = f"{faults.count} mistake" + ("s" if faults.count > 1 else "")
        super().__init__(
            f"the history has {rows}, nothing was stored", "backfill", "mend each and run it again"
        )
        self.faults = faults

    def lines(self) -> list[str]:
        """The faults as printed, with the count of the rest."""
        rest = self.faults.count - len(self.faults.first)
        return [
            *(str(fault) for fault in self.faults.in_order()),
            *([f"... and {rest} more"] if rest else []),
        ]


@dataclass(slots=True)
class _Ahead:
    """Rows after an instant, microseconds. Among rows of the past they are mistakes; where most are of the
    future, the clock of this machine is more likely wrong."""

    after_us: int
    rows: Faults = field(default_factory=Faults)

    def look(self, file: str, samples: Samples) -> None:
        for row in np.flatnonzero(samples.times > self.after_us).tolist():
            at = f"{from_us(int(samples.times[row])):%Y-%m-%dT%H:%MZ}"
            mend = "mend its date or offset, or the clock of this machine"
            self.rows.add(file, int(samples.lines[row]), f"{at} lies in the future", mend)


@dataclass(frozen=True, slots=True)
class Backfilled:
    """Rows read, rows that were new, machine-hours to be computed; rows of the future, which were stored."""

    read: int
    stored: int
    hours: int
    ahead: Faults


def backfill(
    url: str,
    site: str,
    files: Sequence[Path],
    progress: Progress = lambda phase, done, whole: None,
) -> Backfilled:
    """Stores history files of a site in the database at `url`.

    Raises BackfillRefused where rows are bad and CloudError where the site or the database is not there;
    nothing is stored then.
    """
    with connect(url, name="backfill", autocommit=True) as connection, TemporaryDirectory() as folder:
        model = plant.snapshot(connection, site)
        if model is None and not plant.exists(connection, site):
            raise CloudError(f"there is no site '{site}'", "--site", "load its plant model, or mend the name")
        targets, spool, faults = _targets(model), Spool(Path(folder)), Faults()
        ahead = _Ahead(to_us(datetime.now(UTC)) + AHEAD_US)
        read = _read(files, targets, _zone(model), spool, faults, progress, ahead)
        if 2 * ahead.rows.count < read:
            faults.take(ahead.rows)
        if faults.count:
            raise BackfillRefused(faults)
        with _alone(connection, site):
            before = _silences(connection, site)
            stored, hours = _store(connection, site, targets, spool, progress)
            _mark_silences(connection, before, _silences(connection, site))
    return Backfilled(read, stored, hours, ahead.rows)


def _silences(connection: Connection[TupleRow], site: str) -> dict[int, Span]:
    """Of each machine, the time between its files and its live data in which nothing is known."""
    machines = [row[0] for row in connection.execute(statement("backfill.met_live"), {"site": site})]
    known = ((machine, subject(connection, machine, None, datetime.now(UTC))) for machine in machines)
    return {machine: who.silence for machine, who in known if who is not None and who.silence is not None}


def _mark_silences(
    connection: Connection[TupleRow], before: Mapping[int, Span], after: Mapping[int, Span]
) -> None:
    """Marks the hours that were without data and are no longer."""
    for machine, silence in before.items():
        if after.get(machine) != silence:
            marks.append_span(connection, [machine], from_us(silence.from_us), from_us(silence.to_us))


@contextmanager
def _alone(connection: Connection[TupleRow], site: str) -> Iterator[None]:
    """One backfill of a site stores at a time, so that none stores what another is storing."""
    connection.execute(statement("backfill.lock"), {"site": site})
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.execute(statement("backfill.unlock"), {"site": site})


def _targets(model: Plant | None) -> Targets:
    if model is None:
        return Targets(None, {})
    billed: dict[str, set[str]] = {}
    for item in model.bill:
        billed.setdefault(item.machine, set()).add(item.material)
    machines = {machine.id for line in model.lines for machine in line.machines}
    return Targets(machines, {machine: frozenset(items) for machine, items in billed.items()})


def _zone(model: Plant | None) -> ZoneInfo | None:
    return None if model is None else ZoneInfo(model.time_zone)


def _read(
    files: Sequence[Path],
    targets: Targets,
    zone: ZoneInfo | None,
    spool: Spool,
    faults: Faults,
    progress: Progress,
    ahead: _Ahead,
) -> int:
    """Reads every file into the spool; after the first bad row it only goes on looking for others."""
    sizes = [file.stat().st_size if file.is_file() else 0 for file in files]
    read, before, whole = 0, 0, max(1, sum(sizes))
    for file, size in zip(files, sizes, strict=True):
        for columns in read_columns(file, faults):
            samples = read_samples(columns, targets, zone, faults)
            read += len(samples.times)
            ahead.look(columns.file, samples)
            if not faults.count:
                spool.add(samples)
            progress("reading", before + min(size, columns.done_bytes), whole)
        before += size
    return read


def _store(
    connection: Connection[TupleRow], site: str, targets: Targets, spool: Spool, progress: Progress
) -> tuple[int, int]:
    """Stores the spool, a week a transaction; gives rows stored and machine-hours marked."""
    series = _number_series(connection, site, targets)
    weeks = spool.weeks()
    starts = [from_us(week_start_us(week)) for week in weeks]
    connection.execute(statement("samples.ensure_partitions"), {"times": starts})
    stored = hours = done = 0
    for week in weeks:
        records = spool.week(week)
        with connection.transaction():
            new, dirty = _store_week(connection, week, records, series, spool.strings)
        stored, hours, done = stored + new, hours + dirty, done + spool.rows[week]
        progress("storing", done, sum(spool.rows.values()))
    return stored, hours


def _store_week(
    connection: Connection[TupleRow], week: int, records: Records, series: Series, strings: Sequence[str]
) -> tuple[int, int]:
    begin = week_start_us(week)
    span = {"from": from_us(begin), "to": from_us(begin + WEEK_US), "series": series.ids.tolist()}
    rows = copy_rows(records, series.ids, strings)
    found = connection.execute(statement("backfill.has_history"), span).fetchone()
    if found and found[0]:
        return _store_missing(connection, rows, span)
    _copy(connection, "samples.copy", rows)
    return len(records), _touch(connection, extents(records, series.machines))


def _store_missing(
    connection: Connection[TupleRow], rows: Rows, span: Mapping[str, object]
) -> tuple[int, int]:
    """Stores the rows of a week that are not there yet."""
    connection.execute("set local work_mem = '128MB'")
    connection.execute(statement("backfill.stage"))
    _copy(connection, "backfill.copy", rows)
    connection.execute("analyze history_rows")
    stored = 0
    touched: dict[int, Extent] = {}
    for machine, hour, count, first, last in connection.execute(statement("backfill.store_missing"), span):
        stored += count
        hours = [to_us(hour)]
        earlier = touched.get(machine)
        if earlier is None:
            touched[machine] = Extent(machine, hours, to_us(first), to_us(last))
        else:
            first_us, last_us = min(earlier.first_us, to_us(first)), max(earlier.last_us, to_us(last))
            touched[machine] = Extent(machine, earlier.hours + hours, first_us, last_us)
    return stored, _touch(connection, [touched[machine] for machine in sorted(touched)])


def _touch(connection: Connection[TupleRow], touched: Sequence[Extent]) -> int:
    """Marks what new rows touch and lengthens the time lines; gives the number of machine-hours."""
    marks.append(connection, [(each.machine_id, from_us(hour)) for each in touched for hour in each.hours])
    connection.execute(
        statement("samples.widen_spans"),
        {
            "machines": [each.machine_id for each in touched],
            "firsts": [from_us(each.first_us) for each in touched],
            "lasts": [from_us(each.last_us) for each in touched],
            "marks": [None] * len(touched),
        },
    )
    return sum(len(each.hours) for each in touched)


def _copy(connection: Connection[TupleRow], name: str, rows: Rows) -> None:
    with connection.cursor() as cursor, cursor.copy(statement(name)) as copy:
        for piece in block(rows, to_us(datetime.now(UTC)), HISTORY):
            copy.write(piece)


@dataclass(frozen=True, slots=True)
class Series:
    """Ids of series and machines in the database, by the number of the series in the files."""

    ids: NDArray[np.int64]
    machines: NDArray[np.int64]


def _number_series(connection: Connection[TupleRow], site: str, targets: Targets) -> Series:
    """Creates the machines and series that the files name and are new; leads to them from their numbers."""
    met = list(targets.numbers)
    columns = {
        "site": site,
        "machines": [target.machine for target in met],
        "signals": [target.item or str(target.role) for target in met],
        "roles": [str(target.role) for target in met],
        "items": [target.item for target in met],
    }
    with connection.transaction():
        connection.execute(statement("backfill.add_machines"), columns)
        connection.execute(statement("backfill.add_series"), columns)
        found = connection.execute(statement("backfill.number_series"), columns).fetchall()
    pairs = np.array(found, np.int64).reshape(-1, 2)
    return Series(pairs[:, 0], pairs[:, 1])
