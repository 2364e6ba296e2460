"""From raw pieces to segments and to the additive facts of an hour, once all that the future tells is
known.

A changeover takes product and order of the next running segment; a stop takes the reasons given during it
or within the minute after it; idle and planned_stop carry no product, their units belong to the last
running segment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cloud_api.interpret.calendar import GridCell
from cloud_api.interpret.counters import SCALE, decimal
from cloud_api.interpret.dispositions import Works
from cloud_api.interpret.model import Outlook, Output, Segment, Turn, Use
from cloud_api.interpret.standards import Book
from cloud_api.interpret.timeline import Piece, Stop, Sweep

ZERO = Decimal(0)
ENERGY = "energy"
ITEM = "material:"

Key = tuple[str, str | None, str | None, str | None, str | None, str | None, int]
"""State, product, order, product and order of the units, reason, crew (scaled)."""


def resolve(sweep: Sweep, ahead: Outlook, works: Sequence[Works] = ()) -> None:
    """Write into the pieces of a sweep what is known of their future: the product of the changeover that is
    open at its end, the reasons of its stops, and what maintenance explains where nobody gave a reason."""
    found = ahead.changeover
    if found is not None and found.from_us == sweep.changeover_us:
        for piece in sweep.changing:
            piece.product, piece.order = found.product, found.order
    reasons = dict(ahead.reasons)
    for piece in sweep.pieces:
        if piece.stop is not None:
            piece.reason = _reason(piece.stop, piece.from_us, piece.reason, reasons)
            if piece.reason is None:
                piece.reason = next(
                    (work.reason for work in works if work.from_us <= piece.from_us < work.to_us), None
                )


def _reason(stop: Stop, time_us: int, own: str | None, reasons: Mapping[int, str]) -> str | None:
    """Of several reasons the first covers the part before the next; one given later covers the whole stop."""
    if not stop.given:
        return reasons.get(stop.from_us, own)
    told = stop.given[0][1]
    for given_us, reason in stop.given[1:]:
        if given_us <= time_us:
            told = reason
    return told


class Crews:
    """The crew of a piece: its signal, else the standard crew of its product or of the last trusted one,
    else 0."""

    def __init__(self, book: Book, machine: str) -> None:
        self._book, self._machine = book, machine
        self._known: dict[tuple[str, dt.date], int] = {}

    def of(self, piece: Piece, product: str | None) -> int:
        """People, in units of 1e-12."""
        if piece.crew is not None:
            return piece.crew
        name = product if product is not None else piece.last_product
        return 0 if name is None else self._standard(name, piece.cell.effective)

    def _standard(self, product: str, date: dt.date) -> int:
        crew = self._known.get((product, date))
        if crew is None:
            standard = self._book.standard(self._machine, product, date, "ante")
            known = None if standard is None else standard.crew
            crew = self._known[product, date] = 0 if known is None else int(known * SCALE)
        return crew


class Sum:
    """Sums of pieces that have cell and key in common (a segment, or a group of an hour)."""

    __slots__ = (
        "cell", "crew_assumed_us", "duration_us", "energy", "from_us", "good", "key", "late", "materials",
        "rework", "scrap", "to_us", "turns", "uncertain_us", "unmetered",
    )  # fmt: skip

    def __init__(self, cell: GridCell, key: Key, from_us: int) -> None:
        self.cell, self.key = cell, key
        self.from_us = self.to_us = from_us
        self.duration_us = self.crew_assumed_us = self.uncertain_us = 0
        self.good = self.scrap = self.rework = self.energy = 0
        self.materials: dict[str, int] = {}
        self.turns: dict[str | None, int] = {}
        self.unmetered: dict[frozenset[str], tuple[int, int, int]] = {}
        self.late = False

    def add(self, piece: Piece) -> None:
        length = piece.to_us - piece.from_us
        self.to_us = piece.to_us
        self.duration_us += length
        if not piece.crew_trusted:
            self.crew_assumed_us += length
        if piece.uncertain:
            self.uncertain_us += length
        if piece.turn:
            self.turns[piece.ran_product] = self.turns.get(piece.ran_product, 0) + 1
        self.late = self.late or piece.late
        self.energy += piece.energy
        for item, quantity in piece.materials.items():
            self.materials[item] = self.materials.get(item, 0) + quantity
        if piece.good or piece.scrap or piece.rework or not self.unmetered:
            self._add_units(piece.metered, piece.good, piece.scrap, piece.rework)

    def _add_units(self, metered: frozenset[str], good: int, scrap: int, rework: int) -> None:
        before = self.unmetered.get(metered, (0, 0, 0))
        self.unmetered[metered] = (before[0] + good, before[1] + scrap, before[2] + rework)
        self.good += good
        self.scrap += scrap
        self.rework += rework

    def absorb(self, other: Sum) -> None:
        """Add the sum of pieces that come later."""
        self.to_us = other.to_us
        self.duration_us += other.duration_us
        self.crew_assumed_us += other.crew_assumed_us
        self.uncertain_us += other.uncertain_us
        self.late = self.late or other.late
        self.energy += other.energy
        for item, quantity in other.materials.items():
            self.materials[item] = self.materials.get(item, 0) + quantity
        for before, count in other.turns.items():
            self.turns[before] = self.turns.get(before, 0) + count
        for metered, units in other.unmetered.items():
            self._add_units(metered, *units)


def key_of(piece: Piece, crews: Crews) -> Key:
    """What a segment has constant, besides its cell. Running needs no reason: one that is still told, or told
    late, is of the stop before."""
    product, order = piece.product, piece.order
    made_product, made_order = product, order
    if piece.state in ("idle", "planned_stop"):
        product = order = None
        made_product, made_order = piece.ran_product, piece.ran_order
    reason = None if piece.state == "running" else piece.reason
    return piece.state, product, order, made_product, made_order, reason, crews.of(piece, product)


def _turns(turns: Mapping[str | None, int]) -> tuple[Turn, ...]:
    ordered = sorted(turns.items(), key=lambda turn: turn[0] or "")
    return tuple(Turn(before, count) for before, count in ordered)


class Facts:
    """Makes segments and outputs of one machine from sums."""

    def __init__(self, book: Book, machine: str) -> None:
        self._book, self._machine = book, machine
        self._calendar_version = book.plant.calendar.version

    def segment(self, total: Sum) -> Segment:
        """A segment of the sum of adjacent pieces."""
        return Segment(
            from_us=total.from_us,
            to_us=total.to_us,
            machine=self._machine,
            hour_us=total.cell.hour_us,
            **self._facts(total),
        )

    def output(self, total: Sum) -> Output:
        """A row of the hour's facts."""
        cell, product = total.cell, total.key[3]
        standard = self._book.standard(self._machine, product, cell.effective, "ante")
        return Output(
            machine=self._machine,
            hour_us=cell.hour_us,
            standard_version=None if standard is None else standard.version,
            calendar_version=self._calendar_version,
            **self._facts(total),
        )

    def _facts(self, total: Sum) -> dict[str, Any]:
        cell = total.cell
        state, product, order, made_product, made_order, reason, crew = total.key
        energy, assumed = self._energy(total)
        return {
            "production_day": cell.production_day,
            "effective": cell.effective,
            "state": state,
            "product": product,
            "order": order,
            "made_product": made_product,
            "made_order": made_order,
            "reason": reason,
            "shift": cell.shift,
            "calendar": cell.status,
            "overtime": cell.overtime,
            "paid": cell.paid,
            "crew": decimal(crew),
            "duration_us": total.duration_us,
            "crew_assumed_us": total.crew_assumed_us,
            "uncertain_us": total.uncertain_us,
            "good": decimal(total.good) if total.good else ZERO,
            "scrap": decimal(total.scrap) if total.scrap else ZERO,
            "rework": decimal(total.rework) if total.rework else ZERO,
            "energy_kwh": energy,
            "energy_assumed": assumed,
            "material": self._material(total),
            "changeovers": _turns(total.turns) if total.turns else (),
            "late_seen": total.late,
        }

    def _energy(self, total: Sum) -> tuple[Decimal, bool]:
        """kWh as booked; without a counter the use is assumed at standard while running."""
        energy = decimal(total.energy) if total.energy else ZERO
        blind = [units for metered, units in total.unmetered.items() if ENERGY not in metered]
        if not blind:
            return energy, False
        standard = self._book.standard(self._machine, total.key[1], total.cell.effective, "ante")
        if total.key[0] == "running" and standard is not None:
            energy += decimal(sum(map(sum, blind))) * standard.energy_kwh
        return energy, True

    def _material(self, total: Sum) -> tuple[Use, ...]:
        """Material as booked, item by item; without a counter the use is assumed at the bill."""
        uses = [Use(item, decimal(quantity)) for item, quantity in total.materials.items() if quantity]
        if total.good or total.scrap:
            bill = self._book.bill(self._machine, total.key[3], total.cell.effective, "ante")
            for item, quantity in bill.items():
                blind = sum(
                    good + scrap
                    for metered, (good, scrap, _) in total.unmetered.items()
                    if ITEM + item not in metered
                )
                if blind:
                    uses.append(Use(item, decimal(blind) * quantity, True))
        return tuple(sorted(uses))
