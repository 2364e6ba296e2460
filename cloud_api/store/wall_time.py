"""Times as files write them: with an offset, or on the clock of a site.

Without an offset the site's zone counts: the first occurrence in a repeated hour; a time in a skipped hour
never was and is refused. Instants are UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
QUARTER_US = 15 * 60 * 1_000_000
"""Clocks change on quarters of an hour."""
_WRITTEN = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s?(Z|z|[-+]\d{2}(:?\d{2})?)?)?"
)


class UnreadableTime(ValueError):
    """A word that is no instant: ``message`` and ``mend``."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(f"{message}: {mend}")
        self.message = message
        self.mend = mend


def read_instant(word: str, zone: ZoneInfo | None) -> datetime:
    """An instant in UTC. Raises UnreadableTime; also for a time without offset where zone is None."""
    if not _WRITTEN.fullmatch(word):
        raise UnreadableTime(
            f"'{word}' is not a time", "write it as 2026-01-31T06:00:00, with or without offset"
        )
    try:
        when = datetime.fromisoformat(word.replace(",", ".").replace("z", "Z"))
        instant = when.astimezone(UTC) if when.tzinfo is not None else _on_clock(when, zone)
    except UnreadableTime:
        raise
    except (ValueError, OverflowError):
        raise UnreadableTime(
            f"'{word}' is no time of the calendar", "write an existing date and time"
        ) from None
    if not EARLIEST <= instant < LATEST:
        raise UnreadableTime(f"'{word}' lies beyond the years 1970 to 2199", "mend the date")
    return instant


def _on_clock(when: datetime, zone: ZoneInfo | None) -> datetime:
    if zone is None:
        raise UnreadableTime(
            f"'{when}' has no offset and the site's zone is not known",
            "load the plant model first, or write offsets",
        )
    instant = when.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != when:
        raise UnreadableTime(
            f"'{when}' was skipped by the clocks of {zone.key}", "write the time that was, or give its offset"
        )
    return instant


def clock_to_utc(clock_us: NDArray[np.int64], zone: ZoneInfo) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Many wall-clock times (microseconds since 1970-01-01 00:00 on the site's clock) as UTC microseconds.

    The second array tells which of them were skipped by the clock; their first value means nothing.
    """
    quarters, where = np.unique(clock_us // QUARTER_US, return_inverse=True)
    shift = np.empty(len(quarters), np.int64)
    skipped = np.zeros(len(quarters), np.bool_)
    begin = datetime(1970, 1, 1)  # noqa: DTZ001 (a wall clock has no zone yet)
    for index, quarter in enumerate(quarters.tolist()):
        when = begin + timedelta(microseconds=quarter * QUARTER_US)
        local = when.replace(tzinfo=zone, fold=0)
        instant = local.astimezone(UTC)
        skipped[index] = instant.astimezone(zone).replace(tzinfo=None) != when
        offset = local.utcoffset()
        assert offset is not None
        shift[index] = offset // timedelta(microseconds=1)
    return clock_us - shift[where], skipped[where]
