"""The hours that a window cuts: interpreted again with a cut, so that their parts add up to the hour.

Call inside one REPEATABLE READ transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace
from psycopg import Connection

from cloud_api.answers.memory import remembered
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.answers.window import window_at
from cloud_api.interpret.calendar import micros
from cloud_api.interpret.interpretation import interpret
from cloud_api.interpret.ledger import charge_entries
from cloud_api.interpret.model import Entry, HourResult, Missing, Output, Segment
from cloud_api.interpret.standards import Book
from cloud_api.store.evidence import boundaries, boundary_before, evidence, subject
from cloud_api.store.times import hour_of
from shared.units import HOUR_US


def edge_entries(connection: Connection[Any], question: Question, site: Site) -> Iterator[Entry]:
    """Entries of the cut hours of a site, as far as they lie in the window; charges among them."""
    for part in _parts(connection, question, site):
        yield from part.entries
    yield from _charges(question, site)


def edge_outputs(connection: Connection[Any], question: Question, site: Site) -> Iterator[Output]:
    """Facts of the cut hours of a site, as far as they lie in the window."""
    for part in _parts(connection, question, site):
        yield from part.outputs


def edge_missing(
    connection: Connection[Any], question: Question, site: Site
) -> Iterator[tuple[str, Missing]]:
    """(machine, what the plant model lacked) in the cut hours of a site, as far as they lie in the window."""
    for from_us, to_us in window_at(site, question.from_us, question.to_us).edges:
        yield from missing_between(connection, question, site, from_us, to_us)


def missing_between(
    connection: Connection[Any],
    question: Question,
    site: Site,
    from_us: int,
    to_us: int,
    names: frozenset[str] | None = None,
) -> Iterator[tuple[str, Missing]]:
    """The same in a span inside one hour; `names`: of these machines only."""
    for machine in question.machines:
        if machine.site == site.name and (names is None or machine.name in names):
            for part in _slices(connection, site, machine, from_us, to_us):
                yield from ((machine.name, lacked) for lacked in part.missing)


def edge_segments(
    connection: Connection[Any], question: Question, site: Site, machine: Machine
) -> Iterator[Segment]:
    """Segments of the cut hours of one machine, as far as they lie in the window."""
    for from_us, to_us in window_at(site, question.from_us, question.to_us).edges:
        for part in _slices(connection, site, machine, from_us, to_us):
            yield from part.segments


def _parts(connection: Connection[Any], question: Question, site: Site) -> Iterator[HourResult]:
    for from_us, to_us in window_at(site, question.from_us, question.to_us).edges:
        for machine in question.machines:
            if machine.site == site.name:
                yield from _slices(connection, site, machine, from_us, to_us)


@remembered
def _slices(
    connection: Connection[Any], site: Site, machine: Machine, from_us: int, to_us: int
) -> list[HourResult]:
    """The slices of one machine-hour that lie in [from_us, to_us), a span inside one UTC hour."""
    if site.book is None:
        return []
    who = subject(connection, machine.machine_id, site.plant, datetime.now(UTC))
    hour = hour_of(from_us)
    if who is None or who.watermark_us <= from_us or who.first_us >= to_us:
        return []
    begin = boundary_before(connection, machine.machine_id, hour)
    start = hour_of(who.first_us) if begin is None else begin.hour_us
    known = evidence(connection, who, start, hour + HOUR_US)
    later = boundaries(connection, machine.machine_id, start + HOUR_US, hour + HOUR_US)
    cuts = [cut for cut in (from_us, to_us) if cut % HOUR_US]
    return [
        part
        for part in interpret(machine.name, site.book, known, begin, later, hour, cuts).hours
        if from_us <= part.from_us and part.to_us <= to_us
    ]


def _charges(question: Question, site: Site) -> Iterator[Entry]:
    """Charges of a site, at their own instants."""
    edges = window_at(site, question.from_us, question.to_us).edges
    if site.plant is None or not edges:
        return

    def inside(time: datetime) -> bool:
        return any(from_us <= micros(time) < to_us for from_us, to_us in edges)

    plant = replace(
        site.plant,
        charges=tuple(charge for charge in site.plant.charges if inside(charge.time)),
        maintenance=tuple(event for event in site.plant.maintenance if inside(event.start)),
    )
    names = {machine.name for machine in question.machines if machine.site == site.name}
    for entry in charge_entries(Book(plant)):
        if entry.machine is None or entry.machine in names:
            yield entry
