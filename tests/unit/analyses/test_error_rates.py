"""Error rates of verdicts on sixty drawn series; `make bench` draws a thousand."""

from __future__ import annotations

from tests.simulation.drawn import judged


def test_false_and_missed_shifts_are_few() -> None:
    errors = judged(range(300, 360))
    assert errors.without == 40
    assert errors.false <= 2
    assert errors.shifts >= 12
    assert errors.missed <= 1
    assert errors.dated >= errors.shifts - errors.missed - 3


def test_steps_of_a_few_days_are_not_taken_for_shifts() -> None:
    errors = judged(range(600, 640), steps=True)
    assert errors.false <= 1
