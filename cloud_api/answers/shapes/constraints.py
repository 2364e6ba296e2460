"""Constraints and absorbed cost as they leave the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct

from cloud_api.answers.shapes.ledger import Envelope, Money, Share

ConstraintShare = Annotated[
    Share | None, Meta(description="Of the time with a constraint; null without any.")
]


class View(Struct, frozen=True, kw_only=True):
    """A machine as the constraint, seen over some of the time."""

    sole_share: ConstraintShare
    shifting_share: ConstraintShare


class Views(Struct, frozen=True, kw_only=True):
    """The same machine over all time, over scheduled time, and over scheduled time without overtime."""

    all_time: View
    scheduled: View
    without_overtime: View


class Prop(Struct, frozen=True, kw_only=True):
    """What holds a machine up beyond its regular work."""

    by: Annotated[
        str,
        Meta(
            description="overtime, rework, crew, expedite, override, stock (units that left the line without "
            "having passed it in the window), or the kind of a note in force."
        ),
    ]
    hours: Annotated[
        Decimal | None,
        Meta(
            description="Machine hours (stock: that it would have taken to make it); null where it is not a "
            "matter of time."
        ),
    ]
    amount: Annotated[Money | None, Meta(description="What it cost beyond regular work.")]
    notes: Annotated[int, Meta(description="Notes in force that say so.")]


class ConstraintRow(Struct, frozen=True, kw_only=True):
    """One machine of a line."""

    site: str
    line: str
    machine: str
    is_constraint: Annotated[bool, Meta(description="Whether it was the constraint of its line longest.")]
    sole_share: Annotated[ConstraintShare, Meta(description="Time as the only constraint.")]
    shifting_share: Annotated[ConstraintShare, Meta(description="Time shared with another machine.")]
    utilisation: Annotated[
        Share | None,
        Meta(description="(running + changeover + down) / (scheduled - planned stops), in scheduled time."),
    ]
    regular_load: Annotated[
        Decimal | None,
        Meta(
            description="All its running, changeover and down time, overtime too / scheduled time without "
            "overtime and planned stops. The highest of a line is its constraint without heroics; above 1 it "
            "cannot do without."
        ),
    ]
    stability: Annotated[
        Share | None, Meta(description="Share of production days on which it led its line as the constraint.")
    ]
    views: Views
    masked: Annotated[
        bool,
        Meta(
            description="Highest regular load of its line, 5 % above that of any machine that is as much the "
            "constraint in regular time, by time beyond its regular hours or by what came out of stock."
        ),
    ]
    masked_by: Annotated[
        list[Prop], Meta(description="What props it up; empty: nothing that the data shows.")
    ]
    waiting_h: Annotated[Decimal, Meta(description="Hours starved or blocked, in scheduled time.")]
    idle_h: Annotated[Decimal, Meta(description="Hours without an order, in scheduled time.")]
    demand_limited: Annotated[
        bool, Meta(description="Idle for a tenth of scheduled time or more: orders lack, not capacity.")
    ]
    good_per_hour: Annotated[Decimal | None, Meta(description="Good units per running hour.")]
    relief_per_hour: Annotated[
        Money | None,
        Meta(
            description="Worth of an hour more: at the constraint good units per hour x (list price - truly "
            "variable cost); elsewhere the spend that an hour less avoids. Null where a list price lacks."
        ),
    ]
    relief_hours: Annotated[
        Decimal | None,
        Meta(description="Hours of relief in the window until the next constraint binds; null elsewhere."),
    ]
    next_constraint: Annotated[str | None, Meta(description="The machine that binds then.")]
    relief_total: Annotated[
        Money | None, Meta(description="relief_per_hour x min(relief_hours, hours lost at the constraint).")
    ]
    segments: str


class Absorbed(Struct, frozen=True, kw_only=True):
    """What a line spends so that nobody notices: the parts add up to `amount`."""

    site: str
    line: str
    amount: Money
    overtime: Annotated[Money, Meta(description="Overtime premium: labour/overtime.")]
    rework: Annotated[Money, Meta(description="Rework, of all resources.")]
    crew: Annotated[Money, Meta(description="Crew above standard: labour/crew of the machines where it is.")]
    expedites: Annotated[Money, Meta(description="Charges of cause expedite.")]
    good_units: Decimal
    good_units_before: Annotated[Decimal, Meta(description="In as long a window before.")]
    paid_h_per_unit: Annotated[
        Decimal | None, Meta(description="Person-hours paid per good unit; null where labour is withheld.")
    ]
    paid_h_per_unit_before: Decimal | None
    output_held_by_effort: Annotated[
        bool,
        Meta(description="Output held (98 % or more) while paid hours per good unit rose by 3 % or more."),
    ]
    costs: Annotated[str, Meta(description="Address of the cost by cause.")]


class Constraints(Envelope, frozen=True, kw_only=True):
    """Where output is decided, how stable that is, what masks it, and what an hour is worth."""

    rows: list[ConstraintRow]
    absorbed: list[Absorbed]
