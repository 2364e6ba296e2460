"""The site's calendar in absolute time: shifts, breaks, exceptions, production days, effective dates.

Instants are integer UTC microseconds; dates are site dates. A wall clock time that a change of clocks skips
moves on by the skip, a repeated one means the first."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from cloud_api.interpret.model import Span
from cloud_api.interpret.plant import Calendar, Shift
from shared.units import HOUR_US, MINUTE_US

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
DAY = dt.timedelta(days=1)


def micros(moment: dt.datetime) -> int:
    """An aware datetime as integer UTC microseconds since the epoch."""
    return (moment - EPOCH) // MICROSECOND


def moment(time_us: int) -> dt.datetime:
    """Integer UTC microseconds as an aware UTC datetime."""
    return EPOCH + time_us * MICROSECOND


class CalendarSpan(Struct, frozen=True):
    """[from_us, to_us) of constant calendar status: scheduled, break or off (then without a shift)."""

    from_us: int
    to_us: int
    status: str
    shift: str | None
    overtime: bool
    paid: bool


class GridCell(Struct, frozen=True):
    """[from_us, to_us) in which hour, slice, production day, effective date and calendar status are constant;
    cells of one grid that are equal in all but their place have the same `kind`."""

    from_us: int
    to_us: int
    hour_us: int
    slice_us: int
    kind: int
    production_day: dt.date
    effective: dt.date
    status: str
    shift: str | None
    overtime: bool
    paid: bool


class Almanac:
    """The calendar of one site; remembers the days it has worked out."""

    def __init__(self, calendar: Calendar, time_zone: str) -> None:
        self.calendar = calendar
        self.zone = ZoneInfo(time_zone)
        self._exceptions = {exception.date: exception for exception in calendar.exceptions}
        self._days: dict[dt.date, list[CalendarSpan]] = {}
        self._walls: dict[tuple[dt.date, int], int] = {}

    def wall(self, date: dt.date, minutes: int) -> int:
        """The instant of a wall clock time, in minutes after midnight of the date (may exceed a day)."""
        known = self._walls.get((date, minutes))
        if known is None:
            naive = dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=minutes)
            known = self._walls[date, minutes] = micros(naive.replace(tzinfo=self.zone))
        return known

    def site_date(self, time_us: int) -> dt.date:
        """The date whose 00:00 site time came last: the date of `from` columns."""
        return self._day_of(time_us, 0)

    def production_day(self, time_us: int) -> dt.date:
        """The date on which the production day of the instant began."""
        return self._day_of(time_us, self.calendar.day_start_min)

    def day_span(self, date: dt.date) -> Span:
        """The production day of a date: 23, 24 or 25 hours."""
        start = self.calendar.day_start_min
        return Span(self.wall(date, start), self.wall(date + DAY, start))

    def _day_of(self, time_us: int, start_min: int) -> dt.date:
        date = moment(time_us).astimezone(self.zone).date()
        while time_us < self.wall(date, start_min):
            date -= DAY
        while time_us >= self.wall(date + DAY, start_min):
            date += DAY
        return date

    def spans(self, from_us: int, to_us: int) -> list[CalendarSpan]:
        """Calendar spans that tile [from_us, to_us), `off` where no shift is."""
        tiles: list[CalendarSpan] = []
        at = from_us
        date = self.site_date(from_us) - 2 * DAY
        last = self.site_date(max(from_us, to_us - 1)) + DAY
        while date <= last and at < to_us:
            for span in self._spans_of(date):
                begin, end = max(span.from_us, at), min(span.to_us, to_us)
                if begin >= end:
                    continue
                if begin > at:
                    tiles.append(CalendarSpan(at, begin, "off", None, False, False))
                tiles.append(CalendarSpan(begin, end, span.status, span.shift, span.overtime, span.paid))
                at = end
            date += DAY
        if at < to_us:
            tiles.append(CalendarSpan(at, to_us, "off", None, False, False))
        return tiles

    def at(self, time_us: int) -> CalendarSpan:
        """The calendar status of an instant."""
        return self.spans(time_us, time_us + 1)[0]

    def scheduled_us(self, from_us: int, to_us: int) -> int:
        """Scheduled time (in a shift, no break) in [from_us, to_us), in microseconds."""
        return sum(s.to_us - s.from_us for s in self.spans(from_us, to_us) if s.status == "scheduled")

    def _spans_of(self, date: dt.date) -> list[CalendarSpan]:
        spans = self._days.get(date)
        if spans is None:
            shifts = [shift for shift in self.calendar.shifts if date.weekday() in shift.days]
            exception = self._exceptions.get(date)
            if exception is not None:
                shifts = [*([] if exception.closed else shifts), *exception.shifts]
            spans = [span for shift in shifts for span in self._shift_spans(date, shift)]
            spans.sort(key=lambda span: span.from_us)
            self._days[date] = spans
        return spans

    def shift_span(self, date: dt.date, shift: Shift) -> Span:
        """The shift that starts on the date."""
        over = 1440 if shift.end_min <= shift.start_min else 0
        return Span(self.wall(date, shift.start_min), self.wall(date, shift.end_min + over))

    def break_spans(self, date: dt.date, shift: Shift) -> list[tuple[Span, bool]]:
        """The breaks of the shift, clipped to it, with whether they are paid; empty ones too (a mistake)."""
        whole = self.shift_span(date, shift)
        spans = []
        for pause in shift.breaks:
            over = 1440 if pause.start_min < shift.start_min else 0
            begin = self.wall(date, pause.start_min + over)
            end = begin + pause.minutes * MINUTE_US
            clipped = Span(max(begin, whole.from_us), min(end, whole.to_us))
            spans.append((clipped, pause.paid))
        return sorted(spans)

    def _shift_spans(self, date: dt.date, shift: Shift) -> Iterator[CalendarSpan]:
        whole = self.shift_span(date, shift)
        at = whole.from_us
        for pause, paid in self.break_spans(date, shift):
            begin = max(at, pause.from_us)
            if begin >= pause.to_us:
                continue
            if begin > at:
                yield CalendarSpan(at, begin, "scheduled", shift.name, shift.overtime, False)
            yield CalendarSpan(begin, pause.to_us, "break", shift.name, shift.overtime, paid)
            at = pause.to_us
        if at < whole.to_us:
            yield CalendarSpan(at, whole.to_us, "scheduled", shift.name, shift.overtime, False)

    def grid(
        self, from_us: int, to_us: int, cuts: tuple[int, ...] = (), marks: tuple[int, ...] = ()
    ) -> list[GridCell]:
        """Cells that tile [from_us, to_us), cut at UTC hours, production days, site midnights, calendar
        status, `marks` and `cuts`; `slice_us` is the start of the slice of its hour that `cuts` make."""
        tiles = self.spans(from_us, to_us)
        starts = [tile.from_us for tile in tiles]
        slices = sorted({*range(from_us - from_us % HOUR_US, to_us, HOUR_US), *cuts})
        edges = {*starts, *slices, *marks, *self._day_starts(from_us, to_us)}
        bounds = [*sorted({edge for edge in edges if from_us <= edge < to_us} | {from_us}), to_us]
        cells = []
        kinds: dict[tuple[object, ...], int] = {}
        for begin, end in pairwise(bounds):
            tile = tiles[bisect_right(starts, begin) - 1]
            day, date = self.production_day(begin), self.site_date(begin)
            kind = kinds.setdefault(
                (day, date, tile.status, tile.shift, tile.overtime, tile.paid), len(kinds)
            )
            cells.append(
                GridCell(
                    from_us=begin,
                    to_us=end,
                    hour_us=begin - begin % HOUR_US,
                    slice_us=slices[bisect_right(slices, begin) - 1],
                    kind=kind,
                    production_day=day,
                    effective=date,
                    status=tile.status,
                    shift=tile.shift,
                    overtime=tile.overtime,
                    paid=tile.paid,
                )
            )
        return cells if to_us > from_us else []

    def _day_starts(self, from_us: int, to_us: int) -> Iterator[int]:
        date = self.site_date(from_us)
        while self.wall(date, 0) < to_us:
            yield self.wall(date, 0)
            yield self.wall(date, self.calendar.day_start_min)
            date += DAY
