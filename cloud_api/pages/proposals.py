"""The page of the standards proposal pack: choose, simulate, approve, take along."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from markupsafe import Markup
from msgspec import UNSET

from cloud_api.access.roles import Area, may_read
from cloud_api.acts.actor import Actor
from cloud_api.acts.assumptions import approve
from cloud_api.answers.proposals import TAKES, pack
from cloud_api.answers.question import Mistake, QuestionError
from cloud_api.answers.shapes.proposals import Approval, Asked, Left, ProposalPack, ProposalRow, Wish
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address
from cloud_api.pages.assumptions import PLACES, WORDS
from cloud_api.pages.drift_picture import drift
from cloud_api.pages.filters import place

PERIODS = 6
"""Fiscal periods to choose from, the last ones."""
DEAREST, LEFT = 20, 40
"""Proposals in a pack that nobody put together, and others that may be ticked besides: the dearest."""
TAKE, VALUE, FROM = "take ", "value ", "from "
"""What names of form fields begin with; the id of a proposal follows."""


def pack_of(asking: Asking) -> dict[str, Any]:
    """What the template shows. Raises QuestionError for a mistake in the address."""
    site = asking.site
    shown: dict[str, Any] = {"place": place(asking), "pack": None, "done": asking.value("done")}
    if site is None or site.book is None:
        return shown
    given = [(name, value) for name, value in asking.given if name in TAKES and value and name != "site"]
    question = asking.question([*given, ("site", site.name)]).with_options({"series": "yes"})
    wishes = _wishes(asking.given)
    told = pack(asking.connection, question, asking.now, wishes or None, DEAREST)
    chosen = [("site", site.name), *(("id", row.id) for row in told.rows)]
    return {
        **shown,
        "pack": told,
        "answer": told,
        "zone": site.time_zone,
        "currency": told.currency or "",
        "window": told.period or f"{_day(told.from_)} to {_day(told.to)}",
        "site": site.name,
        "sites": [one.name for one in asking.places.sites if one.book is not None],
        "period": asking.value("period") or "",
        "periods": [one.name for one in site.periods if one.from_us <= _us(asking.now)][-PERIODS:],
        "hidden": [pair for pair in given if pair[0] != "period"],
        "rows": [_row(row) for row in told.rows],
        "left": [_left(one) for one in told.left[:LEFT]],
        "more": max(0, len(told.left) - LEFT),
        "broken": 0 if wishes else len(told.rows) + len(told.left),
        "lines": [
            (name, address("/proposals", [("site", site.name), ("line", name)])) for name in site.lines
        ],
        "variance": _variance(told),
        "cards": [_card(row) for row in told.rows],
        "waiting": [_waiting(one, words.clock(one.asked_at, site.time_zone)) for one in told.waiting],
        "may": asking.principal.is_known and may_read(asking.principal.role, Area.ACCEPTED),
        "file": address("/v1/proposals/standards.csv", chosen) if told.rows else "",
        "export": address("/v1/proposals", [*given, *chosen]),
    }


def _us(at: dt.datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def _day(at: dt.datetime | None) -> str:
    return "the begin" if at is None else f"{at:%Y-%m-%d}"


def _wishes(fields: Iterable[tuple[str, str]]) -> list[Wish]:
    """The proposals that a form names, with numbers and dates. Raises QuestionError with every mistake."""
    given = dict(fields)
    mistakes: list[Mistake] = []
    wishes = []
    for id_ in (name.removeprefix(TAKE) for name in given if name.startswith(TAKE)):
        value, from_ = None, None
        try:
            text = given.get(VALUE + id_, "").strip()
            value = Decimal(text.replace(",", ".")) if text else None
            if value is not None and not value.is_finite():
                raise InvalidOperation
        except InvalidOperation:
            mistakes.append(Mistake(id_, f"{given[VALUE + id_]!r} is no number, such as 41.5"))
        try:
            day = given.get(FROM + id_, "").strip()
            from_ = dt.date.fromisoformat(day) if day else None
        except ValueError:
            mistakes.append(Mistake(id_, f"{given[FROM + id_]!r} is no date, such as 2026-03-02"))
        wishes.append(Wish(id=id_, value=value, from_=from_))
    if mistakes:
        raise QuestionError(mistakes)
    return wishes


def _row(row: ProposalRow) -> dict[str, Any]:
    return {
        "row": row,
        "word": WORDS[row.assumption],
        "subject": f"{row.product} on {row.machine}",
        "assumed": words.number(row.assumed, PLACES),
        "value": format(row.value, "f"),
        "own": row.proposed is None or row.value != row.proposed,
        "spread": None
        if row.low is None or row.high is None
        else f"{words.number(row.low, PLACES)} to {words.number(row.high, PLACES)}",
        "since": words.day(row.from_),
        "address": row.segments.removeprefix("/v1"),
        "after": row.unit_cost_before + row.unit_cost_change,
    }


def _left(one: Left) -> dict[str, Any]:
    return {
        "row": one,
        "word": WORDS[one.assumption],
        "subject": f"{one.product} on {one.machine}",
        "assumed": words.number(one.assumed, PLACES),
        "value": format(one.value, "f"),
    }


def _variance(told: ProposalPack) -> list[dict[str, Any]]:
    """Totals before and after, and how far they move."""
    names = ("actual", "allowance", "variance", "planning", "operational")
    before, after = ([getattr(one, name) for name in names] for one in (told.before, told.after))
    moved = [then - now for now, then in zip(before, after, strict=True)]
    plain = [words.amount, words.amount, words.signed, words.signed, words.signed]
    said = (("As it is", before, plain), ("With these standards", after, plain))
    rows = [*said, ("Change", moved, [words.signed] * len(names))]
    return [
        {"word": word, "amounts": [write(amount) for write, amount in zip(writes, amounts, strict=True)]}
        for word, amounts, writes in rows
    ]


def _card(row: ProposalRow) -> dict[str, Any]:
    picture = ""
    if row.series is not UNSET:
        picture = drift(row.series, row.assumed, row.value, row.from_, row.unit)
    return {**_row(row), "picture": Markup(picture)}


def _waiting(one: Asked, at: str) -> dict[str, Any]:
    return {
        "by": one.asked_by,
        "at": at,
        "wishes": [
            {"id": wish.id, "value": format(wish.value or Decimal(0), "f"), "from": wish.from_}
            for wish in one.proposals
        ],
    }


def approved(actor: Actor, fields: Mapping[str, str]) -> str:
    """Approves what the form names; gives the page to go back to."""
    wishes = _wishes(fields.items())
    if not wishes:
        raise QuestionError([Mistake("proposals", "tick at least one")])
    done = approve(actor, Approval(proposals=wishes, site=fields.get("site") or None))
    said = "waits" if done.waits_for_second_person else str(done.version or "")
    return address("/proposals", [("site", done.site), ("done", said)])
