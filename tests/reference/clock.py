"""The clock of a site: instants, site dates and production days.

Instants are integer microseconds since the Unix epoch, UTC. Site dates are `datetime.date` in the site's
zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 3600 * SECOND_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE_DAY = timedelta(days=1)


def microseconds(moment: datetime) -> int:
    """An aware datetime as microseconds since the epoch, exact."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(instant_us: int) -> datetime:
    """The aware UTC datetime of an instant."""
    return EPOCH + timedelta(microseconds=instant_us)


class SiteClock:
    """Wall clock of a site. Raises ValueError for a wall time without offset that the site never showed."""

    def __init__(self, zone: str, day_start: str = "00:00") -> None:
        self.zone = ZoneInfo(zone)
        self.day_start = time.fromisoformat(day_start)
        self.wall = cache(self._wall)
        self.date_of = cache(self._date_of)
        self.production_day = cache(self._production_day)

    def _wall(self, day: date, clock: time) -> int:
        """Cost model, calendar: skipped times move on by the skip, repeated ones mean the first."""
        return microseconds(datetime.combine(day, clock, tzinfo=self.zone))

    def midnight(self, day: date) -> int:
        """Cost model, calendar: `from` dates take effect at 00:00 site time."""
        return self.wall(day, time(0))

    def day_begin(self, day: date) -> int:
        """The instant at which a production day begins (cost model: `calendar.day_start`)."""
        return self.wall(day, self.day_start)

    def _date_of(self, instant_us: int) -> date:
        return self._day_by(instant_us, self.midnight)

    def _production_day(self, instant_us: int) -> date:
        return self._day_by(instant_us, self.day_begin)

    def _day_by(self, instant_us: int, begin) -> date:
        day = moment_of(instant_us).astimezone(self.zone).date() + ONE_DAY
        while begin(day) > instant_us:
            day -= ONE_DAY
        return day

    def instant(self, text: str) -> int:
        """A time of a file. Cost model, signals: files without an offset are in the site's zone, first
        occurrence in a repeated hour, an error in a skipped one."""
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
            shown = moment.astimezone(UTC).astimezone(self.zone)
            if shown.replace(tzinfo=None) != moment.replace(tzinfo=None):
                raise ValueError(f"skipped time: {text}: the site's clock never showed it, give an offset")
        return microseconds(moment)

    def boundaries(self, start_us: int, end_us: int) -> set[int]:
        """UTC hours, site midnights and production-day starts strictly inside (start, end)."""
        cuts = set(range(start_us - start_us % HOUR_US + HOUR_US, end_us, HOUR_US))
        day = moment_of(start_us).astimezone(self.zone).date() - ONE_DAY
        while self.midnight(day) < end_us:
            cuts |= {self.midnight(day), self.day_begin(day)}
            day += ONE_DAY
        return {cut for cut in cuts if start_us < cut < end_us}

    def shown(self, instant_us: int, utc: bool = False) -> datetime:
        """The instant as an aware datetime of the site, or of UTC."""
        return moment_of(instant_us).astimezone(UTC if utc else self.zone)
