"""Groups of rows: the key that `by` asks for, how it is told, and the address of the evidence behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any
from urllib.parse import quote_plus

from msgspec import Struct

from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import FILTERS, SPANS_OF_TIME, Question, told
from cloud_api.store.times import to_us
from shared.units import HOUR_US

Key = tuple[Any, ...]
_WEEK = dt.timedelta(days=7)


class Grain(Struct, frozen=True, gc=False):
    """What one stored row, or a sum of rows, says of itself; None where it was not asked for or has none."""

    site: Site
    machine: Machine | None
    product: str | None = None
    order: str | None = None
    shift: str | None = None
    resource: str | None = None
    cause: str | None = None
    reason: str | None = None
    hour: dt.datetime | None = None
    day: dt.date | None = None


def key_of(grain: Grain, by: Sequence[str]) -> Key:
    """The group of a grain."""
    return key_by(tuple(by))(grain)


@lru_cache(maxsize=1024)
def key_by(by: tuple[str, ...]) -> Callable[[Grain], Key]:
    """What tells the group of a grain."""
    values = tuple(_OF.get(name) or attrgetter(name) for name in by)
    if by and not any(name in _OF for name in by):
        whole = attrgetter(*by)
        return whole if len(by) > 1 else lambda grain: (whole(grain),)
    return lambda grain: tuple([value(grain) for value in values])


def _week(grain: Grain) -> dt.date | None:
    return None if grain.day is None else grain.day - dt.timedelta(days=grain.day.weekday())


def _period(grain: Grain) -> str | None:
    return None if grain.day is None else grain.site.period_of(grain.site.day_start_us(grain.day))


_OF: Mapping[str, Callable[[Grain], Any]] = {
    "site": attrgetter("site.name"),
    "line": lambda grain: grain.machine.line if grain.machine else None,
    "machine": lambda grain: grain.machine.name if grain.machine else None,
    "week": _week,
    "period": _period,
}
"""What a grain says of itself under another name."""


def needs(by: Sequence[str]) -> Mapping[str, bool]:
    """Which columns a statement must keep apart for `by`."""
    return {
        "by_machine": "machine" in by or "line" in by,
        "by_hour": "hour" in by,
        "by_day": any(name in by for name in ("day", "week", "period")),
        **{f"by_{name}": name in by for name in ("product", "order", "shift", "resource", "cause", "reason")},
    }


def filters(question: Question) -> dict[str, Any]:
    """Parameters of the filters of a question, as the statements name them."""
    parameters: dict[str, Any] = {
        "posting": question.basis == "posting",
        "withheld": sorted(question.withheld),
        "charges": question.has_charges_of_sites,
    }
    for name in ("product", "order", "shift", "reason", "resource", "cause"):
        wanted = question.names(name)
        parameters[name] = None if wanted is None else [value for value in wanted if value is not None]
        parameters[f"none_{name}"] = wanted is not None and None in wanted
    return parameters


def ordered(keys: Sequence[Key]) -> list[Key]:
    """Keys in a lasting order: by code point, without a value last."""
    return sorted(
        keys, key=lambda key: tuple((value is None, "" if value is None else str(value)) for value in key)
    )


def evidence(question: Question, by: Sequence[str], key: Key, *, path: str = "/v1/segments") -> str:
    """The address of the segments behind one group: the filters of the question and of the group."""
    return addresses(question, by, path=path)(key)


def addresses(question: Question, by: Sequence[str], *, path: str = "/v1/segments") -> Callable[[Key], str]:
    """Tells the address of the segments behind each group of an answer, by the key of the group."""
    timed = any(name in SPANS_OF_TIME for name in by)
    filters_: list[tuple[str, int | None]] = []
    for name in FILTERS:
        if name in by:
            filters_.append((f"{name}=", by.index(name)))
        elif name == "site" and question.names("site") is None and len(question.sites) == 1:
            filters_.append((f"site={_quoted(question.sites[0].name)}", None))
        else:
            filters_ += [(f"{name}={_quoted(value or '')}", None) for value in question.names(name) or ()]
    whole = _window(question, {})

    def address(key: Key) -> str:
        window = _window(question, dict(zip(by, key, strict=True))) if timed else whole
        said = [text if at is None else text + _quoted(key[at] or "") for text, at in filters_]
        return f"{path}?{'&'.join([*window, *said])}"

    return address


def _window(question: Question, group: Mapping[str, Any]) -> list[str]:
    ends = zip(("from", "to"), span_of(question, group), strict=True)
    return [f"{name}={_quoted(_told(us))}" for name, us in ends if us is not None]


@lru_cache(maxsize=4096)
def _quoted(value: str) -> str:
    """A value as it stands in an address: one answer has many addresses of few values."""
    return quote_plus(value)


@lru_cache(maxsize=1024)
def _told(us: int) -> str:
    return told(us) or ""


def span_of(question: Question, group: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """The window of a group: that of the question, and inside it of the hour, day, week or period."""
    from_us_, until_us = question.from_us, question.to_us
    sites = [site for site in question.sites if group.get("site", site.name) == site.name]
    site = next((site for site in sites if site.book is not None), None)
    for name, value in group.items():
        span = None if site is None or value is None else _span(site, name, value)
        if span is not None:
            from_us_ = span[0] if from_us_ is None else max(from_us_, span[0])
            until_us = span[1] if until_us is None else min(until_us, span[1])
    return from_us_, until_us


def _span(site: Site, name: str, value: Any) -> tuple[int, int] | None:
    if name == "hour":
        return to_us(value), to_us(value) + HOUR_US
    if name == "day":
        return site.day_start_us(value), site.day_start_us(value + dt.timedelta(days=1))
    if name == "week":
        return site.day_start_us(value), site.day_start_us(value + _WEEK)
    if name == "period":
        return next(((one.from_us, one.to_us) for one in site.periods if one.name == value), None)
    return None
