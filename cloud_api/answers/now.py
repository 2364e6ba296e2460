"""The present: what each machine is in, since when, and how far its order is against the plan."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.question import Question
from cloud_api.answers.questions import LANG, Now, states
from cloud_api.answers.questions_words import state_word
from cloud_api.answers.shapes.now import NowAnswer, NowRow
from cloud_api.interpret.plant import Order
from cloud_api.store.statements import statement

OPTIONS = (LANG,)
STALE = timedelta(minutes=10)
UNIT = Decimal(1)


def present(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> NowAnswer:
    """The machines asked for, at this moment. No amounts are in it."""
    lang = question.options.get("lang", "en")
    found = states(connection, question.machines, now)
    since = _since(connection, found, now)
    good = _good(connection, found.values(), now)
    plans = {
        (site.name, order.order): order
        for site in question.sites
        if site.plant is not None
        for order in site.plant.orders
    }
    rows = [
        _row(one, since.get(key), good, plans.get((one.machine.site, one.order or "")), now, lang)
        for key, one in found.items()
    ]
    order = {machine.machine_id: place for place, machine in enumerate(question.machines)}
    names = {machine.name: order[machine.machine_id] for machine in question.machines}
    return NowAnswer(at=now, rows=sorted(rows, key=lambda row: names[row.machine]))


def _row(
    one: Now,
    since: datetime | None,
    good: dict[tuple[int, str], Decimal],
    plan: Order | None,
    now: datetime,
    lang: str,
) -> NowRow:
    due = None
    if plan is not None:
        length = (plan.planned_end - plan.planned_start) or timedelta(microseconds=1)
        over = Decimal((now - plan.planned_start) / length)
        due = (plan.quantity * max(Decimal(0), min(UNIT, over))).quantize(UNIT)
    made = None if one.order is None else good.get((one.machine.machine_id, one.order), Decimal(0))
    return NowRow(
        site=one.machine.site,
        line=one.machine.line,
        machine=one.machine.name,
        state=one.state,
        word=state_word(one.state, lang),
        since=since,
        through=one.to,
        stale=one.to < now - STALE,
        reason=one.reason,
        product=one.product,
        order=one.order,
        good=made,
        planned=None if plan is None else plan.quantity,
        due=due,
    )


def _since(connection: Connection[Any], found: dict[int, Now], now: datetime) -> dict[int, datetime]:
    parameters = {
        "machines": list(found),
        "states": [one.state for one in found.values()],
        "now": now,
    }
    return {
        machine: since
        for machine, since in connection.execute(statement("context.since"), parameters)
        if since is not None
    }


def _good(connection: Connection[Any], found: Iterable[Now], now: datetime) -> dict[tuple[int, str], Decimal]:
    running = [one for one in found if one.order is not None]
    parameters = {
        "machines": [one.machine.machine_id for one in running],
        "orders": [one.order for one in running],
        "now": now,
    }
    return {
        (machine, order): good
        for machine, order, good in connection.execute(statement("context.good"), parameters)
    }
