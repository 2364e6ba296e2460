"""Between aware datetimes (at the edges, in the database) and integer microseconds UTC (inside)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware datetime, exact. Raises TypeError for a naive one."""
    return (at - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970-01-01. Raises OverflowError beyond year 9999."""
    return EPOCH + timedelta(microseconds=us)


def hour_of(us: int) -> int:
    """The start of the UTC hour that holds an instant, both in microseconds."""
    return us - us % HOUR_US
