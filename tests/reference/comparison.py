"""Compares cells of the reference with rows of a REST answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

Key = tuple[str | None, ...]
UNIT = Fraction(3, 10_000)


def cells_of_rows(
    rows: Iterable[Mapping[str, Any]], by: Sequence[str], value: str = "amount"
) -> dict[Key, Fraction]:
    """REST rows as {dimensions: exact number}; rows without the value are left out."""
    cells: dict[Key, Fraction] = {}
    for row in rows:
        if row.get(value) is not None:
            key = tuple(row.get(name) for name in by)
            cells[key] = cells.get(key, Fraction(0)) + Fraction(Decimal(str(row[value])))
    return cells


def differences(
    reference: Mapping[Key, Fraction], answered: Mapping[Key, Fraction], tolerance: Fraction = UNIT
) -> list[str]:
    """Cells that differ by more than the tolerance, as sentences; empty when all agree.

    The tolerance is one rounding unit: an answer rounds to 4 decimals and moves single cells by less than a
    unit so that parts add up to the rounded whole.
    """
    told = []
    for key in sorted({*reference, *answered}, key=str):
        ours, theirs = reference.get(key, Fraction(0)), answered.get(key, Fraction(0))
        if abs(ours - theirs) > tolerance:
            told.append(f"{key}: reference {float(ours):.6f}, answered {float(theirs):.6f}")
    return told
