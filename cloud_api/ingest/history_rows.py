"""Columns of a history file into samples: times, series, numbers and words; each bad row named."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cloud_api.ingest.history_files import Columns, Faults
from cloud_api.store.times import to_us
from cloud_api.store.wall_time import EARLIEST, LATEST, UnreadableTime, clock_to_utc, read_instant
from shared.roles import TEXTS, Role, split_role
from shared.sample import Quality

WITHOUT_SERIES = -1
EITHER = frozenset({Role.MEASURE, Role.ALARM})
"""Roles whose value may be a number or a word."""
QUALITIES = {"": Quality.GOOD, **{quality.name.lower(): quality for quality in Quality}}
MOST_LETTERS = 500
"""A longer word is a fault."""
_OFFSET = r"[Tt ].*(Z|z|[+-]\d{2}(:?\d{2})?)$"
_FROM_US, _TO_US = to_us(EARLIEST), to_us(LATEST)

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Target:
    """A series that the files name: machine, role and item; `item` of a measure is its name."""

    machine: str
    role: Role
    item: str | None


@dataclass(slots=True)
class Targets:
    """The series of a run, numbered in the order in which they are met.

    ``machines``: those of the plant model, None where none is loaded. ``billed``: items that the bills of a
    machine name.
    """

    machines: Collection[str] | None
    billed: dict[str, Collection[str]]
    numbers: dict[Target, int] = field(default_factory=dict)
    _known: dict[tuple[str, str], int | tuple[str, str]] = field(default_factory=dict)

    def number(self, machine: str, role: str) -> int | tuple[str, str]:
        """The number of a series, or what is wrong with its machine or role and the mend."""
        found = self._known.get((machine, role))
        if found is None:
            found = self._known[(machine, role)] = self._new(machine, role)
        return found

    def _new(self, machine: str, role: str) -> int | tuple[str, str]:
        if not machine:
            return "'machine' is empty", "name the machine"
        if self.machines is not None and machine not in self.machines:
            return f"'{machine}' is not a machine of the plant model", _near(machine, self.machines)
        try:
            kind, item = split_role(role)
        except ValueError:
            return f"'{role}' is not a role", _near(role, [str(known) for known in Role])
        items = self.billed.get(machine, ())
        if kind is Role.MATERIAL and item is None and self.machines is not None and len(items) != 1:
            named = f"its bills name {len(items)} items"
            return f"'material' says no item for '{machine}' ({named})", "write material:ITEM"
        return self.numbers.setdefault(Target(machine, kind, item), len(self.numbers))


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows that can be stored: parallel columns. Where ``words`` is -1 there is no text, else an index into
    ``strings``; where ``is_number`` is false there is no number. ``series`` are numbers of Targets."""

    lines: Int
    times: Int
    series: Int
    quality: NDArray[np.uint8]
    is_number: Bool
    numbers: NDArray[np.float64]
    words: Int
    strings: list[str]


def read_samples(columns: Columns, targets: Targets, zone: ZoneInfo | None, faults: Faults) -> Samples:
    """The sound rows of some columns; each mistake of the others becomes a fault."""
    count = len(columns.lines)
    sound = np.ones(count, np.bool_)

    def refuse(rows: Int, message: Callable[[int], tuple[str, str]]) -> None:
        for row in rows.tolist():
            sound[row] = False
            faults.add(columns.file, int(columns.lines[row]), *message(row))

    times = _times(columns.time, zone, refuse)
    series = _series(columns, targets, refuse)
    quality = _quality(columns.quality, count, refuse)
    is_number, numbers, words, strings = _values(columns.value, series, quality, targets, refuse)
    return Samples(
        lines=columns.lines[sound],
        times=times[sound],
        series=series[sound],
        quality=quality[sound],
        is_number=is_number[sound],
        numbers=numbers[sound],
        words=words[sound],
        strings=strings,
    )


Refuse = Callable[[Int, Callable[[int], tuple[str, str]]], None]


def _times(column: pa.Array, zone: ZoneInfo | None, refuse: Refuse) -> Int:
    """Instants in microseconds UTC."""
    if pa.types.is_timestamp(column.type):
        return _stamped(column, zone, refuse)
    offset = pc.match_substring_regex(column, _OFFSET).to_numpy(zero_copy_only=False)
    times = np.zeros(len(column), np.int64)
    for rows, kind in (
        (np.flatnonzero(offset), pa.timestamp("us", "UTC")),
        (np.flatnonzero(~offset), pa.timestamp("us")),
    ):
        if not len(rows):
            continue
        words = column if len(rows) == len(column) else column.take(pa.array(rows))
        try:
            read = pc.cast(words, kind).cast(pa.int64()).to_numpy()
            skipped = np.zeros(len(rows), np.bool_)
            if kind.tz is None:
                if zone is None:
                    raise pa.ArrowInvalid("there is no zone")
                read, skipped = clock_to_utc(read, zone)
            beyond = (read < _FROM_US) | (read >= _TO_US)
            if skipped.any() or beyond.any():
                raise pa.ArrowInvalid("some were skipped")
            times[rows] = read
        except pa.ArrowInvalid:
            _one_by_one(words.to_pylist(), rows, times, zone, refuse)
    return times


def _one_by_one(words: list[str], rows: Int, times: Int, zone: ZoneInfo | None, refuse: Refuse) -> None:
    """Reads times word by word, so that each bad one is named."""
    known: dict[str, int | tuple[str, str]] = {}
    for row, word in zip(rows.tolist(), words, strict=True):
        found = known.get(word)
        if found is None:
            try:
                found = to_us(read_instant(word, zone))
            except UnreadableTime as unreadable:
                found = unreadable.message, unreadable.mend
            known[word] = found
        if isinstance(found, tuple):
            told = found
            refuse(np.array([row]), lambda _, told=told: told)  # type: ignore[misc]
        else:
            times[row] = found


