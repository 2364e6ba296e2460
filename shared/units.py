"""Units: microseconds, in which all times are kept, and energy in kWh."""

from __future__ import annotations

from decimal import Decimal

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

KWH_PER: dict[str, Decimal] = {
    "Wh": Decimal("0.001"),
    "kWh": Decimal(1),
    "MWh": Decimal(1000),
    "MJ": Decimal(1) / Decimal("3.6"),
}
"""kWh in one unit; 1 kWh = 3.6 MJ by definition."""

POWER_UNITS = frozenset({"W", "kW", "MW"})
"""Units of power: no counter; an energy signal in one of these must be integrated."""


def hours_in(us: int) -> Decimal:
    """Hours in as many microseconds, rounded as the caller's decimal context says."""
    return Decimal(us) / HOUR_US
