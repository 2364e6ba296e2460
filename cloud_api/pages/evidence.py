"""The evidence page: the segments behind a figure, and a strip of what each machine did."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

from markupsafe import Markup

from cloud_api.answers.question import FILTERS
from cloud_api.answers.segments import segments
from cloud_api.answers.shapes.ledger import SegmentRow, Segments
from cloud_api.pages import pictures, words
from cloud_api.pages.asking import Asking, address

ROWS = 200
"""Segments on one page."""


def evidence(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    parameters = asking.parameters(paged=True)
    if asking.value("limit") is None:
        parameters.append(("limit", str(ROWS)))
    question = asking.question(parameters)
    answer = segments(asking.connection, question, asking.principal.sees_money, asking.now)
    dearest = any(asking.value(name) for name in ("resource", "cause")) and not question.cursor
    dearest = dearest and answer.next_cursor is None
    shown = sorted(answer.rows, key=lambda row: -(row.amount or 0)) if dearest else answer.rows
    zone = asking.site.time_zone if asking.site else "UTC"
    following = [(key, value) for key, value in parameters if key not in ("cursor", "limit")]
    return {
        "answer": answer,
        "zone": zone,
        "place": "" if asking.site is None else f"{asking.site.name}, {zone}",
        "asked": [(key, value or "none") for key, value in parameters if key in FILTERS and key != "site"],
        "from_": words.clock(answer.from_, zone),
        "to": words.clock(answer.to, zone),
        "strips": _strips(answer, zone),
        "dearest": dearest,
        "rows": [_row(row, zone) for row in shown],
        "states": [{"name": name, "word": word} for name, word in words.STATES.items()],
        "more": address("/segments", [*following, ("cursor", answer.next_cursor)])
        if answer.next_cursor
        else None,
        "first": address("/segments", following) if asking.value("cursor") else None,
        "back": address("/", [pair for pair in following if pair[0] not in ("resource", "cause", "reason")]),
        "export": address("/v1/segments", following),
    }


def _row(row: SegmentRow, zone: str) -> dict[str, Any]:
    return {
        "machine": row.machine,
        "from_": words.clock_s(row.from_, zone),
        "length": words.span(row.hours),
        "state": row.state,
        "state_word": words.STATES[row.state],
        "reason": row.reason,
        "product": row.product,
        "order": row.order,
        "shift": row.shift,
        "calendar": row.calendar,
        "good": words.number(row.good),
        "scrap": words.number(row.scrap),
        "flags": row.flags,
        "amount": "" if row.amount is None else words.amount(row.amount),
        "samples": row.samples,
    }


def _strips(answer: Segments, zone: str) -> list[dict[str, Any]]:
    """One strip a machine, all over the same time, of the segments on this page."""
    if not answer.rows:
        return []
    begin = min(row.from_ for row in answer.rows)
    end = max(row.to for row in answer.rows)
    return [
        {"machine": machine, "picture": _strip(machine, list(rows), begin, end, zone)}
        for machine, rows in groupby(answer.rows, key=lambda row: row.machine)
    ]


def _strip(machine: str, rows: list[SegmentRow], begin: datetime, end: datetime, zone: str) -> Markup:
    stays = [
        pictures.Stay(
            row.from_,
            row.to,
            row.state,
            f"{words.STATES[row.state]} from {words.clock(row.from_, zone)}, {words.span(row.hours)}",
        )
        for row in rows
    ]
    label = f"States of {machine} from {words.clock(begin, zone)} to {words.clock(end, zone)}"
    return Markup(pictures.strip(stays, begin, end, label))
