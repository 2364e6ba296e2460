"""What a written word means: numbers, dates, times of day, instants. One rule for YAML, CSV and requests.

A word that cannot be read raises `Unreadable` with the mend; the caller knows the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from cloud_api.plant.places import nearest
from cloud_api.store import wall_time

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})
MOST_DIGITS = 24
"""Numbers longer than this are refused; the ledger's 40 digits leave room for products of two."""


class Unreadable(ValueError):
    """A word that is not what its field holds: ``message`` and ``mend``."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(f"{message}: {mend}")
        self.message = message
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which numbers a field takes; both ends are included unless ``open_low`` or ``open_high``."""

    low: Decimal | None = None
    high: Decimal | None = None
    open_low: bool = False
    open_high: bool = False

    def complaint(self, value: Decimal) -> str | None:
        """What the number must be, where it is not."""
        if self.low is not None and (value < self.low or (self.open_low and value == self.low)):
            return f"write a number {'above' if self.open_low else 'of at least'} {self.low}"
        if self.high is not None and (value > self.high or (self.open_high and value == self.high)):
            return f"write a number {'below' if self.open_high else 'of at most'} {self.high}"
        return None


ANY = Bounds()
POSITIVE = Bounds(low=Decimal(0), open_low=True)
NOT_NEGATIVE = Bounds(low=Decimal(0))
SHARE_BELOW_ONE = Bounds(low=Decimal(0), high=Decimal(1), open_high=True)
SHARE_ABOVE_ZERO = Bounds(low=Decimal(0), high=Decimal(1), open_low=True)
SHARE = Bounds(low=Decimal(0), high=Decimal(1))


def read_number(word: str, bounds: Bounds) -> Decimal:
    """An exact number with a decimal point; no thousands separators, no sign but one in front."""
    if not _NUMBER.fullmatch(word):
        if _DECIMAL_COMMA.fullmatch(word):
            raise Unreadable(
                f"'{word}' has a comma", f"write {word.replace(',', '.')} (decimal point, no separators)"
            )
        raise Unreadable(f"'{word}' is not a number", "write digits with a decimal point, like 12.5")
    value = Decimal(word)
    if len(value.as_tuple().digits) > MOST_DIGITS or abs(value.adjusted()) > MOST_DIGITS:
        raise Unreadable(f"'{word}' is too long a number", f"write at most {MOST_DIGITS} digits")
    complaint = bounds.complaint(value)
    if complaint is not None:
        raise Unreadable(f"{word} is out of range", complaint)
    return plain_number(value)


def plain_number(value: Decimal) -> Decimal:
    """The same number in its shortest form, so that 1.50 and 1.5 are one text and one row."""
    if value == 0:
        return Decimal(0)
    short = value.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short


def read_date(word: str) -> date:
    """A calendar date, ``2026-01-31``."""
    if _DATE.fullmatch(word):
        try:
            return date.fromisoformat(word)
        except ValueError:
            raise Unreadable(f"'{word}' is no day of the calendar", "write an existing date") from None
    raise Unreadable(f"'{word}' is not a date", "write it as YYYY-MM-DD, like 2026-01-31")


def read_month(word: str) -> date:
    """The first day of a month, written ``2026-01`` or as any date on its first day."""
    if _MONTH.fullmatch(word):
        return date.fromisoformat(word + "-01")
    if _DATE.fullmatch(word) and word.endswith("-01"):
        return read_date(word)
    raise Unreadable(f"'{word}' is not a month", "write it as YYYY-MM, like 2026-01")


def read_time(word: str) -> time:
    """A wall-clock time of day, ``06:00``."""
    if _TIME.fullmatch(word):
        return time.fromisoformat(word)
    raise Unreadable(f"'{word}' is not a time of day", "write it as HH:MM between 00:00 and 23:59")


def read_flag(word: str) -> bool:
    if word.lower() in _TRUE:
        return True
    if word.lower() in _FALSE:
        return False
    raise Unreadable(f"'{word}' is neither true nor false", "write true or false")


def read_choice(word: str, choices: tuple[str, ...]) -> str:
    if word in choices:
        return word
    raise Unreadable(f"'{word}' is not one of the words used here", nearest(word, choices))


def read_instant(word: str, zone: ZoneInfo) -> datetime:
    """An instant in UTC; without an offset the site's clock counts (see `cloud_api.store.wall_time`)."""
    try:
        return wall_time.read_instant(word, zone)
    except wall_time.UnreadableTime as unreadable:
        raise Unreadable(unreadable.message, unreadable.mend) from None
