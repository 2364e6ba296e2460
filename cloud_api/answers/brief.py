"""Five sentences: what moved, what became known, what hits period end, whose it is, what to decide.

Each is put together by rules from answers that stand elsewhere; it holds no figure that they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from psycopg import Connection

from cloud_api.answers.assumptions import standing
from cloud_api.answers.bridge_base import telling_base
from cloud_api.answers.bridge_brief import moved, owned
from cloud_api.answers.decisions import decisions
from cloud_api.answers.envelope import envelope
from cloud_api.answers.forecast import forecast
from cloud_api.answers.question import Question, QuestionError, told
from cloud_api.answers.questions import questions
from cloud_api.answers.shapes.assumptions import AssumptionRow
from cloud_api.answers.shapes.brief import Brief, Sentence

NAMED = 2
"""Causes and assumptions that a sentence names."""
ZERO = Decimal(0)


def brief(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Brief:
    """The brief of a window against the one before, or the standard where that one has no data.

    Raises QuestionError where the window is missing."""
    asked = _Asked(connection, question, sees_money, now)
    held = standing(connection, question, sees_money, now)
    sentences = [
        _moved(asked),
        _known(held.rows, held.currency, asked),
        _coming(asked),
        _owner(asked),
        _decide(held.rows, asked),
    ]
    return Brief(**envelope(connection, question, now), rows=sentences)


class _Asked:
    """Asks other answers about the same window, and gives their addresses."""

    def __init__(
        self, connection: Connection[Any], question: Question, sees_money: bool, now: datetime
    ) -> None:
        self.connection, self.question, self.sees_money, self.now = connection, question, sees_money, now

    def ask(self, answer: Callable[[Any, Question, bool, datetime], Any], **options: str) -> Any:
        asked = self.question.with_options(options)
        return answer(self.connection, asked, self.sees_money, self.now)

    def address(self, path: str, **more: str) -> str:
        if self.question.period is not None:
            return self._address(path, {"period": self.question.period}, more)
        window = {"from": told(self.question.from_us), "to": told(self.question.to_us)}
        return self._address(path, window, more)

    def assumptions(self) -> str:
        """Rows of the assumptions as they stood at the end of the window."""
        return self._address("/v1/assumptions", {"to": told(self.question.to_us)}, {})

    def _address(self, path: str, window: Mapping[str, str | None], more: Mapping[str, str]) -> str:
        named = [(name, value) for name, value in window.items() if value is not None]
        for name, values in self.question.wanted.items():
            named += [(name, value or "") for value in values]
        if len(self.question.sites) == 1 and "site" not in self.question.wanted:
            named.append(("site", self.question.sites[0].name))
        return f"{path}?{urlencode([*named, *more.items()])}"


def _moved(asked: _Asked) -> Sentence:
    """What the bridge says first; of cost, where a window made nothing."""
    base = telling_base(asked.connection, asked.question)
    try:
        by = {"measure": "unit_cost", "base": base}
        found = moved(asked.connection, asked.question.with_options(by))
    except QuestionError:
        by = {"measure": "total_cost", "base": base}
        found = moved(asked.connection, asked.question.with_options(by))
    return Sentence(
        topic="moved",
        text=found.text,
        amount=found.change,
        tone=_tone(found.change),
        page=asked.address("/why", **by),
        rows=asked.address("/v1/bridge", **by),
    )


def _known(rows: Sequence[AssumptionRow], currency: str | None, asked: _Asked) -> Sentence:
    broken = [row for row in rows if row.status == "broken"]
    watch = sum(row.status == "watch" for row in rows)
    cost = sum((row.cost_per_day for row in broken), ZERO)
    if broken:
        named = "; ".join(
            f"{_assumption(row)} is {_figure(row.observed)} {row.unit}, not {_figure(row.assumed)}, "
            f"since {row.moved or row.since}"
            for row in broken[:NAMED]
        )
        more = f"; and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
        text = f"Broken: {named}{more}. Together {_said(currency, cost)} a day."
    elif watch:
        text = f"Nothing that finance relies on is broken; {watch} to be watched."
    else:
        text = "Everything that finance relies on holds."
    return Sentence(
        topic="known",
        text=text,
        amount=cost if broken else None,
        tone=_tone(cost),
        page=asked.address("/assumptions"),
        rows=asked.assumptions(),
    )


def _coming(asked: _Asked) -> Sentence:
    page, rows = asked.address("/forecast"), asked.address("/v1/forecast")
    try:
        ahead = asked.ask(forecast, horizon="period")
    except QuestionError as error:
        text = f"What the period will cost cannot be said: {error}."
        return Sentence(topic="coming", text=text, amount=None, tone="none", page=page, rows=rows)
    over = None if ahead.budget is None else ahead.projected - ahead.budget
    against = ""
    if over is not None:
        against = f", {_said(ahead.currency, abs(over))} {'above' if over > 0 else 'below'} budget"
    late = len(ahead.orders_at_risk)
    orders = f" {late} order{'s' if late > 1 else ''} will be late." if late else ""
    text = (
        f"{ahead.period} ends at {_said(ahead.currency, ahead.projected)} "
        f"({_whole(ahead.p10)} to {_whole(ahead.p90)}){against}.{orders}"
    )
    return Sentence(
        topic="coming", text=text, amount=ahead.projected, tone=_tone(over or ZERO), page=page, rows=rows
    )


def _owner(asked: _Asked) -> Sentence:
    """Whose the variance is: what each owner's causes cost beyond standard."""
    by = {"measure": "total_cost", "base": "standard"}
    owners = owned(asked.connection, asked.question.with_options(by))
    dearest = sorted(((amount, owner) for owner, amount in owners.items() if amount > 0), reverse=True)
    if dearest:
        names = ", then of ".join(
            f"{owner} (+{_said(asked.question.currency, amount)})" for amount, owner in dearest[:NAMED]
        )
        text = f"What it cost beyond standard is in the hands of {names}."
    else:
        text = "Nothing cost more than standard."
    return Sentence(
        topic="owner",
        text=text,
        amount=dearest[0][0] if dearest else None,
        tone="loss" if dearest else "none",
        page=asked.address("/why", **by),
        rows=asked.address("/v1/bridge", **by),
    )


