"""What every answer says of itself, gathered once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from cloud_api.answers.confidence import trust
from cloud_api.answers.question import Question
from cloud_api.answers.standing import standing, window


def envelope(connection: Connection[Any], question: Question, now: datetime) -> dict[str, Any]:
    """The fields of `shapes.Envelope` but `next_cursor`."""
    said = standing(connection, question)
    from_, to = window(question)
    return {
        "status": said.status,
        "basis": question.basis,
        "currency": question.currency,
        "from_": from_,
        "to": to,
        "computed_through": said.computed_through,
        "pending_hours": said.pending_hours,
        "confidence": trust(connection, question, now),
        "withheld": sorted(question.withheld),
    }
