"""Shapes of fiscal periods: their status, their adjustments, and what changes them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, Struct, field

from cloud_api.answers.shapes.ledger import Money, Stated, Status, Time

ZERO = Decimal(0)


class Adjustment(Struct, frozen=True, kw_only=True):
    """What came too late for a closed period: recomputed - frozen - earlier adjustments, summed."""

    machine: Annotated[str | None, Meta(description="null: a charge to the site.")]
    resource: str
    cause: str
    amount: Money
    booked_in: Annotated[str | None, Meta(description="The open period in which it was booked.")]
    booked_on: Annotated[dt.date, Meta(description="Production day of the booking.")]
    booked_at: Annotated[Time, Meta(description="When it became known.")]


class PeriodRow(Struct, frozen=True, kw_only=True):
    """A fiscal period, [from, to), and the adjustments that belong to it."""

    id: str
    site: str
    from_: Time = field(name="from")
    to: Time
    status: Status
    currency: str | None = None
    adjustments: list[Adjustment] = field(default_factory=list)
    adjusted: Annotated[Money | None, Meta(description="Sum of its adjustments; null while not closed.")] = (
        None
    )
    booked: Annotated[Money, Meta(description="Sum of what other periods' adjustments book in it.")] = field(
        default_factory=lambda: ZERO
    )
    plant_version: Annotated[
        int | None, Meta(description="The plant model that it keeps while locked or closed.")
    ] = None
    since: Annotated[Time | None, Meta(description="When it was locked or closed.")] = None
    by: Annotated[str | None, Meta(description="Who locked or closed it.")] = None
    pending_hours: Annotated[
        int, Meta(description="Machine-hours before its end that wait; none may when it is closed.")
    ] = 0
    waits_for_second_person: Annotated[
        str | None, Meta(description="Who asked to close it, where a second person must agree.")
    ] = None


class Periods(Stated, frozen=True, kw_only=True):
    """Fiscal periods, oldest first."""

    rows: list[PeriodRow]


class PeriodChange(Struct, frozen=True, kw_only=True):
    """What to say of a change: the site, where a key may see several."""

    site: str | None = None


class PeriodChanged(Struct, frozen=True, kw_only=True):
    """A period after the change."""

    id: str
    site: str
    from_: Time = field(name="from")
    to: Time
    status: Status
    plant_version: int | None
    waits_for_second_person: Annotated[
        bool, Meta(description="Nothing is closed yet: another person must send the same request.")
    ] = False
