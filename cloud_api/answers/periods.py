"""Fiscal periods of the sites."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from cloud_api.answers.question import Question
from cloud_api.answers.shapes import PeriodRow, Periods
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us


def periods(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Periods:
    """Periods of the sites asked for from their first data up to the present one, oldest first."""
    ids = {"machines": [machine.machine_id for machine in question.machines]}
    firsts = [to_us(first) for first, _ in connection.execute(statement("answers.trust_spans"), ids)]
    begin, end = min(firsts, default=to_us(now)), to_us(now)
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
        if period.to_us > begin and period.from_us <= end
    ]
    return Periods(rows=rows)
