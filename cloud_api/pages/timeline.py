"""The time line of one machine: states, reasons, notes and alarms over a day, a shift or an hour."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from cloud_api.answers.notes import found as notes_of
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question, told
from cloud_api.answers.samples import samples
from cloud_api.answers.segments import segments
from cloud_api.answers.shapes.ledger import SegmentRow
from cloud_api.interpret.model import STATES
from cloud_api.pages import words
from cloud_api.pages.asking import Asking
from cloud_api.pages.band import Mark, Span, band, patterns, swatch
from cloud_api.pages.filters import place
from cloud_api.store.times import from_us, to_us
from shared.units import HOUR_US

SHOWN = 2000
"""Spans that one picture holds; a longer window says so and shows the first."""


def timeline(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    site = asking.site
    machine = _machine(asking)
    parameters = asking.parameters()
    if not any(asking.value(name) for name in ("from", "to", "period")):
        parameters = [pair for pair in parameters if pair[0] not in ("from", "to")] + asking.window(1)
    if asking.value("machine") is None and machine is not None:
        parameters.append(("machine", machine.name))
    question = asking.question(parameters)
    shown = {
        "place": place(asking),
        "machines": [] if site is None else [one.name for one in site.machines],
        "machine": machine.name if machine else None,
        "answer": None,
    }
    if site is None or machine is None or question.from_us is None:
        return shown
    if question.to_us is None:
        day = site.day_of(question.from_us)
        question = replace(question, to_us=site.day_start_us(day + dt.timedelta(days=1)))
    question = replace(question, limit=SHOWN, wanted={**question.wanted, "machine": (machine.name,)})
    answer = segments(asking.connection, question, asking.principal.sees_money, asking.now)
    window = (from_us(question.from_us or 0), from_us(question.to_us or 0))
    marks = [*_notes(asking, question, site), *_alarms(asking, question)]
    spans = [_span(row, site.time_zone) for row in answer.rows]
    label = f"States of {machine.name} from {words.clock(window[0], site.time_zone)}"
    return shown | {
        "answer": answer,
        "zone": site.time_zone,
        "window": window,
        "picture": Markup(patterns() + band(spans, marks, window, site.time_zone, label)),
        "key": [{"swatch": Markup(swatch(state)), "word": words.STATES[state]} for state in STATES],
        "links": _links(question, site, machine),
        "rows": [_row(row, site.time_zone) for row in answer.rows if row.state != "running"],
        "marks": sorted(marks, key=lambda mark: mark.at),
        "export": f"/v1/segments?{urlencode(_asked(question, site, machine))}",
        "evidence": f"/segments?{urlencode(_asked(question, site, machine))}",
        "day": _day_field(question, site),
    }


def _machine(asking: Asking) -> Machine | None:
    """The machine that is named, else the first of the site."""
    machines = asking.site.machines if asking.site is not None else ()
    named = asking.value("machine")
    return next((one for one in machines if named in (None, one.name)), None)


def _asked(question: Question, site: Site, machine: Machine) -> list[tuple[str, str]]:
    return [
        *_window(question.from_us or 0, question.to_us or 0),
        ("site", site.name),
        ("machine", machine.name),
    ]


def _window(begin: int, end: int) -> list[tuple[str, str]]:
    return [("from", told(begin) or ""), ("to", told(end) or "")]


def _day_field(question: Question, site: Site) -> str:
    return site.day_of(question.from_us or 0).isoformat()


def _span(row: SegmentRow, zone: str) -> Span:
    said = [words.STATES[row.state], f"{words.clock(row.from_, zone)}, {words.span(row.hours)}"]
    said += [text for text in (row.reason, row.product, row.order) if text]
    if row.caused_by is not None:
        said.append(_caused(row))
    address = _zoomed(row)
    return Span(row.from_, row.to, row.state, row.reason or row.product or "", "; ".join(said), address)


def _zoomed(row: SegmentRow) -> str:
    window = [("from", told(to_us(row.from_)) or ""), ("to", told(to_us(row.to)) or "")]
    return f"/segments?{urlencode([*window, ('site', row.site), ('machine', row.machine)])}"


def _caused(row: SegmentRow) -> str:
    cause = row.caused_by
    if cause is None:
        return ""
    said = f"{cause.kind} by {cause.machine}, {words.STATES[cause.state].lower()}"
    return f"{said} ({cause.reason})" if cause.reason else said


def _row(row: SegmentRow, zone: str) -> dict[str, Any]:
    return {
        "row": row,
        "from_": words.clock_s(row.from_, zone),
        "length": words.span(row.hours),
        "word": words.STATES[row.state],
        "caused": _caused(row),
        "address": _zoomed(row),
    }


def _links(question: Question, site: Site, machine: Machine) -> dict[str, Any]:
    """Zoom: earlier and later, wider to week and day, narrower to shift and hour."""
    begin, end = question.from_us or 0, question.to_us or 0
    length = end - begin

    def to(from_: int, until: int) -> str:
        return (
            f"/timeline?{urlencode([('site', site.name), ('machine', machine.name), *_window(from_, until)])}"
        )

    day = site.day_of(begin)
    day_begin, day_end = site.day_start_us(day), site.day_start_us(day + dt.timedelta(days=1))
    monday = day - dt.timedelta(days=day.weekday())
    week = (site.day_start_us(monday), site.day_start_us(monday + dt.timedelta(days=7)))
    wider = [("week", *week), ("day", day_begin, day_end)]
    return {
        "earlier": to(begin - length, begin),
        "later": to(end, end + length),
        "wider": [
            {"name": name, "address": to(first, last), "current": (first, last) == (begin, end)}
            for name, first, last in wider
        ],
        "narrower": [
            {"name": name, "address": to(first, last), "current": (first, last) == (begin, end)}
            for name, first, last in _narrower(site, begin, end, day_begin, day_end)
        ],
    }


def _narrower(site: Site, begin: int, end: int, day_begin: int, day_end: int) -> list[tuple[str, int, int]]:
    """Days of a week; shifts of a day; hours of less than a day."""
    if end - begin > day_end - day_begin:
        days: list[tuple[str, int, int]] = []
        at = begin
        while at < end and len(days) < 8:
            day = site.day_of(at)
            after = site.day_start_us(day + dt.timedelta(days=1))
            days.append((words.day(day), site.day_start_us(day), after))
            at = after
        return days
    shifts = _shifts(site, day_begin, day_end)
    if (begin, end) == (day_begin, day_end):
        return shifts
    hours: list[tuple[str, int, int]] = []
    at = begin - begin % HOUR_US
    while at < end and len(hours) < 24 and end - begin > HOUR_US:
        hours.append((words.clock(from_us(at), site.time_zone)[-5:], at, at + HOUR_US))
        at += HOUR_US
    return [*shifts, *hours]


def _shifts(site: Site, begin: int, end: int) -> list[tuple[str, int, int]]:
    """Shifts that begin in a production day, breaks inside them."""
    found: list[tuple[str, int, int]] = []
    if site.book is None:
        return found
    for span in site.book.almanac.spans(begin, end + 24 * HOUR_US):
        if span.shift is None:
            continue
        if found and found[-1][0] == span.shift and found[-1][2] == span.from_us:
            found[-1] = (span.shift, found[-1][1], span.to_us)
        elif span.from_us < end:
            found.append((span.shift, span.from_us, span.to_us))
    return found


def _notes(asking: Asking, question: Question, site: Site) -> list[Mark]:
    """Notes on the machine or its line."""
    rows = notes_of(asking.connection, replace(question, sites=(site,)))
    begin = from_us(question.from_us or 0)
    return [
        Mark(
            max(row.from_, begin),
            "note",
            f"{row.kind.replace('_', ' ')}: {row.text}",
            row.segments.removeprefix("/v1"),
        )
        for row in rows
    ]


def _alarms(asking: Asking, question: Question) -> list[Mark]:
    """Alarms that came up."""
    asked = replace(question, wanted={**question.wanted, "role": ("alarm",)})
    rows = samples(asking.connection, asked, True, asking.now).rows
    marks: list[Mark] = []
    last: dict[str, bool] = {}
    for row in rows:
        is_up = row.value not in (None, 0, 0.0, "", "0")
        if is_up and not last.get(row.signal):
            window = [("from", told(to_us(row.time)) or ""), ("signal", row.signal)]
            address = f"/v1/samples?{urlencode([('site', row.site), ('machine', row.machine), *window])}"
            clock = words.clock_s(row.time, asking.site.time_zone if asking.site else "UTC")
            marks.append(Mark(row.time, "alarm", f"{_named(row.signal)} at {clock}", address))
        last[row.signal] = is_up
    return marks


def _named(signal: str) -> str:
    return signal if signal.startswith("alarm") else f"alarm {signal}"
