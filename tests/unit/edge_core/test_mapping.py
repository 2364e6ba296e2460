"""From raw values to what they mean."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.mapping import Meaning, RawValue
from shared.sample import Quality

STATES = Meaning(map=((0.0, "idle"), (1.0, "running"), (2.0, "")), text=True, states=True)


@pytest.mark.parametrize(
    ("meaning", "raw", "value", "kept"),
    [
        (Meaning(), 5, 5.0, None),
        (Meaning(), True, 1.0, None),
        (Meaning(), "text", "text", None),
        (Meaning(mask=0x0F), 0x35, 5.0, None),
        (Meaning(bit=3), 8, 1.0, None),
        (Meaning(bit=15), -1, 1.0, None),
        (Meaning(scale=Fraction(1, 10)), 103, 10.3, 103.0),
        (Meaning(scale=Fraction(1, 10), offset=Fraction(-40)), 3, -39.7, 3.0),
        (Meaning(unit_factor=Fraction(1, 1000)), 1234567, 1234.567, 1234567.0),
        (Meaning(unit_factor=Fraction(5, 18)), 36, 10.0, 36.0),
        (Meaning(text=True), 4711, "4711", None),
        (Meaning(text=True), 4711.0, "4711", None),
        (Meaning(text=True), " P-1 \x00\x00", "P-1", None),
        (Meaning(text=True), "\x00", None, None),
        (STATES, 1, "running", 1.0),
        (STATES, 1.0, "running", 1.0),
        (STATES, True, "running", 1.0),
        (STATES, 7, "unknown", 7.0),
        (STATES, 2, "unknown", 2.0),
        (Meaning(text=True, states=True), "running", "running", "running"),
        (Meaning(text=True, states=True), "Running", "unknown", "Running"),
        (Meaning(map=((0.0, ""), (5.0, "jam")), text=True), 0, None, 0.0),
        (Meaning(map=((0.0, ""), (5.0, "jam")), text=True), 5, "jam", 5.0),
    ],
)
def test_values(meaning: Meaning, raw: RawValue, value: float | str | None, kept: float | str | None) -> None:
    meant = meaning.apply(raw)
    assert (meant.value, meant.raw, meant.quality) == (value, kept, Quality.GOOD)


@pytest.mark.parametrize(
    ("meaning", "raw", "kept"),
    [
        (Meaning(), math.nan, None),
        (Meaning(), math.inf, None),
        (Meaning(), None, None),
        (Meaning(invalid=(65535.0,)), 65535, 65535.0),
        (Meaning(invalid=("---",)), "---", "---"),
        (Meaning(mask=0x0F, invalid=(15.0,)), 0xFF, 15.0),
        (Meaning(map=((5.0, "jam"),), text=True), 6, 6.0),
        (Meaning(scale=Fraction(10**300)), 10**299, 1e299),
        (Meaning(), 10**400, None),
    ],
    ids=range(9),
)
def test_bad_values_say_why(meaning: Meaning, raw: RawValue | None, kept: float | str | None) -> None:
    meant = meaning.apply(raw)
    assert (meant.value, meant.quality, meant.raw) == (None, Quality.BAD, kept)
    assert meant.why


def test_uncertain_stays_uncertain_and_bad_keeps_no_value() -> None:
    assert Meaning().apply(5, Quality.UNCERTAIN).quality is Quality.UNCERTAIN
    bad = Meaning().apply(5, Quality.BAD)
    assert (bad.value, bad.raw, bad.quality) == (None, 5.0, Quality.BAD)


@settings(deadline=None)
@given(st.integers(-(2**63), 2**64), st.integers(-9999, 9999).filter(bool), st.integers(-9999, 9999))
def test_scaling_of_integers_is_exact_but_for_the_last_bit(raw: int, scale: int, offset: int) -> None:
    meaning = Meaning(scale=Fraction(scale, 1000), offset=Fraction(offset, 10))
    exact = raw * Fraction(scale, 1000) + Fraction(offset, 10)
    assert meaning.apply(raw).value == float(exact)


@settings(deadline=None)
@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    st.sampled_from(
        [Meaning(), STATES, Meaning(bit=3), Meaning(mask=7, text=True), Meaning(scale=Fraction(1, 3))]
    ),
)
def test_whatever_a_device_says_there_is_an_answer(raw: RawValue | None, meaning: Meaning) -> None:
    meant = meaning.apply(raw)
    assert meant.value is None or isinstance(meant.value, str) or math.isfinite(meant.value)
    assert meant.raw is None or isinstance(meant.raw, str) or math.isfinite(meant.raw)
    assert meant.value is not None or meant.quality is Quality.BAD or meaning.text
