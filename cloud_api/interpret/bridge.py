"""Bridges: from the cost, or unit cost, of one period to that of another: start + all bars = end, exactly.

Total cost is the sum over products p and causes c of V x s(p) x u(p, c): volume V, share s of the volume,
unit cost u. Switching volume, mix (all shares at once) and each cause's unit costs gives a game that is a sum
of products of three factors, and the Shapley value of a sum is the sum of Shapley values; of x y z it is, for
x,

    (x1 - x0) x (2 y0 z0 + y0 z1 + y1 z0 + 2 y1 z1) / 6

For unit cost (no volume) it is the closed form of mix and rate: mix = sum of (change of share) x mean unit
cost, rate = mean share x (change of unit cost).

A product that was made in one period only has no unit cost in the other: the one known stands in, so that its
coming or going is volume and mix. Cost of what has no units in a period (idle labour, a charge) is no rate
times anything: its change is the bar of its cause."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from .money import CONTEXT, SHOWN, parts_of, shown

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


class _Term(Struct, frozen=True):
    """Share and unit cost of one product and cause, at start and end."""

    product: str
    cause: Cause
    share: tuple[Fraction, Fraction]
    unit_cost: tuple[Fraction, Fraction]


def cost_bridge(start: Made, end: Made) -> Bridge:
    """The bridge of total cost: bars of volume, mix and rate, per product and cause."""
    terms, loose = _terms(start, end)
    volume = (start.volume(), end.volume())
    bars = [*_loose_bars(loose, (Fraction(1), Fraction(1)))]
    for term in terms:
        bars += _bars(term, "volume", _effect(volume, term.share, term.unit_cost))
        bars += _bars(term, "mix", _effect(term.share, volume, term.unit_cost))
        bars += _bars(term, "rate", _effect(term.unit_cost, volume, term.share))
    return Bridge(start=start.total(), end=end.total(), bars=tuple(bars))


def unit_cost_bridge(start: Made, end: Made) -> Bridge:
    """The bridge of cost per good unit: bars of mix and rate, per product and cause.

    Raises ValueError where a period made no good unit."""
    volume = (start.volume(), end.volume())
    if not all(volume):
        raise ValueError(
            "no unit cost: a period made no good unit: choose a longer period, or bridge the cost"
        )
    terms, loose = _terms(start, end)
    bars = [*_loose_bars(loose, volume)]
    for term in terms:
        (s0, s1), (u0, u1) = term.share, term.unit_cost
        bars += _bars(term, "mix", (s1 - s0) * (u0 + u1) / 2)
        bars += _bars(term, "rate", (s0 + s1) / 2 * (u1 - u0))
    return Bridge(start=start.total() / volume[0], end=end.total() / volume[1], bars=tuple(bars))


def rounded(bridge: Bridge, step: Decimal = SHOWN) -> tuple[Decimal, tuple[Decimal, ...], Decimal]:
    """Start, the amount of each bar, and end, rounded so that they still add up: sums of bars at any level
    are sums of these."""
    start, end = shown(_decimal(bridge.start), step), shown(_decimal(bridge.end), step)
    bars = parts_of(end - start, [_decimal(bar.amount) for bar in bridge.bars], step) if bridge.bars else []
    return start, tuple(bars), end


def _effect(
    x: tuple[Fraction, Fraction], y: tuple[Fraction, Fraction], z: tuple[Fraction, Fraction]
) -> Fraction:
    """The Shapley value of x in x y z."""
    crossed = 2 * y[0] * z[0] + y[0] * z[1] + y[1] * z[0] + 2 * y[1] * z[1]
    return (x[1] - x[0]) * crossed / 6


def _bars(term: _Term, kind: str, amount: Fraction) -> Iterator[Bar]:
    if amount:
        yield Bar(kind=kind, product=term.product, cause=term.cause, amount=amount)


_Loose = dict[tuple[str | None, Cause], tuple[Fraction, Fraction]]


def _loose_bars(loose: _Loose, per: tuple[Fraction, Fraction]) -> Iterator[Bar]:
    for (product, cause), (before, after) in loose.items():
        change = after / per[1] - before / per[0]
        if change:
            yield Bar(kind="rate", product=product, cause=cause, amount=change)


def _terms(start: Made, end: Made) -> tuple[list[_Term], _Loose]:
    """Costs as share x unit cost where there are units, and what is left without."""
    terms: list[_Term] = []
    loose: _Loose = {}
    volumes = (start.volume(), end.volume())
    for key in _in_order([*start.cost, *end.cost]):
        product, cause = key
        costs = tuple(Fraction(side.cost.get(key, 0)) for side in (start, end))
        units = tuple(Fraction(side.units.get(product, 0)) if product else ZERO for side in (start, end))
        left = [ZERO if made else cost for cost, made in zip(costs, units, strict=True)]
        if any(left):
            loose[key] = (left[0], left[1])
        if product is None or not any(units):
            continue
        rates = [cost / made if made else None for cost, made in zip(costs, units, strict=True)]
        shares = [made / volume if volume else ZERO for made, volume in zip(units, volumes, strict=True)]
        before = rates[0] if rates[0] is not None else rates[1]
        after = rates[1] if rates[1] is not None else rates[0]
        terms.append(_Term(product, cause, (shares[0], shares[1]), (before or ZERO, after or ZERO)))
    return terms, loose


def _in_order(keys: Iterable[tuple[str | None, Cause]]) -> list[tuple[str | None, Cause]]:
    return sorted(set(keys), key=lambda key: (key[0] is not None, key[0] or "", key[1]))


def _decimal(exact: Fraction) -> Decimal:
    return CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator))
