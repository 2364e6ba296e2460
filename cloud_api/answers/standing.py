"""How final and how complete the figures of a question are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from cloud_api.answers.memory import remembered
from cloud_api.answers.places import Status
from cloud_api.answers.question import Question
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us


@dataclass(frozen=True, slots=True)
class Standing:
    """`computed_through`: everything before it that came in is in the figures; None without any data."""

    status: Status
    computed_through: datetime | None
    pending_hours: int


@remembered
def standing(connection: Connection[Any], question: Question) -> Standing:
    """Standing of the machines and the window of a question."""
    ids = [machine.machine_id for machine in question.machines]
    rows = connection.execute(statement("answers.standing"), {"machines": ids}).fetchall()
    ends = [through for _, through, _, _ in rows if through is not None]
    waits = [first_hour for _, _, first_hour, _ in rows if first_hour is not None]
    through = min(max(ends), *waits) if ends and waits else max(ends, default=None)
    return Standing(_status(question), through, sum(hours for _, _, _, hours in rows))


@remembered
def data_spans(connection: Connection[Any], machines: Sequence[int]) -> list[tuple[datetime, datetime]]:
    """First sample and last data of those of some machines (ids) that have any."""
    rows = connection.execute(statement("answers.trust_spans"), {"machines": list(machines)})
    return [(first, last) for first, last in rows]


def window(question: Question) -> tuple[datetime | None, datetime | None]:
    """The window as the answer tells it; None where the question leaves it open."""
    return (
        None if question.from_us is None else from_us(question.from_us),
        None if question.to_us is None else from_us(question.to_us),
    )


def _status(question: Question) -> Status:
    """The least final status of the periods that the window touches; provisional where there is none."""
    order: tuple[Status, ...] = ("closed", "locked", "provisional")
    worst = 0
    for site in question.sites:
        start, end = question.from_us, question.to_us
        if start is None or end is None:
            return "provisional"
        touched = [period for period in site.periods if period.from_us < end and period.to_us > start]
        if not touched or touched[0].from_us > start or touched[-1].to_us < end:
            return "provisional"
        worst = max(worst, *(order.index(period.status) for period in touched))
    return order[worst] if question.sites else "provisional"
