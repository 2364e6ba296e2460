"""Sums of the ledger's entries by any group: stored hours by SQL, cut hours priced anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct
from psycopg import Connection

from cloud_api.answers.edges import edge_entries
from cloud_api.answers.grouping import Grain, Key, filters, key_by, needs
from cloud_api.answers.memory import remembered
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.posting import read_ledger
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.answers.window import days_at, window_at
from cloud_api.interpret.ledger import price
from cloud_api.interpret.model import Entry, Segment
from cloud_api.interpret.money import CONTEXT
from cloud_api.interpret.standards import Book
from cloud_api.store.times import hour_at

MOST_GROUPS = 300_000
"""Groups that one answer holds; a question for more is refused."""

PARTS = frozenset({"shift", "reason"})
"""Groups and filters that the plain sums by production day do not tell apart."""


class Sum(Struct, frozen=True, gc=False):
    """Amount, and quantity with its unit; `mixed` where rows of more than one unit, or of none, are in it."""

    amount: Decimal
    quantity: Decimal
    unit: str | None
    mixed: bool

    def plus(self, other: Sum) -> Sum:
        """Both together."""
        return Sum(
            CONTEXT.add(self.amount, other.amount),
            CONTEXT.add(self.quantity, other.quantity),
            self.unit,
            self.mixed or other.mixed or self.unit != other.unit,
        )


@remembered
def sums_of(connection: Connection[Any], question: Question) -> Mapping[Key, Sum]:
    """Sums by group, exact."""
    sums: dict[Key, Sum] = {}
    key_of = key_by(question.by)
    for site in question.sites:
        for grain, sum_ in (*_stored(connection, question, site), *_cut(connection, question, site)):
            key = key_of(grain)
            sums[key] = sums[key].plus(sum_) if key in sums else sum_
            if len(sums) > MOST_GROUPS:
                raise too_many()
    return sums


def too_many() -> QuestionError:
    """What is said of a question for more groups than an answer holds."""
    message = f"gives more than {MOST_GROUPS:,} groups; ask for a shorter window or fewer of them"
    return QuestionError([Mistake("by", message)])


def unexplained_of(amounts: Iterable[tuple[str | None, Decimal]]) -> tuple[Decimal, Decimal]:
    """Amount of cause unexplained, and total, of amounts by cause."""
    unexplained = total = Decimal(0)
    for cause, amount in amounts:
        total += amount
        if cause == "unexplained":
            unexplained += amount
    return unexplained, total


def _stored(connection: Connection[Any], question: Question, site: Site) -> Iterator[tuple[Grain, Sum]]:
    """Sums of stored rows: by production day where that tells enough, else by hour."""
    days = days_at(site, question.from_us, question.to_us)
    if days is None or "hour" in question.by:
        return _by_hour(connection, question, site)
    if PARTS & {*question.by, *question.wanted}:
        return _by_part(connection, question, site, *days)
    return _by_day(connection, question, site, *days)


def _by_day(
    connection: Connection[Any],
    question: Question,
    site: Site,
    first_day: dt.date | None,
    end_day: dt.date | None,
) -> Iterator[tuple[Grain, Sum]]:
    machines = {machine.machine_id: machine for machine in question.machines if machine.site == site.name}
    parameters = {
        "site": site.name,
        "machines": list(machines),
        "first_day": first_day,
        "end_day": end_day,
        **filters(question),
        **needs(question.by),
    }
    for row in read_ledger(connection, "answers.costs_by_day", parameters, site.has_closed):
        machine_id, product, order, resource, cause, day, unit, amount, quantity = row
        grain = Grain(
            site,
            machines.get(machine_id),
            product=product,
            order=order,
            resource=resource,
            cause=cause,
            day=day,
        )
        yield grain, Sum(amount, quantity or Decimal(0), unit, unit is None)


def _by_part(
    connection: Connection[Any],
    question: Question,
    site: Site,
    first_day: dt.date | None,
    end_day: dt.date | None,
) -> Iterator[tuple[Grain, Sum]]:
    span = {"first_day": first_day, "end_day": end_day}
    return _parts(connection, "answers.costs_by_part", question, site, span)


def _by_hour(connection: Connection[Any], question: Question, site: Site) -> Iterator[tuple[Grain, Sum]]:
    window = window_at(site, question.from_us, question.to_us)
    span = {
        "first_hour": window.first_hour,
        "end_hour": window.end_hour,
        "first_day": window.first_day,
        "end_day": window.end_day,
    }
    return _parts(connection, "answers.costs", question, site, span)


def _parts(
    connection: Connection[Any], name: str, question: Question, site: Site, span: Mapping[str, Any]
) -> Iterator[tuple[Grain, Sum]]:
    machines = {machine.machine_id: machine for machine in question.machines if machine.site == site.name}
    parameters = {
        "site": site.name,
        "machines": list(machines),
        **span,
        **filters(question),
        **needs(question.by),
    }
    for row in read_ledger(connection, name, parameters, site.has_closed):
        machine_id, *said = row[:9]
        amount, quantity, unit, last_unit, unitless = row[9:]
        mixed = unit != last_unit or unitless
        yield Grain(site, machines.get(machine_id), *said), Sum(amount, quantity or Decimal(0), unit, mixed)


def _cut(connection: Connection[Any], question: Question, site: Site) -> Iterator[tuple[Grain, Sum]]:
    """Entries of the hours that the window cuts, as far as they lie inside it."""
    machines = {machine.name: machine for machine in question.machines if machine.site == site.name}
    for entry in wanted(edge_entries(connection, question, site), question):
        yield (
            grain_of(site, machines, entry),
            Sum(entry.amount, entry.quantity or Decimal(0), entry.unit, entry.unit is None),
        )


def wanted(entries: Iterable[Entry], question: Question) -> Iterator[Entry]:
    """The entries that the filters of a question let through."""
    names = ("product", "order", "shift", "reason", "resource", "cause")
    asked = [(name, named) for name in names if (named := question.names(name)) is not None]
    for entry in entries:
        if entry.resource in question.withheld or (
            entry.machine is None and not question.has_charges_of_sites
        ):
            continue
        if not asked or all(getattr(entry, name) in named for name, named in asked):
            yield entry


@remembered
def entries_of(connection: Connection[Any], book: Book, segment: Segment) -> Sequence[Entry]:
    """The entries of a stored segment."""
    return price([segment], segment.machine, book.at(segment.production_day))


def grain_of(site: Site, machines: Mapping[str, Machine], entry: Entry) -> Grain:
    """What an entry says of itself."""
    return Grain(
        site,
        machines.get(entry.machine) if entry.machine is not None else None,
        entry.product,
        entry.order,
        entry.shift,
        entry.resource,
        entry.cause,
        entry.reason,
        hour_at(entry.hour_us),
        entry.production_day,
    )
