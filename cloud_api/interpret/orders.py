"""Orders: what one will have cost when it is complete, and when that is.

    estimate at completion = actual to date + max(0, planned - good) x unit cost so far
    margin = planned x sales price - estimate at completion      late = max(0, completion - planned end)

The unit cost so far is actual to date / good; before the first 20 units the standard stands in. What is
still to be made is forecast at the order's own pace in scheduled time, before its first 20 units at the
standard's. What has not begun waits for those before it (`answers.orders_queue`). Money in the site's
currency, times in microseconds UTC."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.allowance import hours
from cloud_api.interpret.calendar import Almanac
from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import Standard
from shared.units import DAY_US, HOUR_US

ZERO = Decimal(0)

FIRST_UNITS = Decimal(20)
"""Units before which an order says nothing of its own cost and pace."""

HORIZON_US = 400 * DAY_US
"""How far a forecast looks; an order that takes longer has none."""


class Progress(Struct, frozen=True, kw_only=True):
    """How far an order is. `scheduled_us`: scheduled time it took where its units are counted;
    `standard_unit_cost`: of what it made, or of its next unit; `hours_each`: standard hours of a unit at
    the slowest machine, None without a standard; `begin_us`: when the rest can begin."""

    planned: Decimal
    good: Decimal
    actual: Decimal
    scheduled_us: int
    standard_unit_cost: Decimal | None
    hours_each: Decimal | None
    begin_us: int


@exactly
def estimate_at_completion(order: Progress) -> Decimal | None:
    """Cost of the whole order; None where units are missing that neither it nor a standard prices."""
    missing = max(ZERO, order.planned - order.good)
    if not missing:
        return order.actual
    each = order.actual / order.good if order.good >= FIRST_UNITS else order.standard_unit_cost
    return None if each is None else order.actual + missing * each


@exactly
def forecast_us(order: Progress, almanac: Almanac) -> int | None:
    """When the planned units will have been made, in scheduled time; None beyond the horizon or without a
    pace."""
    missing = order.planned - order.good
    own = order.good >= FIRST_UNITS and order.scheduled_us > 0
    each = Decimal(order.scheduled_us) / order.good if own else _standard_us(order)
    if each is None:
        return None
    return scheduled_later(almanac, order.begin_us, int((missing * each).to_integral_value()))


def _standard_us(order: Progress) -> Decimal | None:
    return None if order.hours_each is None else order.hours_each * HOUR_US


def scheduled_later(almanac: Almanac, from_us: int, needed_us: int) -> int | None:
    """The instant by which so much scheduled time has passed; None beyond the horizon."""
    at, end = from_us, from_us + HORIZON_US
    while at < end:
        for span in almanac.spans(at, min(at + 28 * DAY_US, end)):
            if span.status != "scheduled":
                continue
            if span.to_us - span.from_us >= needed_us:
                return span.from_us + needed_us
            needed_us -= span.to_us - span.from_us
        at += 28 * DAY_US
    return None


@exactly
def hours_of_unit(standards: Sequence[Standard]) -> Decimal | None:
    """Standard hours of a good unit at the slowest of these machines, its share of a changeover included."""
    return max((sum(hours(row).values(), ZERO) for row in standards), default=None)


@exactly
def reached_us(planned: Decimal, begin_us: int, end_us: int, good: Decimal, through: Decimal) -> int:
    """When the planned units were reached inside a segment that made `good` of the `through` units at its
    end, as if they came evenly."""
    share = (planned - (through - good)) / good
    return begin_us + int(((end_us - begin_us) * share).to_integral_value())
