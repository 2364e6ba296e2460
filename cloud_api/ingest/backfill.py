"""`backfill`: history files into samples, as if they had come live.

Everything is read and checked first, into a table of this session; one bad row and nothing is stored. Then
the rows that are not there yet are stored week by week, each week with its marks in one transaction: a run
that was cut short is finished by running it again, and running it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.errors import CloudError
from cloud_api.ingest.copy import HISTORY, PG_EPOCH_US, Rows, block
from cloud_api.ingest.history_files import Faults, read_columns
from cloud_api.ingest.history_rows import Samples, Targets, read_samples
from cloud_api.interpret.plant import Plant
from cloud_api.store import marks, plant
from cloud_api.store.pool import connect
from cloud_api.store.statements import statement
from shared.batch import HAS_NUMBER, HAS_TEXT

WEEK = timedelta(days=7)
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
        return [*(str(fault) for fault in self.faults.first), *([f"... and {rest} more"] if rest else [])]


@dataclass(frozen=True, slots=True)
class Backfilled:
    """Rows read, rows that were new, machine-hours to be computed."""

    read: int
    stored: int
    hours: int


def backfill(
    url: str, site: str, files: Sequence[Path], progress: Progress = lambda phase, done, whole: None
) -> Backfilled:
    """Stores history files of a site in the database at `url`.

    Raises BackfillRefused where rows are bad and CloudError where the site or the database is not there;
    nothing is stored then.
    """
    with connect(url, name="backfill", autocommit=True) as connection:
        model = plant.snapshot(connection, site)
        if model is None and not plant.exists(connection, site):
            raise CloudError(f"there is no site '{site}'", "--site", "load its plant model, or mend the name")
        with _staging(connection, site):
            targets = _targets(model)
            faults = Faults()
            read = _stage(connection, files, targets, _zone(model), faults, progress)
            if faults.count:
                raise BackfillRefused(faults)
            stored, hours = _apply(connection, site, targets, read, progress)
    return Backfilled(read, stored, hours)


@contextmanager
def _staging(connection: Connection[TupleRow], site: str) -> Iterator[None]:
    connection.execute(statement("backfill.lock"), {"site": site})
    connection.execute(statement("backfill.stage"))
    connection.execute(statement("backfill.stage_series"))
    try:
        yield
    finally:
        if not connection.closed and not connection.broken:
            connection.execute(statement("backfill.unstage"))
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


def _stage(
    connection: Connection[TupleRow],
    files: Sequence[Path],
    targets: Targets,
    zone: ZoneInfo | None,
    faults: Faults,
    progress: Progress,
) -> int:
    """Reads every file into the staging table; after the first bad row it only goes on looking for others."""
    sizes = [file.stat().st_size if file.is_file() else 0 for file in files]
    read, before, whole = 0, 0, max(1, sum(sizes))
    for file, size in zip(files, sizes, strict=True):
        for columns in read_columns(file, faults):
            samples = read_samples(columns, targets, zone, faults)
            read += len(samples.times)
            if not faults.count:
                with connection.cursor() as cursor, cursor.copy(statement("backfill.copy")) as copy:
                    for piece in block(_rows(samples), PG_EPOCH_US, HISTORY):
                        copy.write(piece)
            progress("reading", before + min(size, columns.done_bytes), whole)
        before += size
    return read


def _rows(samples: Samples) -> Rows:
    """Samples as columns for a COPY block."""
    worded = samples.words >= 0
    flags = samples.quality | np.where(samples.is_number, HAS_NUMBER, 0) | np.where(worded, HAS_TEXT, 0)
    nothing = np.empty(0, np.int64)
    return Rows(
        times=samples.times,
        series=samples.series,
        flags=flags.astype(np.uint8),
        numbers=samples.numbers[samples.is_number],
        texts=samples.words[worded],
        raw_numbers=np.empty(0, np.float64),
        raw_texts=nothing,
        source_times=nothing,
        strings=[word.encode() for word in samples.strings],
    )


def _apply(
    connection: Connection[TupleRow], site: str, targets: Targets, read: int, progress: Progress
) -> tuple[int, int]:
    """Stores what is staged, a week a transaction; gives rows stored and machine-hours marked."""
    connection.execute(statement("backfill.index"))
    connection.execute("analyze history_rows")
    _number_series(connection, site, targets)
    weeks: list[tuple[datetime, int]] = connection.execute(statement("backfill.weeks")).fetchall()
    connection.execute("select ensure_sample_partitions(%s)", ([week for week, _ in weeks],))
    stored = hours = done = 0
    for week, rows in weeks:
        with connection.transaction():
            connection.execute("set local work_mem = '128MB'")
            new, dirty = _apply_week(connection, week)
        stored, hours, done = stored + new, hours + dirty, done + rows
        progress("storing", done, read)
    return stored, hours


def _apply_week(connection: Connection[TupleRow], week: datetime) -> tuple[int, int]:
    span = {"from": week, "to": week + WEEK}
    found = connection.execute(statement("backfill.has_history"), span).fetchone()
    name = "backfill.apply_missing" if found and found[0] else "backfill.apply_new"
    changed = connection.execute(statement(name), span).fetchall()
    if not changed:
        return 0, 0
    marks.append(connection, [(machine, hour) for machine, hour, _, _, _ in changed])
    firsts: dict[int, datetime] = {}
    lasts: dict[int, datetime] = {}
    for machine, _, _, first, last in changed:
        firsts[machine] = min(first, firsts.get(machine, first))
        lasts[machine] = max(last, lasts.get(machine, last))
    machines = sorted(firsts)
    connection.execute(
        statement("backfill.raise_spans"),
        {
            "machines": machines,
            "firsts": [firsts[machine] for machine in machines],
            "lasts": [lasts[machine] for machine in machines],
        },
    )
    return sum(rows for _, _, rows, _, _ in changed), len(changed)


def _number_series(connection: Connection[TupleRow], site: str, targets: Targets) -> None:
    """Creates the machines and series that the files name and are new; numbers them as the files do."""
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
        connection.execute(statement("backfill.number_series"), columns)
