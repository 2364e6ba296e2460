"""Exact decompositions against published and hand-computed figures."""

from __future__ import annotations

from fractions import Fraction as F
from math import prod

import pytest

from cloud_api.interpret.shapley import shapley

AIRPORT = {"a": 40, "b": 50, "c": 60, "d": 70, "e": 80, "f": 90}
Table = list[list[int]]


def test_airport_game() -> None:
    shares = shapley(list(AIRPORT), lambda landing: max((AIRPORT[each] for each in landing), default=0))
    assert [6 * share for share in shares.values()] == [40, 52, 67, 87, 117, 177]


def test_unit_cost_of_rate_cycle_availability_and_yield() -> None:
    before = {"rate": F(90), "cycle": F(30), "availability": F("0.85"), "yield": F("0.98")}
    after = {"rate": F(95), "cycle": F("31.5"), "availability": F("0.80"), "yield": F("0.95")}

    def unit_cost(switched: frozenset[str]) -> F:
        x = {name: (after if name in switched else before)[name] for name in before}
        return x["rate"] * x["cycle"] / 3600 / (x["availability"] * x["yield"])

    shares = shapley(list(before), unit_cost)
    expected = (0.053735995, 0.048495412, 0.060246824, 0.030911625)
    assert [float(share) for share in shares.values()] == pytest.approx(expected, abs=5e-10)
    assert sum(shares.values()) == unit_cost(frozenset(before)) - unit_cost(frozenset())
    assert float(sum(shares.values())) == pytest.approx(0.193389856, abs=5e-10)


@pytest.mark.parametrize(
    ("start", "end", "lmdi", "exact"),
    [
        (
            [[1, 10, 2], [4, 5, 3]],
            [[4, 5, 3], [5, 6, 4]],
            (69.790065979, -9.455125793, 39.665059814),
            (F(223, 3), F(-50, 3), F(127, 3)),
        ),
        (
            [[4, 5, 3], [5, 6, 4]],
            [[8, 2, 4], [5, 7, 5]],
            (42.960214665, -34.319026564, 50.358811899),
            (F(48), F(-83, 2), F(105, 2)),
        ),
    ],
)
def test_shapley_and_log_mean_index_agree_in_sum_sign_and_order(
    start: Table, end: Table, lmdi: tuple[float, ...], exact: tuple[F, ...]
) -> None:
    """Two exact methods differ in how they share out large changes; each leaves nothing over."""

    def value(switched: frozenset[str]) -> int:
        rows = zip(start, end, strict=True)
        return sum(prod((new if str(at) in switched else old)[at] for at in range(3)) for old, new in rows)

    shares = tuple(shapley(["0", "1", "2"], value).values())
    assert shares == exact
    assert sum(lmdi) == pytest.approx(float(sum(shares)), abs=1e-8)
    assert all(share * effect > 0 for share, effect in zip(map(float, shares), lmdi, strict=True))
    assert sorted(range(3), key=shares.__getitem__) == sorted(range(3), key=lmdi.__getitem__)
