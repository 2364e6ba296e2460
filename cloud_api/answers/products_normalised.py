"""What of a product's cost was isolated or temporary: it will not be there next month.

Verdicts are told on daily series that reach back behind the window (see `series`); what they say was added
on the days of the window is set aside, cause by cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
from psycopg import Connection

from cloud_api.answers.question import Question
from cloud_api.answers.series import Cause, Series, series_of
from cloud_api.answers.verdicts import judged
from cloud_api.interpret.products import UNUSED

MATERIAL = 0.002
"""Share of a product's cost that a cause must have moved by, over all days, to be judged."""

PASSING = frozenset({"isolated", "temporary"})
"""Verdicts on cost that will not persist."""


def passing_by_product(
    connection: Connection[Any], question: Question, now: datetime
) -> dict[str, dict[str, Decimal]]:
    """Amounts by product and cause that were added in the window and will not persist; a saving is negative.
    Of a window longer than `series.BACK` its last days are judged."""
    found: dict[str, dict[str, Decimal]] = {}
    for one in series_of(connection, replace(question, from_us=None), now, ("product",)):
        (product,) = one.key
        if product is not None:
            found[product] = _passing(one, question, now)
    return found


def _passing(one: Series, question: Question, now: datetime) -> dict[str, Decimal]:
    starts = [one.site.day_start_us(day) for day in one.days]
    inside = [
        (question.from_us is None or at >= question.from_us)
        and (question.to_us is None or at < question.to_us)
        for at in starts
    ]
    cells: dict[str, list[Cause]] = defaultdict(list)
    for cell in sorted(one.excess):
        if cell not in UNUSED and any(inside):
            cells[cell[1]].append(cell)
    amounts: dict[str, Decimal] = {}
    for cause, own in cells.items():
        told = judged(one, tuple(own), None) if _is_material(one, own) else None
        if told is None or told.course.verdict not in PASSING:
            continue
        added = sum(
            each * units
            for each, units, here in zip(told.course.added, one.units.tolist(), inside, strict=True)
            if here
        )
        amounts[cause] = Decimal(repr(float(added)))
    return amounts


def _is_material(one: Series, cells: Sequence[Cause]) -> bool:
    """Whether a cause moved the cost of a product by enough to be worth a verdict."""
    values = one.unit_cost(tuple(cells))
    moved = float(np.abs(values - np.median(values)) @ one.units)
    return moved > MATERIAL * float(one.worth.sum())
