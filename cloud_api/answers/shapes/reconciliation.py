"""Shapes of the reconciliation with the ERP."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import Envelope, Money, Time

Hours = Annotated[
    Decimal | None, Meta(description="Machine hours or person-hours; null where there are none.")
]


class Step(Struct, frozen=True, kw_only=True):
    """One item of the walk from the floor to the ERP, and who can close it."""

    item: str
    site: str
    cost_centre: str | None
    resource: str
    amount: Money
    owner: str | None


class ReconciliationRow(Struct, frozen=True, kw_only=True):
    """Both sides of a cost centre and resource. `difference` = erp - floor."""

    site: str
    cost_centre: str | None
    resource: str
    floor: Money | None
    floor_hours: Hours
    erp: Money | None
    erp_hours: Hours
    difference: Money


class NotConfirmed(Struct, frozen=True, kw_only=True):
    """Good units of an order that the floor counted and the ERP did not confirm (negative: the reverse), at
    standard unit cost (null: no standard); beside the walk, not in it."""

    site: str
    order: str
    machine: str
    product: str | None
    floor_good: Decimal
    confirmed_good: Decimal
    amount: Money | None


class HeldUnits(Struct, frozen=True, kw_only=True):
    """Units on hold now, at standard, with the age of the oldest."""

    site: str
    machine: str
    product: str | None
    order: str | None
    units: Decimal
    since: Time
    age_h: Decimal
    value: Money | None


class Reconciliation(Envelope, frozen=True, kw_only=True):
    """Floor + walk + remainder = ERP."""

    month: Annotated[str, Meta(description="YYYY-MM.")]
    floor: Money
    erp: Annotated[Money, Meta(description="Amounts of actuals.csv.")]
    walk: list[Step]
    remainder: Annotated[Money, Meta(description="What no item of the walk explains.")]
    remainder_of: Annotated[list[Step], Meta(description="The remainder by cost centre and resource.")]
    counts_not_confirmed: list[NotConfirmed]
    on_hold: list[HeldUnits]
    rows: list[ReconciliationRow]