def _decide(rows: Sequence[AssumptionRow], asked: _Asked) -> Sentence:
    broken = [row for row in rows if row.status == "broken"]
    proposals = sum(row.proposed is not None for row in broken)
    open_questions = len(asked.ask(questions).rows)
    made = asked.ask(decisions, measured="no").rows
    drafts = sum(row.status == "detected" for row in made)
    things = [
        (proposals, "better standard to accept", "better standards to accept", "/assumptions"),
        (
            len(broken) - proposals,
            "broken assumption to settle without a proposal yet",
            "broken assumptions to settle without a proposal yet",
            "/assumptions",
        ),
        (
            drafts,
            "decision that the data shows to confirm",
            "decisions that the data shows to confirm",
            "/decisions",
        ),
        (
            open_questions,
            "question to the floor still open",
            "questions to the floor still open",
            "/decisions",
        ),
    ]
    open_ = [(count, one if count == 1 else many, page) for count, one, many, page in things if count]
    text = "; ".join(f"{count} {word}" for count, word, _ in open_)
    page = open_[0][2] if open_ else "/decisions"
    return Sentence(
        topic="decide",
        text=f"To decide: {text}." if text else "There is nothing that waits for a decision.",
        amount=None,
        tone="none",
        page=asked.address(page),
        rows=asked.address(f"/v1{page}"),
    )


def _assumption(row: AssumptionRow) -> str:
    of = " on ".join(part for part in (row.product or row.item, row.machine) if part)
    return f"{row.assumption} of {of}" if of else row.assumption


def _figure(number: Decimal | None) -> str:
    """A number with four digits that count."""
    if number is None:
        return "not known"
    step = Decimal(1).scaleb(min(0, number.adjusted() - 3)) if number else Decimal(1)
    return f"{number.quantize(step).normalize():f}"


def _tone(amount: Decimal) -> Any:
    return "loss" if amount > 0 else "gain" if amount < 0 else "none"


def _whole(amount: Decimal) -> str:
    return f"{amount:,.0f}"


def _said(currency: str | None, amount: Decimal) -> str:
    return f"{currency or ''} {_whole(amount)}".strip()
