"""One side of a bridge: what a window made, what it cost, and what that was worth at list price."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.cells import book_for
from cloud_api.answers.edges import edge_outputs
from cloud_api.answers.facts import machines_at, made
from cloud_api.answers.grouping import Key
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.places import Site
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.interpret.model import Output
from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.standards import Book, in_force
from cloud_api.interpret.variance import machines_counted

ZERO = Decimal(0)
GRAIN = ("site", "line", "machine", "product", "resource", "cause")
"""What tells one cost of a side from another, before the groups that a question asks for."""

REVENUE = ("revenue", "list_price")
"""Resource and cause under which output stands at list price, as a negative cost."""

UNUSED = frozenset({("machine", "idle"), ("machine", "waiting")})
"""Cells that no unit cost holds: unused capacity."""

Makes = tuple[str, str | None, str | None]
"""Site, line and product: what has units of its own. Units without a product count in the volume, and no cost
is theirs."""


@dataclass(slots=True)
class Side:
    """Good units where they count, by site, line and product; amounts by `by`; and the machines at which
    units were counted. `aside`: amounts by (machine, resource, cause) that the measure leaves out."""

    by: tuple[str, ...]
    units: dict[Makes, Decimal] = field(default_factory=dict)
    amounts: dict[Key, Decimal] = field(default_factory=dict)
    counted: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    aside: dict[tuple[str | None, str, str], Decimal] = field(default_factory=dict)

    @property
    def volume(self) -> Decimal:
        """All good units."""
        return sum(self.units.values(), ZERO)

    def by_cause(self) -> list[tuple[str, Decimal]]:
        """Amounts by cause, a cause more than once; what the measure leaves out is in it, revenue is not."""
        cause, resource = self.by.index("cause"), self.by.index("resource")
        booked = [(key[cause], amount) for key, amount in self.amounts.items() if key[resource] != REVENUE[0]]
        return [*booked, *((key[2], amount) for key, amount in self.aside.items())]

    def makes(self, key: Key) -> Makes | None:
        """Whose units a cost belongs to, None where it has no product."""
        return makes_of(self.by, key)


def makes_of(by: Sequence[str], key: Key) -> Makes | None:
    """Site, line and product of a key that holds them; None without a product."""
    said = dict(zip(by, key, strict=True))
    return None if said["product"] is None else (said["site"], said["line"], said["product"])


@exactly
def side_of(connection: Connection[Any], question: Question, measure: str) -> Side:
    """What the window of a question made and cost; with measure `margin`, revenue at list price too.

    Raises QuestionError where a margin lacks a list price."""
    by = tuple(dict.fromkeys((*GRAIN, *question.by)))
    side = Side(by)
    for key, sum_ in sums_of(connection, question.grouped(*by)).items():
        machine, resource, cause = key[2], key[4], key[5]
        if measure == "unit_cost" and (resource, cause) in UNUSED:
            kept = side.aside.get((machine, resource, cause), ZERO)
            side.aside[machine, resource, cause] = kept + sum_.amount
        else:
            side.amounts[key] = sum_.amount
    lacking: set[str] = set()
    for site, book, output in counted_units(connection, question):
        line = book.machines[output.machine].line
        place = (site.name, line, output.machine)
        side.counted[place] = side.counted.get(place, ZERO) + output.good
        makes = (site.name, line, output.made_product)
        side.units[makes] = side.units.get(makes, ZERO) + output.good
        if measure == "margin" and output.made_product is not None:
            _earn(side, site, output, makes, lacking)
    if lacking:
        message = f"needs a list price of {', '.join(sorted(lacking))}; give it in products.csv"
        raise QuestionError([Mistake("measure", message)])
    return side


def list_price(book: Book, product: str, output: Output) -> Decimal | None:
    """The list price in force on the date of an output, as last recorded."""
    rows = [row for row in book.plant.products if row.product == product]
    row = in_force(rows, output.effective, "post", lambda row: row.recorded_at.date())
    return None if row is None else row.sales_price


def counted_units(connection: Connection[Any], question: Question) -> Iterator[tuple[Site, Book, Output]]:
    """Output of each line at the last machine asked for that has a standard for the product, or the last."""
    for site in question.sites:
        for part in site.parts():
            if part.book is not None:
                yield from _counted_in(connection, question, site, part, part.book)


def _counted_in(
    connection: Connection[Any], question: Question, site: Site, part: Site, kept: Book
) -> Iterator[tuple[Site, Book, Output]]:
    """The same of the days of a site that one plant model prices."""
    machines = {machine.name: machine for machine in machines_at(question, part)}
    book = book_for(kept, question, machines)
    ends = line_ends(book)
    at_ends = replace(question, sites=(site,), wanted={**question.wanted, "machine": tuple(sorted(ends))})
    cut = (
        one
        for one in edge_outputs(connection, at_ends, site)
        if one.machine in machines and part.holds(one.production_day)
    )
    for output in (*made(connection, at_ends, part, book), *filter(_asked(question), cut)):
        if output.good and output.machine == _last(book, output):
            yield part, book, output


def line_ends(book: Book) -> set[str]:
    """Machines at which output of their line may count: the last, and each with a standard for a product
    that no later machine has as early."""
    since: dict[tuple[str, str], dt.date] = {}
    for (machine, product), rows in _by_cell(book).items():
        first = min(row.recorded_at for row in rows)
        since[machine, product] = min(row.effective_from for row in rows if row.recorded_at == first)
    ends = set()
    for line in book.plant.lines:
        names = [machine.id for machine in line.machines]
        ends |= set(names[-1:])
        for at, name in enumerate(names):
            for product in {product for machine, product in since if machine == name}:
                later = [since[one, product] for one in names[at + 1 :] if (one, product) in since]
                if not later or min(later) > since[name, product]:
                    ends.add(name)
    return ends


def _by_cell(book: Book) -> dict[tuple[str, str], list[Standard]]:
    rows: dict[tuple[str, str], list[Standard]] = defaultdict(list)
    for row in book.plant.standards:
        rows[row.machine, row.product].append(row)
    return rows


def _last(book: Book, output: Output) -> str:
    line = book.machines[output.machine].line
    row = machines_counted(book, line, output.made_product, output)
    return row[-1] if row else book.lines[line].machines[-1].id


def _asked(question: Question) -> Any:
    """Whether the units of an output pass the filters."""

    def asked(output: Output) -> bool:
        said = {"product": output.made_product, "order": output.made_order, "shift": output.shift}
        return all((named := question.names(name)) is None or value in named for name, value in said.items())

    return asked


def _earn(side: Side, site: Site, output: Output, makes: Makes, lacking: set[str]) -> None:
    assert site.book is not None
    product = str(makes[2])
    price = list_price(site.book, product, output)
    if price is None:
        lacking.add(product)
        return
    key = revenue_key(side.by, makes, output.machine, {"order": output.made_order, "shift": output.shift})
    side.amounts[key] = side.amounts.get(key, ZERO) - output.good * price


def revenue_key(by: Sequence[str], makes: Makes, machine: str | None, said: Mapping[str, Any]) -> Key:
    """The key of an amount at list price."""
    site, line, product = makes
    known: dict[str, Any] = defaultdict(lambda: None, said)
    known.update(site=site, line=line, machine=machine, product=product)
    known["resource"], known["cause"] = REVENUE
    return tuple(known[name] for name in by)
