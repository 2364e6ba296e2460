"""What an hour more is worth at each machine of a line.

At the constraint: good units per hour x (list price - truly variable cost), weighted as the window made its
products; what is scrapped behind the machine is not worth anything. Truly variable are material, energy in
running and charges, and labour only where the plant model says so. Elsewhere an hour is worth the spend that
it avoids: overtime labour where there is any, else labour where it is variable; and energy of standing still.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.constraints_times import Times
from cloud_api.answers.edges import edge_outputs
from cloud_api.answers.facts import made
from cloud_api.answers.ledger import Sum, sums_of
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.products_sides import Product, sides_of
from cloud_api.answers.question import Question
from cloud_api.interpret.constraints import drawn
from shared.units import hours_in

ZERO = Decimal(0)
IN_RUNNING = ("production", "scrap", "rework", "usage", "price")
STANDING = ("downtime", "changeover", "waiting")


@dataclass(frozen=True, slots=True)
class Worth:
    """`rate`: good units per running hour. None where there is no rate, or no list price. `stock`: units out
    of stock behind the machine against those that it made; 0 where the stock did not fall."""

    rate: Decimal | None
    at_constraint: Decimal | None
    elsewhere: Decimal | None
    stock: Decimal = ZERO


def worth_of(
    connection: Connection[Any],
    question: Question,
    site: Site,
    machines: Sequence[Machine],
    times: Mapping[str, Times],
) -> dict[str, Worth]:
    """The worth of an hour at each machine of the one line that a question asks for."""
    sides = sides_of(connection, question)
    cells = sums_of(connection, question.grouped("machine", "product", "resource", "cause"))
    labour = site.plant is not None and site.plant.labour_variable
    spent = _variable(cells, labour_variable=labour)
    contribution: dict[str, Decimal | None] = {}
    for name, product in sides.products.items():
        if product.good and product.revenue is not None:
            contribution[name] = (product.revenue - spent[name]) / product.good
        elif product.good:
            contribution[name] = None
    good, scrap = _made(connection, question, site)
    row = [one.name for one in machines]
    found = {}
    for machine in machines:
        own = {product: units for (name, product), units in good.items() if name == machine.name}
        running_h = hours_in(times[machine.name].of("running"))
        through = {
            product: min(Decimal(1), _through(sides.products, product, units))
            for product, units in own.items()
        }
        rate = sum(own.values(), ZERO) / running_h if running_h and own else None
        worth = None
        if rate is not None and all(contribution.get(product) is not None for product in own):
            gain = sum(
                (
                    units * through[product] * (contribution[product] or ZERO)
                    for product, units in own.items()
                ),
                ZERO,
            )
            worth = gain / running_h
        avoided = _avoided(cells, machine.name, times[machine.name], labour)
        behind = row[row.index(machine.name) + 1 :]
        found[machine.name] = Worth(rate, worth, avoided, _stock(own, behind, sides.products, scrap))
    return found


def _stock(
    own: Mapping[str, Decimal],
    behind: Sequence[str],
    products: Mapping[str, Product],
    scrap: Mapping[tuple[str, str], Decimal],
) -> Decimal:
    """Units out of stock behind a machine, of the products that it made, against those."""
    made = sum(own.values(), ZERO)
    if not made:
        return ZERO
    units = sum(
        (
            drawn(units, products[name].good, sum((scrap[one, name] for one in behind), ZERO))
            for name, units in own.items()
            if name in products
        ),
        ZERO,
    )
    return max(ZERO, units / made)


def _through(products: Mapping[str, Any], product: str, units: Decimal) -> Decimal:
    """Share of the units of a product at a machine that were counted at the end of the line."""
    return products[product].good / units if product in products and units else ZERO


def _variable(cells: Mapping[Any, Sum], *, labour_variable: bool) -> dict[str, Decimal]:
    """Truly variable cost by product."""
    spent: dict[str, Decimal] = defaultdict(Decimal)
    for (_, product, resource, cause), sum_ in cells.items():
        varies = (
            resource in ("material", "other")
            or (resource == "energy" and cause in IN_RUNNING)
            or (resource == "labour" and labour_variable and cause != "idle")
        )
        if product is not None and varies:
            spent[product] += sum_.amount
    return spent


def _made(
    connection: Connection[Any], question: Question, site: Site
) -> tuple[dict[tuple[str, str], Decimal], dict[tuple[str, str], Decimal]]:
    """Good units and scrap by machine and product."""
    good: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    scrap: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    if site.book is None:
        return good, scrap
    for output in (
        *made(connection, question, site, site.book),
        *edge_outputs(connection, question, site),
    ):
        if output.made_product is None:
            continue
        if output.good:
            good[output.machine, output.made_product] += output.good
        scrap[output.machine, output.made_product] += output.scrap
    return good, scrap


def _avoided(cells: Mapping[Any, Sum], machine: str, times: Times, labour_variable: bool) -> Decimal:
    """Spend that an hour less of this machine avoids."""
    own: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (name, _, resource, cause), sum_ in cells.items():
        if name == machine:
            own[resource, cause] += sum_.amount
    paid_h = hours_in(times.paid_us)
    labour = sum((amount for (resource, _), amount in own.items() if resource == "labour"), ZERO)
    premium = own["labour", "overtime"]
    avoided = ZERO
    if paid_h and times.beyond_us:
        avoided = (labour - premium) / paid_h + premium / hours_in(times.beyond_us)
    elif paid_h and labour_variable:
        avoided = labour / paid_h
    standing_h = hours_in(times.of("down", "changeover", "waiting"))
    if standing_h:
        avoided += sum((own["energy", cause] for cause in STANDING), ZERO) / standing_h
    return avoided
