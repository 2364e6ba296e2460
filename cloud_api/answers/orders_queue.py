"""Orders wait for each other: one that is planned begins when its machine is through with those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from cloud_api.answers.orders_life import Life
from cloud_api.interpret import plant
from cloud_api.interpret.calendar import Almanac
from cloud_api.interpret.orders import Progress, forecast_us
from cloud_api.store.times import to_us
from shared.units import DAY_US

GIVEN_UP_US = 7 * DAY_US
"""An order that did not begin within this after its planned end holds nobody up: it was given up."""


def before(
    asked: Mapping[str, Life], plans: Mapping[str, Sequence[plant.Order]], as_of_us: int
) -> dict[str, Life]:
    """Orders that nobody asked for and that those asked for wait for."""
    last: dict[str, datetime] = {}
    for life in asked.values():
        if life.plans and _end_us(life) > as_of_us:
            row = life.plans[-1]
            last[row.machine] = max(last.get(row.machine, row.planned_start), row.planned_start)
    found = {name: Life(name, list(rows)) for name, rows in plans.items() if name not in asked}
    return {
        name: life
        for name, life in found.items()
        if (machine := life.plans[-1].machine) in last
        and life.plans[-1].planned_start < last[machine]
        and _end_us(life) >= as_of_us - GIVEN_UP_US
    }


def queue(
    open_: Iterable[Life],
    machine_of: Callable[[Life], str | None],
    progress_of: Callable[[Life], Progress],
    almanac: Almanac,
    as_of_us: int,
) -> None:
    """Says of each order when it can begin and will be complete: first the one that a machine has, then those
    planned, as planned. One that began and that its machine went on from holds nobody up."""
    free: dict[str | None, int] = {}
    for life in sorted(open_, key=_turn):
        machine = machine_of(life)
        if not life.began:
            life.begin_us = free.get(machine)
        life.completion_us = forecast_us(progress_of(life), almanac)
        given_up = not life.began and _end_us(life) < as_of_us - GIVEN_UP_US
        if life.completion_us is not None and not life.was_passed and not given_up:
            free[machine] = max(free.get(machine, 0), life.completion_us)


def _turn(life: Life) -> tuple[bool, datetime, str]:
    return not life.began, min(row.planned_start for row in life.plans), life.order


def _end_us(life: Life) -> int:
    return max(to_us(row.planned_end) for row in life.plans)
