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
WORDS = {"planned": "to come", "begun": "begun", "done": "done", "left": "left short"}
SHOWN = 60
"""Orders in the table; the export has all."""


def order_book(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = asking.parameters()
    question = asking.question(parameters)
    answer = orders(asking.connection, question, asking.principal.sees_money, asking.now)
    zone = asking.site.time_zone if asking.site else "UTC"
    losing = [row for row in answer.rows if row.margin is not None and row.margin < 0]
    return {
        "answer": answer,
        "filters": filters(asking, "/orders", parameters, question, "line", "product"),
        "place": place(asking),
        "zone": zone,
        "currency": answer.currency or "",
        "losing": losing,
        "late": [row for row in answer.rows if row.late_h],
        "lost": -sum((row.margin or ZERO for row in losing), ZERO),
        "count": len(answer.rows),
        "rows": [_row(row) for row in sorted(answer.rows, key=_rank)[:SHOWN]],
        "export": address("/v1/orders", parameters),
    }


def _rank(row: OrderRow) -> tuple[bool, Decimal, str]:
    """Those that lose most first, those without a margin last."""
    return (row.margin is None, row.margin or ZERO, row.order)


def _row(row: OrderRow) -> dict[str, Any]:
    return {
        "row": row,
        "word": WORDS[row.state],
        "progress": _progress(row),
        "segments": row.segments.removeprefix("/v1"),
    }


def _progress(row: OrderRow) -> Markup:
    if not row.planned:
        return Markup("")
    made: Sequence[Share] = [Share("made", min(row.good, row.planned), tone="bar production")]
    return Markup(shares(made if row.good else [], row.planned, f"Progress of {row.order}"))
