"""Spells and standing do not depend on the unit of the observations, nor on what comes later."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.interpret.drift import Spell, cusum, spells

observations = st.lists(st.integers(-64, 64).map(lambda n: n / 8), max_size=60)


@given(observations)
def test_mirrored_observations_have_mirrored_spells(series: list[float]) -> None:
    mirrored = [Spell(each.onset, each.alarm, each.end, -each.side) for each in spells(series, 0, 1)]
    assert spells([-x for x in series], 0, 1) == mirrored


@given(observations, st.sampled_from([0.25, 2, 1024]), st.integers(-100, 100))
def test_unit_and_origin_do_not_matter(series: list[float], unit: float, origin: int) -> None:
    moved = [unit * x + origin for x in series]
    assert spells(moved, origin, unit) == spells(series, 0, 1)


@given(observations)
def test_what_was_told_stays_told(series: list[float]) -> None:
    whole = spells(series, 0, 1)
    for count in range(len(series)):
        before = [each for each in whole if each.alarm < count]
        told = [(each.onset, each.alarm, each.side) for each in spells(series[:count], 0, 1)]
        assert told == [(each.onset, each.alarm, each.side) for each in before]


@given(observations)
def test_spells_follow_one_another_and_the_first_is_the_first_alarm(series: list[float]) -> None:
    found = spells(series, 0, 1)
    assert all(each.onset <= each.alarm and (each.end is None or each.alarm < each.end) for each in found)
    assert all(before.end is not None and before.end <= after.alarm for before, after in pairwise(found))
    alarms = [at for at, point in enumerate(cusum(series, 0, 0.5, 5)) if point.alarm]
    assert [each.alarm for each in found[:1]] == alarms[:1]
