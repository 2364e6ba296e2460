"""What every answer says of itself, gathered once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct
from msgspec.structs import replace
from psycopg import Connection

from cloud_api.answers.confidence import CAUSAL, trust
from cloud_api.answers.ledger import unexplained_of
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.ledger import Stated
from cloud_api.answers.standing import standing, window


def envelope(
    connection: Connection[Any],
    question: Question,
    now: datetime,
    known: Iterable[tuple[str | None, Decimal]] | None = None,
) -> dict[str, Any]:
    """The fields of `shapes.Envelope` but `next_cursor`.

    `known`: all amounts of the question by cause, where the caller has them already.
    """
    causal = any(question.names(name) is not None for name in CAUSAL)
    share = None if known is None or causal else unexplained_of(known)
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
        "confidence": trust(connection, question, now, share),
        "withheld": sorted(question.withheld),
    }


def stated(connection: Connection[Any], question: Question, now: datetime, told: Struct) -> Struct:
    """An answer with what every answer says of itself, where it does not say it yet."""
    if not isinstance(told, Stated) or told.status is not UNSET:
        return told
    said = standing(connection, question)
    return replace(
        told,
        status=said.status,
        computed_through=said.computed_through,
        pending_hours=said.pending_hours,
        confidence=trust(connection, question, now),
    )
