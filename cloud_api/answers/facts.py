"""Stored facts of the machines as the interpretation takes them: what was made, what is cut anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.grouping import filters, needs
from cloud_api.answers.memory import remembered
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.posting import read_ledger
from cloud_api.answers.question import Question
from cloud_api.answers.window import days_at, window_at
from cloud_api.interpret.model import Output
from cloud_api.interpret.plant import Dated, Plant
from cloud_api.interpret.standards import Book, is_unchanged
from cloud_api.store.rows import facts_of
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us

ZERO = Decimal(0)


def machines_at(question: Question, site: Site) -> list[Machine]:
    """Machines of a site that a question reads and the plant model knows."""
    known = site.book.machines if site.book is not None else {}
    return [machine for machine in question.machines if machine.site == site.name and machine.name in known]


@remembered
def made(connection: Connection[Any], question: Question, site: Site, book: Book) -> Sequence[Output]:
    """Good and scrap units, as outputs that say no more than that: for allowances and the cells of a line."""
    machines = {machine.machine_id: machine.name for machine in machines_at(question, site)}
    dates = changes(book)
    rows = _rows(connection, "outputs_made", question, site, machines, changes=dates)
    return [_made(machines, dates, row) for row in rows]


def _made(machines: Mapping[int, str], dates: Sequence[dt.date], row: tuple[Any, ...]) -> Output:
    machine_id, epoch, first, product, order, shift, hour, day, good, scrap = row
    effective = dates[epoch - 1] if epoch else first
    return Output(
        machine=machines[machine_id],
        hour_us=0 if hour is None else to_us(hour),
        production_day=effective if day is None else day,
        effective=effective,
        state="running",
        product=product,
        order=order,
        made_product=product,
        made_order=order,
        reason=None,
        shift=shift,
        calendar="scheduled",
        overtime=False,
        paid=False,
        crew=ZERO,
        duration_us=0,
        good=good,
        scrap=scrap,
        standard_version=None,
        calendar_version=0,
    )


@remembered
def timed(connection: Connection[Any], question: Question, site: Site, book: Book) -> Sequence[Output]:
    """Outputs as stored: those in which a changeover began, and all that a later standard cuts anew."""
    machines = {machine.machine_id: machine.name for machine in machines_at(question, site)}
    anew = _anew(connection, question, site, book, machines)
    pairs = {
        "changes": changes(book),
        "anew_machines": [machine for machine, _ in anew],
        "anew_epochs": [epoch for _, epoch in anew],
    }
    rows = [
        row
        for what in ("outputs_changing", "outputs_timed")
        if anew or what == "outputs_changing"
        for row in _rows(connection, what, question, site, machines, **pairs)
    ]
    return [_output(machines[row[0]], row) for row in rows]


def changes(book: Book) -> list[dt.date]:
    """Dates at which a row of the plant model may come into force, or be known; none between them."""
    dates = set()
    for row in (*_dated(book.plant), *book.plant.products):
        dates.add(row.effective_from)
        dates.add(row.recorded_at.astimezone(book.almanac.zone).date())
    return sorted(dates) or [dt.date(1970, 1, 1)]


def _anew(
    connection: Connection[Any], question: Question, site: Site, book: Book, machines: dict[int, str]
) -> list[tuple[int, int]]:
    """Machines and epochs in which a later recording changes something."""
    if not _recorded_more_than_once(book.plant):
        return []
    found: set[tuple[int, int]] = set()
    metered = _metered(connection, book, machines)
    for row in _rows(connection, "outputs_epochs", question, site, machines, changes=changes(book)):
        machine_id, epoch, date, product, made_product, shift = row
        used = metered.get(machine_id, ())
        if not is_unchanged(book, machines[machine_id], (product, made_product), shift, date, used):
            found.add((machine_id, epoch))
    return sorted(found)


def _metered(connection: Connection[Any], book: Book, machines: dict[int, str]) -> dict[int, set[str]]:
    """Materials that machines have a counter of; one that names none counts what the bills name."""
    asked = {"machines": list(machines), "signals": None, "roles": ["material"]}
    found: dict[int, set[str]] = {}
    for _, machine_id, _, _, item, _ in connection.execute(statement("answers.series"), asked):
        name = machines[machine_id]
        billed = {row.material for row in book.plant.bill if row.machine == name}
        found.setdefault(machine_id, set()).update(billed if item is None else {item})
    return found


def _dated(plant: Plant) -> Iterator[Dated]:
    tables: Sequence[Sequence[Dated]] = (
        plant.labour,
        plant.energy,
        plant.standards,
        plant.bill,
        plant.prices,
        plant.changeovers,
        *(machine.rates for line in plant.lines for machine in line.machines),
    )
    for table in tables:
        yield from table


def _recorded_more_than_once(plant: Plant) -> bool:
    return len({row.recorded_at for row in _dated(plant)}) > 1


def _rows(
    connection: Connection[Any],
    what: str,
    question: Question,
    site: Site,
    machines: dict[int, str],
    **more: object,
) -> Iterable[tuple[Any, ...]]:
    """Rows of a statement over stored outputs; from the sums by production day where these tell enough."""
    span, days = window_at(site, question.from_us, question.to_us), None
    if what in _BY_DAY and "hour" not in question.by:
        days = days_at(site, question.from_us, question.to_us)
    parameters = {
        "site": site.name,
        "machines": list(machines),
        **span.bounds(days),
        "days": site.days_told,
        **filters(question),
        **needs(question.by),
        **more,
    }
    name = what if days is None else f"{what}_by_day"
    return list(read_ledger(connection, f"answers.{name}", parameters, site.has_closed))


_BY_DAY = frozenset({"outputs_made", "outputs_epochs"})


def _output(machine: str, row: tuple[Any, ...]) -> Output:
    _, hour, *facts = row
    return Output(
        machine=machine,
        hour_us=to_us(hour),
        standard_version=None,
        calendar_version=0,
        **facts_of(tuple(facts)),
    )
