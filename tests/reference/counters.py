"""What a counter added, and when it was seen (cost model, signals and counters)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .histories import Sample

ZERO = Fraction(0)
NEAR_FULL = Fraction(9, 10)
NEAR_EMPTY = Fraction(1, 10)
WIDTHS = (16, 32)


@dataclass
class Counting:
    """Increases as (instant, amount); corrections as (instant, old, new): falls that booked nothing."""

    increases: list[tuple[int, Fraction]] = field(default_factory=list)
    corrections: list[tuple[int, Fraction, Fraction]] = field(default_factory=list)


def count(samples: list[Sample], declared: dict[str, Any] | None, changes: list[int]) -> Counting:
    """Increases of one counter. `declared` is its row of `counters:` in site.yaml, `changes` the instants at
    which order or product changed."""
    counting = Counting()
    last: tuple[int, Fraction] | None = None
    for sample in samples:
        if not sample.trusted or sample.value == "":
            continue
        value = Fraction(Decimal(sample.value))
        if last is not None:
            step = increase(
                last[1], value, declared, lambda old=last[0], new=sample.at: changed(old, new, changes)
            )
            if step is None:
                counting.corrections.append((sample.at, last[1], value))
            elif step:
                counting.increases.append((sample.at, step))
        last = (sample.at, value)
    return counting


def changed(old_at: int, new_at: int, changes: list[int]) -> bool:
    """Whether order or product changed after the old sample, up to the new one."""
    return any(old_at < at <= new_at for at in changes)


def change_instants(samples: list[Sample]) -> list[int]:
    """Instants at which a trusted product or order differs from the trusted one before it."""
    trusted = [sample for sample in samples if sample.trusted]
    return [new.at for old, new in itertools.pairwise(trusted) if old.value != new.value]


def increase(
    old: Fraction, new: Fraction, declared: dict[str, Any] | None, new_job: Callable[[], bool]
) -> Fraction | None:
    """The increase between two values; None is a correction. A fall never books a negative."""
    if new >= old:
        return new - old
    fall = (declared or {}).get("fall")
    if fall is None:
        return undeclared_fall(old, new, new_job())
    if fall == "reset":
        return new if new >= 0 else None
    if fall == "rollover" and "rollover" in (declared or {}):
        step = new + Fraction(str(declared["rollover"])) - old
        return step if step >= 0 else None
    return rolled_over(old, new) if fall == "rollover" else None


def undeclared_fall(old: Fraction, new: Fraction, new_job: bool) -> Fraction | None:
    """Cost model: a fall between whose samples order or product changed is a reset; then rollover, then
    reset to at most a tenth; otherwise a correction."""
    if new_job and new >= 0:
        return new
    rolled = rolled_over(old, new)
    if rolled is not None:
        return rolled
    return new if 0 <= new <= old * NEAR_EMPTY else None


def rolled_over(old: Fraction, new: Fraction) -> Fraction | None:
    """Cost model: rollover when old >= 0.9 x 2^k and new <= 0.1 x 2^k, k the least of 16 and 32 that holds
    old. On signed values both are taken modulo 2^k first; if the step is then upward and at most 0.1 x 2^k
    it is the increase."""
    size = next((Fraction(2) ** width for width in WIDTHS if abs(old) < Fraction(2) ** width), None)
    if size is None:
        return None
    if new < 0:
        step = new % size - old % size
        return step if 0 < step <= NEAR_EMPTY * size else None
    if old >= NEAR_FULL * size and new <= NEAR_EMPTY * size:
        return new + size - old
    return None
