"""Key figures of ISO 22400-2 by any group, from the scheduled time of machines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from psycopg import Connection

from cloud_api.answers.edges import edge_outputs
from cloud_api.answers.envelope import envelope
from cloud_api.answers.facts import changes, machines_at
from cloud_api.answers.grouping import Grain, Key, addresses, filters, key_of, needs, ordered
from cloud_api.answers.paging import one_page
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.posting import read_ledger
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.kpis import KpiAnswer, KpiFigures, KpiRow
from cloud_api.answers.window import window_at
from cloud_api.interpret.kpis import IdealCycle, KpiFacts, kpi_facts
from cloud_api.interpret.kpis import kpis as ratios
from cloud_api.interpret.model import Output
from cloud_api.interpret.rounding import measured
from cloud_api.interpret.standards import Book
from cloud_api.store.times import from_us, to_us
from shared.units import hours_in

ZERO = Decimal(0)

BY = ("site", "line", "machine", "product", "order", "shift", "hour", "day", "week", "period")
"""What key figures are grouped by; resources, causes and reasons have none."""


def kpis(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> KpiAnswer:
    """Key figures by the groups asked for; the total is of all of them together."""
    facts = facts_by(connection, question)
    keys = ordered(list(facts))
    page, cursor = one_page(keys, question)
    address = addresses(question, question.by)
    rows = [
        KpiRow(
            **dict(zip(question.by, key, strict=True)),
            **figures(facts[key]),
            segments=address(key),
        )
        for key in page
    ]
    whole = KpiFacts()
    for each in facts.values():
        whole += each
    return KpiAnswer(
        **envelope(connection, question, now),
        next_cursor=cursor,
        total=KpiFigures(**figures(whole)),
        rows=rows,
    )


def facts_by(connection: Connection[Any], question: Question) -> dict[Key, KpiFacts]:
    """The additive facts of each group of `by`."""
    found: dict[Key, KpiFacts] = {}
    for site in question.sites:
        for part in site.parts():
            if part.book is None:
                continue
            groups: dict[Key, list[Output]] = defaultdict(list)
            for grain, output in _scheduled(connection, question, site, part, part.book):
                groups[key_of(grain, question.by)].append(output)
            for key, outputs in groups.items():
                found[key] = found.get(key, KpiFacts()) + kpi_facts(outputs, ideal_cycle(part.book))
    return found


def ideal_cycle(book: Book) -> IdealCycle:
    """Seconds per unit by the standard that was known on the day."""

    def seconds(output: Output) -> Decimal | None:
        row = book.standard(output.machine, output.made_product, output.effective, "ante")
        return None if row is None else row.ideal_cycle_s

    return seconds


def figures(facts: KpiFacts) -> dict[str, Any]:
    """Ratios, hours and counts as answers show them, with 6 decimals."""
    said = ratios(facts)
    shown = {name: measured(getattr(said, name)) for name in said.__struct_fields__}
    return shown | {
        "performance": shown["effectiveness"],
        "quality": shown["quality_ratio"],
        "planned_busy_h": _hours(facts.planned_busy_us),
        "production_h": _hours(facts.production_us),
        "setup_h": _hours(facts.setup_us),
        "delay_h": _hours(facts.delay_us),
        "produced": measured(facts.good + facts.scrap + facts.rework),
        "good": measured(facts.good),
        "scrap": measured(facts.scrap),
        "rework": measured(facts.rework),
        "no_standard": measured(facts.no_standard),
    }


def _hours(us: int) -> Decimal | None:
    return measured(hours_in(us))


def _scheduled(
    connection: Connection[Any], question: Question, site: Site, part: Site, book: Book
) -> Iterator[tuple[Grain, Output]]:
    """Scheduled outputs of a part of a site: time under the product that took it, units under the one that
    they are of."""
    machines = {machine.name: machine for machine in machines_at(question, part)}
    cut = edge_outputs(connection, question, site)
    for output in (
        *_stored(connection, question, part, book, machines),
        *(output for output in cut if part.holds(output.production_day)),
    ):
        if output.calendar != "scheduled" or output.machine not in machines:
            continue
        for one in _parts(output):
            said = {"product": one.product, "order": one.order, "shift": one.shift}
            if all((named := question.names(name)) is None or said[name] in named for name in said):
                yield _grain(site, machines[one.machine], one), one


def _parts(output: Output) -> Iterator[Output]:
    """The output, or its time and its units apart where they are of different products or orders."""
    if (output.product, output.order) == (output.made_product, output.made_order):
        yield output
        return
    yield replace(output, good=ZERO, scrap=ZERO, rework=ZERO)
    if output.good or output.scrap or output.rework:
        yield replace(output, duration_us=0, product=output.made_product, order=output.made_order)


def _grain(site: Site, machine: Machine, output: Output) -> Grain:
    return Grain(
        site,
        machine,
        product=output.product,
        order=output.order,
        shift=output.shift,
        hour=from_us(output.hour_us),
        day=output.production_day,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the statement `products.kpi_facts`."""

    machine_id: int
    epoch: int
    first: date
    state: str
    product: str | None
    order: str | None
    made_product: str | None
    made_order: str | None
    shift: str | None
    hour: datetime | None
    day: date | None
    crew: Decimal
    duration_us: int
    good: Decimal
    scrap: Decimal
    rework: Decimal


def _stored(
    connection: Connection[Any], question: Question, site: Site, book: Book, machines: dict[str, Machine]
) -> Iterator[Output]:
    names = {machine.machine_id: name for name, machine in machines.items()}
    dates = changes(book)
    span = window_at(site, question.from_us, question.to_us)
    asked = needs(question.by)
    parameters = {
        "site": site.name,
        "machines": list(names),
        "changes": dates,
        **span.bounds(),
        "days": site.days_told,
        **filters(question),
        **asked,
        "by_order": asked["by_order"] or question.names("order") is not None,
    }
    for values in read_ledger(connection, "products.kpi_facts", parameters, site.has_closed):
        row = _Row(*values)
        effective = dates[row.epoch - 1] if row.epoch else row.first
        yield Output(
            machine=names[row.machine_id],
            hour_us=0 if row.hour is None else to_us(row.hour),
            production_day=effective if row.day is None else row.day,
            effective=effective,
            state=row.state,
            product=row.product,
            order=row.order,
            made_product=row.made_product,
            made_order=row.made_order,
            reason=None,
            shift=row.shift,
            calendar="scheduled",
            overtime=False,
            paid=False,
            crew=row.crew,
            duration_us=row.duration_us,
            good=row.good,
            scrap=row.scrap,
            rework=row.rework,
            standard_version=None,
            calendar_version=0,
        )
