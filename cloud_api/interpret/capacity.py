"""Time-driven activity-based costing (Kaplan & Anderson, Harvard Business Review, November 2004): what
activities cost at the rate of practical capacity, and what the unused capacity costs.

    rate = cost of supplying capacity / practical capacity
    cost of an activity = quantity x time each x rate        unused = (practical - used) x rate

Unused capacity is a line of its own, never spread over activities; it is negative where more was used than
is practical. Lines have 12 decimals, as entries do, and unused is what remains of
the cost, so that they sum to it exactly."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from .money import exactly, stored

ZERO = Decimal(0)


class Activity(Struct, frozen=True):
    """Something done `quantity` times at `minutes` each."""

    name: str
    quantity: Decimal
    minutes: Decimal


class ActivityCost(Struct, frozen=True):
    """Minutes used and their cost (site's currency)."""

    name: str
    minutes: Decimal
    amount: Decimal


class CapacityCost(Struct, frozen=True, kw_only=True):
    """`rate` is cost per practical minute; amounts of activities + `unused_amount` = cost supplied."""

    rate: Decimal
    activities: tuple[ActivityCost, ...]
    used_minutes: Decimal
    used_amount: Decimal
    unused_minutes: Decimal
    unused_amount: Decimal


@exactly
def capacity_cost(cost: Decimal, practical_minutes: Decimal, activities: Sequence[Activity]) -> CapacityCost:
    """What the activities and the unused capacity cost.

    Raises ValueError where there is no practical capacity."""
    if practical_minutes <= 0:
        raise ValueError(
            f"no capacity rate: practical capacity is {practical_minutes} minutes: give the time available"
        )
    lines = []
    for activity in activities:
        minutes = activity.quantity * activity.minutes
        amount = stored(cost * minutes / practical_minutes)
        lines.append(ActivityCost(activity.name, minutes, amount))
    used = sum((line.minutes for line in lines), ZERO)
    used_amount = sum((line.amount for line in lines), ZERO)
    return CapacityCost(
        rate=cost / practical_minutes,
        activities=tuple(lines),
        used_minutes=used,
        used_amount=used_amount,
        unused_minutes=practical_minutes - used,
        unused_amount=cost - used_amount,
    )
