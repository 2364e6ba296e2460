"""The constraints page: what decides output, how stable that is, what masks it, what an hour is worth."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from cloud_api.answers.constraints import constraints
from cloud_api.answers.shapes.constraints import ConstraintRow, Prop
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.filters import filters, place
from cloud_api.pages.shares import Share, shares
from cloud_api.pages.words import number

ZERO = Decimal(0)
VIEWS = (("all_time", "all time"), ("scheduled", "scheduled time"), ("without_overtime", "without overtime"))
PROPS = {
    "overtime": "overtime",
    "rework": "rework",
    "crew": "crew above standard",
    "expedite": "expedites",
    "override": "speed override above 100%",
    "stock": "stock",
    "workaround": "workaround",
    "reassigned_labour": "reassigned labour",
    "temporary_control": "temporary control",
    "held_wip": "held stock",
    "expedited": "expedited",
}


def where_to_invest(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = asking.parameters()
    question = asking.question(parameters)
    answer = constraints(asking.connection, question, asking.principal.sees_money, asking.now)
    names = list(dict.fromkeys((row.site, row.line) for row in answer.rows))
    lines = [
        _line(name, [row for row in answer.rows if (row.site, row.line) == name], parameters)
        for name in names
    ]
    return {
        "answer": answer,
        "filters": filters(asking, "/constraints", parameters, question, "line"),
        "place": place(asking),
        "zone": asking.site.time_zone if asking.site else "UTC",
        "currency": answer.currency or "",
        "lines": sorted(lines, key=_worth, reverse=True),
        "absorbed": answer.absorbed,
        "export": address("/v1/constraints", parameters),
    }


def _line(
    line: tuple[str, str], rows: list[ConstraintRow], parameters: list[tuple[str, str]]
) -> dict[str, Any]:
    return {
        "name": line[1],
        "lead": next((row for row in rows if row.is_constraint), None),
        "masked": next((row for row in rows if row.masked), None),
        "rows": [_row(row, parameters) for row in rows],
    }


def _worth(line: dict[str, Any]) -> Decimal:
    """What an hour of relief is worth on a line."""
    lead: ConstraintRow | None = line["lead"]
    return ZERO if lead is None else lead.relief_per_hour or ZERO


def _row(row: ConstraintRow, parameters: list[tuple[str, str]]) -> dict[str, Any]:
    window = [(key, value) for key, value in parameters if key in ("from", "to", "period", "site")]
    return {
        "row": row,
        "timeline": f"/timeline?{urlencode([*window, ('machine', row.machine)])}",
        "views": [{"word": word, "picture": _view(row, name), "name": name} for name, word in VIEWS],
        "props": [_prop(prop) for prop in row.masked_by],
    }


def _view(row: ConstraintRow, name: str) -> Markup:
    view = getattr(row.views, name)
    parts = [
        Share("sole", view.sole_share or ZERO, tone="bar production"),
        Share("shifting", view.shifting_share or ZERO, tone="bar unexplained"),
    ]
    label = f"{row.machine} as the constraint"
    return Markup(shares([part for part in parts if part.amount], Decimal(1), label))


def _prop(prop: Prop) -> dict[str, Any]:
    told = PROPS.get(prop.by, prop.by)
    if prop.hours:
        told += f", {number(prop.hours)} h"
    if prop.notes:
        told += f", {prop.notes} note{'s' if prop.notes > 1 else ''}"
    return {"word": told, "amount": prop.amount}
