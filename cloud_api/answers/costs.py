"""What did it cost, and why: sums of the ledger's entries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from cloud_api.answers.envelope import envelope
from cloud_api.answers.grouping import addresses, ordered
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.paging import one_page
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.ledger import CostRow, Costs
from cloud_api.interpret.money import whole_and_parts
from cloud_api.interpret.rounding import measured


def costs(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Costs:
    """Actual cost by the groups asked for; amounts of all rows add up to the total."""
    sums = sums_of(connection, question)
    keys = ordered(list(sums))
    total, amounts = whole_and_parts([sums[key].amount for key in keys])
    page, cursor = one_page(list(zip(keys, amounts, strict=True)), question)
    address = addresses(question, question.by)
    rows = [
        CostRow(
            **dict(zip(question.by, key, strict=True)),
            amount=amount,
            quantity=None if sums[key].mixed else measured(sums[key].quantity),
            unit=None if sums[key].mixed else sums[key].unit,
            segments=address(key),
        )
        for key, amount in page
    ]
    known = None
    if "cause" in question.by:
        at = question.by.index("cause")
        known = [(key[at], sum_.amount) for key, sum_ in sums.items()]
    return Costs(
        **envelope(connection, question, now, known),
        next_cursor=cursor,
        total=total,
        rows=rows,
    )
