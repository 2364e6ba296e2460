"""The calendar of a site: shifts, breaks, exceptions (cost model, calendar)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from .clock import MINUTE_US, ONE_DAY, SiteClock

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SCHEDULED, BREAK, OFF = "scheduled", "break", "off"


@dataclass(frozen=True)
class Span:
    """A stretch of the calendar, [start, end) in microseconds UTC, with one status all through."""

    start: int
    end: int
    status: str
    shift: str | None = None
    overtime: bool = False
    paid: bool = False


class ShiftCalendar:
    """Answers which span an instant lies in, for instants inside [start, end)."""

    def __init__(self, declared: dict[str, Any], clock: SiteClock, start_us: int, end_us: int) -> None:
        self.clock = clock
        self.shifts = declared.get("shifts") or []
        self.exceptions = {str(row["date"]): row for row in declared.get("exceptions") or []}
        self.spans = self._tiled(start_us, end_us)
        self.starts = [span.start for span in self.spans]

    def at(self, instant_us: int) -> Span:
        return self.spans[bisect_right(self.starts, instant_us) - 1]

    def boundaries(self) -> list[int]:
        return self.starts

    def scheduled_time(self, start_us: int, end_us: int) -> int:
        """Microseconds of scheduled time inside [start, end)."""
        return sum(
            max(0, min(span.end, end_us) - max(span.start, start_us))
            for span in self.spans
            if span.status == SCHEDULED
        )

    def _tiled(self, start_us: int, end_us: int) -> list[Span]:
        tiles: list[Span] = []
        at = start_us
        for span in sorted(self._worked(start_us, end_us), key=lambda span: span.start):
            if span.end <= at or span.start >= end_us:
                continue
            if span.start > at:
                tiles.append(Span(at, span.start, OFF))
            tiles.append(span)
            at = span.end
        if at < end_us or not tiles:
            tiles.append(Span(at, max(end_us, at), OFF))
        return tiles

    def _worked(self, start_us: int, end_us: int) -> list[Span]:
        day = self.clock.date_of(start_us) - 2 * ONE_DAY
        last = self.clock.date_of(end_us) + ONE_DAY
        spans: list[Span] = []
        while day <= last:
            for shift in self.shifts_of(day):
                spans += self._spans_of(shift, day)
            day += ONE_DAY
        return spans

    def shifts_of(self, day: date) -> list[dict[str, Any]]:
        """Cost model: a shift belongs to the date on which it starts, for `days` and `exceptions` too;
        shifts of an exception are added to the day's, with `closed: true` they replace them."""
        exception = self.exceptions.get(day.isoformat(), {})
        usual = [shift for shift in self.shifts if WEEKDAYS[day.weekday()] in shift.get("days", WEEKDAYS)]
        return ([] if exception.get("closed") else usual) + list(exception.get("shifts") or [])

    def _spans_of(self, shift: dict[str, Any], day: date) -> list[Span]:
        """Cost model: `end` < `start` is the next day, `end` = `start` is 24 hours."""
        begin, finish = clock_time(shift["start"]), clock_time(shift["end"])
        start = self.clock.wall(day, begin)
        end = self.clock.wall(day + ONE_DAY if finish <= begin else day, finish)
        overtime = bool(shift.get("overtime", False))
        pauses = sorted(self._pause(row, day, begin, start, end) for row in shift.get("breaks") or [])
        spans: list[Span] = []
        at = start
        for pause_start, pause_end, paid in pauses:
            spans.append(Span(at, pause_start, SCHEDULED, shift["name"], overtime))
            spans.append(Span(pause_start, pause_end, BREAK, shift["name"], overtime, paid))
            at = pause_end
        spans.append(Span(at, end, SCHEDULED, shift["name"], overtime))
        return [span for span in spans if span.start < span.end]

    def _pause(
        self, row: dict[str, Any], day: date, begin: time, start: int, end: int
    ) -> tuple[int, int, bool]:
        """Cost model: break minutes are elapsed, clipped to their shift; a break start before the shift's
        start is on the next day. One that a skipped hour moves behind its shift is none."""
        clock = clock_time(row["start"])
        at = self.clock.wall(day + ONE_DAY if clock < begin else day, clock)
        until = at + int(row["minutes"]) * MINUTE_US
        return min(max(at, start), end), min(until, end), bool(row.get("paid", False))


def clock_time(value: str) -> time:
    """A wall time written as HH:MM or HH:MM:SS."""
    return time.fromisoformat(str(value))
