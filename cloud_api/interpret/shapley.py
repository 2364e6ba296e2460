"""Shapley and Owen values: who moved a figure, and by how much, independent of the order of telling.

A *value* is a function of the set of factors that have been switched from their start to their end; with
none it is the figure at the start, with all the figure at the end. The share of factor i is the mean of
value(S + i) - value(S) over all orders in which the factors can be switched (Shapley, A value for n-person
games, 1953):

    share(i) = sum over S not with i of |S|! (n - |S| - 1)! / n! x (value(S + i) - value(S))

The Owen value (Values of games with a priori unions, 1977) lets only those orders count in which the factors
of a group follow one another. Shares are exact fractions and sum to value(all) - value(none) exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import factorial

Exact = Fraction | Decimal | int
Value = Callable[[frozenset[str]], Exact]
"""The figure once the given factors have been switched."""

MOST_FACTORS = 8
"""Factors of a Shapley value, and groups of an Owen value."""
MOST_IN_GROUP = 12
"""Factors of one group of an Owen value (the causes of one resource fit)."""


def shapley(factors: Sequence[str], value: Value) -> dict[str, Fraction]:
    """The share of each factor in value(all) - value(none), in the unit of the value.

    Raises ValueError with more than 8 factors, or one named twice."""
    _limit(factors, MOST_FACTORS, "factors of a Shapley value", "group them and take the Owen value")
    return owen({factor: (factor,) for factor in factors}, value)


def owen(groups: Mapping[str, Sequence[str]], value: Value) -> dict[str, Fraction]:
    """The share of each factor where the factors of a group are switched together; the shares of a group sum
    to the group's Shapley value.

    Raises ValueError with more than 8 groups, more than 12 factors in one, or a factor named twice."""
    _limit(tuple(groups), MOST_FACTORS, "groups of an Owen value", "merge groups")
    _distinct([factor for members in groups.values() for factor in members])
    for name, members in groups.items():
        _limit(members, MOST_IN_GROUP, f"factors in group {name}", "split the group")

    @cache
    def exact(switched: frozenset[str]) -> Fraction:
        return Fraction(value(switched))

    shares: dict[str, Fraction] = {}
    for name, members in groups.items():
        others = [other for other in groups if other != name]
        for factor in members:
            rest = [each for each in members if each != factor]
            shares[factor] = Fraction(0)
            for before, weight in _orders(others):
                whole = frozenset(each for other in before for each in groups[other])
                for part, share in _orders(rest):
                    switched = whole | part
                    shares[factor] += weight * share * (exact(switched | {factor}) - exact(switched))
    return shares


def _orders(others: Sequence[str]) -> Iterator[tuple[frozenset[str], Fraction]]:
    """Each set that may come before a factor, and the share of all orders in which just it does."""
    count = len(others)
    for size in range(count + 1):
        weight = Fraction(factorial(size) * factorial(count - size), factorial(count + 1))
        for chosen in combinations(others, size):
            yield frozenset(chosen), weight


def _limit(names: Sequence[str], most: int, what: str, remedy: str) -> None:
    if len(names) > most:
        raise ValueError(f"too many {what}: {len(names)}, at most {most}: {remedy}")
    _distinct(names)


def _distinct(names: Sequence[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"a factor is named twice: {', '.join(sorted(twice))}: name each factor once")
