"""Joins pieces into segments (cost model, segments: maximal spans in which nothing is different)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .timeline import Piece

ZERO = Fraction(0)


@dataclass
class Segment:
    machine: str
    start: int
    end: int
    state: str
    product: str | None
    order: str | None
    reason: str | None
    crew: Fraction
    shift: str | None
    calendar: str
    good: Fraction = ZERO
    scrap: Fraction = ZERO
    rework: Fraction = ZERO
    energy_kwh: Fraction = ZERO
    amount: Fraction = ZERO

    def same(self, piece: Piece) -> bool:
        return self.end == piece.start and self.kind == kind_of(piece)

    @property
    def kind(self) -> tuple:
        return (
            self.machine, self.state, self.product, self.order, self.reason, self.crew,
            self.shift, self.calendar,
        )  # fmt: skip


def kind_of(piece: Piece) -> tuple:
    return (
        piece.machine.id, piece.state, piece.product, piece.order, piece.reason, piece.crew,
        piece.span.shift, piece.span.status,
    )  # fmt: skip


def joined(pieces: list[tuple[Piece, Fraction, Fraction]]) -> list[Segment]:
    """Segments of [(piece, kWh booked, amount of its entries)], pieces in order of machine and time."""
    segments: list[Segment] = []
    for piece, kwh, amount in pieces:
        if not segments or not segments[-1].same(piece):
            machine, state, product, order, reason, crew, shift, status = kind_of(piece)
            segments.append(
                Segment(machine, piece.start, piece.end, state, product, order, reason, crew, shift, status)
            )
        last = segments[-1]
        last.end = piece.end
        last.good += piece.good
        last.scrap += piece.scrap
        last.rework += piece.rework
        last.energy_kwh += kwh
        last.amount += amount
    return segments
