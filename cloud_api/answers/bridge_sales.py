"""What sales add to a margin: their price against list, and what was sold from stock or made for it.

    sales_price = revenue - units sold x list price
    stock = units sold x (list price - standard unit cost) - units made x (list price - standard unit cost)

Production margin + both = revenue - units sold x standard unit cost - variances: the margin of the books,
stock at standard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from psycopg import Connection

from cloud_api.answers.bridge_factors import SALES_PRICE, STOCK, Factor
from cloud_api.answers.bridge_sides import REVENUE, Side
from cloud_api.answers.bridge_walks import Walk
from cloud_api.answers.cells import Sheet, book_for, sheet_of
from cloud_api.answers.facts import machines_at
from cloud_api.answers.grouping import Key
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question
from cloud_api.interpret.allowance import Allowances
from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import Sale
from cloud_api.interpret.standards import Book, in_force

ZERO = Decimal(0)
UNTOLD = ("line", "machine", "order", "shift")
"""Filters that sales cannot tell apart."""


@dataclass(slots=True)
class Sold:
    """Both effects by site and product."""

    price: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    stock: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))


def add_sales(
    connection: Connection[Any],
    walk: Walk,
    question: Question,
    end: Side,
    base: tuple[Question, Side] | None,
    sheet: Sheet | None,
) -> None:
    """Adds both bars to a margin where sales.csv tells of the window; between windows their change."""
    if not is_told(question):
        return
    after = sold_of(connection, question, end, sheet)
    before = Sold() if base is None else sold_of(connection, base[0], base[1], None)
    for factor, last, first in (
        (Factor(SALES_PRICE), after.price, before.price),
        (Factor(STOCK), after.stock, before.stock),
    ):
        for where in sorted({*last, *first}):
            at_end, at_start = Fraction(last.get(where, ZERO)), Fraction(first.get(where, ZERO))
            group = _group(walk.by, where)
            walk.add(factor, group, at_end - at_start, (where[0], None, where[1]))
            walk.stand(group, at_start, at_end)


def is_told(question: Question) -> bool:
    """Whether sales stand behind a margin: there are some, and the filters are those that a sale tells."""
    whole = all(question.names(name) is None for name in UNTOLD)
    return whole and any(site.plant is not None and site.plant.sales for site in question.sites)


@exactly
def sold_of(connection: Connection[Any], question: Question, side: Side, sheet: Sheet | None) -> Sold:
    """What sales of the window add, against what it made."""
    sold = Sold()
    if sheet is None or "product" not in sheet.by or "site" not in sheet.by:
        sheet = sheet_of(connection, question.grouped("site", "product"))
    for (key, _), variance in sheet.cells.items():
        said = dict(zip(sheet.by, key, strict=True))
        if said["product"] is not None:
            sold.stock[said["site"], said["product"]] += variance.allowance
    for (makes, cell), groups in side.costs.items():
        if cell == REVENUE and makes is not None:
            sold.stock[makes[0], str(makes[2])] += sum(groups.values(), ZERO)
    for site in question.sites:
        if site.book is None:
            continue
        book = book_for(site.book, question, {one.name: one for one in machines_at(question, site)})
        allowances = Allowances(book)
        for sale in sales_in(question, site):
            listed = _listed(book, sale)
            where = (site.name, sale.product)
            sold.price[where] += sale.revenue - sale.units * listed
            sold.stock[where] += sale.units * (listed - _standard(book, allowances, sale))
    return sold


def sales_in(question: Question, site: Site) -> Iterator[Sale]:
    """Sales of the window; a sale belongs to the production day of its date."""
    products = question.names("product")
    for sale in site.plant.sales if site.plant is not None else ():
        begin = site.day_start_us(sale.date)
        inside = (question.from_us is None or begin >= question.from_us) and (
            question.to_us is None or begin < question.to_us
        )
        if inside and (products is None or sale.product in products):
            yield sale


def _listed(book: Book, sale: Sale) -> Decimal:
    """The list price on the date of a sale; what has none was sold at its price."""
    rows = [row for row in book.plant.products if row.product == sale.product]
    row = in_force(rows, sale.date, "post", lambda row: row.recorded_at.date())
    if row is not None:
        return row.sales_price
    return sale.revenue / sale.units if sale.units else ZERO


def _standard(book: Book, allowances: Allowances, sale: Sale) -> Decimal:
    """Standard unit cost of a product on the first line that makes it, on the date of a sale."""
    for line in book.plant.lines:
        machines = [
            machine.id
            for machine in line.machines
            if book.standard(machine.id, sale.product, sale.date, "ante") is not None
        ]
        if machines:
            return sum(
                (allowances.unit_cost(machine, sale.product, None, sale.date) for machine in machines), ZERO
            )
    return ZERO


def _group(by: tuple[str, ...], where: tuple[str, str]) -> Key:
    said: dict[str, Any] = {"site": where[0], "product": where[1]}
    return tuple(said.get(name) for name in by)
