"""The settled readings on counters: falls, rollovers, resets, corrections."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cloud_api.interpret.counters import SCALE, Fall, Reading, decimal, exact, increase

UNDECLARED = Fall("", None, None, False, Decimal(1))


def reading(value: float, raw: float | None = None) -> Reading:
    return Reading(exact(value), None if raw is None else exact(raw))


def step(old: float, new: float, fall: Fall = UNDECLARED, turned: bool = False) -> float | None:
    units = increase(reading(old), reading(new), fall, turned)
    return None if units is None else float(decimal(units))


def declared(kind: str, modulus: int | None = None, width: int | None = None, signed: bool = False) -> Fall:
    return Fall(kind, None if modulus is None else modulus * SCALE, width, signed, Decimal(1))


def test_a_float_becomes_exact_by_its_shortest_decimal_form() -> None:
    assert decimal(exact(0.1)) == Decimal("0.1")
    assert decimal(exact(12345.678)) == Decimal("12345.678")
    assert exact(float(2**53)) == 2**53 * SCALE
    assert sum([exact(0.1)] * 10) == exact(1.0)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (100, 130, 30),
        (65530, 4, 10),  # rollover of 16 bits: old >= 0.9 x 2^16, new <= 0.1 x 2^16
        (65530, 6553, 6559),
        (65530, 6554, None),  # neither near the start nor below a tenth
        (58982, 1, 1),  # just below 0.9 x 2^16: a reset, as 1 <= old / 10
        (58983, 1, 6554),
        (2**32 - 6, 4, 10),  # the least of 16 and 32 that holds old
        (4_000_000_000, 100, 2**32 + 100 - 4_000_000_000),
        (70_000, 7, 7),  # held by 32 bits, far from its end: reset
        (1000, 100, 100),
        (1000, 101, None),
        (1000, 999, None),
        (5000, 0, 0),
        (100, -1, None),
        (-5, -10, None),
        (-5, 3, 8),
        (2**33, 5, 5),  # no width holds it: reset
    ],
)
def test_undeclared_falls(old: float, new: float, expected: float | None) -> None:
    assert step(old, new) == expected


def test_a_fall_where_order_or_product_changed_is_a_reset() -> None:
    assert step(1000, 999, turned=True) == 999
    assert step(65530, 4, turned=True) == 4
    assert step(100, -3, turned=True) is None
    assert step(100, 130, turned=True) == 30


@pytest.mark.parametrize(
    ("old", "new", "fall", "expected"),
    [
        (9990, 5, declared("rollover", 10_000), 15),
        (5000, 0, declared("rollover", 10_000), 5000),
        (10_001, 5, declared("rollover", 10_000), None),
        (60_000, 10, declared("rollover"), 5546),
        (250, 4, declared("rollover", width=8), 10),
        (32767, -32768, declared("rollover", width=16, signed=True), 1),
        (900, 890, declared("reset"), 890),
        (900, -1, declared("reset"), None),
        (65530, 4, declared("correction"), None),
    ],
)
def test_what_the_signal_declares_decides(old: float, new: float, fall: Fall, expected: float | None) -> None:
    assert step(old, new, fall) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (32767, -32768, 1),
        (32000, -32000, 1536),
        (32767, -26215, None),  # more than 0.1 x 2^16 further
        (-10, -20, None),
        (30000, 100, 100),  # both taken modulo 2^16 fall: the rules go on to the reset
        (2**31 - 1, -(2**31), 1),
    ],
)
def test_signed_registers_are_taken_modulo_first(old: float, new: float, expected: float | None) -> None:
    fall = Fall("", None, 32 if abs(old) > 2**15 else 16, True, Decimal(1))
    assert step(old, new, fall) == expected


def test_a_signed_register_without_a_declared_width() -> None:
    assert step(32767, -32768) == 1
    assert step(2**31 - 1, -(2**31)) == 1


def test_rollover_on_the_raw_value_of_a_scaled_counter() -> None:
    fall = Fall("", None, 16, False, Decimal("0.1"))
    units = increase(reading(6553.0, 65530), reading(0.4, 4), fall, False)
    assert units is not None
    assert decimal(units) == Decimal("1.0")
    rising = increase(reading(0.1, 1), reading(0.3, 3), fall, False)
    assert rising is not None
    assert decimal(rising) == Decimal("0.2")


def test_a_scaled_value_without_its_raw_value_does_not_roll_over() -> None:
    fall = Fall("", None, None, False, Decimal("0.1"))
    assert step(65530, 4, fall) == 4


def test_a_value_with_a_fraction_is_no_register_and_does_not_roll_over() -> None:
    assert step(65000.5, 100.0) == 100
