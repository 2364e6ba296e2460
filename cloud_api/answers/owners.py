"""Who owns a cause: who can act on it. `reasons.csv` says it for reasons; this table for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cloud_api.answers.bridge_factors import Factor
from cloud_api.answers.question import Question
from cloud_api.interpret.matching import REASONED
from cloud_api.interpret.plant import Plant

OWNERS: Mapping[str, str] = MappingProxyType(
    {
        "volume": "sales",
        "mix": "sales",
        "standard_vs_budget": "finance",
        "list_price": "sales",
        "sales_price": "sales",
        "stock": "planning",
        "lot_size": "planning",
        "sequence": "planning",
        "duration": "production",
        "production": "production",
        "scrap": "quality",
        "rework": "quality",
        "speed_loss": "production",
        "downtime": "maintenance",
        "changeover": "production",
        "waiting": "planning",
        "idle": "planning",
        "planned_stop": "planning",
        "crew": "production",
        "overtime": "planning",
        "unexplained": "production",
        "scrap_upstream": "quality",
        "wip_change": "production",
        "machine/price": "finance",
        "labour/price": "personnel",
        "energy/price": "purchasing",
        "material/price": "purchasing",
        "energy/usage": "production",
        "material/usage": "production",
    }
)
"""Owner by factor of a bridge."""

NOBODY = "finance"
"""Charges name causes of their own: who booked them."""


def owner_of(factor: Factor) -> str:
    """The owner of a factor where no reason says otherwise."""
    return OWNERS.get(factor.name) or OWNERS.get(factor.part or factor.cause or "") or NOBODY


def bar_owner(question: Question, factor: Factor, reasons: Sequence[tuple[str | None, str]]) -> str:
    """Who owns the dearest reason behind a bar (`reasons`: reason and machine, the dearest first), where
    reasons.csv says it; else who owns the cause."""
    for reason, machine in reasons if factor.cause in REASONED else ():
        for site in question.sites:
            if (owner := owner_of_reason(site.plant, reason, machine)) is not None:
                return owner
    return owner_of(factor)


def owner_of_reason(plant: Plant | None, reason: str | None, machine: str | None) -> str | None:
    """The owner that reasons.csv names for a reason: for its machine, else for all; the last recorded."""
    if plant is None or reason is None:
        return None
    rows = [row for row in plant.reasons if row.reason == reason and row.machine in (None, machine)]
    rows.sort(key=lambda row: (row.machine is not None, row.recorded_at, row.version))
    return rows[-1].owner if rows else None
