"""A question as it is asked: filters, window, grouping; and every mistake in it at once.

Parameters are those of the contract. A filter may be repeated to name several values; an empty value asks
for rows that have none (`order=`: time without an order). Dates are production days of the site.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cloud_api.answers.options import Option
from cloud_api.answers.places import Machine, Places, Site
from cloud_api.interpret.model import CAUSE_OF_STATE, RESOURCES
from cloud_api.store.times import from_us, to_us

FILTERS = ("site", "line", "machine", "product", "order", "shift", "resource", "cause", "reason")
"""Dimensions that filter and group. No person is one."""

EVIDENCE_FILTERS = ("signal", "role")
"""Filters of raw samples."""

SPANS_OF_TIME = ("hour", "day", "week", "period")
"""What `by` takes besides: UTC hours, production days, weeks from Monday, fiscal periods."""

CAUSES = (
    "production",
    "scrap",
    "rework",
    "speed_loss",
    *(cause for cause in CAUSE_OF_STATE.values() if cause != "unexplained"),
    "usage",
    "crew",
    "overtime",
    "price",
    "unexplained",
    "scrap_upstream",
    "wip_change",
)
"""Causes in the order in which a reader meets them; charges may name others."""

ALL_RESOURCES = (*RESOURCES, "line")
"""Resources, and `line` for the two cells that close a line."""

FORMATS = ("json", "csv", "xlsx", "parquet")
"""What an answer comes as."""

LIMIT = 1000
"""Rows in an answer that names no `limit`."""

MOST_ROWS = 100_000
"""The greatest `limit`."""

EARLIEST, LATEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one parameter, and how to mend it."""

    field: str
    message: str


