"""A sample: one value of one signal at one instant, with how far it can be trusted."""

from __future__ import annotations

from enum import IntEnum

import msgspec

Value = float | str


class Quality(IntEnum):
    """OPC UA's three grades. Uncertain is used and lowers confidence; bad ends trust in its signal."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One row of a batch.

    signal: index into the dictionary of the batch.
    time_us: instant of the value, microseconds since 1970-01-01 UTC; corrected where a clock was off.
    value: number (finite) or text; None where nothing can be said (then quality is usually BAD,
        while a None of good quality means 'none', e.g. no order).
    raw: the value before map, rules or scale where one of these was applied, else None.
    source_time_us: the source's own time where it differs from time_us, kept as it came.
    """

    signal: int
    time_us: int
    value: Value | None
    quality: Quality = Quality.GOOD
    raw: Value | None = None
    source_time_us: int | None = None
