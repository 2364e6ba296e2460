"""Durations as people write them: ``500 ms``, ``1.5 s``, ``5 min``; inside, integer microseconds."""

from __future__ import annotations

import re
from decimal import Decimal

from shared.units import DAY_US, HOUR_US, MINUTE_US

UNITS: dict[str, int] = {
    "us": 1,
    "µs": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": MINUTE_US,
    "h": HOUR_US,
    "d": DAY_US,
}
"""Microseconds in one of each."""

PATTERN = r"^\s*[0-9]+(\.[0-9]+)?\s*(us|µs|ms|s|min|h|d)\s*$"
_PARTS = re.compile(r"^\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-zµμ]*)\s*$")
_MEANT = {
    "m": "min",
    "mn": "min",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "msec": "ms",
    "millis": "ms",
    "millisecond": "ms",
    "milliseconds": "ms",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
}


def parse_duration(text: str) -> int:
    """Microseconds; raises ValueError that says what to write."""
    found = _PARTS.match(text)
    if found is None:
        raise ValueError(f"'{text}' is not a duration; write for example 500 ms, 2 s or 5 min")
    number, unit = found.groups()
    if not unit:
        raise ValueError(f"'{text}' has no unit; write {number} s, {number} ms or {number} min")
    if unit not in UNITS:
        raise ValueError(f"'{unit}' is not a unit of time; {_mend(number, unit)}")
    exact = Decimal(number) * UNITS[unit]
    if exact != exact.to_integral_value():
        raise ValueError(f"'{text}' is finer than a microsecond; write a whole number of us")
    return int(exact)


def shown(us: int) -> str:
    """A duration in its largest unit that keeps it whole: 90_000_000 is ``90 s``."""
    for unit in ("d", "h", "min", "s", "ms"):
        if us and us % UNITS[unit] == 0:
            return f"{us // UNITS[unit]} {unit}"
    return f"{us} us" if us else "0 s"


def _mend(number: str, unit: str) -> str:
    meant = _MEANT.get(unit.lower()) or (unit.lower() if unit.lower() in UNITS else None)
    return f"did you mean {number} {meant}?" if meant else "use us, ms, s, min, h or d"
