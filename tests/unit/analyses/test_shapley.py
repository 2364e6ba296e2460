"""Shapley and Owen values of small games."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction as F

import pytest

from cloud_api.interpret.shapley import owen, shapley


def test_glove_game() -> None:
    shares = shapley(["left", "right 1", "right 2"], lambda s: int("left" in s and len(s) > 1))
    assert shares == {"left": F(2, 3), "right 1": F(1, 6), "right 2": F(1, 6)}


def test_decimals_stay_exact() -> None:
    def value(switched: frozenset[str]) -> D:
        return (D("0.1") if "a" in switched else D("0.3")) * (D("0.2") if "b" in switched else D("0.7"))

    shares = shapley(["a", "b"], value)
    assert shares == {"a": F(-9, 100), "b": F(-1, 10)}


def test_owen_value_of_a_union_against_one() -> None:
    """Majority of three: the union of two keeps all of it, half each (Owen 1977)."""
    shares = owen({"union": ["a", "b"], "alone": ["c"]}, lambda s: int(len(s) >= 2))
    assert shares == {"a": F(1, 2), "b": F(1, 2), "c": 0}


def test_nothing_to_share_among_nobody() -> None:
    assert shapley([], lambda s: 5) == {}


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ({str(n): [f"f{n}"] for n in range(9)}, "too many groups of an Owen value: 9, at most 8"),
        ({"g": [f"f{n}" for n in range(13)]}, "too many factors in group g: 13, at most 12"),
        ({"g": ["a"], "h": ["a"]}, "a factor is named twice: a"),
    ],
)
def test_limits_are_told(groups: dict[str, list[str]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        owen(groups, lambda s: 0)


def test_nine_factors_ask_for_groups() -> None:
    with pytest.raises(ValueError, match="9, at most 8: group them"):
        shapley([str(n) for n in range(9)], lambda s: 0)
