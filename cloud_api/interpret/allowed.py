"""What facts that price alike are allowed, as factors of their units: the flexed standard in a form that a
database can multiply.

An allowance is linear in good and scrap units, so a cell of any sum of facts is good x per_good + scrap x
per_scrap. The cells of resource `line`, which close a line of several machines, are among them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.allowance import ZERO, Allowances
from cloud_api.interpret.money import exactly
from cloud_api.interpret.standards import Book
from cloud_api.interpret.variance import LINE


class Allowed(Struct, frozen=True):
    """A cell that units of one product on one machine are allowed: where it is booked, and per unit."""

    booked_machine: str
    resource: str
    cause: str
    per_good: Decimal = ZERO
    per_scrap: Decimal = ZERO


@exactly
def allowed(book: Book, machine: str, product: str | None, shift: str | None, date: dt.date) -> list[Allowed]:
    """Every cell of a product on a machine, at the standard as then known; empty without a standard.

    Site date and shift say whose wages, rates and prices are in force; amounts in the site's currency."""
    allowances = Allowances(book)
    cells = [
        Allowed(machine, resource, cause, per_good)
        for (resource, cause), per_good in allowances.of(machine, product, shift, date).items()
    ]
    line = book.lines[book.machines[machine].line]
    row = [one.id for one in line.machines if book.standard(one.id, product, date, "ante") is not None]
    if machine not in row:
        return cells
    at = row.index(machine)
    costs = [allowances.unit_cost(one, product, shift, date) for one in row]
    before = sum(costs[:at], ZERO)
    if before:
        cells.append(Allowed(machine, LINE, "scrap_upstream", ZERO, -before))
        cells.append(Allowed(machine, LINE, "wip_change", before, before))
    if at + 1 < len(row):
        cells.append(Allowed(row[at + 1], LINE, "wip_change", -(before + costs[at])))
    return cells
