"""One side of a bridge: what a window made, what it cost, and what that was worth at list price."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.amounts import RESOURCE_OF_FACTOR, amounts_of, in_order, taken
from cloud_api.answers.cells import Cell, book_for
from cloud_api.answers.edges import edge_outputs
from cloud_api.answers.facts import machines_at, made
from cloud_api.answers.grouping import Key
from cloud_api.answers.places import Site
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.interpret.model import Output
from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.standards import Book, in_force
from cloud_api.interpret.variance import machines_counted

ZERO = Decimal(0)
OF_COST = ("site", "line", "product", RESOURCE_OF_FACTOR, "cause")
"""Whose units a cost belongs to, and its cell: what tells one cost of a side from another, before the groups
that a question asks for."""

GRAIN = (*OF_COST, "machine")
"""The same machine by machine, so that it is read once; but for orders, which are too many for that."""

REVENUE = ("revenue", "list_price")
"""Resource and cause under which output stands at list price, as a negative cost."""

UNUSED = frozenset({("machine", "idle"), ("machine", "waiting")})
"""Cells that no unit cost holds: unused capacity."""

Makes = tuple[str, str | None, str | None]
"""Site, line and product: what has units of its own. Units without a product count in the volume, and no cost
is theirs."""


Costs = dict[tuple[Makes | None, Cell], dict[Key, Decimal]]
"""Amounts by whose units they belong to (None: they have no product) and their cell, then by group."""


@dataclass(slots=True)
class Side:
    """Good units where they count, by site, line and product; costs by group of the question; and the
    machines at which units were counted. `aside`: amounts by (machine, resource, cause) that the measure
    leaves out."""

    units: dict[Makes, Decimal] = field(default_factory=dict)
    costs: Costs = field(default_factory=dict)
    counted: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    aside: dict[tuple[str | None, str, str], Decimal] = field(default_factory=dict)

    @property
    def volume(self) -> Decimal:
        """All good units."""
        return sum(self.units.values(), ZERO)

    def by_cause(self) -> list[tuple[str, Decimal]]:
        """Amounts by cause, a cause more than once; what the measure leaves out is in it, revenue is not."""
        booked = [
            (cell[1], amount)
            for (_, cell), groups in self.costs.items()
            if cell != REVENUE
            for amount in groups.values()
        ]
        return [*booked, *((key[2], amount) for key, amount in self.aside.items())]


def makes_of(by: Sequence[str], key: Key) -> Makes | None:
    """Site, line and product of a key that holds them; None without a product."""
    said = dict(zip(by, key, strict=True))
    return None if said["product"] is None else (said["site"], said["line"], said["product"])


@exactly
def side_of(connection: Connection[Any], question: Question, measure: str, beside: Question | None) -> Side:
    """What the window of a question made and cost; with measure `margin`, revenue at list price too, in the
    groups of the question. `beside`: the window at the other side; without one all costs stand in one group.

    Raises QuestionError where a margin lacks a list price."""
    side = Side()
    per_unit = measure == "unit_cost"
    asked = question.grouped() if beside is None else question
    for (makes, cell), groups in costs_of(connection, asked, asked.by, beside).items():
        if not (per_unit and cell in UNUSED):
            side.costs[makes, cell] = groups
    if per_unit:
        for (_, cell), places in costs_of(connection, asked, ("machine",), beside).items():
            if cell in UNUSED:
                for (machine,), amount in places.items():
                    kept = side.aside.get((machine, *cell), ZERO)
                    side.aside[machine, *cell] = kept + amount
    lacking: set[str] = set()
    counting = question if measure == "margin" else question.grouped()
    for site, book, output in counted_units(connection, counting):
        line = book.machines[output.machine].line
        counted_at = (site.name, line, output.machine)
        side.counted[counted_at] = side.counted.get(counted_at, ZERO) + output.good
        made_of = (site.name, line, output.made_product)
        side.units[made_of] = side.units.get(made_of, ZERO) + output.good
        if measure == "margin" and output.made_product is not None:
            _earn(side, question.by, site, output, made_of, lacking)
    if lacking:
        message = f"needs a list price of {', '.join(sorted(lacking))}; give it in products.csv"
        raise QuestionError([Mistake("measure", message)])
    return side


def costs_of(
    connection: Connection[Any], question: Question, groups: tuple[str, ...], beside: Question | None
) -> Costs:
    """Costs of a window. `groups`: those of the question, or site and machine, which stand in what is read
    for these anyway, but for orders."""
    grain = OF_COST if "order" in question.by and "machine" not in question.by else GRAIN
    wanted = (*grain, *question.by)
    if not set(groups) <= set(wanted):
        wanted = GRAIN
    if "resource" in wanted:
        wanted = tuple(name for name in wanted if name != RESOURCE_OF_FACTOR)
    by = in_order(wanted)
    group_of = taken(by, groups)
    parts: dict[Key, dict[Key, Decimal]] = defaultdict(dict)
    for key, amount in amounts_of(connection, question.grouped(*by), beside).items():
        own, group = parts[key[:5]], group_of(key)
        own[group] = own[group] + amount if group in own else amount
    costs: Costs = {}
    for key, own in parts.items():
        whole = costs.setdefault((None if key[2] is None else key[:3], key[3:5]), own)
        if whole is not own:
            for group, amount in own.items():
                whole[group] = whole.get(group, ZERO) + amount
    return costs


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


def _earn(side: Side, by: Sequence[str], site: Site, output: Output, makes: Makes, lacking: set[str]) -> None:
    assert site.book is not None
    product = str(makes[2])
    price = list_price(site.book, product, output)
    if price is None:
        lacking.add(product)
        return
    said = {"machine": output.machine, "order": output.made_order, "shift": output.shift}
    group = group_of(by, makes, REVENUE, said)
    earned = side.costs.setdefault((makes, REVENUE), {})
    earned[group] = earned.get(group, ZERO) - output.good * price


def group_of(by: Sequence[str], makes: Makes, cell: Cell, more: Mapping[str, Any]) -> Key:
    """The group of an amount of a product, as far as it says anything of it."""
    said = {**more, **dict(zip(("site", "line", "product"), makes, strict=True))}
    said["resource"], said["cause"] = cell
    return tuple(said.get(name) for name in by)
