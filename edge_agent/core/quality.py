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
