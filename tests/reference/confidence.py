"""How far a figure can be trusted (cost model, confidence)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from .pricing import Entry
from .shifts import SCHEDULED, ShiftCalendar
from .tables import Plant, exact
from .timeline import Piece
from .versions import ANTE

ZERO = Fraction(0)
GRADES = (
    ("A", Fraction(98, 100), Fraction(2, 100), Fraction(90, 100), Fraction(5, 1000)),
    ("B", Fraction(95, 100), Fraction(5, 100), Fraction(75, 100), Fraction(10, 1000)),
    ("C", Fraction(90, 100), Fraction(10, 100), Fraction(50, 100), Fraction(20, 1000)),
)


@dataclass
class Confidence:
    """Shares are fractions of one; `counts` is None where no order is confirmed."""

    coverage: Fraction
    unexplained_share: Fraction
    reason_coverage: Fraction
    counts: Fraction | None
    missing_standards: list[tuple[str | None, str]] = field(default_factory=list)
    grade: str = "D"


def judged(
    pieces: list[Piece], entries: list[Entry], firsts: dict[str, int], plant: Plant, calendar: ShiftCalendar,
    start_us: int, end_us: int,
) -> Confidence:  # fmt: skip
    """Confidence of the window [start, end). `firsts` is each machine's first sample."""
    scheduled = sum(calendar.scheduled_time(max(first, start_us), end_us) for first in firsts.values())
    covered = length(piece for piece in pieces if piece.span.status == SCHEDULED and piece.state != "unknown")
    stops = [piece for piece in pieces if piece.span.status == SCHEDULED and piece.state == "down"]
    reasoned = length(piece for piece in stops if piece.reason is not None)
    total = sum((entry.amount for entry in entries), ZERO)
    unexplained = sum((entry.amount for entry in entries if entry.cause == "unexplained"), ZERO)
    confidence = Confidence(
        coverage=Fraction(covered, scheduled) if scheduled else Fraction(1),
        unexplained_share=abs(unexplained / total) if total else ZERO,
        reason_coverage=Fraction(reasoned, length(stops)) if stops else Fraction(1),
        counts=count_closure(pieces, plant),
        missing_standards=missing(pieces, plant),
    )
    confidence.grade = grade_of(confidence)
    return confidence


def length(pieces) -> int:
    return sum(piece.end - piece.start for piece in pieces)


def missing(pieces: list[Piece], plant: Plant) -> list[tuple[str | None, str]]:
    """(product, machine) that ran, or whose units were seen in idle, without a standard; product None is
    running without a product."""
    found = {
        (piece.product, piece.machine.id)
        for piece in pieces
        if piece.state == "running"
        and plant.standard(piece.product, piece.machine.id, piece.day, ANTE) is None
    }  # fmt: skip
    found |= {
        (piece.unit_product, piece.machine.id)
        for piece in pieces
        if piece.good
        and piece.unit_product not in (None, piece.product)
        and plant.standard(piece.unit_product, piece.machine.id, piece.day, ANTE) is None
    }
    return sorted(found, key=lambda row: (row[0] or "", row[1]))


def count_closure(pieces: list[Piece], plant: Plant) -> Fraction | None:
    """The worst difference of confirmed good against the floor's, per confirmed order, as a share of the
    confirmed; None where nothing is confirmed."""
    worst: Fraction | None = None
    for order, machine in sorted({(row["order"], row["machine"]) for row in plant.confirmations}):
        rows = [row for row in plant.confirmations if (row["order"], row["machine"]) == (order, machine)]
        confirmed = sum((exact(row["good"]) for row in rows), ZERO)
        floor = sum(
            (piece.good for piece in pieces if (piece.unit_order, piece.machine.id) == (order, machine)), ZERO
        )
        off = abs(confirmed - floor) / confirmed if confirmed else Fraction(int(bool(floor)))
        worst = off if worst is None else max(worst, off)
    return worst


def grade_of(confidence: Confidence) -> str:
    """Cost model: the worst of all; a missing standard costs the A only; no confirmed order leaves counts
    out."""
    for grade, coverage, unexplained, reasons, counts in GRADES:
        if (
            confidence.coverage >= coverage
            and confidence.unexplained_share <= unexplained
            and confidence.reason_coverage >= reasons
            and (confidence.counts is None or confidence.counts <= counts)
            and not (grade == "A" and confidence.missing_standards)
        ):
            return grade
    return "D"
