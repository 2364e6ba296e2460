"""What a window made of each product, what that cost, and what standard and average say of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.cells import book_for
from cloud_api.answers.edges import edge_outputs
from cloud_api.answers.facts import machines_at, made
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question
from cloud_api.interpret.allowance import Allowances
from cloud_api.interpret.model import Output
from cloud_api.interpret.products import (
    CONVERSION,
    IDLE_LABOUR,
    UNUSED,
    averaged,
    list_price,
    standard_run_hours,
)
from cloud_api.interpret.standards import Book
from cloud_api.interpret.variance import machines_counted

ZERO = Decimal(0)
Place = tuple[str, str, str]
"""Site, line, machine."""


@dataclass(slots=True)
class Product:
    """One product of the window. `planned` is planned changeovers by machine, `changeover_cost` what
    changeovers cost there; `revenue` None where a list price is missing."""

    name: str
    good: Decimal = ZERO
    standard: Decimal = ZERO
    material: Decimal = ZERO
    conversion: Decimal | None = None
    cost: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    revenue: Decimal | None = ZERO
    planned: dict[Place, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    changeover_cost: dict[Place, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    known: bool = True

    @property
    def actual(self) -> Decimal:
        """All its entries except machine/waiting."""
        return sum(self.cost.values(), ZERO)

    @property
    def averaged(self) -> Decimal | None:
        """Standard material and its share of conversion cost; None without standard run hours."""
        return None if self.conversion is None else self.material + self.conversion


@dataclass(slots=True)
class Rest:
    """Cost in no product: by (site, machine, resource, cause), with hours where time was used."""

    unused: dict[tuple[Place, str], tuple[Decimal, Decimal]] = field(default_factory=dict)
    idle_labour: dict[tuple[Place, str], tuple[Decimal, Decimal]] = field(default_factory=dict)
    unassigned: dict[tuple[str | None, str, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )


@dataclass(slots=True)
class Sides:
    """All products of a window, and what is in none."""

    products: dict[str, Product] = field(default_factory=dict)
    rest: Rest = field(default_factory=Rest)
    counted: dict[Place, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def product(self, name: str) -> Product:
        """A product, made where it is new."""
        if name not in self.products:
            self.products[name] = Product(name)
        return self.products[name]


def sides_of(connection: Connection[Any], question: Question) -> Sides:
    """Products of the machines and the window of a question, exact in the context of money."""
    sides = Sides()
    conversion = _pay(connection, question, sides)
    hours: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for site in question.sites:
        for part in site.parts():
            if part.book is not None:
                _Site(connection, question, site, part, part.book, sides, hours).make()
    for name, share in averaged(conversion, hours).items():
        sides.product(name).conversion = share
    return sides


def _pay(connection: Connection[Any], question: Question, sides: Sides) -> dict[str, Decimal]:
    """Takes the entries up; gives the conversion cost of each line, as 'site line'."""
    conversion: dict[str, Decimal] = defaultdict(Decimal)
    by = ("site", "line", "machine", "product", "resource", "cause")
    for key, sum_ in sums_of(connection, question.grouped(*by)).items():
        site, line, machine, product, resource, cause = key
        place = (site, line, machine)
        if line is not None and resource in CONVERSION:
            conversion[line_of(site, line)] += sum_.amount
        if (resource, cause) in UNUSED:
            _capacity(sides.rest.unused, place, cause, sum_.quantity, sum_.amount)
        elif product is not None:
            sides.product(product).cost[cause] += sum_.amount
            if cause == "changeover":
                sides.product(product).changeover_cost[place] += sum_.amount
        elif (resource, cause) == IDLE_LABOUR:
            _capacity(sides.rest.idle_labour, place, cause, sum_.quantity, sum_.amount)
        else:
            sides.rest.unassigned[machine, resource, cause] += sum_.amount
    return conversion


def line_of(site: str, line: str) -> str:
    """A line of any site by one name."""
    return f"{site} {line}"


def _capacity(
    rows: dict[tuple[Place, str], tuple[Decimal, Decimal]],
    place: Place,
    cause: str,
    hours: Decimal,
    amount: Decimal,
) -> None:
    before = rows.get((place, cause), (ZERO, ZERO))
    rows[place, cause] = (before[0] + hours, before[1] + amount)


class _Site:
    """Takes up what one site made, as far as one plant model (`part`) prices it."""

    def __init__(
        self,
        connection: Connection[Any],
        question: Question,
        site: Site,
        part: Site,
        book: Book,
        sides: Sides,
        hours: dict[tuple[str, str], Decimal],
    ) -> None:
        self.connection, self.question, self.site, self.part = connection, question, site, part
        self.sides, self.hours = sides, hours
        self.machines = {machine.name: machine for machine in machines_at(question, site)}
        self.book = book_for(book, question, self.machines)
        self.allowances = Allowances(self.book)

    def make(self) -> None:
        for output in self._units():
            if output.made_product is None or not output.good:
                continue
            line = self.book.machines[output.machine].line
            product = self.sides.product(output.made_product)
            own = standard_run_hours(output, self.book)
            if own is not None:
                self.hours[line_of(self.site.name, line), output.made_product] += own
            self._plan(product, line, output)
            row = machines_counted(self.book, line, output.made_product, output)
            last = row[-1] if row else self.book.lines[line].machines[-1].id
            if output.machine == last:
                self._count(product, (self.site.name, line, last), row, output)

    def _units(self) -> Iterator[Output]:
        yield from made(self.connection, self.question, self.part, self.book)
        for output in edge_outputs(self.connection, self.question, self.site):
            if output.machine in self.machines and self.part.holds(output.production_day):
                yield output

    def _plan(self, product: Product, line: str, output: Output) -> None:
        standard = self.book.standard(output.machine, output.made_product, output.effective, "ante")
        if standard is not None and standard.lot_size:
            product.planned[self.site.name, line, output.machine] += output.good / standard.lot_size

    def _count(self, product: Product, place: Place, row: list[str], output: Output) -> None:
        """Output of a line, at the standards of its machines and at list price."""
        self.sides.counted[place] += output.good
        product.good += output.good
        for machine in row:
            cells = self.allowances.of(machine, output.made_product, output.shift, output.effective)
            product.standard += output.good * sum(cells.values(), ZERO)
            product.material += output.good * sum(
                (amount for (resource, _), amount in cells.items() if resource == "material"), ZERO
            )
        price = list_price(self.book, output.made_product, output.effective)
        if price is None or product.revenue is None:
            product.revenue = None
        else:
            product.revenue += output.good * price
