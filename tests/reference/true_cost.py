"""What products truly cost and how well machines ran, from the pieces and entries of the reference."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .allowances import allowance, hours_per_good_unit
from .pricing import WORKING, booked
from .result import Result
from .shifts import SCHEDULED
from .timeline import Piece
from .variances import counted_at_line_end
from .versions import ANTE

ZERO = Fraction(0)
UNUSED = (("machine", "idle"), ("machine", "waiting"))


@dataclass
class TrueCost:
    """Sums of one product over a window."""

    good: Fraction = ZERO
    actual: Fraction = ZERO
    standard: Fraction = ZERO
    material: Fraction = ZERO
    averaged: Fraction = ZERO
    burden: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))


def true_costs(result: Result) -> tuple[dict[str, TrueCost], dict[Any, Fraction]]:
    """Products, and what is in none by (machine, resource, cause)."""
    products: dict[str, TrueCost] = defaultdict(TrueCost)
    rest: dict[Any, Fraction] = defaultdict(Fraction)
    conversion: dict[str, Fraction] = defaultdict(Fraction)
    for entry in result.entries:
        if entry.line is not None and entry.resource != "material":
            conversion[entry.line] += entry.amount
        if entry.product is None or (entry.resource, entry.cause) in UNUSED:
            rest[entry.machine, entry.resource, entry.cause] += entry.amount
        else:
            products[entry.product].actual += entry.amount
            if entry.cause != "production":
                products[entry.product].burden[entry.cause] += entry.amount
    hours: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for piece in result.pieces:
        if piece.unit_product is not None and piece.good:
            hours[piece.machine.line, piece.unit_product] += run_hours(piece, result)
            count(piece, result, products[piece.unit_product])
    for (line, product), own in hours.items():
        whole = sum(each for (other, _), each in hours.items() if other == line)
        products[product].averaged += conversion[line] * own / whole if whole else ZERO
    return dict(products), {key: amount for key, amount in rest.items() if amount}


def run_hours(piece: Piece, result: Result) -> Fraction:
    standard = result.plant.standard(piece.unit_product, piece.machine.id, piece.day, ANTE)
    if standard is None:
        return ZERO
    hours = hours_per_good_unit(standard)
    return piece.good * (hours["production"] + hours["scrap"] + hours["rework"])


def count(piece: Piece, result: Result, product: TrueCost) -> None:
    """Output where it counts, at the standards of all machines of the line."""
    counted = counted_at_line_end(piece, result.plant)
    product.good += counted
    for machine in result.plant.lines[piece.machine.line] if counted else ():
        cells = allowance(result.plant, machine, piece.unit_product, piece.day, piece.span.shift, ANTE) or {}
        product.standard += counted * sum(cells.values(), ZERO)
        product.material += counted * sum(
            (amount for (resource, _), amount in cells.items() if resource == "material"), ZERO
        )


def key_figures(result: Result, machine: str) -> dict[str, Fraction | None]:
    """ISO 22400-2 figures of a machine, from its pieces in scheduled time."""
    pieces = [
        piece for piece in result.pieces if piece.machine.id == machine and piece.span.status == SCHEDULED
    ]

    def hours(*states: str) -> Fraction:
        return sum((piece.hours for piece in pieces if piece.state in states), ZERO)

    def crew_hours(*states: str) -> Fraction:
        own = (piece for piece in pieces if not states or piece.state in states)
        return sum((piece.hours * booked(piece, result.plant).crew for piece in own), ZERO)

    counts = ("good", "scrap", "rework")
    made = {name: sum((getattr(piece, name) for piece in pieces), ZERO) for name in counts}
    whole = sum(made.values(), ZERO)
    busy = sum((piece.hours for piece in pieces if piece.state != "planned_stop"), ZERO)
    ideal = ZERO
    for piece in pieces:
        standard = result.plant.standard(piece.unit_product, machine, piece.day, ANTE)
        if standard is not None:
            ideal += (piece.good + piece.scrap + piece.rework) * standard.cycle_h
    running, setup = hours("running"), hours("changeover")
    return {
        "availability": share(running, busy),
        "effectiveness": share(ideal, running),
        "quality_ratio": share(made["good"], whole),
        "technical_efficiency": share(running, running + hours("down")),
        "setup_rate": share(setup, running + setup),
        "scrap_ratio": share(made["scrap"], whole),
        "rework_ratio": share(made["rework"], whole),
        "worker_efficiency": share(crew_hours(*WORKING), crew_hours()),
        "planned_busy_h": busy,
        "produced": whole,
    }


def share(part: Fraction, whole: Fraction) -> Fraction | None:
    return part / whole if whole else None
