"""Which values of a full buffer can go so that the rest still says what happened.

States, products, orders, reasons, alarms and every text stay whole, and so does whatever is not good: they
change seldom, and money hangs on each. Of a measure every second value goes, a pass. Of a counter too, but
each fall stays with the value before it: what was counted between two values that stay is still exact. The
values around what is not good stay as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Protocol

from shared.batch import (
    HAS_NUMBER,
    HAS_RAW_NUMBER,
    HAS_RAW_TEXT,
    HAS_SOURCE_TIME,
    HAS_TEXT,
    Batch,
    samples_of,
)
from shared.batch import batch_of as made_of
from shared.roles import COUNTERS, Role

_PLAIN = HAS_NUMBER | HAS_RAW_NUMBER | HAS_RAW_TEXT | HAS_SOURCE_TIME
_WHOLE, _COUNTER, _MEASURE = 0, 1, 2


class Named(Protocol):
    """A signal of a dictionary."""

    @property
    def role(self) -> Role: ...


@dataclass(slots=True)
class Thinned:
    """What went. measures: signal to the first and last instant of its lost values. lost: values by kind.

    counters: signals of which readings went, though nothing that they counted.
    """

    measures: dict[int, tuple[int, int]] = field(default_factory=dict)
    counters: set[int] = field(default_factory=set)
    lost_measures: int = 0
    lost_counters: int = 0
    oldest_us: int = 1 << 62


@dataclass(slots=True)
class _Last:
    """The newest value of a signal: where it stands, and whether it stays."""

    value: float
    batch: int
    row: int
    stays: bool


class Thinning:
    """Over the batches of one segment in their order: first ``look`` at each, then ask for what ``stays``.

    signals: by index, as the dictionary of these batches has them.
    """

    def __init__(self, signals: Sequence[Named]) -> None:
        self._kinds = bytes(
            _MEASURE if each.role is Role.MEASURE else _COUNTER if each.role in COUNTERS else _WHOLE
            for each in signals
        )
        self._masks: list[bytearray] = []
        self._last: dict[int, _Last] = {}
        self.thinned = Thinned()

    def look(self, batch: Batch) -> None:
        """Decide on each row of the next batch; a later one may still save its last counter value."""
        mask = bytearray(b"\x01") * len(batch)
        self._masks.append(mask)
        numbers, kinds, last = iter(batch.numbers), self._kinds, self._last
        place = len(self._masks) - 1
        for row, (signal, flags) in enumerate(zip(batch.signals, batch.flags, strict=True)):
            value = next(numbers) if flags & HAS_NUMBER else 0.0
            kind = kinds[signal] if signal < len(kinds) else _WHOLE
            if kind == _WHOLE:
                continue
            if flags & ~_PLAIN or not flags & HAS_NUMBER or flags & HAS_TEXT:
                if (before := last.pop(signal, None)) is not None:
                    self._masks[before.batch][before.row] = 1
                continue
            before = last.get(signal)
            fell = kind == _COUNTER and before is not None and value < before.value
            if fell and before is not None:
                self._masks[before.batch][before.row] = 1
            stays = before is None or fell or not before.stays
            mask[row] = stays
            last[signal] = _Last(value, place, row, stays)

    def stays(self, place: int, batch: Batch) -> Batch:
        """The batch of that place again, with the rows that stay; counts what goes. Records stay all."""
        mask = self._masks[place]
        if 0 not in mask:
            return batch
        for row in _gone(mask):
            self._count(batch.signals[row], batch.times[row])
        kept = compress(samples_of(batch), mask)
        return made_of(batch.dictionary, kept, batch.marks, batch.gaps, batch.pending)

    def keep_newest(self) -> None:
        """The newest value of every signal stays: what follows elsewhere is told against it."""
        for each in self._last.values():
            self._masks[each.batch][each.row] = 1

    def _count(self, signal: int, time_us: int) -> None:
        told = self.thinned
        told.oldest_us = min(told.oldest_us, time_us)
        if self._kinds[signal] == _COUNTER:
            told.counters.add(signal)
            told.lost_counters += 1
            return
        first, last = told.measures.get(signal, (time_us, time_us))
        told.measures[signal] = (min(first, time_us), max(last, time_us))
        told.lost_measures += 1


def _gone(mask: bytearray) -> Iterator[int]:
    row = mask.find(0)
    while row >= 0:
        yield row
        row = mask.find(0, row + 1)
