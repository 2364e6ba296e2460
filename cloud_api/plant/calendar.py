"""The calendar of site.yaml: shifts, breaks and exceptions, and what must hold between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta

from cloud_api.plant.fields import Fields
from cloud_api.plant.places import Faults, Place
from cloud_api.plant.rows import Content, Row
from cloud_api.plant.scalars import POSITIVE, Unreadable, read_choice

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
_CALENDAR = ("day_start", "shifts", "exceptions")
_SHIFT = ("name", "days", "start", "end", "breaks", "overtime")
_BREAK = ("start", "minutes", "paid")
_EXCEPTION = ("date", "closed", "shifts", "name")


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift as written: wall-clock minutes after 00:00 of the day on which it starts, [start, end)."""

    place: Place
    name: str
    days: tuple[str, ...]
    start: int
    end: int
    content: Content


@dataclass(frozen=True, slots=True)
class ExceptionalDay:
    """A date with other rules: its shifts are added to the day's, or replace them where it is closed."""

    place: Place
    day: date
    closed: bool
    shifts: tuple[Shift, ...]

    @property
    def content(self) -> Content:
        shifts = [shift.content for shift in self.shifts]
        return {"date": self.day.isoformat(), "closed": self.closed, "shifts": shifts}


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """What the calendar of a site.yaml says, as one row, with the names of its shifts."""

    row: Row
    shift_names: frozenset[str]


def read_calendar(site: Fields, faults: Faults) -> CalendarPart:
    """The calendar of a site; a site without one has no scheduled time."""
    fields = site.child("calendar", "the calendar", _CALENDAR)
    if fields is None:
        empty: Content = {"day_start": "00:00", "shifts": [], "exceptions": []}
        return CalendarPart(Row("calendar", (), None, empty, site.place), frozenset())
    day_start = fields.time_of_day("day_start") or time(0)
    shifts = [_shift(child, False) for child in fields.children("shifts", "a shift", _SHIFT)]
    exceptions = _exceptions(fields, faults)
    _overlaps(shifts, exceptions, faults)
    content: Content = {
        "day_start": _clock(day_start),
        "shifts": [shift.content for shift in shifts],
        "exceptions": [day.content for day in exceptions],
    }
    names = {shift.name for shift in shifts} | {s.name for day in exceptions for s in day.shifts}
    return CalendarPart(Row("calendar", (), None, content, fields.place), frozenset(names))


def _exceptions(fields: Fields, faults: Faults) -> list[ExceptionalDay]:
    days: dict[date, ExceptionalDay] = {}
    for child in fields.children("exceptions", "an exception", _EXCEPTION):
        day = child.day("date")
        if day is None:
            if not child.has("date"):
                child.missing("date", "2026-12-25")
            continue
        if day in days:
            message = f"{day} stands twice, first in line {days[day].place.line}"
            faults.add(child.at("date"), message, "keep one exception per date")
            continue
        shifts = tuple(_shift(part, True) for part in child.children("shifts", "a shift", _SHIFT))
        closed = child.flag("closed")
        if not closed and not shifts:
            faults.add(child.place, f"the exception of {day} changes nothing", "add closed: true, or shifts")
        days[day] = ExceptionalDay(child.place, day, closed, shifts)
    return [days[day] for day in sorted(days)]


def _shift(fields: Fields, exceptional: bool) -> Shift:
    name = fields.required_text("name", "A")
    days = _days(fields, exceptional)
    start, end = _minutes(fields, "start", "06:00"), _minutes(fields, "end", "14:00")
    if end <= start:
        end += DAY_MINUTES
    content: Content = {
        "name": name,
        "days": list(days),
        "start": _minute_clock(start),
        "end": _minute_clock(end),
        "overtime": fields.flag("overtime"),
        "breaks": _breaks(fields, start, end),
    }
    return Shift(fields.place, name, days, start, end, content)


