"""Fiscal periods of the sites."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from cloud_api.answers.question import Question
from cloud_api.answers.shapes import PeriodRow, Periods
from cloud_api.store.times import from_us


def periods(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Periods:
    """Every period of the sites asked for, oldest first."""
    rows = [
        PeriodRow(
            id=period.name,
            site=site.name,
            from_=from_us(period.from_us),
            to=from_us(period.to_us),
            status=period.status,
        )
        for site in question.sites
        for period in site.periods
    ]
    return Periods(rows=rows)
