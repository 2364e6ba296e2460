"""Orders wait for each other at their machine."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from cloud_api.answers.orders_life import Life
from cloud_api.answers.orders_queue import before, queue
from cloud_api.interpret.orders import Progress
from cloud_api.interpret.plant import Order
from cloud_api.store.times import to_us
from shared.units import HOUR_US

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
ALWAYS: Any = SimpleNamespace(
    spans=lambda from_us, to_us: [SimpleNamespace(status="scheduled", from_us=from_us, to_us=to_us)]
)
"""A calendar without a pause."""


def planned(name: str, begins_h: float, machine: str = "m1") -> Life:
    begin = NOON + dt.timedelta(hours=begins_h)
    row = Order(
        recorded_at=NOON,
        version=1,
        order=name,
        product="P",
        machine=machine,
        planned_start=begin,
        planned_end=begin + dt.timedelta(hours=2),
        quantity=Decimal(100),
    )
    return Life(name, [row])


def told(*lives: Life, good: int = 0) -> dict[str, float]:
    """Hours from noon at which each is complete; a unit takes a minute, 120 an order."""

    def progress(life: Life) -> Progress:
        begin = max(to_us(NOON), life.begin_us or 0, to_us(life.plans[0].planned_start))
        return Progress(
            planned=Decimal(120),
            good=Decimal(good if life.began else 0),
            actual=Decimal(0),
            scheduled_us=0,
            standard_unit_cost=None,
            hours_each=Decimal(1) / 60,
            begin_us=to_us(NOON) if life.began else begin,
        )

    queue(lives, lambda life: life.plans[-1].machine, progress, ALWAYS, to_us(NOON))
    return {life.order: ((life.completion_us or 0) - to_us(NOON)) / HOUR_US for life in lives}


def test_each_begins_when_the_one_before_is_through() -> None:
    current = planned("A", -5)
    current.began = True
    lives = (planned("C", 1), planned("B", -1), current, planned("other", 0, machine="m2"), planned("D", 20))
    assert told(*lives) == {"A": 2, "B": 4, "C": 6, "other": 2, "D": 22}


def test_what_was_passed_over_or_given_up_holds_nobody_up() -> None:
    passed, lost = planned("A", -5), planned("B", -10 * 24)
    passed.began = passed.was_passed = True
    assert told(passed, lost, planned("C", 0))["C"] == 2
    assert told(planned("B", -6 * 24), planned("C", 0))["C"] == 4


def test_those_before_are_known_whoever_is_asked_for() -> None:
    lives = {
        life.order: life for life in (planned("A", -2), planned("B", 1), planned("C", 5), planned("D", 9))
    }
    plans = {name: life.plans for name, life in lives.items()} | {"lost": planned("lost", -10 * 24).plans}
    assert set(before({"C": lives["C"]}, plans, to_us(NOON))) == {"A", "B"}
    assert before({"lost": planned("lost", -10 * 24)}, plans, to_us(NOON)) == {}
