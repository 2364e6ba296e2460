"""Units of energy counters, and what one of each is in kWh."""

from __future__ import annotations

from decimal import Decimal

KWH_PER: dict[str, Decimal] = {
    "Wh": Decimal("0.001"),
    "kWh": Decimal(1),
    "MWh": Decimal(1000),
    "MJ": Decimal(1) / Decimal("3.6"),
}
"""kWh in one unit; 1 kWh = 3.6 MJ by definition."""

POWER_UNITS = frozenset({"W", "kW", "MW"})
"""Units of power: no counter; an energy signal in one of these must be integrated."""
