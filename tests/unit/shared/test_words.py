"""Closed vocabularies and units: what they hold, and what they refuse."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shared.roles import COUNTERS, TEXTS, Role, split_role
from shared.units import KWH_PER, POWER_UNITS


@pytest.mark.parametrize(
    ("text", "role", "name"),
    [
        ("state", Role.STATE, None),
        ("material:STEEL-3", Role.MATERIAL, "STEEL-3"),
        ("measure:oil temp", Role.MEASURE, "oil temp"),
        ("material", Role.MATERIAL, None),
        ("measure:a:b", Role.MEASURE, "a:b"),
    ],
)
def test_a_role_of_a_history_file_is_read(text: str, role: Role, name: str | None) -> None:
    assert split_role(text) == (role, name)


@pytest.mark.parametrize("text", ["", "State", "material:", "state:x", ":x", "speed"])
def test_what_is_no_role_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        split_role(text)


def test_a_role_is_a_counter_or_a_word_or_neither() -> None:
    assert not COUNTERS & TEXTS
    assert {Role.CREW, Role.SPEED_OVERRIDE, Role.ALARM, Role.MEASURE} == set(Role) - COUNTERS - TEXTS


def test_energy_units_are_exact_and_power_is_none_of_them() -> None:
    assert KWH_PER["Wh"] * 1000 == KWH_PER["kWh"] == KWH_PER["MWh"] / 1000 == 1
    assert abs(KWH_PER["MJ"] * Decimal("3.6") - 1) < Decimal("1e-25")
    assert not POWER_UNITS & KWH_PER.keys()
