"""The page that says why a figure moved: the statement, the bridge as a waterfall, each bar opened."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Any

from markupsafe import Markup
from msgspec import UNSET

from cloud_api.answers.bridge import bridge
from cloud_api.answers.bridge_base import BASES, MEASURES, OPTIONS, telling_base
from cloud_api.answers.question import Question, QuestionError
from cloud_api.answers.shapes.bridge import Bridge, BridgeBar, EvidenceRow
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.filters import filters, place
from cloud_api.pages.waterfall import Fall, Level, waterfall

PATH = "/why"
LONG_WORD = 24
"""Letters beyond which a bar has no room for its owner on a phone."""
GROUPS = ("site", "line", "machine", "product", "order", "shift", "reason")
"""What bars may be told by, as an address asks for it."""
MEASURE_WORDS = {"unit_cost": "Unit cost", "total_cost": "Cost", "margin": "Margin"}
BASE_WORDS = {"standard": "Standard", "budget": "Budget", "previous": "The window before"}
FACTORS = {
    "volume": "Volume",
    "mix": "Mix",
    "standard_vs_budget": "Standard against budget",
    "list_price": "List price",
    "sales_price": "Sales price",
    "stock": "Stock",
    "lot_size": "Changeovers: lot size",
    "sequence": "Changeovers: sequence",
    "duration": "Changeovers: duration",
}
VERDICTS = {
    "structural": "structural: it stays",
    "temporary": "temporary: it has passed",
    "drift": "drifting",
    "recurring": "recurring",
    "seasonal": "seasonal",
    "isolated": "isolated",
    "undetermined": "too early to tell",
    "steady": "steady",
}


def why(asking: Asking, *, explained: bool = True) -> dict[str, Any]:
    """What the template shows, with the explained share of each bar or without. Raises QuestionError for a
    mistake in the address."""
    parameters = asking.parameters(options=OPTIONS)
    question = asking.question(parameters, options=OPTIONS)
    shown = {
        "answer": None,
        "place": place(asking),
        "filters": {
            **filters(asking, PATH, parameters, question, "line", "machine", "product"),
            "hidden": [pair for pair in parameters if pair[0] in ("measure", "base")],
        },
    }
    if asking.site is None or asking.site.book is None or not asking.site.machines:
        return shown
    if not any(asking.value(name) for name in ("base", "base_from", "base_to")):
        parameters.append(("base", telling_base(asking.connection, question)))
        question = asking.question(parameters, options=OPTIONS)
    answer = _answer(asking, parameters, question, explained)
    zone, plant = asking.site.time_zone, asking.site.book.plant
    measures = [one for one in MEASURES if one != "margin" or plant.products]
    bases = [one for one in BASES if one != "budget" or plant.budget]
    named = [(key, value) for key, value in parameters if key != "measure"]
    export = address("/v1/bridge", [*named, ("measure", answer.measure)])
    return shown | {
        "answer": answer,
        "zone": zone,
        "currency": answer.currency or "",
        "measures": _choices(parameters, "measure", measures, MEASURE_WORDS, answer.measure),
        "bases": _choices(parameters, "base", bases, BASE_WORDS, answer.base),
        "heading": _heading(answer),
        "statement": _statement(answer),
        "picture": _picture(answer),
        "bars": [_bar(answer, index, bar, zone) for index, bar in enumerate(answer.bars)],
        "aside": answer.aside,
        "exports": {by: f"{export}&by={by}" for by in ("machine", "product", "shift", "reason")},
        "export": export,
    }


def _answer(
    asking: Asking, parameters: Sequence[tuple[str, str]], question: Question, explained: bool
) -> Bridge:
    """The bridge; of cost, where no measure was named and a window made nothing."""

    def bridge_of(asked: Question) -> Bridge:
        sees_money = asking.principal.sees_money
        return bridge(asking.connection, asked, sees_money, asking.now, explained=explained)

    try:
        return bridge_of(question)
    except QuestionError:
        if asking.value("measure") is not None:
            raise
    return bridge_of(asking.question([*parameters, ("measure", "total_cost")], options=OPTIONS))


def _choices(
    parameters: Sequence[tuple[str, str]], name: str, values: Sequence[str], said: dict[str, str], chosen: str
) -> list[dict[str, Any]]:
    taken = {name, "base_from", "base_to"} if name == "base" else {name}
    rest = [(key, value) for key, value in parameters if key not in taken]
    return [
        {"word": said[value], "address": address(PATH, [*rest, (name, value)]), "current": value == chosen}
        for value in values
    ]


def _heading(answer: Bridge) -> str:
    word = MEASURE_WORDS[answer.measure]
    if not answer.change:
        return (
            f"{word} is as {answer.base}" if answer.base in ("standard", "budget") else f"{word} did not move"
        )
    amount = f"{answer.currency or ''} {_said(answer, abs(answer.change))}"
    if answer.base in ("standard", "budget"):
        return f"{word} is {amount} {'above' if answer.change > 0 else 'below'} {answer.base}"
    return f"{word} {'rose' if answer.change > 0 else 'fell'} by {amount}"


def _said(answer: Bridge, amount: Decimal, signed: bool = False) -> str:
    step = "0.0001" if answer.measure == "unit_cost" else "1"
    return words.signed(amount, step) if signed else words.amount(amount, step)


def _statement(answer: Bridge) -> Markup:
    """The sentences with their numbers as links: of a cause to its bar here, of others to their rows."""
    anchors = {bar.factor: f"#bar-{index}" for index, bar in reversed(list(enumerate(answer.bars)))}
    text, told = answer.statement, ""
    for link in answer.statement_links:
        before, number, text = text.partition(link.text)
        target = anchors.get(link.factor or "") or link.address.replace("/v1/segments", "/segments", 1)
        if link.factor is None and link.rows != "rows":
            target = "#bridge"
        told += f'{words.held(before)}<a class="figure nowrap" href="{escape(target)}">{escape(number)}</a>'
    return Markup(told) + words.held(text)


def factor_word(factor: str) -> str:
    """A factor as a person says it."""
    resource, _, cause = factor.partition("/")
    if cause:
        return f"{words.cause(cause)}, {words.RESOURCES.get(resource, resource).lower()}"
    return FACTORS.get(factor) or words.cause(factor)


def _bar_word(bar: BridgeBar) -> str:
    """A bar as a person says it: its factor, and its group where bars are told apart."""
    groups = [getattr(bar, name) for name in GROUPS if getattr(bar, name) is not UNSET]
    return ", ".join((factor_word(bar.factor), *(group or "none" for group in groups)))


def is_gain(answer: Bridge, amount: Decimal) -> bool:
    """Whether a step is good: cost down, or margin up."""
    return amount > 0 if answer.measure == "margin" else amount < 0


def _tone(answer: Bridge, amount: Decimal) -> str:
    """The colour of a step; none for one that rounds to nothing."""
    if not _said(answer, amount, signed=True).strip("+−0.,"):
        return ""
    return "tone-gain" if is_gain(answer, amount) else "tone-loss"


def _picture(answer: Bridge) -> Markup:
    base = {"standard": "Standard", "budget": "Budget"}.get(answer.base, "Before")
    falls = [
        Fall(
            _bar_word(bar),
            bar.amount,
            _said(answer, bar.amount, signed=True),
            is_gain(answer, bar.amount),
            f"#bar-{index}",
            bar.owner if len(_bar_word(bar)) <= LONG_WORD else "",
        )
        for index, bar in enumerate(answer.bars)
    ]
    label = f"From {base.lower()} to actual, {answer.currency or ''}"
    start = Level(base, answer.start, _said(answer, answer.start))
    return Markup(waterfall(start, falls, Level("Actual", answer.end, _said(answer, answer.end)), label))


def _bar(answer: Bridge, index: int, bar: BridgeBar, zone: str) -> dict[str, Any]:
    persistence = bar.persistence
    largest = max(answer.bars, key=lambda one: abs(one.amount))
    return {
        "open": bar is largest,
        "id": f"bar-{index}",
        "word": _bar_word(bar),
        "said": _said(answer, bar.amount, signed=True),
        "size": abs(bar.amount),
        "tone": _tone(answer, bar.amount),
        "owner": bar.owner,
        "planning": None if bar.planning is None else _said(answer, bar.planning, signed=True),
        "operational": None if bar.operational is None else _said(answer, bar.operational, signed=True),
        "verdict": None if persistence is None else VERDICTS[persistence.verdict],
        "since": None if persistence is None else persistence.since,
        "projected": None if persistence is None else persistence.projected,
        "sure": None if persistence is None else persistence.confidence,
        "explained": bar.explained_share,
        "rows": [_evidence(answer, row, zone) for row in bar.evidence],
        "notes": list({note.id: note for row in bar.evidence for note in row.notes}.values()),
        "segments": None if bar.cause is None else bar.segments.removeprefix("/v1"),
        "base_segments": None
        if bar.base_segments is None or bar.cause is None
        else bar.base_segments.removeprefix("/v1"),
    }


def _evidence(answer: Bridge, row: EvidenceRow, zone: str) -> dict[str, Any]:
    what = row.text or ""
    if row.kind == "segment":
        what = f"{row.machine}, {words.STATES.get(row.state or '', row.state or '').lower()}"
    return {
        "what": what,
        "when": words.clock(row.from_, zone) if row.kind == "segment" else "",
        "until": words.clock(row.to, zone)[11:] if row.kind == "segment" else "",
        "base": row.window == "start",
        "reason": row.reason,
        "product": row.product if row.kind == "segment" else None,
        "cost": None if row.cost is None else words.amount(row.cost),
        "amount": _said(answer, row.amount, signed=True),
        "address": row.rows.removeprefix("/v1") if row.kind != "rest" else None,
        "rest": row.kind == "rest",
    }
