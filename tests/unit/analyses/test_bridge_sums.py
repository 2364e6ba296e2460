"""Sums over one denominator are those of fractions, term by term."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from cloud_api.interpret.bridge_levers import Lever, Sums


def test_sums_are_those_of_fractions() -> None:
    levers = [
        Lever(Fraction(-made, 7 * made + 1), Fraction(made + 2, 6 * made)) for made in (3, 11, 360_000, 12)
    ]
    costs = [(Decimal("1234.567890123456"), Decimal("-0.000000000001")), (Decimal(0), Decimal("99.5"))]
    sums: Sums[str] = Sums()
    slow: dict[str, Fraction] = {}
    for at, lever in enumerate(levers):
        for before, after in costs:
            where = "odd" if at % 2 else "even"
            sums.add(where, lever.weights(), before, after)
            moved = lever.of(Fraction(before), Fraction(after))
            slow[where] = slow.get(where, Fraction(0)) + moved
    assert dict(sums.wholes()) == slow


def test_what_moves_nothing_leaves_no_sum() -> None:
    sums: Sums[str] = Sums()
    sums.add("still", Lever(Fraction(-1, 3), Fraction(1, 3)).weights(), Decimal("7.5"), Decimal("7.5"))
    assert list(sums.wholes()) == []
