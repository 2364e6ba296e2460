"""Decisions that the data shows, sign by sign."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from cloud_api.answers.decisions_words import draft_said
from cloud_api.answers.questions_words import LANGUAGES
from cloud_api.interpret import decisions
from cloud_api.interpret.calendar import micros
from cloud_api.interpret.model import Segment
from cloud_api.interpret.plant import Calendar, Order, Plant, Standard
from cloud_api.interpret.standards import Book
from shared.units import HOUR_US, MINUTE_US

START = micros(dt.datetime(2026, 3, 2, 6, tzinfo=dt.UTC))
RECORDED = {"version": 1, "recorded_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}


def segment(minute: int, minutes: int, **said: Any) -> Segment:
    """A segment that begins so many minutes after six."""
    begin = START + minute * MINUTE_US
    facts: dict[str, Any] = {
        "production_day": dt.date(2026, 3, 2),
        "effective": dt.date(2026, 3, 2),
        "state": "running",
        "product": "P",
        "order": "A1",
        "made_product": "P",
        "made_order": "A1",
        "reason": None,
        "shift": "D",
        "calendar": "scheduled",
        "overtime": False,
        "paid": False,
        "crew": Decimal(2),
        "duration_us": minutes * MINUTE_US,
    }
    return Segment(
        machine="m1", hour_us=begin, from_us=begin, to_us=begin + minutes * MINUTE_US, **{**facts, **said}
    )


@pytest.fixture(scope="module")
def book() -> Book:
    standard = Standard(
        **RECORDED,
        effective_from=dt.date(2026, 1, 1),
        product="P",
        machine="m1",
        ideal_cycle_s=Decimal(36),
        crew=Decimal(2),
        scrap_rate=Decimal("0.02"),
    )
    calendar = Calendar(**RECORDED)
    return Book(Plant(site="s", time_zone="UTC", currency="EUR", calendar=calendar, standards=(standard,)))


def test_running_in_off_time_is_overtime() -> None:
    off = [segment(at, 30, calendar="off", shift=None) for at in (0, 30, 80)]
    (draft,) = decisions.off_time([segment(-60, 60), *off, segment(300, 5, calendar="off")])
    assert (draft.kind, draft.from_us, draft.to_us) == ("overtime", off[0].from_us, off[2].to_us)
    assert draft.detail == {"hours": "1.5", "crew": "2"}
    assert decisions.off_time([segment(0, 60, calendar="off", state="idle")]) == []


def test_another_crew_than_standard(book: Book) -> None:
    lent = [segment(0, 20, crew=Decimal(1)), segment(25, 20, crew=Decimal(1)), segment(45, 60)]
    (draft,) = decisions.crew(lent, book)
    assert (draft.kind, draft.to_us) == ("reassigned_labour", lent[1].to_us)
    assert draft.detail == {"hours": "0.7", "crew": "1", "standard": "2"}
    assumed = [segment(0, 60, crew=Decimal(1), crew_assumed_us=60 * MINUTE_US)]
    short = [segment(0, 20, crew=Decimal(1)), segment(20, 60), segment(80, 20, crew=Decimal(3))]
    unknown = [segment(0, 60, product="Q", crew=Decimal(9))]
    assert [decisions.crew(run, book) for run in (assumed, short, unknown)] == [[], [], []]


@pytest.mark.parametrize(("bad", "found"), [(20, True), (5, False), (9, False)])
def test_scrap_far_above_standard_that_was_made_on(book: Book, bad: int, found: bool) -> None:
    run = [
        segment(0, 60, good=Decimal(100), scrap=Decimal(0)),
        segment(60, 60, good=Decimal(100), scrap=Decimal(bad)),
    ]
    drafts = decisions.scrap(run, book)
    assert bool(drafts) is found
    if found:
        assert drafts[0].detail == {"scrap": "20", "units": "220", "percent": "9.1", "standard": "2.0"}


def test_a_few_more_of_many_is_chance(book: Book) -> None:
    assert decisions.scrap([segment(0, 60, good=Decimal(490), scrap=Decimal(19))], book) == []


def test_orders_of_a_product_in_a_row_are_one_decision_of_the_past(book: Book) -> None:
    run = [
        segment(at * 60, 60, order=name, product=product, good=Decimal(180), scrap=Decimal(20))
        for at, name, product in ((0, "A1", "P"), (5, "A2", "P"), (60, "A3", "P"))
    ]
    first, second = decisions.in_a_row(decisions.scrap(run, book))
    assert (first.order, first.from_us, first.to_us) == (None, run[0].from_us, run[1].to_us)
    assert (first.detail["scrap"], first.detail["units"], first.detail["percent"]) == ("40", "400", "10.0")
    assert second.order == "A3"
    assert first.goes_on("scrap", run[0].from_us, run[0].to_us, "A1"), "one that was drafted live goes on"
    assert not second.goes_on("scrap", run[1].from_us, run[2].from_us, "A2")


def order(name: str, hour: int, day: int = 2) -> Order:
    start = dt.datetime(2026, 3, day, hour, tzinfo=dt.UTC)
    return Order(
        **RECORDED,
        order=name,
        product="P",
        machine="m1",
        planned_start=start,
        planned_end=start + dt.timedelta(hours=2),
        quantity=Decimal(100),
    )


def test_an_order_before_one_that_was_planned_earlier() -> None:
    planned = [order("A1", 8), order("A0", 6), order("A2", 10)]
    run = [segment(0, 60)]
    since = run[0].from_us
    for begun in ({"A1": since}, {"A1": since, "A0": since + HOUR_US}):
        (draft,) = decisions.sequence(run, planned, begun)
        assert (draft.kind, draft.order, draft.detail["before"]) == ("resequenced", "A1", "A0")
    assert decisions.sequence(run, planned, {"A1": since, "A0": since - HOUR_US}) == []
    assert decisions.sequence([segment(0, 60, order="other")], planned, {}) == []


def test_an_order_that_was_given_up_is_not_passed_over_again_and_again() -> None:
    planned = [order("A0", 6), order("A1", 8, day=9)]
    assert decisions.sequence([segment(0, 60, order="A1")], planned, {}) == []


def test_a_speed_override_other_than_full() -> None:
    run = [segment(0, 60), segment(60, 30, state="down"), segment(90, 60)]
    values = [
        (START, Decimal(100)),
        (START + 30 * MINUTE_US, Decimal(90)),
        (START + HOUR_US * 2, Decimal(100)),
    ]
    (draft,) = decisions.override("m1", values, START + 3 * HOUR_US, run)
    assert draft.detail == {"percent": "90", "hours": "1.0"}
    assert (draft.from_us, draft.to_us) == (START + 30 * MINUTE_US, START + 2 * HOUR_US)
    assert decisions.override("m1", [(START, None)], START + HOUR_US, run) == []
    assert decisions.override("m1", [(START + 55 * MINUTE_US, Decimal(50))], START + HOUR_US, run) == []


def test_the_same_again_within_a_day_is_one_decision() -> None:
    off = [segment(at, 60, calendar="off") for at in (0, 300, 2400)]
    drafts = decisions.off_time(off)
    assert len(drafts) == 3
    assert [(one.from_us, one.to_us) for one in decisions.joined(drafts)] == [
        (off[0].from_us, off[1].to_us),
        (off[2].from_us, off[2].to_us),
    ]


def test_every_sign_has_words_in_every_language() -> None:
    names = ("hours", "crew", "standard", "percent", "scrap", "units", "order", "before")
    detail = dict.fromkeys(names, "1")
    for sign in ("off_time", "crew", "scrap", "sequence", "override"):
        words = {draft_said(sign, detail, lang) for lang in LANGUAGES}
        assert len(words) == len(LANGUAGES)
        assert all("1" in said for said in words)
