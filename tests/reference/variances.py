"""Variances: actual entries against good units x allowance, cell by cell (cost model, variance)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from .allowances import allowance, standard_unit_cost
from .pricing import Entry, standard_crew
from .tables import Plant, both
from .timeline import Piece
from .versions import ANTE, POST

ZERO = Fraction(0)
PARTED = ("machine", "labour")


@dataclass
class Cell:
    """Sums of a cell; `operational_*` are the entries and the allowance under the ex-post standard."""

    actual: Fraction = ZERO
    allowance: Fraction = ZERO
    actual_anew: Fraction = ZERO
    allowance_anew: Fraction = ZERO
    parts: dict[str, Fraction] = field(default_factory=dict)

    @property
    def variance(self) -> Fraction:
        return self.actual - self.allowance

    @property
    def operational(self) -> Fraction:
        return self.actual_anew - self.allowance_anew

    @property
    def planning(self) -> Fraction:
        return self.variance - self.operational

    def add(self, other: Cell) -> None:
        for name in ("actual", "allowance", "actual_anew", "allowance_anew"):
            if getattr(other, name):
                setattr(self, name, getattr(self, name) + getattr(other, name))
        for part, amount in other.parts.items():
            self.parts[part] = self.parts.get(part, ZERO) + amount


@dataclass(frozen=True)
class Contribution:
    """A share of a cell with the entry-like key that places it."""

    place: Entry
    cell: Cell


def placed(piece: Piece, resource: str, cause: str, machine: str | None = None) -> Entry:
    """Where the allowance of a piece's units belongs: product and order of the units."""
    return Entry(
        piece.start, machine or piece.machine.id, piece.machine.line, piece.unit_product, piece.unit_order,
        piece.span.shift, None, resource, cause, ZERO,
    )  # fmt: skip


def earned(piece: Piece, plant: Plant) -> list[Contribution]:
    """Good units x allowance, of both views."""
    if not piece.good:
        return []
    where = (plant, piece.machine.id, piece.unit_product, piece.day, piece.span.shift)
    before, after = allowance(*where, ANTE) or {}, allowance(*where, POST) or {}
    found = []
    for resource, cause in {**before, **after}:
        amount = piece.good * before.get((resource, cause), ZERO)
        cell = Cell(allowance=amount, allowance_anew=piece.good * after.get((resource, cause), ZERO))
        if cause == "changeover" and resource in PARTED:
            cell.parts["lot_size"] = -amount
        found.append(Contribution(placed(piece, resource, cause), cell))
    return found


def changeover_parts(piece: Piece, plant: Plant, entries: list[Entry]) -> list[Contribution]:
    """Cost model: lot_size = (changeovers - good/lot size) x standard hours x standard cost per hour;
    duration = (actual hours - changeovers x standard hours) x the same; sequence where the pair has a
    standard: (standard minutes of the pair - changeover_min) x the same, and duration is then against the
    pair's standard."""
    if piece.state != "changeover":
        return []
    actual = {entry.resource: entry.amount for entry in entries if entry.cause == "changeover"}
    standard = plant.standard(piece.product, piece.machine.id, piece.day, ANTE)
    found = []
    for resource in PARTED:
        parts = {"duration": actual.get(resource, ZERO)}
        if piece.begins_changeover:
            per_hour = standard_cost_per_hour(piece, plant, resource)
            expected = standard.changeover_h if standard is not None else ZERO
            pair = plant.pairs.row((piece.machine.id, piece.from_product, piece.product), piece.day, ANTE)
            hours = expected if pair is None else pair
            parts["lot_size"] = expected * per_hour
            parts["sequence"] = (hours - expected) * per_hour
            parts["duration"] -= hours * per_hour
        found.append(Contribution(placed(piece, resource, "changeover"), Cell(parts=parts)))
    return found


def standard_cost_per_hour(piece: Piece, plant: Plant, resource: str) -> Fraction:
    if resource == "machine":
        return both(plant.rates, piece.machine.id, piece.day, ANTE)[0]
    wage, _, _ = plant.wage(piece.machine.id, piece.span.shift, piece.day, ANTE)
    crew = standard_crew(piece, plant, ANTE)
    return (piece.crew if crew is None else crew) * wage


def chain(plant: Plant, line: str, piece: Piece) -> list[str]:
    """Machines of a line, in order, that have a standard for the piece's product on its day."""
    return [
        machine
        for machine in plant.lines[line]
        if plant.standard(piece.unit_product, machine, piece.day, ANTE) is not None
    ]


def line_cells(piece: Piece, plant: Plant) -> list[Contribution]:
    """Cost model, line level: scrap_upstream = scrap at machine j x standard unit cost of all machines
    before j; wip_change = (good of j-1 - good of j - scrap of j) x the same. Resource `line`, actual 0,
    allowance minus the variance, planning 0."""
    machines = chain(plant, piece.machine.line, piece)
    if piece.machine.id not in machines or not (piece.good or piece.scrap):
        return []
    place = machines.index(piece.machine.id)
    costs = [
        standard_unit_cost(plant, machine, piece.unit_product, piece.day, piece.span.shift, ANTE) or ZERO
        for machine in machines
    ]
    before = sum(costs[:place], ZERO)
    found = [
        line_cell(piece, "scrap_upstream", piece.machine.id, piece.scrap * before),
        line_cell(piece, "wip_change", piece.machine.id, -(piece.good + piece.scrap) * before),
    ]
    if place + 1 < len(machines):
        found.append(
            line_cell(piece, "wip_change", machines[place + 1], piece.good * (before + costs[place]))
        )
    return found


def line_cell(piece: Piece, cause: str, machine: str, amount: Fraction) -> Contribution:
    return Contribution(
        placed(piece, "line", cause, machine), Cell(allowance=-amount, allowance_anew=-amount)
    )


def counted_at_line_end(piece: Piece, plant: Plant) -> Fraction:
    """Good units of the piece where it stands at the end of its line's chain for the product, else 0; what
    has no standard anywhere counts at the last machine of the line."""
    machines = chain(plant, piece.machine.line, piece) or plant.lines[piece.machine.line]
    return piece.good if machines[-1] == piece.machine.id else ZERO
