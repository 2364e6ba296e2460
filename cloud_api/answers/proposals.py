"""The standards proposal pack: broken assumptions of a site, what to record instead, and what that changes.

What it would change is found by asking the same questions of a book that has the new cards: nothing is
written. Totals are those of `/v1/variances`, before and after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.assumptions import found
from cloud_api.answers.options import Option
from cloud_api.answers.paging import one_page
from cloud_api.answers.places import Site
from cloud_api.answers.proposals_effects import COLUMNS, Case, Chosen, standard_row
from cloud_api.answers.proposals_prices import price_effects
from cloud_api.answers.question import MOST_ROWS, Mistake, Question, QuestionError, near
from cloud_api.answers.shapes.assumptions import AssumptionRow
from cloud_api.answers.shapes.proposals import (
    Asked,
    Left,
    ProposalPack,
    StandardRows,
    Wish,
)
from cloud_api.answers.standing import data_spans
from cloud_api.interpret.money import exactly
from cloud_api.interpret.standards_proposed import recorded
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us

ZERO = Decimal(0)
ACTION = "standards approval"
"""Name under which an approval waits for a second person."""
OPTIONS = (
    Option("id", "Only these proposals; repeat for several. Absent: all that are broken.", "list"),
    Option("assumption", "Only this kind: cycle, scrap, ...", "word", tuple(COLUMNS)),
    Option("series", "Whether each row tells its observations and sums.", "word", ("yes", "no"), "no"),
)
TAKES = ("from", "to", "period", "site", "line", "machine", "product")


def proposals(
    connection: Connection[Any], question: Question, sees_money: bool, now: dt.datetime
) -> ProposalPack:
    """The pack of a question: its `id`s, or all that are broken of its machines and products."""
    ids = question.options.get("id")
    wishes = None if ids is None else [Wish(id=one) for one in ids.split("\n")]
    return pack(connection, question, now, wishes)


def standards(
    connection: Connection[Any], question: Question, sees_money: bool, now: dt.datetime
) -> StandardRows:
    """What the proposals of a question would record, as rows of standards.csv."""
    site = one_site(question)
    ids = question.options.get("id")
    wishes = None if ids is None else [Wish(id=one) for one in ids.split("\n")]
    taken = chosen(watched(connection, site, now), question, site, wishes)
    assert site.book is not None
    rows = recorded(site.book, [one.proposed for one in taken], now)
    return StandardRows(rows=[standard_row(row) for row in rows])


def one_site(question: Question) -> Site:
    """The one site of a question that has a plant model. Raises QuestionError."""
    modelled = [site for site in question.sites if site.book is not None]
    if len(modelled) != 1:
        names = ", ".join(site.name for site in modelled) or "there is none with a plant model"
        raise QuestionError([Mistake("site", f"name one site: {names}")])
    return modelled[0]


def watched(
    connection: Connection[Any], site: Site, now: dt.datetime, withheld: frozenset[str] = frozenset()
) -> dict[str, AssumptionRow]:
    """Every assumption of a standard of a site, with its observations, by id."""
    whole = Question(sites=(site,), withheld=withheld)
    return {row.id: row for row in found(connection, whole, now, True) if row.assumption in COLUMNS}


def chosen(
    rows: Mapping[str, AssumptionRow], question: Question, site: Site, wishes: Sequence[Wish] | None
) -> list[Chosen]:
    """The proposals wished for; None: all of broken assumptions that the question does not filter away.

    Raises QuestionError with every wish that cannot be met."""
    if wishes is None:
        return [one for one in _broken(rows) if _asked(question, site, one.row)]
    mistakes: list[Mistake] = []
    taken = [_wished(number, wish, rows, mistakes) for number, wish in enumerate(wishes)]
    names = [wish.id for wish in wishes]
    mistakes += [Mistake(f"proposals[{at}].id", "stands twice") for at in _twice(names)]
    if mistakes:
        raise QuestionError(mistakes)
    return [one for one in taken if one is not None]


def _broken(rows: Mapping[str, AssumptionRow]) -> list[Chosen]:
    """What is proposed for broken assumptions, the dearest first."""
    kept = sorted(
        (row for row in rows.values() if row.status == "broken"), key=lambda row: (-row.projected, row.id)
    )
    return [
        Chosen(row, _plain(row.proposed.value), row.proposed.from_)
        for row in kept
        if row.proposed is not None
    ]


def _asked(question: Question, site: Site, row: AssumptionRow) -> bool:
    kind = question.options.get("assumption")
    lines = {machine.name: machine.line for machine in site.machines}
    said = {"machine": row.machine, "product": row.product, "line": lines.get(str(row.machine))}
    return (kind is None or row.assumption == kind) and all(
        (named := question.names(name)) is None or value in named for name, value in said.items()
    )


def _wished(
    number: int, wish: Wish, rows: Mapping[str, AssumptionRow], mistakes: list[Mistake]
) -> Chosen | None:
    row = rows.get(wish.id)
    if row is None:
        message = f"{wish.id!r} is no assumption of a standard here{near(wish.id, rows)}"
        mistakes.append(Mistake(f"proposals[{number}].id", message))
        return None
    value, from_ = wish.value, wish.from_
    if row.proposed is not None:
        value = row.proposed.value if value is None else value
        from_ = row.proposed.from_ if from_ is None else from_
    if value is None or from_ is None:
        message = "nothing is proposed: it holds, or has fewer than 20 observations; give `value` and `from`"
        mistakes.append(Mistake(f"proposals[{number}].value", message))
        return None
    return Chosen(row, _plain(value), from_)


def _plain(value: Decimal) -> Decimal:
    """The number without zeros that say nothing."""
    return Decimal(format(value.normalize(), "f"))


def _twice(names: Sequence[str]) -> list[int]:
    return [at for at, name in enumerate(names) if name in names[:at]]


@exactly
def pack(
    connection: Connection[Any],
    question: Question,
    now: dt.datetime,
    wishes: Sequence[Wish] | None,
    most: int | None = None,
) -> ProposalPack:
    """The pack of some proposals; where none is wished for, of the dearest, at most so many. Raises
    QuestionError for what is not there."""
    site = one_site(question)
    known = watched(connection, site, now, question.withheld)
    taken = chosen(known, question, site, wishes)
    if wishes is None and most is not None:
        taken = taken[:most]
    window = _window(connection, question, site, now)
    case = Case(connection, window, site, taken, now)
    rows = case.rows(series=question.options.get("series") == "yes")
    names = {one.row.id for one in taken}
    page, cursor = one_page(rows, question)
    asked = connection.execute(statement("periods.open_approvals"), {"sites": [site.name]}).fetchall()
    return ProposalPack(
        **case.about,
        next_cursor=cursor,
        site=site.name,
        period=window.period,
        before=case.before,
        after=case.after,
        prices=price_effects(
            case.book, case.book_after, case.taken_at, case.date, whole=not question.withheld
        ),
        standards=[standard_row(row) for row in case.cards],
        waiting=[_waiting(detail, by, at) for _, _, action, _, detail, by, at in asked if action == ACTION],
        left=[_left(one) for one in _broken(known) if one.row.id not in names],
        rows=page,
    )


def _left(one: Chosen) -> Left:
    row = one.row
    return Left(
        id=row.id,
        machine=str(row.machine),
        product=str(row.product),
        assumption=row.assumption,
        unit=row.unit,
        assumed=row.assumed,
        value=one.value,
        from_=one.from_,
    )


def _waiting(detail: Mapping[str, Any], by: str, at: dt.datetime) -> Asked:
    wishes = [
        Wish(id=one["id"], value=Decimal(one["value"]), from_=dt.date.fromisoformat(one["from"]))
        for one in detail["proposals"]
    ]
    return Asked(asked_by=by, asked_at=at, proposals=wishes)


def _window(connection: Connection[Any], question: Question, site: Site, now: dt.datetime) -> Question:
    """The question over its window, where it names none over the fiscal period of the last data."""
    whole = Question(
        sites=(site,),
        from_us=question.from_us,
        to_us=question.to_us,
        period=question.period,
        basis=question.basis,
        withheld=question.withheld,
        limit=MOST_ROWS,
    )
    if question.from_us is not None or question.to_us is not None:
        return whole
    lasts = [last for _, last in data_spans(connection, [machine.machine_id for machine in site.machines])]
    last_us = to_us(min(now, max(lasts, default=now))) - 1
    period = next((one for one in site.periods if one.from_us <= last_us < one.to_us), None)
    if period is None:
        return whole
    return replace(whole, from_us=period.from_us, to_us=period.to_us, period=period.name)
