"""Whose stop a wait is: the nearest neighbour that stood for a reason of its own, for longest."""

from __future__ import annotations

import pytest

from cloud_api.interpret.waiting import CauseOfWaiting, Stay, cause_of_waiting

LINE = ("a", "b", "c", "d")


def cause(**stays: Stay | list[Stay]) -> CauseOfWaiting | None:
    told = {name: own if isinstance(own, list) else [own] for name, own in stays.items()}
    return cause_of_waiting("c", (100, 200), LINE, told)


def test_the_neighbour_upstream_starves_and_the_one_downstream_blocks() -> None:
    down = Stay(90, 190, "down", "jam")
    assert cause(b=down) == CauseOfWaiting("starved", "b", "down", "jam", 90)
    assert cause(d=down) == CauseOfWaiting("blocked", "d", "down", "jam", 90)


def test_the_longer_stop_is_the_cause_and_of_equal_ones_the_upstream() -> None:
    short, long = Stay(100, 140, "down", "jam"), Stay(100, 180, "changeover")
    assert cause(b=short, d=long) == CauseOfWaiting("blocked", "d", "changeover", None, 80)
    assert cause(b=short, d=short) == CauseOfWaiting("starved", "b", "down", "jam", 40)


def test_a_neighbour_that_waits_itself_passes_the_question_on() -> None:
    waits, down = Stay(100, 200, "waiting"), Stay(80, 170, "down", "belt")
    assert cause(b=waits, a=down) == CauseOfWaiting("starved", "a", "down", "belt", 70)
    assert cause(b=[Stay(100, 150, "down", "jam"), Stay(150, 160, "waiting")], a=down) == CauseOfWaiting(
        "starved", "b", "down", "jam", 50
    )
    assert cause(b=waits) is None


def test_parts_of_one_stop_count_together() -> None:
    parts = [Stay(100, 130, "down", "jam"), Stay(130, 140, "down", "belt"), Stay(150, 180, "down", "jam")]
    assert cause(b=parts) == CauseOfWaiting("starved", "b", "down", "jam", 60)


@pytest.mark.parametrize("machine", ["c", "x"])
def test_nothing_is_guessed(machine: str) -> None:
    assert cause_of_waiting(machine, (100, 200), LINE, {"b": [Stay(0, 100, "down")]}) is None
    assert cause_of_waiting(machine, (100, 200), LINE, {"a": [Stay(0, 300, "down")]}) is None
