"""A decision that is over, and whose effect is still there, still runs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from cloud_api.answers.decisions import with_effect
from cloud_api.answers.shapes.decisions import DecisionRow, Measured

SITE: Any = SimpleNamespace(plant=SimpleNamespace(materiality_amount=Decimal(250)))
NOW = datetime(2026, 3, 20, tzinfo=UTC)


def row(kind: str = "temporary_control", status: Any = "known", day: int = 10) -> DecisionRow:
    return DecisionRow(
        id=None,
        note=1,
        site="tiny",
        line="l",
        machine="press",
        kind=kind,
        from_=datetime(2026, 3, 2, tzinfo=UTC),
        to=datetime(2026, 3, day, tzinfo=UTC),
        product=None,
        order=None,
        status=status,
        text="slower feed",
        trade_off=None,
        expected_effect=None,
        in_force=False,
        expired_running=False,
        measured=None,
        segments="/v1/segments",
    )


def effect(before: int, during: int, after: int, total: int = 900, days_after: int = 5) -> Measured:
    means = [Decimal(mean) for mean in (before, during, after)]
    return Measured(
        before=means[0], during=means[1], after=means[2], effect=Decimal(total), days=5, days_after=days_after
    )


@pytest.mark.parametrize(
    ("given", "measured", "runs"),
    [
        (row(), effect(80, 298, 216), True),
        (row(), effect(80, 298, 110), False),
        (row(), effect(80, 298, 216, days_after=2), False),
        (row(), effect(80, 298, 216, total=200), False),
        (row(), effect(298, 80, 298), False),
        (row(kind="fix"), effect(80, 298, 216), False),
        (row(status="detected"), effect(80, 298, 216), False),
        (row(day=25), effect(80, 298, 216), False),
    ],
    ids=["stays", "went", "too few days", "not material", "it saved", "a repair", "a draft", "not over"],
)
def test_what_is_over_and_stays(given: DecisionRow, measured: Measured, runs: bool) -> None:
    found = with_effect(given, measured, SITE, NOW)
    assert found.expired_running is runs
    assert found.measured == measured
