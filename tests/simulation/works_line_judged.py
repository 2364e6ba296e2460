"""What is told of a drawn line's orders and output at a moment, against what it really did then and later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.works_course import Row
from tests.simulation.works_line import MACHINES, Line, LineWorks, Made, Order, drawn

AHEAD = timedelta(days=9)
"""Days of the history that have not come yet."""
HOUR = timedelta(hours=1)
CLEAR = timedelta(hours=8)
"""An order that ends nearer to its planned end may be told either way."""
CLOSE = 1.05
"""A machine that is slower than the others by less is not told from them."""


@dataclass(slots=True)
class Lived:
    """A line with its orders, at the moment `now`: what it made, what each machine makes alone in an hour."""

    works: LineWorks
    orders: list[Order]
    rows: list[Row]
    made: Made
    alone: list[float]
    now: datetime

    @classmethod
    def of(cls, seed: int) -> Lived:
        """The line of a seed."""
        works, orders = drawn(seed)
        whole = Line(works, orders)
        rows = whole.live()
        hours = sum((window.end - window.begin) / HOUR for window in works.windows())
        alone = []
        for at in range(MACHINES):
            one = Line(works, orders * 3, alone=at)
            one.live()
            alone.append(sum(one.made.good.values()) / hours)
        first = next(window for window in works.windows() if window.day >= works.end - AHEAD)
        return cls(works, orders, rows, whole.made, alone, first.begin + timedelta(hours=2.4))

    def late(self, order: Order) -> timedelta:
        """How much later than planned an order really was complete; below 0: earlier."""
        return self.made.complete.get(order.name, self.works.present) - order.end


@dataclass(slots=True)
class Judged:
    """Orders that were clearly late or clearly not, by name, and whether they were told to be at risk; those
    that had ended short, and the state they were told in; units made, planned and to come, and what the
    slowest machine could, truth and told; machines that may be called the constraint, and which was."""

    risk: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    made: tuple[float, float] = (0.0, 0.0)
    planned: tuple[float, float] = (0.0, 0.0)
    to_come: tuple[float, float] = (0.0, 0.0)
    capacity: tuple[float, float] = (0.0, 0.0)
    constraint: tuple[set[str], str] = field(default_factory=lambda: (set(), ""))

    @property
    def wrong(self) -> list[str]:
        """Orders that were told the other way."""
        return [name for name, (truth, told) in self.risk.items() if truth != told]


def judged(lived: Lived, forecast: Mapping[str, Any], orders: Mapping[str, Mapping[str, Any]]) -> Judged:
    """Truth and what was told, in pairs: the answer of /v1/forecast, rows of /v1/orders by name."""
    found, now = Judged(), lived.now
    begin, end = (datetime.fromisoformat(forecast[name]) for name in ("period_from", "period_to"))
    told = {row["order"] for row in forecast["orders_at_risk"]}
    for order in lived.orders:
        ended = lived.made.short.get(order.name)
        if ended is not None and ended[0] < now - timedelta(days=2):
            found.short[order.name] = orders[order.name]["state"]
        done = lived.made.complete.get(order.name, lived.works.present) <= now
        if ended is None and not done and order.end < end and abs(lived.late(order)) > CLEAR:
            found.risk[order.name] = lived.late(order) > timedelta(0), order.name in told
    (line,) = forecast["output"]["lines"]
    made = float(line["made"])
    found.made = lived.made.between(begin, now), made
    found.planned = (
        float(sum(order.quantity for order in lived.orders if begin <= order.end < end)),
        float(forecast["output"]["planned"]),
    )
    found.to_come = lived.made.between(now, end), float(line["projected"]) - made
    hours = sum(max(timedelta(0), one.end - max(now, one.begin)) / HOUR for one in lived.works.windows())
    least = min(lived.alone)
    found.capacity = least * hours, float(line["capacity_at_constraint"]) - made
    machines = zip(lived.works.machines, lived.alone, strict=True)
    slow = {machine.name for machine, rate in machines if rate < CLOSE * least}
    found.constraint = slow, line["constraint"]
    return found
