"""The products page: true, normalised, averaged and standard cost side by side, and what parts them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from cloud_api.answers.products import products
from cloud_api.answers.shapes.products import ProductRow, Products
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.filters import filters, place
from cloud_api.pages.shares import Share, shares

ZERO = Decimal(0)
PLAIN = Decimal("0.01")
"""Share of averaged cost by which a product must differ to be named for it."""

SHOWN = 3
"""Causes of a burden that are named; the rest is one link away."""


def true_cost(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = asking.parameters()
    question = asking.question(parameters)
    answer = products(asking.connection, question, asking.principal.sees_money, asking.now)
    return {
        "answer": answer,
        "filters": filters(asking, "/products", parameters, question, "line", "product"),
        "place": place(asking),
        "zone": asking.site.time_zone if asking.site else "UTC",
        "currency": answer.currency or "",
        "worst": _worst(answer.rows),
        "dear": _dear(answer.rows),
        "rows": [_row(row) for row in answer.rows],
        "memos": answer.rows,
        "apart": _apart(answer),
        "unassigned": sum((row.amount for row in answer.unassigned), ZERO),
        "borne": sum((row.actual_cost for row in answer.rows), ZERO),
        "export": address("/v1/products", parameters),
    }


def _worst(rows: Sequence[ProductRow]) -> ProductRow | None:
    """The product that averaged cost flatters most, by the amount that it hides."""
    known = [row for row in rows if _flattered(row) > PLAIN * (row.averaged_unit_cost or ZERO)]
    return max(known, key=lambda row: _flattered(row) * row.good_units, default=None)


def _flattered(row: ProductRow) -> Decimal:
    """How much less than its actual cost the average says of a unit."""
    if row.actual_unit_cost is None or row.averaged_unit_cost is None:
        return ZERO
    return row.actual_unit_cost - row.averaged_unit_cost


def _dear(rows: Sequence[ProductRow]) -> ProductRow | None:
    """The product that costs most beyond its standard; rows come in this order."""
    return next(
        (
            row
            for row in rows
            if (row.actual_unit_cost or ZERO) > (row.standard_unit_cost or row.actual_unit_cost or ZERO)
        ),
        None,
    )


def _row(row: ProductRow) -> dict[str, Any]:
    burden = sorted(row.burden.items(), key=lambda pair: -pair[1])
    dear = [(cause, amount) for cause, amount in burden if amount > 0]
    parts = [Share(words.cause(cause), amount, _evidence(row, cause)) for cause, amount in dear]
    return {
        "row": row,
        "segments": row.segments.removeprefix("/v1"),
        "burden": Markup(shares(parts, row.actual_cost, f"Burden of {row.product}")),
        "causes": [
            {"word": words.cause(cause).lower(), "amount": amount, "address": _evidence(row, cause)}
            for cause, amount in dear[:SHOWN]
        ],
    }


def _evidence(row: ProductRow, cause: str) -> str:
    return f"{row.segments.removeprefix('/v1')}&cause={cause}"


def _apart(answer: Products) -> list[dict[str, Any]]:
    """What no product bears: capacity and labour that made nothing."""
    told = [("Machine", row) for row in answer.unused_capacity]
    told += [("Labour", row) for row in answer.idle_labour]
    return [
        {
            "resource": resource,
            "machine": row.machine,
            "word": words.cause(row.cause),
            "hours": row.hours,
            "amount": row.amount,
            "address": row.segments.removeprefix("/v1"),
        }
        for resource, row in sorted(told, key=lambda pair: -pair[1].amount)
        if row.amount
    ]