class QuestionError(Exception):
    """A question with mistakes; nothing of it is answered."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(f"{mistake.field}: {mistake.message}" for mistake in mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question without a mistake.

    `from_us`, `to_us`: [from, to) in microseconds UTC; None: as far as the time line goes. `wanted`: values
    by filter, None among them for rows without one. `sites` are the sites it reads, never empty unless
    there are none. `period`: a fiscal period that the window is. `withheld`: resources left out. `options`:
    values of the parameters that only this path takes, an instant as microseconds.
    """

    sites: tuple[Site, ...]
    from_us: int | None = None
    to_us: int | None = None
    period: str | None = None
    wanted: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    basis: str = "posting"
    limit: int = LIMIT
    cursor: str | None = None
    withheld: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)

    def names(self, filter_: str) -> tuple[str | None, ...] | None:
        """Values asked for, None where the question does not filter by it."""
        return self.wanted.get(filter_)

    def instant(self, option: str) -> int | None:
        """An option of kind time, in microseconds UTC; None where it is absent."""
        value = self.options.get(option)
        return None if value is None else int(value)

    def with_options(self, options: Mapping[str, str]) -> Question:
        """The same question to a path that takes these options, all rows at once."""
        return replace(self, by=(), options=dict(options), cursor=None, limit=MOST_ROWS)

    def without(self, *names: str) -> Question:
        """The same question without some of its filters."""
        return replace(
            self, wanted={name: values for name, values in self.wanted.items() if name not in names}
        )

    def grouped(self, *by: str) -> Question:
        """The same question, grouped otherwise, all rows at once."""
        return replace(self, by=by, cursor=None, limit=MOST_ROWS)

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The machines that it reads, in the order of site, line and place."""
        lines, names = self.names("line"), self.names("machine")
        return tuple(
            machine
            for site in self.sites
            for machine in site.machines
            if (lines is None or machine.line in lines) and (names is None or machine.name in names)
        )

    @property
    def has_charges_of_sites(self) -> bool:
        """Whether amounts without a machine are in it: where no line or machine is named, or 'none' is."""
        return all(named is None or None in named for named in (self.names("line"), self.names("machine")))

    @property
    def currency(self) -> str | None:
        """The one currency of its sites; None where no site has a plant model."""
        return next((site.currency for site in self.sites if site.currency is not None), None)


def read(
    parameters: Iterable[tuple[str, str]],
    places: Places,
    *,
    allowed: Iterable[str],
    by: Iterable[str] = (),
    withheld: frozenset[str] = frozenset(),
    options: Sequence[Option] = (),
    in_money: bool = True,
) -> Question:
    """Reads the parameters of a request.

    `allowed` are the parameters that the path takes, `by` what it groups by, `options` what it alone takes.
    `in_money`: whether the answer adds money up, so that its sites must have one currency.
    Raises QuestionError with every mistake.
    """
    return _Reader(parameters, places, frozenset(allowed), tuple(by), withheld, options, in_money).question()


_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?")

_FORMS = {"month": (r"\d{4}-(0[1-9]|1[0-2])", "2026-03"), "number": (r"-?\d{1,12}(\.\d{1,9})?", "12.5")}


class _Reader:
    """Collects mistakes while it reads, so that all are told at once."""

    def __init__(
        self,
        parameters: Iterable[tuple[str, str]],
        places: Places,
        allowed: frozenset[str],
        by: tuple[str, ...],
        withheld: frozenset[str],
        options: Sequence[Option],
        in_money: bool,
    ) -> None:
        self.given: dict[str, list[str]] = {}
        for name, value in parameters:
            self.given.setdefault(name, []).append(value)
        self.places = places
        self.allowed = allowed | {option.name for option in options}
        self.options = options
        self.by = by
        self.withheld = withheld
        self.in_money = in_money
        self.mistakes: list[Mistake] = []

    def question(self) -> Question:
        self._refuse_what_is_no_text()
        self._refuse_unknown_parameters()
        sites = self._sites()
        wanted = self._bound(sites, self._wanted(sites))
        from_us, to_us_, period = self._window(sites)
        self._one_of("format", FORMATS)
        question = Question(
            sites=sites,
            from_us=from_us,
            to_us=to_us_,
            period=period,
            wanted=wanted,
            by=self._by(),
            basis=self._one_of("basis", ("posting", "event")) or "posting",
            limit=self._limit(),
            cursor=self._single("cursor"),
            withheld=self.withheld,
            options=self._options(sites),
        )
        if self.mistakes:
            raise QuestionError(self.mistakes)
        return question

    def wrong(self, field_: str, message: str) -> None:
        self.mistakes.append(Mistake(field_, message))

    def _refuse_what_is_no_text(self) -> None:
        for name, values in self.given.items():
            if any("\x00" in value for value in values):
                self.wrong(name, "holds a NUL character, which no name has")
                self.given[name] = [value.replace("\x00", "") for value in values]

    def _refuse_unknown_parameters(self) -> None:
        for name in sorted(self.given.keys() - self.allowed):
            takes = ", ".join(sorted(self.allowed))
            self.wrong(name, f"is no parameter here{near(name, self.allowed)}; it takes {takes}")

    def _single(self, name: str) -> str | None:
        values = self.given.get(name, []) if name in self.allowed else []
        if len(values) > 1:
            self.wrong(name, "is given more than once; give it once")
        return values[0] if values else None

    def _one_of(self, name: str, words: Sequence[str]) -> str | None:
        value = self._single(name)
        if value is not None and value not in words:
            self.wrong(name, f"{value!r} is not one of {', '.join(words)}{near(value, words)}")
        return value

    def _options(self, sites: Sequence[Site]) -> dict[str, str]:
        values = {option.name: self._option(option, sites) for option in self.options}
        return {name: value for name, value in values.items() if value is not None}

    def _option(self, option: Option, sites: Sequence[Site]) -> str | None:
        if option.kind == "time":
            instant = self._instant(option.name, sites)
            return None if instant is None else str(instant)
        if option.kind == "list":
            return "\n".join(self.given[option.name]) if option.name in self.given else None
        if option.kind == "word":
            return self._one_of(option.name, option.words) or option.default
        value = self._single(option.name)
        form, example = _FORMS.get(option.kind, ("", ""))
        if value is not None and form and not re.fullmatch(form, value):
            self.wrong(option.name, f"{value!r} is no {option.kind}, such as {example}")
        return value if value is not None else option.default

    def _limit(self) -> int:
        value = self._single("limit")
        if value is None:
            return LIMIT
        if not re.fullmatch(r"[0-9]{1,9}", value) or not 1 <= int(value) <= MOST_ROWS:
            self.wrong("limit", f"{value!r} is not a whole number from 1 to {MOST_ROWS}")
            return LIMIT
        return int(value)

    def _by(self) -> tuple[str, ...]:
        words = [
            word.strip() for text in self.given.get("by", []) for word in text.split(",") if word.strip()
        ]
        for word in words:
            if word not in self.by and "by" in self.allowed:
                self.wrong("by", f"{word!r} is not one of {', '.join(self.by)}{near(word, self.by)}")
        return tuple(dict.fromkeys(words))

    def _sites(self) -> tuple[Site, ...]:
        named = self.given.get("site", []) if "site" in self.allowed else []
        known = {site.name: site for site in self.places.sites}
        for name in named:
            if name not in known:
                self.wrong("site", f"{name!r} is no site that you may read{near(name, known)}")
        sites = self.places.sites
        if named:
            sites = tuple(known[name] for name in dict.fromkeys(named) if name in known)
        if self.in_money and len({site.currency for site in sites if site.currency is not None}) > 1:
            self.wrong("site", "the sites have different currencies; name sites of one currency")
        return sites

    def _wanted(self, sites: Sequence[Site]) -> dict[str, tuple[str | None, ...]]:
        wanted: dict[str, tuple[str | None, ...]] = {}
        for name in (*FILTERS, *EVIDENCE_FILTERS):
            if name in self.given and name in self.allowed:
                wanted[name] = tuple(dict.fromkeys(value or None for value in self.given[name]))
        self._refuse_unknown_values(wanted, "line", [line for site in sites for line in site.lines])
        self._refuse_unknown_values(
            wanted, "machine", [machine.name for site in sites for machine in site.machines]
        )
        self._refuse_unknown_values(wanted, "resource", ALL_RESOURCES)
        return wanted

    def _bound(
        self, sites: Sequence[Site], wanted: dict[str, tuple[str | None, ...]]
    ) -> dict[str, tuple[str | None, ...]]:
        """Who is bound to lines asks about these, whatever they name."""
        lines = sorted({line for site in sites for line in site.bound or ()})
        if not any(site.bound is not None for site in sites):
            return wanted
        if None in wanted.get("line", ()):
            self.wrong("line", f"is empty; your key is bound to {', '.join(lines)}")
        return {"line": tuple(lines), **wanted}

    def _refuse_unknown_values(
        self, wanted: Mapping[str, tuple[str | None, ...]], name: str, known: Sequence[str]
    ) -> None:
        for value in wanted.get(name, ()):
            if value is not None and value not in known:
                self.wrong(name, f"{value!r} is not known{near(value, known)}")

    def _window(self, sites: Sequence[Site]) -> tuple[int | None, int | None, str | None]:
        period = self._single("period")
        if period is not None:
            return (*self._period(sites, period), period)
        from_us_ = self._instant("from", sites)
        until_us = self._instant("to", sites)
        if from_us_ is not None and until_us is not None and from_us_ >= until_us:
            self.wrong(
                "to", "is not after `from`; `to` is exclusive, so one day is from=2026-03-02&to=2026-03-03"
            )
        return from_us_, until_us, None

    def _period(self, sites: Sequence[Site], name: str) -> tuple[int | None, int | None]:
        if "from" in self.given or "to" in self.given:
            self.wrong("period", "is given beside `from` or `to`; give either")
        windows = {window for site in sites for window in site.periods if window.name == name}
        if len(windows) == 1:
            window = next(iter(windows))
            return window.from_us, window.to_us
        if windows:
            self.wrong("period", f"{name!r} differs between the sites; name one site")
        else:
            known = sorted({window.name for site in sites for window in site.periods})
            self.wrong("period", f"{name!r} is no period{near(name, known)}")
        return None, None

    def _instant(self, name: str, sites: Sequence[Site]) -> int | None:
        value = self._single(name)
        if value is None:
            return None
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return self._day(name, value, sites)
        return self._moment(name, value)

    def _day(self, name: str, value: str, sites: Sequence[Site]) -> int | None:
        try:
            day = dt.date.fromisoformat(value)
        except ValueError:
            self.wrong(name, f"{value!r} is no date")
            return None
        if not EARLIEST.year < day.year < LATEST.year:
            self.wrong(name, f"{value!r} lies outside the years {EARLIEST.year + 1} to {LATEST.year - 1}")
            return None
        loaded = [site for site in sites if site.book is not None]
        starts = {site.day_start_us(day) for site in loaded or sites}
        if len(starts) > 1:
            self.wrong(
                name, f"{value!r} starts at different times at the sites; name one site, or give a time"
            )
        return next(iter(starts), to_us(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)))

    def _moment(self, name: str, value: str) -> int | None:
        # A '+' that was not escaped arrives as a space.
        text = re.sub(r" (\d{2}:?\d{2})$", r"+\1", value.strip()).upper()
        try:
            if _RFC_3339.fullmatch(text) is None:
                raise ValueError(text)
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            self.wrong(
                name, f"{value!r} is neither a date (2026-03-02) nor a time (2026-03-02T06:00:00-05:00)"
            )
            return None
        if moment.tzinfo is None:
            self.wrong(name, f"{value!r} has no offset from UTC; write {value}Z or {value}-05:00")
            return None
        if not EARLIEST < moment < LATEST:
            self.wrong(name, f"{value!r} lies outside the years {EARLIEST.year} to {LATEST.year - 1}")
            return None
        return to_us(moment)


def near(word: str, known: Iterable[str]) -> str:
    """', did you mean ...?' where a known word is close, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {close[0]!r}?" if close else ""


def told(us: int | None) -> str | None:
    """An instant as answers say it: RFC 3339 in UTC."""
    return None if us is None else from_us(us).isoformat().replace("+00:00", "Z")
