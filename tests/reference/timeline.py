"""Cuts the time line of a machine into pieces in which nothing changes, and puts what was counted into them.

A piece is at most one UTC hour long; joined again, pieces are segments (see `segments`).
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from .clock import HOUR_US, MINUTE_US
from .counters import change_instants, count
from .histories import (
    UNKNOWN,
    MachineHistory,
    Step,
    crew_steps,
    last_known_steps,
    state_steps,
    text_steps,
)
from .shifts import ShiftCalendar, Span
from .tables import Machine, Plant

ZERO = Fraction(0)


@dataclass
class Piece:
    """[start, end) of one machine with everything constant. Units, kWh and material are those seen inside
    it."""

    machine: Machine
    start: int
    end: int
    day: date
    span: Span
    state: str
    product: str | None
    order: str | None
    reason: str | None
    crew_signal: Fraction | None
    last_product: str | None
    unit_product: str | None = None
    unit_order: str | None = None
    begins_changeover: bool = False
    from_product: str | None = None
    crew: Fraction = ZERO
    good: Fraction = ZERO
    scrap: Fraction = ZERO
    rework: Fraction = ZERO
    kwh: Fraction = ZERO
    used: dict[str, Fraction] = field(default_factory=dict)
    has_energy: bool = False
    metered_items: tuple[str, ...] = ()

    @property
    def hours(self) -> Fraction:
        return Fraction(self.end - self.start, HOUR_US)


def value_at(steps: list[Step], at: int) -> str | None:
    """The value that holds at an instant; None before the first step."""
    index = bisect_right(steps, at, key=lambda step: step.at)
    return steps[index - 1].value if index else None


def pieces_of(
    machine: Machine, history: MachineHistory, plant: Plant, calendar: ShiftCalendar, cuts: list[int]
) -> list[Piece]:
    """All pieces of a machine's time line, from its first sample to its watermark, cut also at `cuts`."""
    first, watermark = history.first, history.watermark
    states = state_steps(history.of("state"))
    signals = {role: text_steps(history.of(role)) for role in ("product", "order", "reason")}
    crew, known = crew_steps(history.of("crew")), last_known_steps(history.of("product"))
    steps = [states, crew, known, *signals.values()]
    edges = {step.at for series in steps for step in series} | set(cuts) | set(calendar.boundaries())
    edges |= plant.clock.boundaries(first, watermark) | {first, watermark}
    works = sorted(plant.works.get(machine.id, []))
    edges |= {edge for start, end, _ in works for edge in (start, end)}
    inside = sorted(edge for edge in edges if first <= edge <= watermark)
    pieces = [
        Piece(
            machine=machine,
            start=start,
            end=end,
            day=plant.clock.date_of(start),
            span=calendar.at(start),
            state=value_at(states, start) or UNKNOWN,
            product=value_at(signals["product"], start),
            order=value_at(signals["order"], start),
            reason=value_at(signals["reason"], start),
            crew_signal=people(value_at(crew, start)),
            last_product=value_at(known, start),
            has_energy=bool(history.of("energy")),
            metered_items=tuple(history.materials),
        )
        for start, end in itertools.pairwise(inside)
    ]
    give_reasons(pieces, signals["reason"])
    explain_by_maintenance(pieces, works)
    give_products(pieces)
    give_counts(pieces, history)
    return pieces


def disposed(machine: Machine, history: MachineHistory, plant: Plant, calendar: ShiftCalendar) -> list[Piece]:
    """Pieces without time: what was decided of units after they were made, at the nearer end of the time line
    where it was decided outside of it. They use nothing."""
    return [
        Piece(
            machine=machine,
            start=at,
            end=at,
            day=plant.clock.date_of(at),
            span=calendar.at(at),
            state="running",
            product=told.product,
            order=told.order,
            reason=told.reason,
            crew_signal=ZERO,
            last_product=None,
            unit_product=told.product,
            unit_order=told.order,
            good=told.good,
            scrap=told.scrap,
            rework=told.rework,
            has_energy=True,
            metered_items=tuple(plant.all_items()),
        )
        for told in plant.dispositions.get(machine.id, ())
        for at in (min(max(told.at, history.first), history.watermark - 1),)
    ]


