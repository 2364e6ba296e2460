"""The assumptions page: what finance relies on and no longer may, since when, its cost, and what is right."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from markupsafe import Markup
from msgspec import UNSET

from cloud_api.access.roles import Area, may_read
from cloud_api.acts.actor import Actor
from cloud_api.acts.assumptions import accept
from cloud_api.answers.assumptions import OPTIONS, assumptions
from cloud_api.answers.shapes.assumptions import Acceptance, AssumptionRow
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.drift_picture import drift
from cloud_api.pages.filters import place

SHOWN, LISTED = 6, 100
"""Broken assumptions with a picture, and rows of a table: the dearest."""
WORDS = {
    "cycle": "Cycle time",
    "scrap": "Scrap rate",
    "rework": "Rework rate",
    "availability": "Availability",
    "crew": "Crew",
    "changeover": "Changeover time",
    "energy": "Energy per unit",
    "price": "Price",
    "tariff": "Energy tariff",
    "wage": "Wage",
    "rate": "Machine rate",
    "budget": "Budgeted unit cost",
    "schedule": "Schedule",
}
TAKES = ("site", "line", "machine", "product")
PLACES = 4


def breaking(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = [pair for pair in asking.parameters() if pair[0] not in ("from", "to", "period")]
    question = asking.question([*parameters, ("series", "yes")], options=OPTIONS)
    answer = assumptions(asking.connection, question, asking.principal.sees_money, asking.now)
    broken = [row for row in answer.rows if row.status == "broken"]
    off = [row for row in answer.rows if row.status != "holding"]
    holding = [row for row in answer.rows if row.status == "holding"]
    costly = [row for row in broken if row.cost_per_day > 0]
    site = asking.site
    return {
        "answer": answer,
        "place": place(asking),
        "zone": site.time_zone if site else "UTC",
        "currency": answer.currency or "",
        "worst": row_of(costly[0]) if costly else None,
        "broken": broken,
        "per_day": sum((row.cost_per_day for row in costly), Decimal(0)),
        "cards": [_card(row) for row in islice((one for one in broken if one.series is not UNSET), SHOWN)],
        "rows": [row_of(row) for row in off[:LISTED]],
        "more": max(0, len(off) - LISTED),
        "watched": len(off) - len(broken),
        "holding": [row_of(row) for row in holding[:LISTED]],
        "holds": len(holding),
        "may": asking.principal.is_known and may_read(asking.principal.role, Area.ACCEPTED),
        "pack": address("/proposals", [pair for pair in parameters if pair[0] in TAKES]),
        "boxes": _boxes(asking),
        "export": address("/v1/assumptions", parameters),
    }


def accepted(actor: Actor, fields: Mapping[str, str]) -> str:
    """Records what is proposed; gives the page to go back to."""
    done = accept(actor, Acceptance())
    return address("/assumptions", [("machine", done.machine), ("product", done.product)])


def _boxes(asking: Asking) -> list[dict[str, Any]]:
    site = asking.site
    if site is None:
        return []
    products = sorted({row.product for row in site.plant.standards}) if site.plant else []
    choices = (("machine", [one.name for one in site.machines]), ("product", products))
    return [
        {"name": name, "label": name.capitalize(), "options": options, "chosen": asking.value(name)}
        for name, options in choices
        if len(options) > 1
    ]


def _card(row: AssumptionRow) -> dict[str, Any]:
    """An assumption in words, with the picture of its observations."""
    assert row.series is not UNSET
    picture = drift(row.series, row.assumed, row.observed, row.moved or row.since, row.unit)
    return {**row_of(row), "picture": Markup(picture)}


def row_of(row: AssumptionRow) -> dict[str, Any]:
    """An assumption in words."""
    subject = " on ".join(part for part in (row.product, row.machine) if part) or row.item or row.site
    return {
        "row": row,
        "word": WORDS.get(row.assumption, row.assumption),
        "subject": subject,
        "assumed": words.number(row.assumed, PLACES),
        "observed": words.number(row.observed, PLACES),
        "change": None
        if row.observed is None or not row.assumed
        else words.signed((row.observed / row.assumed - 1) * 100, "0.1"),
        "since": None if row.since is None else words.day(row.since),
        "moved": None if row.moved is None else words.day(row.moved),
        "proposed": None if row.proposed is None else words.number(row.proposed.value, PLACES),
        "address": row.evidence.removeprefix("/v1") if row.evidence.startswith("/v1/seg") else row.evidence,
    }