def _stamped(column: pa.Array, zone: ZoneInfo | None, refuse: Refuse) -> Int:
    """Instants of a Parquet column of timestamps; without a zone of their own, on the site's clock."""
    empty = column.is_null().to_numpy(zero_copy_only=False)
    stamps = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    read = np.asarray(pc.fill_null(stamps.cast(pa.int64()), 0).to_numpy(zero_copy_only=False), np.int64)
    refuse(np.flatnonzero(empty), lambda _: ("'time' is empty", "give the time"))
    if column.type.tz is None:
        if zone is None:
            mend = "load the plant model first, or write offsets"
            refuse(np.arange(len(read)), lambda _: ("times without a zone and the site's is not known", mend))
            return read
        read, skipped = clock_to_utc(read, zone)
        mend = "write the time that was, or give its offset"
        refuse(np.flatnonzero(skipped), lambda _: (f"a time that the clocks of {zone.key} skipped", mend))
    beyond = (read < _FROM_US) | (read >= _TO_US)
    refuse(np.flatnonzero(beyond & ~empty), lambda _: ("beyond the years 1970 to 2199", "mend the date"))
    return read


def _series(columns: Columns, targets: Targets, refuse: Refuse) -> Int:
    """Number of the series of each row, WITHOUT_SERIES where machine or role cannot be used."""
    machine, role = columns.machine.dictionary_encode(), columns.role.dictionary_encode()
    machines, roles = machine.dictionary.to_pylist(), role.dictionary.to_pylist()
    width = max(1, len(roles))
    pairs = machine.indices.to_numpy().astype(np.int64) * width + role.indices.to_numpy()
    used, where = np.unique(pairs, return_inverse=True)
    numbers = np.full(len(used), WITHOUT_SERIES, np.int64)
    for index, pair in enumerate(used.tolist()):
        found = targets.number(machines[pair // width], roles[pair % width])
        if isinstance(found, tuple):
            told = found
            refuse(np.flatnonzero(where == index), lambda _, told=told: told)  # type: ignore[misc]
        else:
            numbers[index] = found
    return numbers[where]


def _quality(column: pa.Array | None, count: int, refuse: Refuse) -> NDArray[np.uint8]:
    if column is None:
        return np.zeros(count, np.uint8)
    encoded = column.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    grades = np.array([QUALITIES.get(word.lower(), 255) for word in words], np.uint8)
    quality: NDArray[np.uint8] = grades[encoded.indices.to_numpy()]
    refuse(
        np.flatnonzero(quality == 255),
        lambda row: (f"'{column[row].as_py()}' is not a quality", "write good, uncertain or bad"),
    )
    return quality


def _values(
    column: pa.Array, series: Int, quality: NDArray[np.uint8], targets: Targets, refuse: Refuse
) -> tuple[Bool, NDArray[np.float64], Int, list[str]]:
    """Numbers and words by the role of their series; a bad sample has neither."""
    roles = [target.role for target in targets.numbers]
    textual = np.array([role in TEXTS for role in roles] + [False], np.bool_)[series]
    either = np.array([role in EITHER for role in roles] + [False], np.bool_)[series]
    filled = pc.not_equal(column, "").to_numpy(zero_copy_only=False)
    filled &= (quality != Quality.BAD) & (series != WITHOUT_SERIES)
    count = len(series)
    numbers, is_number = np.zeros(count, np.float64), np.zeros(count, np.bool_)
    strict = np.flatnonzero(filled & ~textual & ~either)
    unread = _numbers(column, strict, numbers, is_number)
    refuse(unread, lambda row: _no_number(column[row].as_py()))
    _numbers(column, np.flatnonzero(filled & either), numbers, is_number)
    worded = np.flatnonzero(filled & (textual | either) & ~is_number)
    encoded = column.take(pa.array(worded)).dictionary_encode()
    strings = encoded.dictionary.to_pylist()
    words = np.full(count, -1, np.int64)
    words[worded] = encoded.indices.to_numpy()
    for index, word in enumerate(strings):
        if len(word) > MOST_LETTERS or "\0" in word:
            mend = f"write at most {MOST_LETTERS} letters"
            refuse(np.flatnonzero(words == index), lambda _: ("a word that cannot be stored", mend))  # noqa: B023
    return is_number, numbers, words, strings


def _numbers(column: pa.Array, rows: Int, numbers: NDArray[np.float64], is_number: Bool) -> Int:
    """Reads the numbers in some rows into place; gives the rows without a finite one."""
    if not len(rows):
        return rows
    words = column if len(rows) == len(column) else column.take(pa.array(rows))
    try:
        read = pc.cast(words, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        read = np.array([_float(word) for word in words.to_pylist()], np.float64)
    finite = np.isfinite(read)
    numbers[rows[finite]] = read[finite]
    is_number[rows[finite]] = True
    unread: Int = rows[~finite]
    return unread


def _float(word: str) -> float:
    """A number with a decimal point, NaN for anything else."""
    try:
        return float(pc.cast(pa.scalar(word), pa.float64()).as_py())
    except pa.ArrowInvalid:
        return float("nan")


def _no_number(word: Any) -> tuple[str, str]:
    comma = str(word).replace(",", ".", 1)
    if "," in str(word) and np.isfinite(_float(comma)):
        return f"'{word}' has a comma", f"write {comma} (decimal point, no separators)"
    return f"'{word}' is not a number", "write a number, or leave it empty with quality bad"


def _near(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f"did you mean '{near[0]}'?" if near else "known are " + ", ".join(sorted(known)[:12])
