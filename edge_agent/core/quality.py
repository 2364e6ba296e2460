"""How far a value can be trusted: from the source's own word and the sanity of its time stamp."""

from __future__ import annotations

from shared.sample import Quality

EARLIEST_US = 1_577_836_800_000_000
"""2020-01-01 UTC: a source time before it is a clock that was never set (many controllers start at 1970,
1984, 2000).
"""


def of_status_code(code: int) -> Quality:
    """OPC UA Part 4, 7.39: the two top bits of a StatusCode are its severity: 00 good, 01 uncertain, 10 and
    11 bad.
    """
    severity = (code >> 30) & 3
    return Quality.GOOD if severity == 0 else Quality.UNCERTAIN if severity == 1 else Quality.BAD


def worst(*grades: Quality) -> Quality:
    """The least trustworthy of several; good when there are none."""
    return max(grades, default=Quality.GOOD)


def is_sane(source_us: int, gateway_us: int, tolerance_us: int) -> bool:
    """Whether a source's time may date a value: set at all, and within tolerance of the gateway's clock."""
    return source_us >= EARLIEST_US and abs(source_us - gateway_us) <= tolerance_us
