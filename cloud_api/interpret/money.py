"""Exact money: one decimal context, one rounding at the edge, parts that add up to their whole.

Amounts are Decimal in the site's currency. Stored amounts have 12 decimals, answers have 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from functools import wraps
from typing import ParamSpec, TypeVar

CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)
STORED = Decimal("1e-12")
SHOWN = Decimal("1e-4")

P = ParamSpec("P")
R = TypeVar("R")


def exactly(function: Callable[P, R]) -> Callable[P, R]:
    """Let the function compute with the decimal context of money, whatever the caller's is."""

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(CONTEXT):
            return function(*args, **kwargs)

    return inside


def stored(amount: Decimal) -> Decimal:
    """The amount with the 12 decimals that entries keep."""
    return amount.quantize(STORED, ROUND_HALF_EVEN, CONTEXT)


def shown(amount: Decimal, step: Decimal = SHOWN) -> Decimal:
    """The amount as an answer shows it: rounded half away from zero, 4 decimals by default."""
    return amount.quantize(step, ROUND_HALF_UP, CONTEXT)


def whole_and_parts(parts: Sequence[Decimal]) -> tuple[Decimal, list[Decimal]]:
    """The rounded sum of `parts`, and the parts rounded so that they add up to it (largest remainder).

    No part moves by a whole step or more; ties go to the earlier part, so that equal input gives equal
    output."""
    if not parts:
        return shown(Decimal(0)), []
    total = Decimal(0)
    for part in parts:
        total = CONTEXT.add(total, part)
    whole = shown(total)
    return whole, parts_of(whole, parts)


def parts_of(whole: Decimal, parts: Sequence[Decimal], step: Decimal = SHOWN) -> list[Decimal]:
    """`parts` rounded to `step` so that they sum to `whole`, itself a multiple of `step` close to their
    sum."""
    floors = [part.quantize(step, "ROUND_FLOOR", CONTEXT) for part in parts]
    missing = int(((whole - sum(floors, Decimal(0))) / step).to_integral_value())
    order = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i], i))
    rounded = list(floors)
    for turn in range(abs(missing)):
        rounded[order[turn % len(order)]] += step if missing > 0 else -step
    return rounded
