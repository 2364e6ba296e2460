"""Prices, tariffs, wages and machine rates against the standard: two columns of a price list, no statistics.

A price holds while its actual equals its standard. Where they differ the difference is known, not estimated:
it is `broken` where it is material, else `watch`, since the first of the days in a row of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from psycopg import Connection

from cloud_api.answers.facts import machines_at
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question, told
from cloud_api.answers.shapes.assumptions import AssumptionRow
from cloud_api.interpret.drift import Stake, material
from cloud_api.interpret.money import shown
from cloud_api.interpret.rounding import measured
from cloud_api.interpret.standards import Pair
from cloud_api.store.statements import statement
from shared.units import DAY_US

if TYPE_CHECKING:
    from cloud_api.answers.assumptions import Frame

Look = Callable[[dt.date], Pair | None]


def prices(
    connection: Connection[Any], question: Question, site: Site, frame: Frame
) -> Iterator[AssumptionRow]:
    """The prices that what the machines used was priced at."""
    book = site.book
    assert book is not None
    if question.names("product") is not None:
        return
    machines = {one.machine_id: one for one in machines_at(question, site)}
    parameters = {
        "site": site.name,
        "machines": list(machines),
        "first_day": frame.recent_from,
        "end_day": frame.end,
    }
    used: dict[tuple[str, str | None], list[float]] = defaultdict(lambda: [0.0, 0.0])
    looks: dict[tuple[str, str | None], tuple[str | None, str, Look]] = {}
    for machine_id, resource, item, amount, quantity in connection.execute(
        statement("assumptions.priced"), parameters
    ):
        machine = machines[machine_id]
        if resource in question.withheld:
            continue
        key, machine_name, unit, look = _look(site, machine.name, machine.line, resource, item)
        looks[key] = (machine_name, unit, look)
        used[key][0] += amount
        used[key][1] += quantity
    for key, (machine_name, unit, look) in sorted(looks.items(), key=lambda pair: str(pair[0])):
        row = _row(site, frame, key, machine_name, unit, look, *used[key])
        if row is not None:
            yield row


def _look(
    site: Site, machine: str, line: str | None, resource: str, item: str | None
) -> tuple[tuple[str, str | None], str | None, str, Look]:
    """The assumption behind a resource: kind and item, its machine, its unit, and its price on a date."""
    book = site.book
    assert book is not None
    currency = site.currency or ""
    if resource == "machine":
        return ("rate", machine), machine, f"{currency} per h", lambda date: book.rate(machine, date, "post")
    if resource == "labour":
        return (
            ("wage", line),
            None,
            f"{currency} per person-hour",
            lambda date: book.wage(machine, None, date, "post"),
        )
    if resource == "energy":
        return ("tariff", None), None, f"{currency} per kWh", lambda date: book.tariff(date, "post")
    return ("price", item), None, f"{currency} per unit", lambda date: book.price(item or "", date, "post")


def _row(
    site: Site,
    frame: Frame,
    key: tuple[str, str | None],
    machine: str | None,
    unit: str,
    look: Look,
    amount: float,
    quantity: float,
) -> AssumptionRow | None:
    last = frame.end - dt.timedelta(days=1)
    pair, plant = look(last), site.plant
    if pair is None or plant is None:
        return None
    since = _since(look, frame, last) if pair.actual != pair.standard else None
    a_day = Decimal(repr(amount)) / frame.recent_days if since is not None else Decimal(0)
    days = Decimal(0)
    if since is not None:
        days = Decimal(max(0, frame.period_to_us - site.day_start_us(since))) / DAY_US
    stake = Stake(
        per_unit_day=Decimal(1),
        period_end_us=frame.period_to_us,
        standard_cost=Decimal(repr(quantity)) / frame.recent_days * pair.standard * frame.period_days,
        amount=plant.materiality_amount or Decimal(0),
        share=plant.materiality_share or Decimal(0),
    )
    kind, item = key
    parameters = {
        "from": told(site.day_start_us(since or frame.recent_from)) or "",
        "to": told(site.day_start_us(frame.end)) or "",
        "site": site.name,
        "cause": "price",
        **({"machine": machine} if machine else {}),
    }
    return AssumptionRow(
        id=f"{site.name}:{kind}:{item or ''}",
        site=site.name,
        assumption=kind,
        product=None,
        machine=machine,
        item=None if machine else item,
        status="holding" if since is None else "broken" if material(a_day * days, stake) else "watch",
        assumed=measured(pair.standard),
        observed=measured(pair.actual),
        unit=unit,
        since=since,
        cost_per_day=shown(a_day),
        projected=shown(a_day * days),
        observations=1,
        sigma=None,
        limit=None,
        proposed=None,
        history=[],
        evidence=f"/v1/segments?{urlencode(parameters)}",
    )


def _since(look: Look, frame: Frame, last: dt.date) -> dt.date:
    """The first of the days in a row, up to the last, on which actual and standard differ; the first day that
    is looked at where they did so all along."""
    day = last
    while day > frame.first:
        pair = look(day - dt.timedelta(days=1))
        if pair is None or pair.actual == pair.standard:
            break
        day -= dt.timedelta(days=1)
    return day
