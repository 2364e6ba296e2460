"""How costs move a bridge: weights on the cost at the start and at the end, one pair for each kind of bar.

Cost of a product is V x s x u: volume of all products V, share s of it, cost per unit u = cost / units. The
Shapley value of each factor is linear in the unit costs, and so in the costs:

    volume = (V1 - V0) x ((2 s0 + s1) u0 + (s0 + 2 s1) u1) / 6
    mix    = (s1 - s0) x ((2 V0 + V1) u0 + (V0 + 2 V1) u1) / 6
    rate   = (u1 - u0) x (2 V0 s0 + V0 s1 + V1 s0 + 2 V1 s1) / 6

and for cost per unit (no volume) mix = (s1 - s0) (u0 + u1) / 2, rate = (s0 + s1) / 2 (u1 - u0). The weights
hold for any part of the cost, so a bar may be cut by machine, cause or segment and its parts still add up.
A product that was made on one side only has no unit cost on the other: the one known stands in, so that its
coming or going is volume and mix. Cost without units moves by itself: rate = cost at the end - at the start.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Generic, TypeVar

from msgspec import Struct

ZERO, ONE = Fraction(0), Fraction(1)
Sides = tuple[Fraction, Fraction]
"""A figure at the start and at the end."""


_EXACT = Context(prec=100_000, traps=[Inexact])


class Weights(Struct, frozen=True):
    """A lever as whole numbers over one."""

    start: Decimal
    end: Decimal
    per: int

    def moved(self, before: Decimal, after: Decimal) -> Decimal:
        """The bar of a cost that was `before` and is `after`, times `per`."""
        return _EXACT.add(_EXACT.multiply(self.start, before), _EXACT.multiply(self.end, after))


class Lever(Struct, frozen=True):
    """What a unit of cost at the start, and one at the end, adds to a bar."""

    start: Fraction = ZERO
    end: Fraction = ZERO

    def of(self, before: Fraction, after: Fraction) -> Fraction:
        """The bar of a cost that was `before` and is `after`."""
        return self.start * before + self.end * after

    def weights(self) -> Weights:
        """Start and end over one denominator."""
        per = lcm(self.start.denominator, self.end.denominator)
        start, end = (each.numerator * (per // each.denominator) for each in (self.start, self.end))
        return Weights(Decimal(start), Decimal(end), per)


Where = TypeVar("Where", bound=Hashable)


class Sums(Generic[Where]):
    """Exact sums of many costs, each with its weights: brought to one denominator at the end only, for a
    fraction that is reduced at each step takes ten times as long."""

    def __init__(self) -> None:
        self._parts: dict[Where, dict[int, Decimal]] = {}

    def add(self, where: Where, weights: Weights, before: Decimal, after: Decimal) -> None:
        """Adds what a cost that was `before` and is `after` moves; what moves nothing leaves no sum."""
        moved = weights.moved(before, after)
        if moved:
            parts = self._parts.setdefault(where, {})
            parts[weights.per] = _EXACT.add(parts.get(weights.per, Decimal(0)), moved)

    def wholes(self) -> Iterator[tuple[Where, Fraction]]:
        """The sums."""
        for where, parts in self._parts.items():
            per, factors = _over_one(tuple(parts))
            whole = Decimal(0)
            for part, factor in zip(parts.values(), factors, strict=True):
                whole = _EXACT.add(whole, _EXACT.multiply(part, factor))
            yield where, Fraction(whole) / per


@lru_cache(maxsize=64)
def _over_one(denominators: tuple[int, ...]) -> tuple[int, tuple[Decimal, ...]]:
    """One denominator for some, and what each numerator is multiplied by."""
    per = lcm(*denominators)
    return per, tuple(Decimal(per // each) for each in denominators)


class Levers(Struct, frozen=True, kw_only=True):
    """The levers of one product; `per` is what a cost is divided by on each side (1, or the units made).
    The three of a side sum to -1 / per at the start and to 1 / per at the end."""

    volume: Lever
    mix: Lever
    rate: Lever
    per: Sides = (ONE, ONE)


def cost_levers(units: Sides, volume: Sides) -> Levers:
    """Levers of total cost for a product's units among the volume of all products."""
    shares = _shares(units, volume)
    (v0, v1), (s0, s1) = volume, shares
    return _levers(
        units,
        ((v1 - v0) * (2 * s0 + s1) / 6, (v1 - v0) * (s0 + 2 * s1) / 6),
        ((s1 - s0) * (2 * v0 + v1) / 6, (s1 - s0) * (v0 + 2 * v1) / 6),
        (2 * v0 * s0 + v0 * s1 + v1 * s0 + 2 * v1 * s1) / 6,
        (ONE, ONE),
    )


def unit_cost_levers(units: Sides, volume: Sides) -> Levers:
    """Levers of cost per unit; volume has none.

    Raises ValueError where a side made nothing."""
    if not all(volume):
        raise ValueError(
            "no unit cost: a period made no good unit: choose a longer period, or bridge the cost"
        )
    s0, s1 = _shares(units, volume)
    mix = (s1 - s0) / 2
    return _levers(units, (ZERO, ZERO), (mix, mix), (s0 + s1) / 2, volume)


def _shares(units: Sides, volume: Sides) -> Sides:
    first, last = (made / whole if whole else ZERO for made, whole in zip(units, volume, strict=True))
    return first, last


def _levers(units: Sides, volume: Sides, mix: Sides, rate: Fraction, per: Sides) -> Levers:
    """From weights on unit costs to weights on costs."""
    moved = _on_costs(units, (-rate, rate))
    loose = Lever(
        moved.start if units[0] else -ONE / per[0],
        moved.end if units[1] else ONE / per[1],
    )
    return Levers(volume=_on_costs(units, volume), mix=_on_costs(units, mix), rate=loose, per=per)


def _on_costs(units: Sides, weights: Sides) -> Lever:
    """Weights on unit costs as weights on costs; the unit cost of the other side stands in for none."""
    (made0, made1), (w0, w1) = units, weights
    if made0 and made1:
        return Lever(w0 / made0, w1 / made1)
    if made1:
        return Lever(ZERO, (w0 + w1) / made1)
    return Lever((w0 + w1) / made0) if made0 else Lever()
