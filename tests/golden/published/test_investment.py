"""Net present value and payback against published figures (capital budgeting as textbooks have it)."""

from __future__ import annotations

from decimal import Decimal

from cloud_api.interpret.whatif import net_present_value, payback_years


def test_net_present_value_of_ten_equal_years() -> None:
    value = net_present_value(Decimal(200_000), Decimal(40_000), 10, Decimal("0.08"))
    assert value.quantize(Decimal("0.01")) == Decimal("68403.26")


def test_payback_is_investment_by_yearly_value() -> None:
    assert payback_years(Decimal(150_000), Decimal(20_000)) == Decimal("7.5")


def test_what_earns_nothing_never_pays_back() -> None:
    assert payback_years(Decimal(150_000), Decimal(0)) is None
    assert payback_years(Decimal(150_000), Decimal(-1)) is None