def _days(fields: Fields, exceptional: bool) -> tuple[str, ...]:
    if exceptional:
        if fields.has("days"):
            mend = "delete days: the date of the exception counts"
            fields.faults.add(fields.at("days"), "a shift of an exception has no days", mend)
        return ()
    if not fields.has("days"):
        fields.missing("days", "[mon, tue, wed, thu, fri]")
        return ()
    found: set[str] = set()
    for place, word in fields.words("days"):
        try:
            day = read_choice(word, DAYS)
        except Unreadable as unreadable:
            fields.faults.add(place, f"days: {unreadable.message}", unreadable.mend)
            continue
        if day in found:
            fields.faults.add(place, f"the day {day} stands twice", "keep one of them")
        found.add(day)
    return tuple(day for day in DAYS if day in found)


def _minutes(fields: Fields, key: str, example: str) -> int:
    if not fields.has(key):
        fields.missing(key, f'"{example}"')
    clock = fields.time_of_day(key) or time(0)
    return clock.hour * 60 + clock.minute


def _breaks(fields: Fields, start: int, end: int) -> list[Content]:
    found: list[tuple[int, int, Content]] = []
    for child in fields.children("breaks", "a break", _BREAK):
        begin = _minutes(child, "start", "10:00")
        shown = _minute_clock(begin)
        minutes = child.required_number("minutes", POSITIVE, "20")
        if minutes != int(minutes):
            child.faults.add(child.at("minutes"), "a break lasts whole minutes", "write a whole number")
        if begin < start:
            begin += DAY_MINUTES
        if begin >= end:
            message = (
                f"the break at {shown} lies outside its shift {_minute_clock(start)}-{_minute_clock(end)}"
            )
            child.faults.add(child.at("start"), message, "move it into the shift, or delete it")
        said: Content = {"start": shown, "minutes": str(minutes), "paid": child.flag("paid")}
        over = next((s for b, e, s in found if begin < e and b < begin + minutes), None)
        if over is not None:
            message = f"the break at {shown} overlaps the break at {over['start']}"
            child.faults.add(child.at("start"), message, "move or shorten one of them")
        found.append((begin, begin + int(minutes), said))
    return [said for _, _, said in sorted(found, key=lambda part: part[0])]


def _overlaps(shifts: list[Shift], exceptions: list[ExceptionalDay], faults: Faults) -> None:
    """A fault for each pair of shifts that ever run at the same time."""
    told: set[tuple[Place, Place]] = set()
    for days in _calendars(shifts, exceptions):
        spans = sorted(_laid_out(days), key=lambda span: span[:2])
        longest: tuple[int, Shift | None] = 0, None
        for begin, end, shift in spans:
            until, other = longest
            if other is None or end > until:
                longest = end, shift
            if other is None or begin >= until:
                continue
            early, late = sorted((other, shift), key=lambda s: (s.place.line, s.place.column or 0))
            if (early.place, late.place) not in told:
                told.add((early.place, late.place))
                message = f"shift {late.name} overlaps shift {early.name} of line {early.place.line}"
                faults.add(late.place, message, "move the start or the end of one of them")


def _calendars(shifts: list[Shift], exceptions: list[ExceptionalDay]) -> Iterator[list[list[Shift]]]:
    """Runs of days to lay shifts out on: an ordinary week, then each exception with its neighbours."""
    yield [[shift for shift in shifts if day in shift.days] for day in (*DAYS, DAYS[0], DAYS[1])]
    special = {day.day: day for day in exceptions}
    for exception in exceptions:
        run: list[list[Shift]] = []
        for step in (-1, 0, 1):
            day = exception.day + timedelta(days=step)
            rule = special.get(day)
            ordinary = [shift for shift in shifts if DAYS[day.weekday()] in shift.days]
            if rule is not None:
                ordinary = [] if rule.closed else ordinary
                ordinary += rule.shifts
            run.append(ordinary)
        yield run


def _laid_out(days: list[list[Shift]]) -> Iterator[tuple[int, int, Shift]]:
    for number, shifts in enumerate(days):
        for shift in shifts:
            yield number * DAY_MINUTES + shift.start, number * DAY_MINUTES + shift.end, shift


def _minute_clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _clock(value: time) -> str:
    return value.strftime("%H:%M")