def people(value: str | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def give_reasons(pieces: list[Piece], given: list[Step]) -> None:
    """Cost model, segments: a reason given during a stop, or within the minute after it, covers the whole
    stop; of several reasons the first covers the part before the next. A stop is an unbroken span of
    `down`."""
    stop: list[Piece] = []
    for piece in [*pieces, None]:
        if piece is not None and piece.state == "down":
            stop.append(piece)
            continue
        if stop:
            reason_stop(stop, given)
        stop = []
        if piece is not None and piece.state == "running":
            piece.reason = None


def explain_by_maintenance(pieces: list[Piece], works: list[tuple[int, int, str]]) -> None:
    """Maintenance of a machine explains the part of its stops to which nobody gave a reason."""
    for piece in pieces:
        if piece.state == "down" and piece.reason is None:
            covering = [reason for start, end, reason in works if start <= piece.start < end]
            piece.reason = covering[0] if covering else None


def reason_stop(stop: list[Piece], given: list[Step]) -> None:
    start, end = stop[0].start, stop[-1].end
    told = [(start, value_at(given, start))]
    told += [(step.at, step.value) for step in given if start < step.at < end]
    told = [(at, reason) for at, reason in told if reason is not None]
    if not told:
        after = [step for step in given if end <= step.at <= end + MINUTE_US and step.value is not None]
        told = [(start, step.value) for step in after[:1]]
    for piece in stop:
        before = [reason for at, reason in told if at <= piece.start]
        piece.reason = before[-1] if before else (told[0][1] if told else None)


def give_products(pieces: list[Piece]) -> None:
    """Products and orders by state, and where changeovers begin (cost model, segments and calendar)."""
    following: Piece | None = None
    for piece in reversed(pieces):
        if piece.state == "running":
            following = piece
        if piece.state == "changeover" and following is not None:
            piece.product, piece.order = following.product, following.order
    running: Piece | None = None
    changing = False
    for piece in pieces:
        piece.unit_product, piece.unit_order = piece.product, piece.order
        if piece.state in ("idle", "planned_stop"):
            piece.product = piece.order = None
            piece.unit_product = running.unit_product if running else None
            piece.unit_order = running.unit_order if running else None
        if piece.state == "changeover":
            piece.begins_changeover = not changing
            piece.from_product = running.product if running else None
            changing = True
        if piece.state == "running":
            running, changing = piece, False


def give_counts(pieces: list[Piece], history: MachineHistory) -> None:
    """Cost model, counters: an increase seen at t belongs to the segment with from <= t < to; at the end of
    data, to the last segment. With `total_count`, good = its increases - scrap increases, never floored."""
    if not pieces:
        return
    changes = change_instants(history.of("product")) + change_instants(history.of("order"))
    starts = [piece.start for piece in pieces]
    declared = pieces[0].machine.counters

    def seen(role: str) -> list[tuple[Piece, Fraction]]:
        counting = count(history.of(role), declared.get(role), changes)
        return [(pieces[bisect_right(starts, at) - 1], amount) for at, amount in counting.increases]

    for piece, amount in seen("good_count") + seen("total_count"):
        piece.good += amount
    for piece, amount in seen("scrap_count"):
        piece.scrap += amount
        if history.of("total_count"):
            piece.good -= amount
    for piece, amount in seen("rework_count"):
        piece.rework += amount
    for piece, amount in seen("energy"):
        piece.kwh += amount
    for item in history.materials:
        for piece, amount in seen(f"material:{item}"):
            piece.used[item] = piece.used.get(item, ZERO) + amount
