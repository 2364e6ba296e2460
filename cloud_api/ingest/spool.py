"""Rows of a backfill between reading and storing: on disk, a file a week, so that memory holds one week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud_api.ingest.copy import Rows
from cloud_api.ingest.history_rows import Samples
from shared.batch import HAS_NUMBER, HAS_TEXT
from shared.units import DAY_US, HOUR_US

WEEK_US = 7 * DAY_US
MONDAY_US = 4 * DAY_US
"""1970-01-05 was a Monday; weeks are those of the partitions of samples."""

RECORD = np.dtype(
    [
        ("time", "<i8"),
        ("value", "<f8"),
        ("series", "<i4"),
        ("word", "<i4"),
        ("quality", "u1"),
        ("number", "?"),
    ]
)
Records = NDArray[np.void]
Int = NDArray[np.int64]


@dataclass(slots=True)
class Spool:
    """Takes rows in any order into a folder; gives them back week by week. ``word`` counts ``strings``."""

    folder: Path
    rows: dict[int, int] = field(default_factory=dict)
    strings: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def add(self, samples: Samples) -> None:
        """Keeps the rows of a piece of a file."""
        records = np.zeros(len(samples.times), RECORD)
        records["time"], records["series"] = samples.times, samples.series
        records["value"], records["number"] = samples.numbers, samples.is_number
        records["quality"] = samples.quality
        records["word"] = np.where(samples.words >= 0, self._words(samples.strings)[samples.words], -1)
        weeks = (samples.times - MONDAY_US) // WEEK_US
        for week in np.unique(weeks).tolist():
            chosen = records[weeks == week]
            with self._file(week).open("ab") as file:
                chosen.tofile(file)
            self.rows[week] = self.rows.get(week, 0) + len(chosen)

    def weeks(self) -> list[int]:
        """The weeks that have rows, in order."""
        return sorted(self.rows)

    def week(self, week: int) -> Records:
        """The rows of a week in the order of series and time; equal rows once."""
        records = np.fromfile(self._file(week), RECORD)
        bits = records["value"].view("<i8")
        order = np.lexsort((records["quality"], records["word"], bits, records["time"], records["series"]))
        records = records[order]
        again = np.ones(len(records), np.bool_)
        again[:1] = False
        for name in RECORD.names or ():
            again[1:] &= records[name][1:] == records[name][:-1]
        return records[~again]

    def _file(self, week: int) -> Path:
        return self.folder / f"{week}.rows"

    def _words(self, strings: Sequence[str]) -> Int:
        """Numbers of words over all pieces; the last stands for none."""
        numbers = []
        for word in strings:
            if word not in self._numbers:
                self._numbers[word] = len(self.strings)
                self.strings.append(word)
            numbers.append(self._numbers[word])
        return np.array([*numbers, -1], np.int64)


def week_start_us(week: int) -> int:
    """When a week begins, in microseconds UTC: on a Monday; week 0 on 1970-01-05."""
    return week * WEEK_US + MONDAY_US


def copy_rows(records: Records, series: Int, strings: Sequence[str]) -> Rows:
    """Records as columns for a COPY block; ``series`` leads from their numbers to ids in the database."""
    worded = records["word"] >= 0
    flags = records["quality"] | np.where(records["number"], HAS_NUMBER, 0) | np.where(worded, HAS_TEXT, 0)
    nothing = np.empty(0, np.int64)
    return Rows(
        times=records["time"].astype(np.int64),
        series=series[records["series"]],
        flags=flags.astype(np.uint8),
        numbers=records["value"][records["number"]],
        texts=records["word"][worded].astype(np.int64),
        raw_numbers=np.empty(0, np.float64),
        raw_texts=nothing,
        source_times=nothing,
        strings=[word.encode() for word in strings],
    )


@dataclass(frozen=True, slots=True)
class Extent:
    """What some rows touch: a machine, the hours (microseconds UTC), its first and last time."""

    machine_id: int
    hours: list[int]
    first_us: int
    last_us: int


def extents(records: Records, machines: Int) -> list[Extent]:
    """What records touch, machine by machine; ``machines`` gives the machine of each series number."""
    owners = machines[records["series"]]
    found = []
    for machine in np.unique(owners).tolist():
        times = records["time"][owners == machine]
        hours = np.unique(times - times % HOUR_US).tolist()
        found.append(Extent(machine, hours, int(times.min()), int(times.max())))
    return found
