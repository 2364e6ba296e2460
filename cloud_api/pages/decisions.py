"""The page of decisions: what was decided or detected, expected against measured, and what still runs."""

from __future__ import annotations

from typing import Any

from cloud_api.answers.decisions import OPTIONS, decisions
from cloud_api.answers.decisions_words import kind_word
from cloud_api.answers.shapes.decisions import DecisionRow
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address

ROWS = 40
STATUSES = {
    "all": "All",
    "detected": "Detected",
    "confirmed": "Confirmed",
    "known": "Told",
    "dismissed": "Dismissed",
}
"""Words of the statuses; `known` was told by a person without the data's help."""


def decided(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = asking.parameters(paged=True, options=OPTIONS)
    if asking.value("limit") is None:
        parameters.append(("limit", str(ROWS)))
    question = asking.question(parameters, options=OPTIONS)
    answer = decisions(asking.connection, question, asking.principal.sees_money, asking.now)
    zone = asking.site.time_zone if asking.site else "UTC"
    kept = [(name, value) for name, value in parameters if name not in ("status", "cursor", "limit")]
    chosen = question.options.get("status", "all")
    return {
        "answer": answer,
        "place": "" if asking.site is None else f"{asking.site.name}, {zone}",
        "from_": words.clock(answer.from_, zone),
        "to": words.clock(answer.to, zone),
        "currency": answer.currency,
        "rows": [_row(row, zone) for row in answer.rows],
        "in_force": sum(row.in_force and row.note is not None for row in answer.rows),
        "expired": sum(row.expired_running for row in answer.rows),
        "waiting": sum(row.status == "detected" for row in answer.rows),
        "statuses": [
            {
                "word": word,
                "address": address("/decisions", [*kept, ("status", name)]),
                "current": name == chosen,
            }
            for name, word in STATUSES.items()
        ],
        "more": address("/decisions", [*kept, ("status", chosen), ("cursor", answer.next_cursor)])
        if answer.next_cursor
        else None,
        "export": address("/v1/decisions", [*kept, ("status", chosen)]),
    }


def _row(row: DecisionRow, zone: str) -> dict[str, Any]:
    measured = row.measured
    flags = []
    if row.expired_running:
        flags.append("expired, still running")
    elif row.in_force:
        flags.append("in force" if row.note is not None else "goes on")
    return {
        "kind": kind_word(row.kind, "en"),
        "status": STATUSES[row.status],
        "where": row.machine or row.line or row.product or row.order or row.site,
        "from_": words.clock(row.from_, zone),
        "to": "no end" if row.to is None else words.clock(row.to, zone),
        "text": row.text,
        "trade_off": row.trade_off,
        "expected": row.expected_effect,
        "flags": flags,
        "expired": row.expired_running,
        "segments": row.segments.removeprefix("/v1"),
        "before": _money(None if measured is None else measured.before),
        "during": _money(None if measured is None else measured.during),
        "after": _money(None if measured is None else measured.after),
        "effect": _money(None if measured is None else measured.effect),
        "tone": ""
        if measured is None or not measured.effect
        else ("loss" if measured.effect > 0 else "gain"),
        "days": None if measured is None else measured.days,
    }


def _money(value: Any) -> str:
    return "" if value is None else words.signed(value)
