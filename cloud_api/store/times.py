"""Between aware datetimes (at the edges, in the database) and integer microseconds UTC (inside)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from shared.units import HOUR_US

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware datetime, exact. Raises TypeError for a naive one."""
    return (at - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970-01-01. Raises OverflowError beyond year 9999."""
    return EPOCH + timedelta(microseconds=us)


@lru_cache(maxsize=20_000)
def hour_at(us: int) -> datetime:
    """As `from_us`, of the start of an hour: few, and asked for often."""
    return from_us(us)


def hour_of(us: int) -> int:
    """The start of the UTC hour that holds an instant, both in microseconds."""
    return us - us % HOUR_US
