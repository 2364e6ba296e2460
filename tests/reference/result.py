"""The one question of the reference: what did this plant cost in this window, and against what standard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from .clock import HOUR_US, ONE_DAY, moment_of
from .confidence import Confidence, judged
from .histories import MachineHistory, read_histories
from .pricing import Entry, booked, crew_of, priced
from .segments import Segment, joined
from .shifts import ShiftCalendar
from .tables import Plant, read_plant
from .timeline import Piece, disposed, pieces_of
from .variances import Cell, Contribution, changeover_parts, counted_at_line_end, earned, line_cells
from .versions import ANTE, POST

ZERO = Fraction(0)
DIMENSIONS = ("line", "machine", "product", "order", "shift", "resource", "cause", "reason")
TIMES = ("hour", "day", "week", "period")
Key = tuple[str | None, ...]


@dataclass
class Result:
    """Figures of one window [from, to), microseconds UTC; money exact, in the site's currency."""

    plant: Plant
    calendar: ShiftCalendar
    window: tuple[int, int]
    pieces: list[Piece]
    entries: list[Entry]
    contributions: list[Contribution]
    segments: list[Segment]
    histories: dict[str, MachineHistory]

    def key(self, place: Entry, by: Sequence[str]) -> Key:
        """Dimensions of an entry; hour, day, week as text: UTC hour start, production day, its week's
        Monday."""
        values: list[str | None] = []
        for name in by:
            if name in DIMENSIONS:
                values.append(getattr(place, name))
            elif name == "hour":
                values.append(moment_of(place.at - place.at % HOUR_US).isoformat())
            elif name == "site":
                values.append(self.plant.site)
            elif name in TIMES:
                day = self.plant.clock.production_day(place.at)
                day = day - day.weekday() * ONE_DAY if name == "week" else day
                values.append(day.isoformat()[: 7 if name == "period" else 10])
            else:
                raise ValueError(f"unknown dimension: {name}: use one of {DIMENSIONS + TIMES}")
        return tuple(values)

    def costs(self, by: Sequence[str] = (), **only: str | None) -> dict[Key, Fraction]:
        """Actual cost by dimensions; `only` filters, e.g. machine='m1'."""
        sums: dict[Key, Fraction] = {}
        for entry in self.entries:
            if matches(entry, only):
                key = self.key(entry, by)
                sums[key] = sums.get(key, ZERO) + entry.amount
        return sums

    def variances(self, by: Sequence[str] = (), **only: str | None) -> dict[Key, Cell]:
        """Cells by dimensions; line cells are left out where one machine is asked for."""
        cells: dict[Key, Cell] = {}
        for contribution in self.contributions:
            if "machine" in only and contribution.place.resource == "line":
                continue
            if matches(contribution.place, only):
                cells.setdefault(self.key(contribution.place, by), Cell()).add(contribution.cell)
        return cells

    def output(self, by: Sequence[str] = (), **only: str | None) -> dict[Key, dict[str, Fraction]]:
        """Good, scrap, rework, changeovers, and good `counted` at the last machine of a line with a
        standard."""
        sums: dict[Key, dict[str, Fraction]] = {}
        for piece in self.pieces:
            place = unit_place(piece)
            if not matches(place, only):
                continue
            row = sums.setdefault(self.key(place, by), {})
            for name, amount in (
                ("good", piece.good),
                ("scrap", piece.scrap),
                ("rework", piece.rework),
                ("changeovers", Fraction(piece.begins_changeover)),
                ("counted", counted_at_line_end(piece, self.plant)),
            ):
                row[name] = row.get(name, ZERO) + amount
        return sums

    def confidence(self) -> Confidence:
        firsts = {machine: history.first for machine, history in self.histories.items()}
        return judged(self.pieces, self.entries, firsts, self.plant, self.calendar, *self.window)


def unit_place(piece: Piece) -> Entry:
    return Entry(
        piece.start, piece.machine.id, piece.machine.line, piece.unit_product, piece.unit_order,
        piece.span.shift, None, "", "", ZERO,
    )  # fmt: skip


def matches(place: Entry, only: dict[str, Any]) -> bool:
    return all(getattr(place, name) == value for name, value in only.items())


def compute(
    plant_dir: Path | list[tuple[Path, int]],
    history_files: Iterable[Path],
    window_from: int,
    window_to: int,
    recorded_at: int = 0,
) -> Result:
    """Computes a window [from, to) in microseconds UTC from plant files and raw samples.

    `plant_dir` is one directory recorded at `recorded_at`, or several loaded one after another, each with the
    instant at which it was recorded.
    """
    loads = plant_dir if isinstance(plant_dir, list) else [(plant_dir, recorded_at)]
    plant = read_plant(loads)
    histories = read_histories(history_files, plant)
    earliest = min([window_from, *(history.first for history in histories.values())])
    latest = max([window_to, *(history.watermark for history in histories.values())])
    calendar = ShiftCalendar(plant.calendar, plant.clock, earliest, latest + 1)
    pieces = [
        piece
        for machine in plant.machines.values()
        if machine.id in histories
        for piece in pieces_of(machine, histories[machine.id], plant, calendar, [window_from, window_to])
        if window_from <= piece.start < window_to
    ]
    pieces += [
        piece
        for machine in plant.machines.values()
        if machine.id in histories
        for piece in disposed(machine, histories[machine.id], plant, calendar)
        if window_from <= piece.start < window_to
    ]
    for piece in pieces:
        piece.crew = crew_of(piece, plant)
    return summed(plant, calendar, pieces, (window_from, window_to), histories)


def summed(
    plant: Plant, calendar: ShiftCalendar, pieces: list[Piece], window: tuple[int, int],
    histories: dict[str, MachineHistory],
) -> Result:  # fmt: skip
    entries: list[Entry] = []
    contributions: list[Contribution] = []
    lengths: list[tuple[Piece, Fraction, Fraction]] = []
    for piece in pieces:
        booking = booked(piece, plant)
        own = priced(piece, plant, booking, ANTE)
        entries += own
        anew = priced(piece, plant, booking, POST) if plant.revised else own
        contributions += [Contribution(entry, Cell(actual=entry.amount)) for entry in own]
        contributions += [Contribution(entry, Cell(actual_anew=entry.amount)) for entry in anew]
        contributions += earned(piece, plant) + changeover_parts(piece, plant, own) + line_cells(piece, plant)
        if piece.end > piece.start:
            lengths.append((piece, booking.kwh, sum((entry.amount for entry in own), ZERO)))
    charged = charges(plant, calendar, *window)
    entries += charged
    contributions += [Contribution(entry, Cell(entry.amount, ZERO, entry.amount)) for entry in charged]
    return Result(plant, calendar, window, pieces, entries, contributions, joined(lengths), histories)


def charges(plant: Plant, calendar: ShiftCalendar, start_us: int, end_us: int) -> list[Entry]:
    """Cost model, pricing: a charge counts whatever the calendar says, also outside the time line; without a
    machine it is in site totals only; without product or order it has none."""
    template = Entry(0, None, None, None, None, None, None, "other", "", ZERO)
    return [
        replace(
            template,
            at=charge.at,
            machine=charge.machine,
            line=plant.machines[charge.machine].line if charge.machine else None,
            product=charge.product,
            order=charge.order,
            shift=calendar.at(charge.at).shift,
            cause=charge.cause,
            amount=charge.amount,
        )
        for charge in plant.charges
        if start_us <= charge.at < end_us
    ]
