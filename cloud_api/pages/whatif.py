"""The what-if page: a form in the address, and what would have been."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from cloud_api.answers.question import QuestionError
from cloud_api.answers.shapes.whatif import WhatIf
from cloud_api.answers.whatif import whatif
from cloud_api.answers.whatif_question import OPTIONS
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.filters import place

PATH = "/whatif"
FIELDS = (
    ("cycle_s", "Ideal cycle, s"),
    ("yield", "Yield, 0 to 1"),
    ("crew", "People"),
    ("lot_size", "Lot size"),
    ("price", "Price"),
    ("relief_h", "Relief, h a year"),
    ("investment", "Investment"),
    ("years", "Years"),
    ("rate", "Interest a year"),
)
USUAL = {option.name: option.default for option in OPTIONS if option.default is not None}
FIGURES = (
    ("unit_cost", "Unit cost"),
    ("variable_unit_cost", "Truly variable"),
    ("price", "Price"),
    ("margin", "Margin a unit"),
    ("price_floor", "Price floor"),
    ("contribution_per_constraint_hour", "An hour of the constraint earns"),
)
RUN = (
    ("cycle_s", "Ideal cycle, s"),
    ("yield_", "Yield"),
    ("crew", "People"),
    ("lot_size", "Lot size"),
)
ITEMS = {
    "price": "Another price",
    "variable_cost": "Variable cost saved",
    "constraint_hours": "Hours of the constraint",
}
ROWS = 12
"""Cells that are listed: those that move most."""


def what_if(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address, once a form was sent."""
    parameters = asking.parameters(options=OPTIONS)
    question = asking.question(parameters, options=OPTIONS)
    site = asking.site
    sent = any(asking.value(option.name) is not None for option in OPTIONS)
    plant = site.plant if site is not None else None
    pairs = sorted({(row.machine, row.product) for row in plant.standards}) if plant is not None else []
    machine = asking.value("machine") or (pairs[0][0] if pairs else "")
    products = [product for name, product in pairs if name == machine]
    product = asking.value("product") or ""
    if product not in products and products:
        product = products[0]
    shown = {
        "answer": None,
        "place": place(asking),
        "site_name": site.name if site else "",
        "machines": list(dict.fromkeys(name for name, _ in pairs)),
        "products": sorted({name for _, name in pairs}),
        "machine": machine,
        "product": product,
        "days": {
            name: site.day_of(us).isoformat() if site is not None and us is not None else ""
            for name, us in (("from", question.from_us), ("to", question.to_us))
        },
        "fields": [
            {"name": name, "label": label, "value": asking.value(name) or "", "usual": USUAL.get(name, "")}
            for name, label in FIELDS
        ],
        "sent": sent,
        "nothing": "",
    }
    if not pairs:
        return shown
    named = [(key, value) for key, value in parameters if key not in ("machine", "product")]
    whole = asking.question([*named, ("machine", machine), ("product", product)], options=OPTIONS)
    try:
        answer = whatif(asking.connection, whole, asking.principal.sees_money, asking.now)
    except QuestionError as error:
        if sent:
            raise
        return shown | {"nothing": "; ".join(mistake.message for mistake in error.mistakes)}
    return shown | _told(asking, answer, [*named, ("machine", machine), ("product", product)])


def _told(asking: Asking, answer: WhatIf, parameters: Sequence[tuple[str, str]]) -> dict[str, Any]:
    moved = sorted(
        (row for row in answer.rows if row.now != row.then), key=lambda row: -abs(row.then - row.now)
    )
    return {
        "answer": answer,
        "zone": asking.site.time_zone if asking.site else "UTC",
        "currency": answer.currency or "",
        "heading": _heading(answer),
        "figures": [
            _figure(answer, name, label, "0.01" if name.endswith("_hour") else "0.0001")
            for name, label in FIGURES
        ],
        "run": [_figure(answer, name, label, "") for name, label in RUN],
        "items": [
            {"word": ITEMS[item.item], "amount": item.amount, "said": item.said} for item in answer.yearly
        ],
        "changes": [
            {"word": dict(FIELDS)[one.change].partition(",")[0], "row": one} for one in answer.changes
        ],
        "moved": [
            {
                "where": row.machine or "site",
                "what": f"{words.RESOURCES[row.resource]}, {words.cause(row.cause).lower()}",
                "now": row.now,
                "then": row.then,
                "change": row.then - row.now,
            }
            for row in moved[:ROWS]
        ],
        "left": len(moved) - len(moved[:ROWS]),
        "export": address("/v1/whatif", parameters),
    }


def _heading(answer: WhatIf) -> str:
    change = answer.then.unit_cost - answer.now.unit_cost
    currency = answer.currency or ""
    if not change and not answer.yearly_value:
        return f"{answer.product} costs {currency} {words.amount(answer.now.unit_cost, '0.0001')} a unit"
    worth = f"worth {currency} {words.whole(answer.yearly_value)} a year"
    if not change:
        return f"{answer.product}: {worth}"
    verb = "less" if change < 0 else "more"
    return (
        f"{answer.product} would cost {currency} {words.amount(abs(change), '0.0001')} {verb} a unit, {worth}"
    )


def _figure(answer: WhatIf, name: str, label: str, step: str) -> dict[str, Any]:
    now, then = getattr(answer.now, name), getattr(answer.then, name)
    return {
        "label": label,
        "now": _said(now, step),
        "then": _said(then, step),
        "change": "" if now is None or then is None or now == then else _said(then - now, step, signed=True),
    }


def _said(value: Decimal | None, step: str, *, signed: bool = False) -> str:
    if value is None:
        return "–"
    if not step:
        text = words.number(value, 4)
        return f"+{text}" if signed and value > 0 else text
    return words.signed(value, step) if signed else words.amount(value, step)
