"""What one large stop cost: by the stop itself, not by how far its day lies above the others.

A day above the others has the usual stops of a day besides, more of them or fewer by chance. Where stops of
the day were longer than every stop of the days around, they are what happened, and cost their share of what
stops cost on the day. They must say the same as the day does, within its noise."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from cloud_api.answers.question import Question
from cloud_api.answers.series import Series
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us

if TYPE_CHECKING:
    from cloud_api.answers.verdicts import Judged

STOPS = {"downtime": "down"}
"""Causes whose cost comes in stops, and the state of these."""
AROUND = 10
"""Working days before and after whose stops are the usual ones."""
SAME = 3.0
"""Standard deviations of a day within which both ways must agree."""
NARROW = ("product", "order", "shift", "resource", "reason")
"""Filters under which a series is not of all stops."""


def cost_of_stops(
    connection: Connection[Any], question: Question, by: Sequence[str], found: Judged
) -> float | None:
    """Cost of the stops that made one day stand out, in the site's currency; None where no stops did."""
    one, told = found.series, found.course
    causes = {cause for _, cause in found.cells}
    state = STOPS.get(next(iter(causes))) if len(causes) == 1 else None
    if told.verdict != "isolated" or told.since is None or state is None or "machine" not in by:
        return None
    if set(by) & set(NARROW) or any(question.names(name) is not None for name in NARROW):
        return None
    stops = _stops(connection, question, one, str(one.key[list(by).index("machine")]), state, told.since)
    own = stops.pop(one.days[told.since], [])
    usual = max((length for lengths in stops.values() for length in lengths), default=None)
    long = [length for length in own if usual is not None and length > usual]
    if not long:
        return None
    whole = float(one.unit_cost(found.cells)[told.since] * one.units[told.since])
    cost = whole * sum(long) / sum(own)
    noise = SAME * told.sigma * float(one.units[told.since])
    return cost if abs(cost - told.excess[told.since] * float(one.units[told.since])) <= noise else None


def _stops(
    connection: Connection[Any], question: Question, one: Series, machine: str, state: str, at: int
) -> dict[dt.date, list[int]]:
    """Lengths in microseconds of the stops of a machine around a day of its series, by production day."""
    near = one.days[max(0, at - AROUND) : at + AROUND + 1]
    ids = [
        each.machine_id for each in question.machines if (each.site, each.name) == (one.site.name, machine)
    ]
    asked = {
        "machines": ids,
        "state": state,
        "from": from_us(one.site.day_start_us(near[0])),
        "to": from_us(one.site.day_start_us(near[-1] + dt.timedelta(days=1))),
    }
    found: dict[dt.date, list[int]] = defaultdict(list)
    for begins_at, length in connection.execute(statement("verdicts.stops"), asked):
        found[one.site.day_of(to_us(begins_at))].append(length)
    return found
