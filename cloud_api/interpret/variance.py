"""Variances cell by cell: actual entries - good units x allowance, positive = unfavourable, nothing left
over.

Each cell splits into planning (the standard was wrong) and operational (the run was bad); changeover cells
split into lot_size, sequence and duration besides. At line level two more cells close the gap between
machines and the output counted at the last one. Amounts are in the site's currency, unrounded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.allowance import ZERO, Allowances, changeover_hours
from cloud_api.interpret.model import Output
from cloud_api.interpret.money import exactly
from cloud_api.interpret.pricing import Pricing
from cloud_api.interpret.standards import Basis, Book, is_unchanged

Cause = tuple[str, str]
"""Resource and cause."""

SPLIT = ("machine", "labour")
LINE = "line"


class Variance(Struct):
    """A cell: variance = actual - allowance = planning + operational; `parts` of a changeover sum to the
    variance."""

    actual: Decimal = ZERO
    allowance: Decimal = ZERO
    allowance_post: Decimal = ZERO
    anew: Decimal = ZERO
    lot_size: Decimal = ZERO
    sequence: Decimal = ZERO

    @property
    def variance(self) -> Decimal:
        """Actual - allowance at the standard as then known."""
        return self.actual - self.allowance

    @property
    def operational(self) -> Decimal:
        """Entries cut anew at the last recorded standard - allowance at it."""
        return self.actual + self.anew - self.allowance_post

    @property
    def planning(self) -> Decimal:
        """What the wrong standard explains."""
        return self.variance - self.operational

    def parts(self) -> dict[str, Decimal]:
        """lot_size (planning's doing), sequence (the pair's standard), duration (the floor's)."""
        lot_size = self.lot_size - self.allowance
        return {
            "lot_size": lot_size,
            "sequence": self.sequence,
            "duration": self.variance - lot_size - self.sequence,
        }

    def add(self, other: Variance) -> None:
        """Add another cell of the same resource and cause."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


Sheet = dict[Cause, Variance]


class _Sheets:
    def __init__(self, book: Book) -> None:
        self.allowances = Allowances(book)
        self.book = book
        self.sheets: dict[Hashable, Sheet] = {}
        self._pricings: dict[tuple[str, Basis], Pricing] = {}

    def cell(self, group: Hashable, resource: str, cause: str) -> Variance:
        sheet = self.sheets.setdefault(group, {})
        return sheet.setdefault((resource, cause), Variance())

    def allow(self, group: Hashable, output: Output) -> None:
        """Good units x allowance, at both standards."""
        if not output.good:
            return
        where = (output.machine, output.made_product, output.shift, output.effective)
        for (resource, cause), each in self.allowances.of(*where).items():
            self.cell(group, resource, cause).allowance += output.good * each
        for (resource, cause), each in self.allowances.of(*where, "post").items():
            self.cell(group, resource, cause).allowance_post += output.good * each

    def cut_anew(self, group: Hashable, output: Output) -> None:
        """The shift of entries between causes at the last recorded standard."""
        products = (output.product, output.made_product)
        used = [use.item for use in output.material]
        if is_unchanged(self.book, output.machine, products, output.shift, output.effective, used):
            return
        for cell in self.pricing(output.machine, "post").cells(output):
            self.cell(group, cell.resource, cell.cause).anew += cell.amount
        for cell in self.pricing(output.machine, "ante").cells(output):
            self.cell(group, cell.resource, cell.cause).anew -= cell.amount

    def pricing(self, machine: str, basis: Basis) -> Pricing:
        key = (machine, basis)
        if key not in self._pricings:
            self._pricings[key] = Pricing(self.book, machine, basis)
        return self._pricings[key]

    def split_changeovers(self, group: Hashable, output: Output) -> None:
        """Standard cost of the changeovers that began, and of their pairs beyond the standard."""
        if not output.changeovers:
            return
        book, date = self.book, output.effective
        standard = book.standard(output.machine, output.product, date, "ante")
        rate, wage = (
            book.rate(output.machine, date, "ante"),
            book.wage(output.machine, output.shift, date, "ante"),
        )
        crew = output.crew if standard is None or standard.crew is None else standard.crew
        costs = {"machine": rate.standard if rate else ZERO, "labour": crew * wage.standard if wage else ZERO}
        each = changeover_hours(standard)
        for turn in output.changeovers:
            minutes = book.pair_minutes(output.machine, turn.from_product, output.product, date)
            beyond = ZERO if minutes is None else minutes / 60 - each
            for resource, cost in costs.items():
                cell = self.cell(group, resource, "changeover")
                cell.lot_size += turn.count * each * cost
                cell.sequence += turn.count * beyond * cost


@exactly
def cells(
    actuals: Iterable[tuple[Hashable, str, str, Decimal]],
    outputs: Iterable[tuple[Hashable, Output]],
    book: Book,
) -> dict[Hashable, Sheet]:
    """Variance cells by group and (resource, cause), machine by machine.

    `actuals`: (group, resource, cause, amount) of entries; `outputs`: (group, facts). Both may be sums,
    outputs over all that prices alike (see `model.Facts`): everything here is linear in them."""
    sheets = _Sheets(book)
    for group, resource, cause, amount in actuals:
        sheets.cell(group, resource, cause).actual += amount
    for group, output in outputs:
        sheets.allow(group, output)
        sheets.cut_anew(group, output)
        sheets.split_changeovers(group, output)
    return sheets.sheets


def machines_counted(book: Book, line: str, product: str | None, output: Output) -> list[str]:
    """The machines of a line, in order, that have a standard for the product on the output's date."""
    return [
        machine.id
        for machine in book.lines[line].machines
        if book.standard(machine.id, product, output.effective, "ante") is not None
    ]


@exactly
def line_cells(
    outputs: Iterable[tuple[Callable[[str], Hashable], Output]], book: Book
) -> dict[Hashable, Sheet]:
    """The two cells of resource `line` that close a line: `scrap_upstream` and `wip_change`, booked at the
    machine where units were scrapped, or missing, as (group(machine), output): group names the row of a
    machine. Give it the outputs of all machines of the lines that a question spans. Their allowance is
    -variance, their actual 0."""
    sheets = _Sheets(book)
    chains = _Chains(book)
    for group, output in outputs:
        line = book.machines[output.machine].line
        row, costs = chains.of(line, output)
        if output.machine not in row or not (output.good or output.scrap):
            continue
        at = row.index(output.machine)
        here = group(output.machine)
        sheets.cell(here, LINE, "scrap_upstream").allowance -= output.scrap * costs[at]
        sheets.cell(here, LINE, "wip_change").allowance += (output.good + output.scrap) * costs[at]
        if at + 1 < len(row):
            value = output.good * costs[at + 1]
            sheets.cell(group(row[at + 1]), LINE, "wip_change").allowance -= value
    for sheet in sheets.sheets.values():
        for cell in sheet.values():
            cell.allowance_post = cell.allowance
    return sheets.sheets


class _Chains:
    """Machines of a line that count for a product, and the standard unit cost of those before each, and of
    all."""

    def __init__(self, book: Book) -> None:
        self.book, self.allowances = book, Allowances(book)
        self._known: dict[tuple[object, ...], tuple[list[str], list[Decimal]]] = {}

    def of(self, line: str, output: Output) -> tuple[list[str], list[Decimal]]:
        what = (output.made_product, output.shift, output.effective)
        known = self._known.get((line, *what))
        if known is None:
            row, costs = machines_counted(self.book, line, output.made_product, output), [ZERO]
            for machine in row:
                costs.append(costs[-1] + self.allowances.unit_cost(machine, *what))
            known = self._known[line, *what] = row, costs
        return known


@exactly
def good_units(outputs: Iterable[Output], book: Book) -> tuple[Decimal, dict[str, Decimal]]:
    """Output of whole lines: good units at the last machine with a standard for the product, and by the
    machine that they were counted at. Products without a standard anywhere are counted at the line's last
    machine."""
    counted: dict[str, Decimal] = defaultdict(Decimal)
    lasts: dict[tuple[object, ...], str] = {}
    for output in outputs:
        line = book.machines[output.machine].line
        what = (line, output.made_product, output.effective)
        last = lasts.get(what)
        if last is None:
            row = machines_counted(book, line, output.made_product, output)
            last = lasts[what] = row[-1] if row else book.lines[line].machines[-1].id
        if output.machine == last and output.good:
            counted[last] += output.good
    return sum(counted.values(), ZERO), dict(counted)


def total(sheets: Iterable[Sheet]) -> Sheet:
    """The sum of sheets, cell by cell."""
    whole: Sheet = {}
    for sheet in sheets:
        for key, cell in sheet.items():
            whole.setdefault(key, Variance()).add(cell)
    return whole
