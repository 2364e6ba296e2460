"""Actual against flexed standard, by any group, planning apart from operational."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.cells import Cell, Sheet, sheet_of
from cloud_api.answers.envelope import envelope
from cloud_api.answers.grouping import Key, addresses, ordered
from cloud_api.answers.paging import one_page
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.ledger import CountedAt, Parts, Textbook, VarianceRow, Variances, VarianceTotal
from cloud_api.interpret.money import exactly, parts_of, shown, whole_and_parts
from cloud_api.interpret.rounding import measured
from cloud_api.interpret.variance import SPLIT, Variance

ZERO = Decimal(0)


@dataclass(slots=True)
class Line:
    """One row before rounding: the sum of its cells. `split` is the variance that `parts` explain."""

    whole: Variance = field(default_factory=Variance)
    lot_size: Decimal = ZERO
    sequence: Decimal = ZERO
    split: Decimal | None = None
    only_split: bool = True

    def take(self, cell: Cell, variance: Variance) -> None:
        """Adds a cell."""
        self.whole.add(variance)
        if cell[0] in SPLIT and cell[1] == "changeover":
            parts = variance.parts()
            self.lot_size += parts["lot_size"]
            self.sequence += parts["sequence"]
            self.split = (self.split or ZERO) + variance.variance
        else:
            self.only_split = False


@dataclass(frozen=True, slots=True)
class Rounded:
    """The figures of one row as they are told."""

    actual: Decimal
    allowance: Decimal
    planning: Decimal
    parts: Parts

    @property
    def variance(self) -> Decimal:
        """Of the rounded figures, so that a row adds up."""
        return self.actual - self.allowance

    @property
    def operational(self) -> Decimal:
        """What planning leaves of the variance."""
        return self.variance - self.planning


def variances(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Variances:
    """Variances by the groups asked for; the rows add up to the total, and each row adds up in itself."""
    sheet = sheet_of(connection, question)
    return told(question, sheet, envelope(connection, question, now, sheet.by_cause()))


@exactly
def told(question: Question, sheet: Sheet, about: Mapping[str, Any]) -> Variances:
    """A sheet as the answer tells it, by the groups of the question; `about` as `envelope` gives it.

    The sheet may be finer than the question: cells that it keeps apart and the question does not are added.
    """
    lines = _lines(question.by, sheet)
    keys = ordered(list(lines))
    rounded = _rounded([lines[key] for key in keys])
    page, cursor = one_page(list(zip(keys, rounded, strict=True)), question)
    address = addresses(question, question.by)
    rows = [
        VarianceRow(
            **dict(zip(question.by, key, strict=True)),
            actual=row.actual,
            allowance=row.allowance,
            variance=row.variance,
            planning=row.planning,
            operational=row.operational,
            parts=row.parts,
            segments=address(key),
        )
        for key, row in page
    ]
    return Variances(
        **about,
        next_cursor=cursor,
        total=_total(rounded, sheet),
        good_units=measured(sum((one.good_units for one in sheet.counted), ZERO)),
        counted_at=[
            CountedAt(site=one.site, line=one.line, machine=one.machine, good_units=one.good_units)
            for one in sheet.counted
        ],
        rows=rows,
    )


def _lines(by: Sequence[str], sheet: Sheet) -> dict[Key, Line]:
    """Cells gathered by the whole of `by`, `resource` and `cause` at their places."""
    lines: dict[Key, Line] = {}
    for (group, cell), variance in sheet.cells.items():
        said = {**dict(zip(sheet.by, group, strict=True)), "resource": cell[0], "cause": cell[1]}
        key = tuple(said[name] for name in by)
        lines.setdefault(key, Line()).take(cell, variance)
    return {key: line for key, line in lines.items() if _says_something(line.whole)}


def _says_something(cell: Variance) -> bool:
    return any((cell.actual, cell.allowance, cell.allowance_post, cell.anew, cell.lot_size, cell.sequence))


def _rounded(lines: Sequence[Line]) -> list[Rounded]:
    _, actual = whole_and_parts([line.whole.actual for line in lines])
    _, allowance = whole_and_parts([line.whole.allowance for line in lines])
    _, planning = whole_and_parts([line.whole.planning for line in lines])
    return [
        Rounded(figures[0], figures[1], figures[2], _parts(line, figures[0] - figures[1]))
        for line, *figures in zip(lines, actual, allowance, planning, strict=True)
    ]


def _parts(line: Line, variance: Decimal) -> Parts:
    """lot_size, duration and sequence, adding up to the rounded variance that they explain."""
    if line.split is None:
        return Parts()
    duration = line.split - line.lot_size - line.sequence
    whole = variance if line.only_split else shown(line.split)
    lot_size, duration, sequence = parts_of(whole, [line.lot_size, duration, line.sequence])
    return Parts(lot_size=lot_size, duration=duration, sequence=sequence)


def _total(rows: Sequence[Rounded], sheet: Sheet) -> VarianceTotal:
    whole = {
        name: sum((getattr(row, name) for row in rows), ZERO) for name in ("actual", "allowance", "planning")
    }
    variance = whole["actual"] - whole["allowance"]
    every = Line()
    for (_, cell), one in sheet.cells.items():
        every.take(cell, one)
    return VarianceTotal(
        actual=whole["actual"],
        allowance=whole["allowance"],
        variance=variance,
        planning=whole["planning"],
        operational=variance - whole["planning"],
        parts=_parts(every, variance),
        textbook=_textbook(sheet),
    )


def _textbook(sheet: Sheet) -> Textbook:
    """Sums of cells under the names of the textbooks."""
    sums = dict.fromkeys(Textbook.__struct_fields__, ZERO)
    for (_, cell), variance in sheet.cells.items():
        if (name := textbook_name(cell)) is not None:
            sums[name] += variance.variance
    return Textbook(**{name: shown(amount) for name, amount in sums.items()})


def textbook_name(cell: Cell) -> str | None:
    """The textbook variance that a cell belongs to; None where textbooks have no name."""
    resource, cause = cell
    if resource == "labour":
        return {"price": "labour_rate", "overtime": "labour_overtime"}.get(cause, "labour_efficiency")
    if resource == "material":
        return "material_price" if cause == "price" else "material_quantity"
    if resource == "machine" and cause in ("idle", "waiting"):
        return "capacity_not_used"
    return None
