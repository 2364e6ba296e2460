"""What the floor is asked: which stops, when, and how often at most. Pure: the ledger and the present in,
questions out.

The limits protect the floor: at most three questions a shift of a line, none of a machine that is down, none
older than a day, none twice. The dearest first; stops of like length of one machine and day are one
question, which says so. Where a line has so many stops that three questions would leave too much unsaid,
those of three quarters of an hour and less are taken together too, later ones of the day and the next with
them; where even that leaves half unsaid, whether they carry a reason that says nothing or none. What keeps
stopping a machine for a minute is asked about once in three days. A question about many waits for its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from operator import attrgetter

from msgspec import Struct

from cloud_api.interpret.calendar import Almanac
from shared.units import HOUR_US, MINUTE_US

MOST_A_SHIFT = 3
SHORT_US = 5 * MINUTE_US
"""A stop below this is an intervention: many alike, one cause."""
MEDIUM_US = 15 * MINUTE_US
"""Stops from 5 to 15 min are asked about together; a longer one is like no other."""
WIDE_US = 45 * MINUTE_US
"""Stops from 5 min to this are one question where there are too many for three."""
ENOUGH, FEW = Decimal("0.85"), Decimal("0.45")
"""Share of what open stops of a line cost that the questions left in the shift have to reach; and that which
they have to reach where stops are taken together, else these are so whatever silent reason they carry."""
SETTLED_US = 2 * MINUTE_US
"""So long after its end a stop may be asked about: a reason may still be given within the minute after."""
FRESH_US = 24 * HOUR_US
"""Older than this, nobody is asked about it."""
PACE = ((Decimal("0.5"), 1), (Decimal("0.75"), 2), (Decimal("0.9"), 3))
"""How many questions may have been asked once this share of the shift is over; a dear one need not wait."""
DEAR, LEAST = Decimal(5), Decimal(100)
"""A question is dear from a fifth of the material amount on (without one: about a long stop), and worth it
from a hundredth on, or where the stops lasted 5 min together."""
ZERO = Decimal(0)


SHORT, MEDIUM, WIDE = "short", "medium", "wide"
"""Lengths of stops that are asked about together."""
REACHING = (SHORT, WIDE)
"""Those of which later stops, and the open ones of the last day, are like the one asked about."""
ANY = "*"
"""Whatever reason that says nothing, or none."""
DAYS = {SHORT: 3, WIDE: 2}
"""Production days that an answer is for, its own the first; of other lengths one."""


class ShiftSpan(Struct, frozen=True):
    """One shift of one day with its breaks; `name` None: nobody is there."""

    from_us: int
    to_us: int
    name: str | None


class Stop(Struct, frozen=True, kw_only=True):
    """A stop that nobody explained yet, joined across the cuts of storage. `amount`: what it cost."""

    machine: str
    from_us: int
    to_us: int
    state: str
    cause: str
    reason: str | None
    product: str | None
    order: str | None
    shift: str | None
    shift_from_us: int
    day_from_us: int
    amount: Decimal

    @property
    def pattern(self) -> str:
        """What stops like it have in common; a long stop is like no other."""
        return self._pattern(self._length(MEDIUM, MEDIUM_US), self.reason)

    @property
    def wide_pattern(self) -> str:
        """What it has in common with others where a line has many stops."""
        return self._pattern(self._length(WIDE, WIDE_US), self.reason)

    @property
    def widest_pattern(self) -> str:
        """What it has in common with others where a line has more stops than three questions reach so."""
        length = self._length(WIDE, WIDE_US)
        joins = length in REACHING and self.state != "unknown"
        return self._pattern(length, ANY if joins else self.reason)

    def _length(self, length: str, below_us: int) -> str:
        lasted = self.to_us - self.from_us
        return SHORT if lasted < SHORT_US else length if lasted < below_us else str(self.from_us)

    def _pattern(self, length: str, reason: str | None) -> str:
        return f"{self.state}|{reason or ''}|{length}"


FINE, TOGETHER, WIDEST = map(attrgetter, ("pattern", "wide_pattern", "widest_pattern"))
"""What stops are taken together by."""


class Group(Struct, frozen=True, kw_only=True):
    """Stops that one answer explains: the one asked about, the dearest of the last production day, and
    those like it; `pattern`: what they have in common."""

    first: Stop
    stops: tuple[Stop, ...]
    pattern: str

    @property
    def amount(self) -> Decimal:
        """What they cost together."""
        return sum((stop.amount for stop in self.stops), ZERO)


class Asked(Struct, frozen=True, kw_only=True):
    """A question as it was asked before."""

    machine: str
    from_us: int
    to_us: int
    pattern: str
    shift_from_us: int
    asked_in_us: int
    day_from_us: int
    asked_us: int

    def is_about(self, stop: Stop) -> bool:
        """Whether it asked about a stop: about itself; about every short stop of its day and of the 24 h
        before it was asked, and every one of up to 45 min where it was about those; about the medium ones of
        its day that were over when it was asked."""
        if stop.machine != self.machine:
            return False
        if stop.from_us < self.to_us and stop.to_us > self.from_us:
            return True
        if not self._is_alike(stop):
            return False
        if self.day_from_us == stop.day_from_us:
            return self.pattern.endswith(REACHING) or stop.to_us <= self.asked_us
        fresh = self.since_us < stop.to_us and stop.day_from_us < self.day_from_us
        return self.pattern.endswith(REACHING) and fresh

    @property
    def since_us(self) -> int:
        """No stop that was over before is among those it asked about, except of its own production day."""
        return self.asked_us - FRESH_US

    def explains(self, stop: Stop, until_us: int) -> bool:
        """Whether its answer is for a stop besides its own: those it asked about, and those of the days after
        that begin before `until_us`, where it reaches so far."""
        if stop.from_us < self.to_us and stop.to_us > self.from_us:
            return False
        if stop.machine != self.machine or stop.from_us >= until_us or not self._is_alike(stop):
            return False
        later = self.pattern.endswith(REACHING) and stop.day_from_us > self.day_from_us
        return later or self.is_about(stop)

    def _is_alike(self, stop: Stop) -> bool:
        return self.pattern in (stop.pattern, stop.wide_pattern, stop.widest_pattern)


def shift_at(almanac: Almanac, us: int) -> ShiftSpan:
    """The shift of an instant, its breaks included; outside all shifts the time between two."""
    day = almanac.day_span(almanac.production_day(us))
    joined: list[ShiftSpan] = []
    status = ""
    for span in almanac.spans(day.from_us - FRESH_US, day.to_us + FRESH_US):
        # Within a shift scheduled time and breaks take turns; two of a kind are two shifts of one name.
        if joined and joined[-1].name == span.shift and span.status != status:
            joined[-1] = ShiftSpan(joined[-1].from_us, span.to_us, span.shift)
        else:
            joined.append(ShiftSpan(span.from_us, span.to_us, span.shift))
        status = span.status
    return next(shift for shift in joined if shift.from_us <= us < shift.to_us)


def grouped(stops: Iterable[Stop], pattern: Callable[[Stop], str] = FINE) -> list[Group]:
    """Stops by what they have in common on a machine, the dearest first: of a production day, and where an
    answer reaches further, of all days given."""
    alike: dict[tuple[str, int, str], list[Stop]] = {}
    for stop in stops:
        said = pattern(stop)
        day = 0 if said.endswith(REACHING) else stop.day_from_us
        alike.setdefault((stop.machine, day, said), []).append(stop)
    groups = [
        Group(first=min(members, key=_asked_first), stops=tuple(sorted(members, key=_begin)), pattern=said)
        for (*_, said), members in alike.items()
    ]
    return sorted(groups, key=lambda group: (-group.amount, group.first.from_us, group.first.machine))


def to_ask(
    stops: Iterable[Stop],
    asked: Sequence[Asked],
    shift: ShiftSpan,
    now_us: int,
    down: frozenset[str],
    material: Decimal | None,
) -> list[Group]:
    """What to ask the floor of one line now, dearest first; `asked`: all of that line in the last days.

    `down`: machines that nobody is asked about just now. `material`: the material amount of the site.
    """
    if shift.name is None:
        return []
    in_shift = sum(one.asked_in_us == shift.from_us for one in asked)
    of_shift: dict[int, int] = {}
    for one in asked:
        of_shift[one.shift_from_us] = of_shift.get(one.shift_from_us, 0) + 1
    paced = _paced(shift, now_us)
    chosen: list[Group] = []
    open_ = [stop for stop in stops if _is_open(stop, asked, now_us)]
    for group in _groups(open_, MOST_A_SHIFT - in_shift):
        free = MOST_A_SHIFT if _is_dear(group, material) else paced
        home = group.first.shift_from_us
        if group.first.machine in down or not _is_worth_it(group, material):
            continue
        if in_shift + len(chosen) < free and of_shift.get(home, 0) < MOST_A_SHIFT:
            chosen.append(group)
            of_shift[home] = of_shift.get(home, 0) + 1
    return chosen


def days_explained(pattern: str) -> int:
    """Production days that an answer is for, its own the first."""
    return DAYS.get(pattern.rpartition("|")[2], 1)


def like(stops: Iterable[Stop], asked: Asked, until_us: int) -> list[Stop]:
    """Stops that the answer to a question explains besides its own, by `Asked.explains`."""
    return [stop for stop in stops if asked.explains(stop, until_us)]


def _groups(stops: Sequence[Stop], left: int) -> list[Group]:
    """Groups of stops, so many together that the questions left reach enough of what they cost."""
    whole = sum((stop.amount for stop in stops), ZERO)
    for pattern, share in ((FINE, ENOUGH), (TOGETHER, FEW)):
        groups = grouped(stops, pattern)
        reached = sum((group.amount for group in groups[: max(0, left)]), ZERO)
        if reached >= share * whole:
            return groups
    return grouped(stops, WIDEST)


def _is_open(stop: Stop, asked: Sequence[Asked], now_us: int) -> bool:
    """Whether a stop is over, fresh, and was not asked about."""
    if stop.to_us > now_us - SETTLED_US or stop.to_us <= now_us - FRESH_US or stop.amount <= 0:
        return False
    return not any(one.is_about(stop) for one in asked)


def _paced(shift: ShiftSpan, now_us: int) -> int:
    over = Decimal(now_us - shift.from_us) / Decimal(shift.to_us - shift.from_us)
    return max((count for share, count in PACE if over >= share), default=0)


def _is_dear(group: Group, material: Decimal | None) -> bool:
    if group.pattern.endswith(REACHING):
        return False  # More of them are to come: the later it is asked, the better it is told.
    if material is None:
        return group.first.to_us - group.first.from_us >= MEDIUM_US
    return group.amount * DEAR >= material


def _is_worth_it(group: Group, material: Decimal | None) -> bool:
    lasted = sum(stop.to_us - stop.from_us for stop in group.stops)
    return group.amount * LEAST >= (material or ZERO) or lasted >= SHORT_US


def _asked_first(stop: Stop) -> tuple[int, Decimal, int]:
    return -stop.day_from_us, -stop.amount, stop.from_us


def _begin(stop: Stop) -> int:
    return stop.from_us
