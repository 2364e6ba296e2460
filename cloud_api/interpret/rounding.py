"""Figures that are no money, as answers show them. Money is rounded in `money`."""

from __future__ import annotations

from decimal import Decimal
from typing import overload

from cloud_api.interpret.money import CONTEXT, SHOWN

SIX = Decimal("1e-6")


@overload
def measured(value: None) -> None: ...
@overload
def measured(value: Decimal | float) -> Decimal: ...
def measured(value: Decimal | float | None) -> Decimal | None:
    """Hours, units, ratios and statistics: 6 decimals, half to even. None stays None."""
    if value is None:
        return None
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return exact.quantize(SIX, context=CONTEXT)


def probability(value: float) -> Decimal:
    """A statistic between 0 and 1, kept there: 4 decimals, half to even."""
    return Decimal(repr(min(1.0, max(0.0, value)))).quantize(SHOWN, context=CONTEXT)
