"""Bridges and shares close for every drawn game and pair of periods."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.interpret.shapley import owen, shapley
from tests.unit.analyses.bridges import Made, cost_bridge, rounded, unit_cost_bridge

PRODUCTS = ("p", "q", "r")
CAUSES = (("machine", "production"), ("labour", "idle"), ("energy", "price"))
amounts = st.decimals(-1000, 1000, places=3)
units = st.decimals(0, 1000, places=2)
periods = st.builds(
    lambda made, cost: Made(units=made, cost=cost),
    st.dictionaries(st.sampled_from(PRODUCTS), units),
    st.dictionaries(st.tuples(st.sampled_from((*PRODUCTS, None)), st.sampled_from(CAUSES)), amounts),
)


@given(periods, periods)
def test_start_and_bars_are_the_end(start: Made, end: Made) -> None:
    bridges = [cost_bridge(start, end)]
    if start.volume() and end.volume():
        bridges.append(unit_cost_bridge(start, end))
    for bridge in bridges:
        assert bridge.start + sum(bar.amount for bar in bridge.bars) == bridge.end
        first, bars, last = rounded(bridge)
        assert first + sum(bars) == last
        assert all(
            abs(Fraction(a) - bar.amount) < Fraction(2, 10_000)
            for a, bar in zip(bars, bridge.bars, strict=True)
        )


@given(periods, periods)
def test_back_again_is_the_same_bridge_turned(start: Made, end: Made) -> None:
    there, back = cost_bridge(start, end), cost_bridge(end, start)
    turned = {key: -amount for key, amount in back.by(lambda bar: (bar.kind, bar.product, bar.cause)).items()}
    assert there.by(lambda bar: (bar.kind, bar.product, bar.cause)) == turned


@settings(max_examples=30)
@given(periods, periods)
def test_closed_form_is_the_shapley_value_of_the_whole_game(start: Made, end: Made) -> None:
    """Volume, mix and each cause as factors of one game, where every product is made in both periods."""
    start = Made(units={p: start.units.get(p, Decimal(0)) + 1 for p in PRODUCTS}, cost=start.cost)
    end = Made(units={p: end.units.get(p, Decimal(0)) + 1 for p in PRODUCTS}, cost=end.cost)

    def value(switched: frozenset[str]) -> Fraction:
        volume = (end if "volume" in switched else start).volume()
        mix = end if "mix" in switched else start
        total = Fraction(0)
        for product in PRODUCTS:
            for resource, cause in CAUSES:
                rate = end if resource in switched else start
                cost = Fraction(rate.cost.get((product, (resource, cause)), 0)) / Fraction(
                    rate.units[product]
                )
                total += volume * Fraction(mix.units[product]) / mix.volume() * cost
        return total

    shares = shapley(["volume", "mix", *(resource for resource, _ in CAUSES)], value)
    bars = cost_bridge(start, end).by(lambda bar: bar.cause[0] if bar.kind == "rate" else bar.kind)
    for resource, cause in CAUSES:
        loose = Fraction(end.cost.get((None, (resource, cause)), 0))
        loose -= Fraction(start.cost.get((None, (resource, cause)), 0))
        shares[resource] += loose
    assert {name: share for name, share in shares.items() if share} == {n: b for n, b in bars.items() if b}


@settings(max_examples=40)
@given(st.lists(st.integers(-99, 99), min_size=32, max_size=32))
def test_shares_of_groups_are_the_shapley_value_of_groups(table: list[int]) -> None:
    names = "abcde"
    sets = [frozenset(chosen) for size in range(6) for chosen in combinations(names, size)]
    game = dict(zip(sets, table, strict=True))
    groups = {"x": "ab", "y": "cd", "z": "e"}
    shares = owen(groups, game.__getitem__)
    whole = shapley(list(groups), lambda s: game[frozenset(each for group in s for each in groups[group])])
    assert {group: sum(shares[each] for each in members) for group, members in groups.items()} == whole
    assert sum(shares.values()) == game[frozenset(names)] - game[frozenset()]
    assert sum(shapley(names, game.__getitem__).values()) == game[frozenset(names)] - game[frozenset()]
