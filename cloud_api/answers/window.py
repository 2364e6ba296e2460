"""A window against the hours that are stored: which rows lie in it whole, and which spans must be cut anew.

Stored rows are hourly and never cross a production day, so a window that begins and ends on UTC hours or on
production days needs stored rows only. Elsewhere the boundary hour is interpreted again with a cut.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cloud_api.answers.places import Days, Site
from cloud_api.store.times import from_us, hour_of
from shared.units import HOUR_US


@dataclass(frozen=True, slots=True)
class Window:
    """Rows with first_hour <= hour < end_hour and first_day <= production day < end_day (None: no bound) lie
    in it whole; `edges` are spans [from_us, to_us) inside one UTC hour each that they lack."""

    first_hour: dt.datetime | None
    end_hour: dt.datetime | None
    first_day: dt.date | None
    end_day: dt.date | None
    edges: tuple[tuple[int, int], ...]

    def bounds(self, days: Days | None = None) -> dict[str, object]:
        """Parameters of a statement over the rows that lie in it whole; over `days` where it asks for whole
        days alone."""
        first_day, end_day = (self.first_day, self.end_day) if days is None else days
        return {
            "first_hour": self.first_hour,
            "end_hour": self.end_hour,
            "first_day": first_day,
            "end_day": end_day,
        }


def window_at(site: Site, from_us_: int | None, to_us_: int | None) -> Window:
    """The window [from_us_, to_us_) at a site; None leaves an end open."""
    if from_us_ is not None and to_us_ is not None and _inside_one_hour(from_us_, to_us_):
        empty = from_us(hour_of(from_us_))
        return Window(empty, empty, None, None, ((from_us_, to_us_),))
    edges: list[tuple[int, int]] = []
    first_hour = end_hour = None
    first_day = end_day = None
    if from_us_ is not None:
        first_hour = from_us(hour_of(from_us_))
        if from_us_ % HOUR_US and (first_day := _day_at(site, from_us_)) is None:
            edges.append((from_us_, hour_of(from_us_) + HOUR_US))
            first_hour = from_us(hour_of(from_us_) + HOUR_US)
    if to_us_ is not None:
        end_hour = from_us(hour_of(to_us_))
        if to_us_ % HOUR_US:
            end_day = _day_at(site, to_us_)
            if end_day is None:
                edges.append((hour_of(to_us_), to_us_))
            else:
                end_hour = from_us(hour_of(to_us_) + HOUR_US)
    return Window(first_hour, end_hour, first_day, end_day, tuple(edges))


HOUR = dt.timedelta(hours=1)


def hours_kept(
    window: Window, from_us_: int | None, to_us_: int | None
) -> tuple[tuple[dt.datetime | None, dt.datetime | None], list[tuple[int, int]]]:
    """Of what is kept by whole hours, with no production day: the hours [first, end) that lie in the window
    whole, and the spans of the hours that the edge of a production day cuts."""
    first, end = window.first_hour, window.end_hour
    cut: list[tuple[int, int]] = []
    if window.first_day is not None and first is not None and from_us_ is not None:
        cut.append((from_us_, min(hour_of(from_us_) + HOUR_US, to_us_ or from_us_ + HOUR_US)))
        first += HOUR
    if window.end_day is not None and end is not None and to_us_ is not None:
        cut.append((max(hour_of(to_us_), from_us_ or 0), to_us_))
        end -= HOUR
    return (first, end), cut


def days_at(site: Site, from_us_: int | None, to_us_: int | None) -> Days | None:
    """The window as whole production days [first, end), None: no end; None in all where it cuts a day."""
    first = None if from_us_ is None else _day_at(site, from_us_)
    end = None if to_us_ is None else _day_at(site, to_us_)
    if (from_us_ is not None and first is None) or (to_us_ is not None and end is None):
        return None
    return first, end


def _inside_one_hour(from_us_: int, to_us_: int) -> bool:
    whole = from_us_ % HOUR_US == 0 and to_us_ % HOUR_US == 0
    return not whole and hour_of(from_us_) == hour_of(to_us_ - 1)


def _day_at(site: Site, us: int) -> dt.date | None:
    """The production day that begins exactly at an instant, None where none does."""
    day = site.day_of(us)
    return day if site.day_start_us(day) == us else None
