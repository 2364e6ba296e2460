"""Rounding at the edge: parts add up to the rounded whole."""

from __future__ import annotations

from decimal import Decimal as D

from cloud_api.interpret.money import exactly, parts_of, shown, stored, whole_and_parts


def test_thirds_add_up_to_their_whole() -> None:
    whole, parts = whole_and_parts([D(1) / 3] * 3)
    assert whole == D("1.0000")
    assert parts == [D("0.3334"), D("0.3333"), D("0.3333")]


def test_negative_parts() -> None:
    given = [D("-0.00005"), D("10.00004"), D("-3.00009")]
    whole, parts = whole_and_parts(given)
    assert sum(parts) == whole == D("6.9999")
    assert all(abs(part - exact) < D("0.0001") for part, exact in zip(parts, given, strict=True))


def test_nothing_is_zero() -> None:
    assert whole_and_parts([]) == (D(0), [])


def test_parts_of_a_whole_that_was_rounded_elsewhere() -> None:
    assert parts_of(D("1.0001"), [D("0.5"), D("0.5")]) == [D("0.5001"), D("0.5000")]
    assert parts_of(D("0.9999"), [D("0.5"), D("0.5")]) == [D("0.4999"), D("0.5000")]


def test_places() -> None:
    assert shown(D("1.00005")) == D("1.0001")
    assert shown(D("-1.00005")) == D("-1.0001")
    assert stored(D(2) / 3) == D("0.666666666667")


def test_money_has_forty_digits_whatever_the_context() -> None:
    @exactly
    def third() -> D:
        return D(1) / 3

    assert len(str(third())) == 42
