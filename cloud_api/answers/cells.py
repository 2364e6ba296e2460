"""Variance cells of a question by any group: actual from the ledger, allowance from outputs x standard.

Machines of a line that are asked for together close by the two cells of resource `line`, so that the total
is the same for every grouping and output counts where the last of them makes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec.structs import replace
from psycopg import Connection

from cloud_api.answers.amounts import amounts_of
from cloud_api.answers.edges import edge_outputs
from cloud_api.answers.facts import machines_at, made, timed
from cloud_api.answers.grouping import Grain, Key, key_of
from cloud_api.answers.ledger import grain_of, wanted
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.interpret import variance as variances
from cloud_api.interpret.allowance import Allowances, Cells
from cloud_api.interpret.ledger import price
from cloud_api.interpret.model import Entry, Output
from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import Line
from cloud_api.interpret.standards import Book, is_unchanged
from cloud_api.interpret.variance import Variance
from cloud_api.store.times import from_us

ZERO = Decimal(0)
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Counted:
    """Good units of a line at the machine where they are counted."""

    site: str
    line: str
    machine: str
    good_units: Decimal


@dataclass(slots=True)
class Sheet:
    """Cells by group of `by`, which never names resource or cause, and good units where they count."""

    by: tuple[str, ...]
    cells: dict[tuple[Key, Cell], Variance] = field(default_factory=dict)
    counted: list[Counted] = field(default_factory=list)

    def by_cause(self) -> list[tuple[str, Decimal]]:
        """Actual amounts by cause, a cause more than once."""
        return [(cause, variance.actual) for (_, (_, cause)), variance in self.cells.items()]

    def count(self) -> None:
        """Good units of each place once, whatever parts they were counted in."""
        good: dict[tuple[str, str, str], Decimal] = {}
        for one in self.counted:
            place = (one.site, one.line, one.machine)
            good[place] = good.get(place, ZERO) + one.good_units
        self.counted = [Counted(*place, units) for place, units in good.items()]

    def at(self, group: Key, cell: Cell) -> Variance:
        """The cell, made where it is new."""
        found = self.cells.get((group, cell))
        if found is None:
            found = self.cells[group, cell] = Variance()
        return found


@exactly
def sheet_of(connection: Connection[Any], question: Question) -> Sheet:
    """All variance cells of a question, exact. Groups are keys of `by` without `resource` and `cause`."""
    by = tuple(name for name in question.by if name not in ("resource", "cause"))
    sheet = Sheet(by)
    actuals = amounts_of(connection, question.grouped(*by, "resource", "cause"))
    for key, amount in actuals.items():
        sheet.at(key[:-2], (key[-2], key[-1])).actual += amount
    for site in question.sites:
        for part in site.parts():
            if part.book is not None:
                _Site(connection, question, site, part, by, sheet).fill()
    sheet.count()
    for _, cell in list(sheet.cells):
        _drop_unasked(sheet, question, cell)
    return sheet


def _drop_unasked(sheet: Sheet, question: Question, cell: Cell) -> None:
    resources, causes = question.names("resource"), question.names("cause")
    resource, cause = cell
    asked = (resources is None or resource in resources) and (causes is None or cause in causes)
    if not asked or resource in question.withheld:
        for name in [name for name in sheet.cells if name[1] == cell]:
            del sheet.cells[name]


class _Site:
    """Adds what the outputs of one site say, as far as they are priced by one plant model (`part`)."""

    def __init__(
        self,
        connection: Connection[Any],
        question: Question,
        site: Site,
        part: Site,
        by: tuple[str, ...],
        sheet: Sheet,
    ) -> None:
        assert part.book is not None
        self.connection, self.question, self.by, self.sheet = connection, question, by, sheet
        self.whole, self.site = site, part
        self.machines = {machine.name: machine for machine in machines_at(question, part)}
        self.book = book_for(part.book, question, self.machines)
        self.allowances = Allowances(self.book)
        self._groups: dict[tuple[object, ...], Key] = {}

    def fill(self) -> None:
        edges = [one for one in self._edges() if self._known(one)]
        units = [
            *made(self.connection, self.question, self.site, self.book),
            *filter(self._made_asked, edges),
        ]
        if self._has_no_reason:
            self._allow(units)
        self._line(units)
        self._recut([*timed(self.connection, self.question, self.site, self.book), *edges])

    def _edges(self) -> list[Output]:
        cut = edge_outputs(self.connection, self.question, self.whole)
        return [output for output in cut if self.site.holds(output.production_day)]

    def _known(self, output: Output) -> bool:
        return output.machine in self.machines

    def _made_asked(self, output: Output) -> bool:
        """Whether the units of an output pass the filters."""
        said = {"product": output.made_product, "order": output.made_order, "shift": output.shift}
        return self._asked(said)

    def _asked(self, said: dict[str, str | None]) -> bool:
        return all(
            (named := self.question.names(name)) is None or value in named for name, value in said.items()
        )

    @property
    def _has_no_reason(self) -> bool:
        """Whether what has no reason, as units have none, is asked for."""
        reasons = self.question.names("reason")
        return reasons is None or None in reasons

    def _group(self, output: Output, machine: str) -> Key:
        """The group of the units of an output: they have no reason."""
        said = (output.made_product, output.made_order, output.shift, output.hour_us, output.production_day)
        key = self._groups.get((machine, *said))
        if key is None:
            product, order, shift, hour_us, day = said
            here = self.machines[machine]
            grain = Grain(self.site, here, product, order, shift, hour=from_us(hour_us), day=day)
            key = self._groups[machine, *said] = key_of(grain, self.by)
        return key

    def _allow(self, units: list[Output]) -> None:
        """Good units x allowance, at the standard as then known and as last recorded: units of a group that
        have the same allowance together."""
        good: dict[tuple[Key, int, int], Decimal] = {}
        cells: dict[int, Cells] = {}
        for output in units:
            if output.good:
                where = (output.machine, output.made_product, output.shift, output.effective)
                ante, post = self.allowances.of(*where), self.allowances.of(*where, "post")
                cells[id(ante)], cells[id(post)] = ante, post
                key = (self._group(output, output.machine), id(ante), id(post))
                good[key] = good.get(key, ZERO) + output.good
        for (group, ante_id, post_id), made_of_it in good.items():
            for cell, each in cells[ante_id].items():
                self.sheet.at(group, cell).allowance += made_of_it * each
            for cell, each in cells[post_id].items():
                self.sheet.at(group, cell).allowance_post += made_of_it * each

    def _line(self, units: list[Output]) -> None:
        """The two cells that close each line, and the machines at which output counts."""
        if self._has_no_reason:
            placed = [(partial(self._group, output), output) for output in units]
            for group, cells in variances.line_cells(placed, self.book).items():
                for cell, variance in cells.items():
                    self.sheet.at(group, cell).add(variance)  # type: ignore[arg-type]
        _, counted = variances.good_units(units, self.book)
        self.sheet.counted += [
            Counted(self.site.name, self.book.machines[machine].line, machine, good)
            for machine, good in sorted(counted.items())
        ]

    def _recut(self, outputs: list[Output]) -> None:
        """Changeovers that began, and the entries that a later standard moves between causes."""
        for output in outputs:
            said = {
                "product": output.product,
                "order": output.order,
                "shift": output.shift,
                "reason": output.reason,
            }
            if output.changeovers and self._asked(said):
                self._split(output)
            for basis, sign in (("post", 1), ("ante", -1)):
                for entry in wanted(self._entries(output, basis), self.question):
                    group = key_of(grain_of(self.site, self.machines, entry), self.by)
                    self.sheet.at(group, (entry.resource, entry.cause)).anew += sign * entry.amount

    def _entries(self, output: Output, basis: str) -> list[Entry]:
        if self._is_unchanged(output):
            return []
        return price([output], output.machine, self.book, basis)  # type: ignore[arg-type]

    def _is_unchanged(self, output: Output) -> bool:
        products = (output.product, output.made_product)
        used = [use.item for use in output.material]
        return is_unchanged(self.book, output.machine, products, output.shift, output.effective, used)

    def _split(self, output: Output) -> None:
        """Standard cost of the changeovers that began, and of their pairs beyond it."""
        machine = self.machines[output.machine]
        place = Grain(
            self.site,
            machine,
            product=output.product,
            order=output.order,
            shift=output.shift,
            reason=output.reason,
            hour=from_us(output.hour_us),
            day=output.production_day,
        )
        began = replace(
            output,
            duration_us=0,
            good=ZERO,
            scrap=ZERO,
            rework=ZERO,
            energy_kwh=ZERO,
            material=(),
        )
        group = key_of(place, self.by)
        for cells in variances.cells([], [(group, began)], self.book).values():
            for cell, variance in cells.items():
                self.sheet.at(group, cell).add(variance)


def book_for(book: Book, question: Question, machines: dict[str, Machine]) -> Book:
    """The plant model as a question sees it: its lines hold only the machines asked for, so that the last of
    these counts; without wages where labour is withheld, so that no unit cost gives them away."""
    lines = tuple(
        Line(line.id, tuple(machine for machine in line.machines if machine.id in machines))
        for line in book.plant.lines
    )
    labour = () if "labour" in question.withheld else book.plant.labour
    if lines == book.plant.lines and labour == book.plant.labour:
        return book
    return Book(replace(book.plant, lines=lines, labour=labour))
