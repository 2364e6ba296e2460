"""Whole bridges made of the levers, in exact fractions, from the cost or unit cost of one period to that of
another: start + all bars = end.

Total cost is the sum over products p and causes c of V x s(p) x u(p, c): volume V, share s of the volume,
unit cost u. Switching volume, mix (all shares at once) and each cause's unit costs gives a game that is a sum
of products of three factors, and the Shapley value of a sum is the sum of Shapley values; grouping the causes
by resource (Owen) changes nothing, for no product holds two of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from cloud_api.interpret.bridge_levers import Levers, Sides, cost_levers, unit_cost_levers
from cloud_api.interpret.money import CONTEXT, SHOWN, parts_of, shown

Cause = tuple[str, str]
"""Resource and cause."""

ZERO = Fraction(0)


class Made(Struct, frozen=True, kw_only=True):
    """What a period made and what it cost: good units by product, amounts (site's currency) by product and
    cause. Product None: cost that belongs to no product."""

    units: Mapping[str, Decimal]
    cost: Mapping[tuple[str | None, Cause], Decimal]

    def volume(self) -> Fraction:
        """All good units."""
        return sum((Fraction(units) for units in self.units.values()), ZERO)

    def total(self) -> Fraction:
        """All cost."""
        return sum((Fraction(amount) for amount in self.cost.values()), ZERO)


class Bar(Struct, frozen=True, kw_only=True):
    """One step: `kind` volume, mix or rate (a change of unit cost, or of cost without units), of one product
    and cause."""

    kind: str
    product: str | None
    cause: Cause
    amount: Fraction


class Bridge(Struct, frozen=True, kw_only=True):
    """start + the amounts of all bars = end."""

    start: Fraction
    end: Fraction
    bars: tuple[Bar, ...]

    def by(self, key: Callable[[Bar], Hashable]) -> dict[Hashable, Fraction]:
        """The bars summed by a key."""
        sums: dict[Hashable, Fraction] = {}
        for bar in self.bars:
            sums[key(bar)] = sums.get(key(bar), ZERO) + bar.amount
        return sums


def cost_bridge(start: Made, end: Made) -> Bridge:
    """The bridge of total cost: bars of volume, mix and rate, per product and cause."""
    return _bridge(start, end, cost_levers, (start.total(), end.total()))


def unit_cost_bridge(start: Made, end: Made) -> Bridge:
    """The bridge of cost per good unit: bars of mix and rate, per product and cause.

    Raises ValueError where a period made no good unit."""
    volume = (start.volume(), end.volume())
    unit_cost_levers((ZERO, ZERO), volume)
    return _bridge(start, end, unit_cost_levers, (start.total() / volume[0], end.total() / volume[1]))


def rounded(bridge: Bridge, step: Decimal = SHOWN) -> tuple[Decimal, tuple[Decimal, ...], Decimal]:
    """Start, the amount of each bar, and end, rounded so that they still add up: sums of bars at any level
    are sums of these."""
    start, end = shown(_decimal(bridge.start), step), shown(_decimal(bridge.end), step)
    bars = parts_of(end - start, [_decimal(bar.amount) for bar in bridge.bars], step) if bridge.bars else []
    return start, tuple(bars), end


def _bridge(start: Made, end: Made, levers_of: Callable[[Sides, Sides], Levers], ends: Sides) -> Bridge:
    volume = (start.volume(), end.volume())
    bars: list[Bar] = []
    for key in _in_order([*start.cost, *end.cost]):
        product, cause = key
        before, after = (Fraction(side.cost.get(key, 0)) for side in (start, end))
        made = tuple(Fraction(side.units.get(product, 0)) if product else ZERO for side in (start, end))
        levers = levers_of((made[0], made[1]), volume)
        for kind, lever in (("volume", levers.volume), ("mix", levers.mix), ("rate", levers.rate)):
            if amount := lever.of(before, after):
                bars.append(Bar(kind=kind, product=product, cause=cause, amount=amount))
    return Bridge(start=ends[0], end=ends[1], bars=tuple(bars))


def _in_order(keys: Iterable[tuple[str | None, Cause]]) -> list[tuple[str | None, Cause]]:
    return sorted(set(keys), key=lambda key: (key[0] is not None, key[0] or "", key[1]))


def _decimal(exact: Fraction) -> Decimal:
    return CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator))
