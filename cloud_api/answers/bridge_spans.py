"""The dearest spans behind the bars of a bridge: found by machine-day, then by hour, then by segment.

A span may be cut where it is longer than two days on either side; what is not found is in the rest of the
evidence, so that this costs completeness of the list and never a cent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from cloud_api.answers.grouping import filters
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.answers.stretches import Stretch, joined, segment_of, states_of
from cloud_api.answers.window import days_at, window_at
from cloud_api.interpret.model import Segment
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, hour_of

DAYS, HOURS, SEGMENTS, REACH = 4, 3, 4, 48
"""Dearest machine-days of a bar, hours of each, segments of each state in these; hours a span is followed."""

_BY_HOUR = frozenset({"order", "shift", "reason"})


@dataclass(frozen=True, slots=True)
class Found:
    """A span of a machine with the stored segments that it is made of."""

    site: Site
    machine: Machine
    stretch: Stretch
    members: tuple[Segment, ...]


def dearest_spans(connection: Connection[Any], question: Question, causes: Sequence[str]) -> list[Found]:
    """Spans of the machines of a question in which its dearest amounts of some causes arose."""
    found: list[Found] = []
    for site in question.sites:
        machines = {machine.machine_id: machine for machine in question.machines if machine.site == site.name}
        if site.book is None or not machines:
            continue
        days = _days(connection, question, site, list(machines), causes)
        hours = _hours(connection, question, site, days)
        segments = _segments(connection, question, site, machines, hours)
        for machine_id, own in segments.items():
            ordered = [own[key] for key in sorted(own)]
            found += [
                Found(site, machines[machine_id], stretch, tuple(members))
                for stretch, members in joined(ordered)
            ]
    return found


def _days(
    connection: Connection[Any], question: Question, site: Site, machines: list[int], causes: Sequence[str]
) -> list[tuple[str, int, dt.date]]:
    """Factor, machine and production day."""
    whole = days_at(site, question.from_us, question.to_us)
    by_hour = whole is None or _BY_HOUR & question.wanted.keys()
    span = window_at(site, question.from_us, question.to_us)
    parameters: dict[str, Any] = {
        "site": site.name,
        "machines": machines,
        "causes": list(causes),
        "most": DAYS,
        "by_machine": "machine" in question.by or "line" in question.by,
        "by_product": "product" in question.by,
        "first_hour": span.first_hour,
        "end_hour": span.end_hour,
        "first_day": span.first_day if by_hour or whole is None else whole[0],
        "end_day": span.end_day if by_hour or whole is None else whole[1],
        **filters(question),
    }
    name = "bridge.dearest_days_by_hour" if by_hour else "bridge.dearest_days"
    rows = connection.execute(statement(name), parameters).fetchall()
    return sorted({(factor, machine_id, day) for factor, machine_id, _, day in rows})


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


def _segments(
    connection: Connection[Any],
    question: Question,
    site: Site,
    machines: Mapping[int, Machine],
    hours: Sequence[tuple[str, int, dt.datetime]],
) -> dict[int, dict[int, Segment]]:
    """Segments by machine and start: the longest of the hours, and what they go on with."""
    span = window_at(site, question.from_us, question.to_us)
    inside = sorted({(machine_id, hour) for _, machine_id, hour in hours if _whole(span, hour)})
    own: dict[int, dict[int, Segment]] = {}
    if not inside:
        return own
    parameters: dict[str, Any] = {
        "ids": [machine_id for machine_id, _ in inside],
        "hours": [hour for _, hour in inside],
        "most": SEGMENTS,
        "reach": REACH,
        "first_hour": span.first_hour,
        "end_hour": span.end_hour,
        "first_day": span.first_day,
        "end_day": span.end_day,
    }
    longest = _read(connection, "longest_segments", parameters, machines)
    edges = {
        (machine_id, segment.hour_us, segment.state)
        for machine_id, segment in longest
        if segment.from_us == segment.hour_us or segment.to_us == segment.hour_us + 3_600_000_000
    }
    parameters["ids"] = [machine_id for machine_id, _, _ in edges]
    parameters["hours"] = [from_us(hour) for _, hour, _ in edges]
    parameters["states"] = [state for *_, state in edges]
    joining = _read(connection, "joining_segments", parameters, machines) if edges else []
    for machine_id, segment in (*longest, *joining):
        if _day_inside(span, segment):
            own.setdefault(machine_id, {})[segment.from_us] = segment
    return own


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


def relevant(found: Iterable[Found], causes: Sequence[str]) -> Iterator[Found]:
    """Spans in whose state entries of the causes can arise."""
    states = states_of(tuple(causes))
    for one in found:
        if states is None or one.stretch.first.state in states:
            yield one
