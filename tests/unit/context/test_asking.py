"""What the floor is asked: dearest first, in the limits that protect it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.interpret.asking import (
    FRESH_US,
    MOST_A_SHIFT,
    Asked,
    ShiftSpan,
    Stop,
    days_explained,
    grouped,
    like,
    shift_at,
    to_ask,
)
from cloud_api.interpret.calendar import Almanac, micros
from cloud_api.interpret.plant import Break, Calendar, Shift
from shared.units import HOUR_US, MINUTE_US

DAY = 1_772_409_600_000_000
"""2 March 2026, 00:00 UTC."""
LATE = DAY + 24 * HOUR_US
SHIFT = ShiftSpan(DAY + 6 * HOUR_US, DAY + 14 * HOUR_US, "early")


def stop(machine: str, minute: int, minutes: int, amount: int, **more: object) -> Stop:
    """A stop that begins so many minutes after the shift."""
    begin = SHIFT.from_us + minute * MINUTE_US
    said: dict[str, object] = {
        "state": "down",
        "cause": "downtime",
        "reason": None,
        "product": "P",
        "order": None,
        "shift": "early",
        "shift_from_us": SHIFT.from_us,
        "day_from_us": DAY,
    }
    return Stop(
        machine=machine,
        from_us=begin,
        to_us=begin + minutes * MINUTE_US,
        amount=Decimal(amount),
        **{**said, **more},  # type: ignore[arg-type]
    )


def asked(one: Stop, in_us: int = SHIFT.from_us, hours: float = 8) -> Asked:
    return Asked(
        machine=one.machine,
        from_us=one.from_us,
        to_us=one.to_us,
        pattern=one.pattern,
        shift_from_us=one.shift_from_us,
        asked_in_us=in_us,
        day_from_us=one.day_from_us,
        asked_us=SHIFT.from_us + int(hours * HOUR_US),
    )


def ask(stops: list[Stop], before: list[Asked], hours: float, down: str = "") -> list[str]:
    now = SHIFT.from_us + int(hours * HOUR_US)
    groups = to_ask(stops, before, SHIFT, now, frozenset({down}), Decimal(250))
    return [group.first.machine for group in groups]


def test_the_dearest_is_asked_first_and_the_others_later() -> None:
    stops = [stop("a", 0, 10, 20), stop("b", 20, 12, 30), stop("c", 40, 9, 10), stop("d", 60, 9, 15)]
    assert ask(stops, [], 3) == []
    assert ask(stops, [], 4) == ["b"]
    assert ask(stops, [], 6) == ["b", "a"]
    assert ask(stops, [], 7.5) == ["b", "a", "d"]
    assert ask(stops, [asked(stops[1])], 6) == ["a"]


def test_a_dear_one_need_not_wait_but_counts() -> None:
    dear = [stop(name, at, 50, 60) for name, at in (("a", 0), ("b", 25), ("c", 50), ("d", 75))]
    assert ask(dear, [], 1.7) == ["a", "b", "c"]
    assert ask(dear, [asked(one) for one in dear[:3]], 7.9) == []


def test_what_is_worth_nothing_is_not_asked() -> None:
    assert ask([stop("a", 0, 4, 2)], [], 7.9) == []
    assert ask([stop("a", at, 2, 1) for at in (0, 30)], [], 7.9) == []
    assert ask([stop("a", at, 2, 1) for at in (0, 30, 60)], [], 7.9) == ["a"], "five minutes are worth it"
    assert ask([stop("a", 0, 10, 0)], [], 7.9) == []


def test_short_stops_of_a_machine_are_one_question() -> None:
    stops = [stop("a", at, 2, 4) for at in (0, 30, 60, 90)] + [stop("a", 120, 8, 10), stop("b", 10, 2, 4)]
    groups = grouped(stops)
    assert [(group.first.machine, len(group.stops), group.amount) for group in groups] == [
        ("a", 4, 16),
        ("a", 1, 10),
        ("b", 1, 4),
    ]
    before = asked(stops[0])
    assert like(stops, before, LATE) == stops[1:4]
    assert ask(stops[:4], [before], 7.9) == [], "one pattern is asked about once a day"


def test_an_answer_about_short_stops_is_for_those_of_the_days_after_too() -> None:
    first = stop("a", 0, 2, 4)
    before = asked(first)
    assert days_explained(before.pattern) == 3
    later = [stop("a", 24 * 60 * day, 2, 4, day_from_us=DAY + 24 * day * HOUR_US) for day in (-1, 1, 2, 3)]
    others = [stop("b", 1500, 2, 4, day_from_us=LATE), stop("a", 1500, 9, 4, day_from_us=LATE)]
    assert like([first, *later, *others], before, DAY + 72 * HOUR_US) == later[1:3]
    assert not any(before.is_about(one) for one in later), "nobody answered: they are asked about"


def test_a_question_about_short_stops_is_about_those_of_the_day_before_too() -> None:
    old, first, second = (stop("a", at, 2, 9) for at in (10, 450, 460))
    late = stop("a", 24 * 60 + 10, 2, 3, day_from_us=LATE)
    (group,) = grouped([late, first, second])
    assert (group.first, group.stops) == (late, (first, second, late))
    before = asked(late, in_us=SHIFT.from_us + FRESH_US, hours=28)
    assert [before.is_about(one) for one in (old, first, second)] == [False, True, True]
    assert like([old, first, second, late], before, LATE + FRESH_US) == [first, second]


def test_a_question_about_many_waits_for_its_turn() -> None:
    short = [stop("a", at, 4, 60) for at in (0, 10, 20, 30)]
    assert ask(short, [], 1) == []
    assert ask(short, [], 4) == ["a"]


def test_on_a_line_with_more_than_three_questions_reach_no_reason_is_like_one_that_says_nothing() -> None:
    stops = [
        stop(name, at, 20, 50, reason=reason) for name in "abcd" for at, reason in ((0, None), (40, "other"))
    ]
    chosen = to_ask(stops, [], SHIFT, SHIFT.to_us - 1, frozenset(), None)
    assert [(group.pattern, len(group.stops)) for group in chosen] == [("down|*|wide", 2)] * 3
    chosen = to_ask(stops[:6], [], SHIFT, SHIFT.to_us - 1, frozenset(), None)
    assert [len(group.stops) for group in chosen] == [1, 1, 1], "three of six reach enough without"
    dark = [
        stop(name, at, 20, 50, reason=reason, state="unknown")
        for name in "abcd"
        for at, reason in ((0, None), (40, "gap"))
    ]
    chosen = to_ask(dark, [], SHIFT, SHIFT.to_us - 1, frozenset(), None)
    assert [len(group.stops) for group in chosen] == [1, 1, 1], "why there is no data is not silent"


def test_medium_stops_are_asked_about_together_as_far_as_they_are_over() -> None:
    first, second, third = (stop("a", at, 8, 20) for at in (0, 60, 300))
    (group,) = grouped([first, second])
    assert len(group.stops) == 2
    before = asked(first, hours=4)
    assert like([first, second, third], before, LATE) == [second]
    assert ask([first, second, third], [before], 7.9) == ["a"], "a later one is another question"


def test_where_three_questions_leave_too_much_unsaid_longer_stops_are_taken_together_too() -> None:
    few = [stop("a", at, 20, 100) for at in (0, 60, 120)]
    many = [stop(name, at, 20, 100) for name in "ab" for at in (0, 60, 120, 180)]
    chosen = to_ask(few, [], SHIFT, SHIFT.from_us + 8 * HOUR_US - 1, frozenset(), None)
    assert [len(group.stops) for group in chosen] == [1, 1, 1]
    chosen = to_ask(many, [], SHIFT, SHIFT.from_us + 8 * HOUR_US - 1, frozenset(), None)
    assert [(group.first.machine, len(group.stops)) for group in chosen] == [("a", 4), ("b", 4)]
    first = chosen[0].first
    before = Asked(
        machine="a",
        from_us=first.from_us,
        to_us=first.to_us,
        pattern=chosen[0].pattern,
        shift_from_us=SHIFT.from_us,
        asked_in_us=SHIFT.from_us,
        day_from_us=first.day_from_us,
        asked_us=SHIFT.from_us + 5 * HOUR_US,
    )
    later, hour = stop("a", 400, 30, 100), stop("a", 300, 60, 100)
    assert like([*many, later, hour], before, LATE) == [*many[1:4], later], (
        "later ones too, but no longer ones"
    )


def test_nobody_is_asked_while_the_machine_is_down_or_off_shift() -> None:
    stops = [stop("a", 0, 10, 100)]
    assert ask(stops, [], 1, down="a") == []
    off = ShiftSpan(SHIFT.to_us, SHIFT.to_us + 8 * HOUR_US, None)
    assert to_ask(stops, [], off, off.from_us + HOUR_US, frozenset(), None) == []


def test_only_what_is_over_and_fresh_is_asked() -> None:
    lasting = stop("a", 0, 60, 100)
    assert ask([lasting], [], 1.01) == []
    assert ask([lasting], [], 1.1) == ["a"]
    old = stop("a", 0, 60, 100)
    later = ShiftSpan(SHIFT.from_us + FRESH_US, SHIFT.to_us + FRESH_US, "early")
    assert len(to_ask([old], [], later, old.to_us + FRESH_US - 1, frozenset(), None)) == 1
    assert to_ask([old], [], later, old.to_us + FRESH_US, frozenset(), None) == []


def test_what_overlaps_a_question_is_not_asked_again() -> None:
    one = stop("a", 0, 20, 100)
    longer = stop("a", -5, 60, 300)
    assert ask([longer], [asked(one)], 7.9) == []
    assert ask([longer], [asked(stop("b", 0, 20, 100))], 7.9) == ["a"]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 460), st.integers(1, 30), st.integers(1, 400)),
        max_size=25,
    )
)
def test_a_shift_never_sees_more_than_three(drawn: list[tuple[str, int, int, int]]) -> None:
    stops: list[Stop] = []
    for one in sorted((stop(*one) for one in drawn), key=lambda one: one.from_us):
        if not any(one.machine == other.machine and one.from_us < other.to_us for other in stops):
            stops.append(one)
    before: list[Asked] = []
    for minute in range(10, 480, 35):
        now = SHIFT.from_us + minute * MINUTE_US
        seen = [one for one in stops if one.to_us <= now]
        for group in to_ask(seen, before, SHIFT, now, frozenset(), Decimal(250)):
            assert not any(
                one.machine == group.first.machine
                and one.from_us < group.first.to_us
                and one.to_us > group.first.from_us
                for one in before
            )
            before.append(asked(group.first))
    assert len(before) <= MOST_A_SHIFT


@pytest.mark.parametrize(
    ("at", "name", "hours"),
    [
        ("06:00", "day", 8),
        ("10:05", "day", 8),
        ("13:59", "day", 8),
        ("15:00", None, 7),
        ("23:00", "night", 7),
    ],
)
def test_a_shift_is_one_with_its_breaks(at: str, name: str | None, hours: int) -> None:
    week = tuple(range(7))
    calendar = Calendar(
        version=1,
        recorded_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        day_start_min=360,
        shifts=(
            Shift("day", 360, 840, week, (Break(600, 20),)),
            Shift("night", 1380, 360, week),
        ),
    )
    now = micros(dt.datetime.fromisoformat(f"2026-03-02T{at}:00+00:00"))
    found = shift_at(Almanac(calendar, "UTC"), now)
    assert found.name == name
    length = (found.to_us - found.from_us) / HOUR_US
    assert length == (9 if name is None else hours)


def test_shifts_that_last_all_day_follow_one_another() -> None:
    calendar = Calendar(
        version=1,
        recorded_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        shifts=(Shift("all", 480, 480, tuple(range(7)), (Break(720, 30),)),),
    )
    almanac = Almanac(calendar, "UTC")
    first = shift_at(almanac, DAY + 9 * HOUR_US)
    assert (first.from_us, first.to_us) == (DAY + 8 * HOUR_US, DAY + 32 * HOUR_US)
