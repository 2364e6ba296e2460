"""The orders page: which orders lose money or come late, while something can still be done."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from cloud_api.answers.orders import orders
from cloud_api.answers.shapes.orders import OrderRow
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.filters import filters, place
from cloud_api.pages.shares import Share, shares

ZERO = Decimal(0)
OPEN = ("planned", "begun")
WORDS = {"planned": "to come", "begun": "begun", "done": "done", "left": "left short"}
SHOWN = 25
"""Orders in a table; the export has all."""
LATE_H = Decimal("0.25")
"""Lateness that the page speaks of; plans are made to the quarter of an hour."""


def order_book(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = asking.parameters()
    question = asking.question(parameters)
    answer = orders(asking.connection, question, asking.principal.sees_money, asking.now)
    return {
        "answer": answer,
        "filters": filters(asking, "/orders", parameters, question, "line", "product"),
        "place": place(asking),
        "zone": asking.site.time_zone if asking.site else "UTC",
        "currency": answer.currency or "",
        "open": _group([row for row in answer.rows if row.state in OPEN]),
        "over": _group([row for row in answer.rows if row.state not in OPEN]),
        "export": address("/v1/orders", parameters),
    }


def _group(rows: Sequence[OrderRow]) -> dict[str, Any]:
    """Orders of a table, and what its sentence says of them."""
    losing = [row for row in rows if row.margin is not None and row.margin < 0]
    return {
        "count": len(rows),
        "losing": len(losing),
        "late": sum(_late(row) for row in rows),
        "lost": -sum((row.margin or ZERO for row in losing), ZERO),
        "rows": [_row(row) for row in sorted(rows, key=_rank)[:SHOWN]],
    }


def _late(row: OrderRow) -> bool:
    return row.late_h is not None and row.late_h >= LATE_H


def _rank(row: OrderRow) -> tuple[bool, Decimal, str]:
    """Those that lose most first, those without a margin last."""
    return (row.margin is None, row.margin or ZERO, row.order)


def _row(row: OrderRow) -> dict[str, Any]:
    return {
        "row": row,
        "late": _late(row),
        "word": WORDS[row.state],
        "progress": _progress(row),
        "segments": row.segments.removeprefix("/v1"),
    }


def _progress(row: OrderRow) -> Markup:
    if not row.planned:
        return Markup("")
    made: Sequence[Share] = [Share("made", min(row.good, row.planned), tone="bar production")]
    return Markup(shares(made if row.good else [], row.planned, f"Progress of {row.order}"))
