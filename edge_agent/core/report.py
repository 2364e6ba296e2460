"""Report by exception: which readings are worth a sample.

A reading passes when the value differs from the last value *sent* (by more than the deadband, where the
signal has one), when its quality differs, or when the signal has been silent for its longest silence. Bad
quality therefore passes whatever the deadband; a bad reading that repeats a bad one tells nothing new and
waits for the longest silence.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.sample import Quality, Sample, Value


@dataclass(frozen=True, slots=True)
class ReportRule:
    """deadband: in the unit of the value, default none. longest_silence_us: a value is repeated after it."""

    deadband: float | None = None
    longest_silence_us: int = 300_000_000


def is_worth(rule: ReportRule, last: Sample | None, now: Sample) -> bool:
    """Whether ``now`` is to be sent after ``last``, the last sample of the signal that was sent."""
    if last is None or now.quality is not last.quality:
        return True
    if now.time_us - last.time_us >= rule.longest_silence_us:
        return True
    if now.quality is Quality.BAD:
        return False
    return _differs(rule.deadband, last.value, now.value)


def _differs(deadband: float | None, last: Value | None, now: Value | None) -> bool:
    if deadband is not None and isinstance(last, float | int) and isinstance(now, float | int):
        return abs(now - last) > deadband
    return last != now
