"""The dearest spans behind the bars of a bridge: found by machine, by machine-day, by hour, then by segment.

A span may be cut where it is longer than a day on either side; what is not found is in the rest of the
evidence, so that this costs completeness of the list and never a cent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from psycopg import Connection

from cloud_api.answers.amounts import heads
from cloud_api.answers.bridge_walks import Step
from cloud_api.answers.grouping import filters
from cloud_api.answers.ledger import PARTS
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.answers.stretches import STATES_OF_CAUSE, Stretch, joined, segment_of
from cloud_api.answers.window import days_at, window_at
from cloud_api.interpret.model import Segment
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, hour_of
from shared.units import HOUR_US, MINUTE_US

MACHINES, DAYS, HOURS, SEGMENTS = 4, 4, 2, 3
"""Machines that moved a bar most, the dearest machine-days of each bar, hours of each, segments in these."""

REACH = 24
"""Hours that a span is followed before and after."""

LONG_US = 15 * MINUTE_US
"""A segment at an hour's edge that is shorter is not followed into the next: that is dearer by itself, or
small."""

_SUMS = b"from (select *, null::timestamptz as hour from entry_parts where entries <> 0) as entries"
_PLAIN_SUMS = (
    b"from (select *, null::timestamptz as hour, null::text as shift, null::text as reason "
    b"from entry_days where entries <> 0) as entries"
)
"""Sums by production day in the place of entries, with and without shift and reason."""


@dataclass(frozen=True, slots=True)
class Found:
    """A span of a machine with the stored segments that it is made of."""

    site: Site
    machine: Machine
    stretch: Stretch
    members: tuple[Segment, ...]


Movers = Mapping[str, Mapping[tuple[str, str], Fraction]]
"""By factor: how far each machine, of a site and a name, moved it."""


def dearest_spans(
    connection: Connection[Any], question: Question, bars: Sequence[Step], movers: Movers
) -> list[Found]:
    """Spans in which the dearest amounts of some bars arose, on the machines that moved each most."""
    found: list[Found] = []
    for site in question.sites:
        machines = {machine.machine_id: machine for machine in question.machines if machine.site == site.name}
        if site.book is None or not machines:
            continue
        days = _days(connection, question, site, machines, bars, movers)
        hours = _hours(connection, question, site, days)
        for machine_id, spans in _spans(connection, question, site, machines, hours).items():
            found += [Found(site, machines[machine_id], stretch, members) for stretch, members in spans]
    return found


def _days(
    connection: Connection[Any],
    question: Question,
    site: Site,
    machines: Mapping[int, Machine],
    bars: Sequence[Step],
    movers: Movers,
) -> list[tuple[str, int, dt.date]]:
    """Factor, machine and production day."""
    whole = days_at(site, question.from_us, question.to_us)
    span = window_at(site, question.from_us, question.to_us)
    by_machine = "machine" in question.by or "line" in question.by
    pairs = [
        (factor, machine_id)
        for factor, moved in movers.items()
        for machine_id in _movers(site, machines, moved, len(machines) if by_machine else MACHINES)
    ]
    parameters: dict[str, Any] = {
        "site": site.name,
        "machines": sorted({machine_id for _, machine_id in pairs}),
        "of_factors": [factor for factor, _ in pairs],
        "of_machines": [machine_id for _, machine_id in pairs],
        "causes": sorted({factor.cause for factor, _ in bars if factor.cause is not None}),
        "most": DAYS,
        **_bars(question, site, machines, bars),
        "by_machine": by_machine,
        "by_product": "product" in question.by,
        "by_order": "order" in question.by,
        "first_hour": span.first_hour if whole is None else None,
        "end_hour": span.end_hour if whole is None else None,
        "first_day": span.first_day if whole is None else whole[0],
        "end_day": span.end_day if whole is None else whole[1],
        **filters(question),
    }
    text = statement("bridge.dearest_days")
    if whole is not None:
        sums = _SUMS if PARTS & question.wanted.keys() else _PLAIN_SUMS
        text = text.replace(b"from entries", sums)
    rows = connection.execute(text, parameters).fetchall()
    return sorted(set(rows))


def _bars(
    question: Question, site: Site, machines: Mapping[int, Machine], bars: Sequence[Step]
) -> dict[str, Any]:
    """The bars of a site as far as days tell them apart, each once."""
    heads_ = heads(list(machines.values()), "machine" in question.by)
    by_place = {}
    for machine_id, machine in machines.items():
        by_place[machine.name if "machine" in question.by else machine.line] = heads_[machine_id - 1]
    told: dict[tuple[str, int | None, str | None, str | None], None] = {}
    for factor, group in bars:
        said = dict(zip(question.by, group, strict=True))
        place = said.get("machine", said.get("line"))
        if said.get("site", site.name) == site.name:
            told[factor.cell_name, by_place.get(place), said.get("product"), said.get("order")] = None
    columns = list(zip(*told, strict=True)) or [(), (), (), ()]
    names = ("bar_factors", "bar_heads", "bar_products", "bar_orders")
    return {"heads": heads_, **{name: list(column) for name, column in zip(names, columns, strict=True)}}


def _movers(
    site: Site, machines: Mapping[int, Machine], moved: Mapping[tuple[str, str], Fraction], most: int
) -> list[int]:
    """The machines that moved a factor most."""
    ranked = sorted(machines, key=lambda one: (-abs(moved.get((site.name, machines[one].name), 0)), one))
    return [one for one in ranked if (site.name, machines[one].name) in moved][:most]


def _hours(
    connection: Connection[Any],
    question: Question,
    site: Site,
    days: Sequence[tuple[str, int, dt.date]],
) -> list[tuple[str, int, dt.datetime]]:
    if not days:
        return []
    spans = {day: (site.day_start_us(day), site.day_start_us(day + dt.timedelta(days=1))) for *_, day in days}
    parameters = {
        "factors": [factor for factor, *_ in days],
        "ids": [machine_id for _, machine_id, _ in days],
        "froms": [from_us(hour_of(spans[day][0])) for *_, day in days],
        "tos": [from_us(spans[day][1]) for *_, day in days],
        "most": HOURS,
        **filters(question),
    }
    return connection.execute(statement("bridge.dearest_hours"), parameters).fetchall()


def _spans(
    connection: Connection[Any],
    question: Question,
    site: Site,
    machines: Mapping[int, Machine],
    hours: Sequence[tuple[str, int, dt.datetime]],
) -> dict[int, list[tuple[Stretch, tuple[Segment, ...]]]]:
    """Spans by machine: those of the longest segments of the hours, with what they go on with."""
    span = window_at(site, question.from_us, question.to_us)
    inside = sorted(
        {
            (machine_id, hour, state)
            for factor, machine_id, hour in hours
            if _whole(span, hour)
            for state in _states(factor)
        },
        key=str,
    )
    if not inside:
        return {}
    parameters: dict[str, Any] = {
        "ids": [machine_id for machine_id, _, _ in inside],
        "hours": [hour for _, hour, _ in inside],
        "states": [state for *_, state in inside],
        "most": SEGMENTS,
        "first_hour": span.first_hour,
        "end_hour": span.end_hour,
        "first_day": span.first_day,
        "end_day": span.end_day,
    }
    longest = _read(connection, "longest_segments", parameters, machines)
    edges = {
        (machine_id, segment.hour_us + hours_on * HOUR_US, segment.state)
        for machine_id, segment in longest
        for hours_on in range(-REACH, REACH + 1)
        if segment.duration_us >= LONG_US
        and (segment.from_us == segment.hour_us or segment.to_us == segment.hour_us + HOUR_US)
    }
    parameters["ids"] = [machine_id for machine_id, _, _ in edges]
    parameters["hours"] = [from_us(hour) for _, hour, _ in edges]
    parameters["states"] = [state for *_, state in edges]
    joining = _read(connection, "joining_segments", parameters, machines) if edges else []
    own: dict[int, dict[int, Segment]] = {}
    for machine_id, segment in (*longest, *joining):
        if _day_inside(span, segment):
            own.setdefault(machine_id, {})[segment.from_us] = segment
    chosen = {(machine_id, segment.from_us) for machine_id, segment in longest}
    return {
        machine_id: [
            (stretch, tuple(members))
            for stretch, members in joined([segments[start] for start in sorted(segments)])
            if any((machine_id, member.from_us) in chosen for member in members)
        ]
        for machine_id, segments in own.items()
    }


def _states(factor: str) -> Sequence[str | None]:
    """States in which entries of a factor can arise; None for any."""
    if factor in ("production", "scrap"):
        return ("running",)
    return STATES_OF_CAUSE.get(factor.rpartition("/")[2], (None,))


def _whole(span: Any, hour: dt.datetime) -> bool:
    return (span.first_hour is None or hour >= span.first_hour) and (
        span.end_hour is None or hour < span.end_hour
    )


def _day_inside(span: Any, segment: Segment) -> bool:
    day = segment.production_day
    return (span.first_day is None or day >= span.first_day) and (span.end_day is None or day < span.end_day)


def _read(
    connection: Connection[Any], name: str, parameters: Mapping[str, Any], machines: Mapping[int, Machine]
) -> list[tuple[int, Segment]]:
    rows = connection.execute(statement(f"bridge.{name}"), parameters).fetchall()
    return [(row[0], segment_of(machines[row[0]].name, row[1:])) for row in rows]
