"""What each of several changes does where they are tried together: its Shapley value, so that the order in
which they are told does not matter, and all of them add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

from msgspec.structs import replace as changed

from cloud_api.answers.bridge_rounding import decimal
from cloud_api.answers.shapes.whatif import WhatIfChange
from cloud_api.answers.whatif_question import Tried
from cloud_api.interpret.money import parts_of
from cloud_api.interpret.shapley import shapley
from cloud_api.interpret.whatif import Change

CHANGES = {"cycle_s": "cycle_s", "yield": "yield_", "crew": "crew", "lot_size": "lot_size"}
"""Parameters that change how the product runs, and their fields."""


def changes_of(
    tried: Tried,
    figures: Callable[[Tried], tuple[Decimal, Decimal]],
    unit_cost: Decimal,
    yearly_value: Decimal,
) -> list[WhatIfChange]:
    """Each change with its part of the change of unit cost and of the yearly value, as these are told.
    `figures`: unit cost and yearly value of what is tried."""
    names = [name for name in (*CHANGES, "price", "relief_h") if _is_tried(tried, name)]
    known: dict[frozenset[str], tuple[Decimal, Decimal]] = {}

    def told(some: frozenset[str], *, at: int) -> Decimal:
        if some not in known:
            known[some] = figures(_only(tried, some))
        return known[some][at]

    if not names:
        return []
    moved, worth = (
        parts_of(whole, [decimal(part) for part in shapley(names, partial(told, at=at)).values()])
        for at, whole in enumerate((unit_cost, yearly_value))
    )
    return [
        WhatIfChange(change=name, unit_cost=cost, yearly_value=value)
        for name, cost, value in zip(names, moved, worth, strict=True)
    ]


def _is_tried(tried: Tried, name: str) -> bool:
    if name == "relief_h":
        return bool(tried.relief_h)
    if name == "price":
        return tried.price is not None
    return getattr(tried.change, CHANGES[name]) is not None


def _only(tried: Tried, names: frozenset[str]) -> Tried:
    """What is tried, without the other changes."""
    run: Change = changed(
        tried.change, **{field: None for name, field in CHANGES.items() if name not in names}
    )
    return replace(
        tried,
        change=run,
        price=tried.price if "price" in names else None,
        relief_h=tried.relief_h if "relief_h" in names else Decimal(0),
    )
