"""The month of the floor against the month of the ERP, as a walk with a named remainder."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.edges import edge_outputs
from cloud_api.answers.envelope import envelope
from cloud_api.answers.facts import made
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.options import Option
from cloud_api.answers.places import Site
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.answers.shapes import reconciliation as shapes
from cloud_api.interpret.allowance import Allowances
from cloud_api.interpret.dispositions import held
from cloud_api.interpret.model import Output
from cloud_api.interpret.money import exactly, parts_of, shown
from cloud_api.interpret.reconciliation import UNEXPLAINED, Pair, Side, Step, walk
from cloud_api.interpret.rounding import measured
from cloud_api.interpret.variance import machines_counted

ZERO = Decimal(0)
OPTIONS = (
    Option(
        "month", "The month, as actuals.csv has it. Absent: the last one there.", "month", example="2026-03"
    ),
)


@exactly
def reconciliation(
    connection: Connection[Any], question: Question, sees_money: bool, now: dt.datetime
) -> shapes.Reconciliation:
    """The walk from the floor's cost of a month to the ERP's. Raises QuestionError where no month is told."""
    month = _month(question)
    pairs: list[tuple[Site, Pair]] = []
    lacking: list[shapes.NotConfirmed] = []
    holding: list[shapes.HeldUnits] = []
    asked = question
    for site in question.sites:
        if site.book is None:
            continue
        asked = _in_month(question, site, month)
        pairs += [(site, pair) for pair in _pairs(connection, asked, site, month)]
        lacking += _not_confirmed(connection, asked, site)
        holding += _held(site, now)
    steps = [(site, step) for site, pair in pairs for step in walk([pair])]
    floor = sum((pair.floor.amount for _, pair in pairs if pair.floor), ZERO)
    erp = sum((pair.erp.amount for _, pair in pairs if pair.erp), ZERO)
    amounts = parts_of(shown(erp) - shown(floor), [step.amount for _, step in steps]) if steps else []
    told = [_step(site, step, amount) for (site, step), amount in zip(steps, amounts, strict=True)]
    rest = [step for step in told if step.item == UNEXPLAINED]
    return shapes.Reconciliation(
        **envelope(connection, asked, now),
        next_cursor=None,
        month=f"{month:%Y-%m}",
        floor=shown(floor),
        erp=shown(erp),
        walk=[step for step in told if step.item != UNEXPLAINED],
        remainder=sum((step.amount for step in rest), shown(ZERO)),
        remainder_of=rest,
        counts_not_confirmed=lacking,
        on_hold=holding,
        rows=[_row(site, pair) for site, pair in pairs],
    )


def _month(question: Question) -> dt.date:
    """The first day of the month asked for."""
    named = question.options.get("month")
    if named is not None:
        return dt.date.fromisoformat(f"{named}-01")
    months = [row.month for site in question.sites if site.plant for row in site.plant.actuals]
    if not months:
        raise QuestionError(
            [Mistake("month", "is missing, and no actuals.csv is loaded; write month=2026-03")]
        )
    return max(months)


def _in_month(question: Question, site: Site, month: dt.date) -> Question:
    """The question about one site and the production days of a month, whole machines and all resources."""
    end = (month + dt.timedelta(days=31)).replace(day=1)
    return replace(
        question,
        sites=(site,),
        from_us=site.day_start_us(month),
        to_us=site.day_start_us(end),
        wanted={},
    )


def _pairs(connection: Connection[Any], question: Question, site: Site, month: dt.date) -> Iterator[Pair]:
    assert site.plant is not None
    centres = {machine.id: machine.cost_centre for line in site.plant.lines for machine in line.machines}
    floor: dict[tuple[str | None, str], Side] = {}
    for (machine, resource), sum_ in sums_of(connection, question.grouped("machine", "resource")).items():
        name = (centres.get(machine), resource)
        before = floor.get(name, Side(amount=ZERO, hours=ZERO))
        hours = sum_.quantity if resource in ("machine", "labour") else ZERO
        floor[name] = Side(amount=before.amount + sum_.amount, hours=(before.hours or ZERO) + hours)
    erp: dict[tuple[str | None, str], Side] = {
        (row.cost_centre, row.resource): Side(amount=row.amount, hours=row.hours)
        for row in site.plant.actuals
        if row.month == month
    }
    for name in sorted({*floor, *erp}, key=lambda name: (name[0] is None, name[0] or "", name[1])):
        centre, resource = name
        yield Pair(
            cost_centre=centre,
            resource=resource,
            floor=floor.get(name),
            erp=erp.get(name),
            on_floor=centre in centres.values(),
        )


def _not_confirmed(connection: Connection[Any], question: Question, site: Site) -> list[shapes.NotConfirmed]:
    """Orders of which the ERP confirmed some units in the window, where the floor counted others."""
    assert site.plant is not None
    begin, end = question.from_us or 0, question.to_us or 0
    confirmed: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in site.plant.confirmations:
        if begin <= int(row.time.timestamp() * 1_000_000) < end:
            confirmed[row.order, row.machine] += row.good
    good, value, products = _floor_good(connection, question, site)
    found = []
    for order, machine in sorted(confirmed):
        floor, said = good.get((order, machine), ZERO), confirmed[order, machine]
        if floor == said:
            continue
        each = value[order, machine] / floor if floor else None
        found.append(
            shapes.NotConfirmed(
                site=site.name,
                order=order,
                machine=machine,
                product=products.get((order, machine)),
                floor_good=measured(floor),
                confirmed_good=measured(said),
                amount=None if each is None else shown((floor - said) * each),
            )
        )
    return found


Named = dict[tuple[str, str], Decimal]


def _floor_good(
    connection: Connection[Any], question: Question, site: Site
) -> tuple[Named, Named, dict[tuple[str, str], str | None]]:
    """Good units of the window by order and machine, their standard cost through the machine, and a product
    of each."""
    good: Named = defaultdict(Decimal)
    value: Named = defaultdict(Decimal)
    products: dict[tuple[str, str], str | None] = {}
    for part in site.parts():
        if part.book is None:
            continue
        costs = Allowances(part.book)
        cut = [one for one in edge_outputs(connection, question, site) if part.holds(one.production_day)]
        for output in (*made(connection, question.grouped("order"), part, part.book), *cut):
            if output.made_order is None:
                continue
            name = (output.made_order, output.machine)
            each = _through(costs, output)
            good[name] += output.good
            value[name] += output.good * each
            products[name] = output.made_product
    return good, value, products


def _through(costs: Allowances, output: Output) -> Decimal:
    """Standard cost of a unit of an output through its machine: that of its line up to there."""
    line = costs.book.machines[output.machine].line
    row = machines_counted(costs.book, line, output.made_product, output)
    through = row[: row.index(output.machine) + 1] if output.machine in row else ()
    said = (output.made_product, output.shift, output.effective)
    return sum((costs.unit_cost(machine, *said) for machine in through), ZERO)


def _held(site: Site, now: dt.datetime) -> list[shapes.HeldUnits]:
    assert site.book is not None
    today = site.book.effective(int(now.timestamp() * 1_000_000))
    costs = Allowances(site.book)
    events = site.book.plant.quality
    each = {
        (event.machine, event.product): costs.unit_cost(event.machine, event.product, None, today)
        for event in events
    }
    return [
        shapes.HeldUnits(
            site=site.name,
            machine=one.machine,
            product=one.product,
            order=one.order,
            units=one.units,
            since=one.since,
            age_h=(Decimal((now - one.since) // dt.timedelta(minutes=1)) / 60).quantize(Decimal("0.01")),
            value=None if one.value is None else shown(one.value),
        )
        for one in held(events, each)
    ]


def _step(site: Site, step: Step, amount: Decimal) -> shapes.Step:
    return shapes.Step(
        item=step.item,
        site=site.name,
        cost_centre=step.cost_centre,
        resource=step.resource,
        amount=amount,
        owner=step.owner,
    )


def _row(site: Site, pair: Pair) -> shapes.ReconciliationRow:
    floor, erp = _told(pair.floor), _told(pair.erp)
    return shapes.ReconciliationRow(
        site=site.name,
        cost_centre=pair.cost_centre,
        resource=pair.resource,
        floor=floor,
        floor_hours=_hours(pair.floor, pair.resource),
        erp=erp,
        erp_hours=_hours(pair.erp, pair.resource),
        difference=(erp or shown(ZERO)) - (floor or shown(ZERO)),
    )


def _told(side: Side | None) -> Decimal | None:
    return None if side is None else shown(side.amount)


def _hours(side: Side | None, resource: str) -> Decimal | None:
    if side is None or side.hours is None or resource not in ("machine", "labour"):
        return None
    return measured(side.hours)
