"""Which machine-hours a change of the plant model touches: no machine and no hour before it counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cloud_api.plant.rows import Row
from cloud_api.plant.versions import Change
from cloud_api.store.plant import MachineSpan, StoredRow

HOUR = timedelta(hours=1)
OWN_MACHINE = {"standards": 1, "bill": 1, "changeovers": 0, "rate": 0, "machine": 0}
"""Kinds that touch one machine, by where it stands in the key."""
EVERY_MACHINE = frozenset({"site", "calendar", "prices", "energy"})
EVENTS = {"quality": ("time", "time"), "maintenance": ("start", "end")}
"""Kinds that touch the hours of an event, by the columns of its begin and end. Charges are entries by
themselves."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Hours of one machine to be computed again: those that [starts_at, ends_at) touches."""

    machine_id: int
    starts_at: datetime
    ends_at: datetime


def touched(
    changes: Iterable[Change],
    spans: Iterable[MachineSpan],
    lines: dict[str, str],
    zone: ZoneInfo,
) -> list[Touched]:
    """The hours that changes touch, one stretch a machine for what lasts, one an event besides.

    ``lines`` gives the line of each machine; ``zone`` is the site's, in which dates begin.
    """
    machines = {span.machine: span for span in spans}
    since: dict[str, datetime] = {}
    found: list[Touched] = []
    for change in changes:
        if change.kind in EVENTS:
            found += _events(change, machines)
            continue
        if change.kind == "site" and not _other_clock(change):
            continue
        days = _exceptional_days(change) if change.kind == "calendar" else None
        if days is not None:
            found += _around(days, machines.values(), zone)
            continue
        for machine in _machines(change, machines, lines):
            first = machines[machine].first_sample
            begin = max(first, _begin(change, zone) or first)
            since[machine] = min(begin, since.get(machine, begin))
    for machine, begin in sorted(since.items()):
        end = machines[machine].watermark + HOUR
        if begin < end:
            found.append(Touched(machines[machine].machine_id, begin, end))
    return found


def _other_clock(change: Change) -> bool:
    """Whether a change of the site moves time; currency, materiality and fiscal year move no hour."""
    before, after = change.before, change.after
    return before is None or after is None or before.body["time_zone"] != after.content["time_zone"]


def _exceptional_days(change: Change) -> list[date] | None:
    """The dates whose exceptions differ, where nothing else of the calendar does; else None."""
    if change.before is None or change.after is None:
        return None
    before, after = dict(change.before.body), change.after.content
    if any(before[part] != after[part] for part in ("day_start", "shifts")):
        return None
    told = [{day["date"]: day for day in _days(said["exceptions"])} for said in (before, after)]
    dates = sorted(told[0].keys() | told[1].keys())
    return [date.fromisoformat(day) for day in dates if told[0].get(day) != told[1].get(day)]


def _days(exceptions: object) -> list[dict[str, str]]:
    assert isinstance(exceptions, list)
    return exceptions


def _around(days: Iterable[date], machines: Iterable[MachineSpan], zone: ZoneInfo) -> Iterator[Touched]:
    """The hours of dates, up to the end of a shift that starts on them and lasts 24 hours."""
    stretches = [(_midnight(day, zone), _midnight(day + timedelta(days=2), zone)) for day in days]
    for machine in machines:
        for first, last in stretches:
            begin, end = max(first, machine.first_sample), min(last, machine.watermark + HOUR)
            if begin < end:
                yield Touched(machine.machine_id, begin, end)


def _machines(change: Change, machines: Iterable[str], lines: dict[str, str]) -> Iterator[str]:
    """The machines with data that a lasting change touches."""
    if change.kind in EVERY_MACHINE:
        yield from machines
    elif change.kind == "labour":
        yield from _of_line(change.key[0], machines, lines)
    elif change.kind in OWN_MACHINE:
        machine = change.key[OWN_MACHINE[change.kind]]
        if machine in machines:
            yield machine


def _of_line(line: str, machines: Iterable[str], lines: dict[str, str]) -> Iterator[str]:
    for machine in machines:
        if not line or lines.get(machine) == line:
            yield machine


def _begin(change: Change, zone: ZoneInfo) -> datetime | None:
    """When a change begins to count; None: always."""
    dates = [row.effective for row in (change.before, change.after) if row is not None and row.effective]
    return _midnight(min(dates), zone) if dates else None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)


def _events(change: Change, machines: dict[str, MachineSpan]) -> Iterator[Touched]:
    begin, end = EVENTS[change.kind]
    for row in (change.before, change.after):
        if row is None:
            continue
        said = _said(row)
        machine = machines.get(str(said.get("machine") or ""))
        if machine is not None:
            first = datetime.fromisoformat(str(said[begin]))
            last = datetime.fromisoformat(str(said[end])) if said[end] else first
            yield Touched(machine.machine_id, first, last + timedelta(microseconds=1))


def _said(row: Row | StoredRow) -> dict[str, object]:
    return row.content if isinstance(row, Row) else dict(row.body)
