"""Stops that nobody explained yet, as the ledger has them before an instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from psycopg import Connection

from cloud_api.answers.notes import said_at
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.questions import states
from cloud_api.answers.stretches import segment_of
from cloud_api.interpret.asking import Asked, Stop, shift_at
from cloud_api.interpret.ledger import price
from cloud_api.interpret.matching import Said, reason_explains, silent_reasons
from cloud_api.interpret.model import CAUSE_OF_STATE, Segment
from cloud_api.interpret.money import CONTEXT
from cloud_api.interpret.standards import Book
from cloud_api.store.evidence import NO_DATA
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us
from shared.units import HOUR_US

IN_TRANSIT = "in transit"
ZERO = Decimal(0)


def open_stops(
    connection: Connection[Any], site: Site, machines: Sequence[Machine], from_us_: int, to_us_: int
) -> list[Stop]:
    """Stops in [from_us_, to_us_) that neither a reason nor a note explains, by machine and time. One that
    still lasts is left out, and whole machines on whose data a backlog is still to come."""
    if site.book is None:
        return []
    by_id = {machine.machine_id: machine for machine in machines}
    said = said_at(connection, site, from_us_, to_us_)
    window = {"machines": list(by_id), "from": from_us(from_us_), "to": from_us(to_us_)}
    found: dict[int, list[Segment]] = {}
    for machine_id, *row in connection.execute(statement("context.stops"), window):
        found.setdefault(machine_id, []).append(segment_of(by_id[machine_id].name, tuple(row)))
    ends = {
        key: min(to_us(one.to), to_us_) for key, one in states(connection, machines, from_us(to_us_)).items()
    }
    stops: list[Stop] = []
    for machine_id, segments in found.items():
        if any(segment.reason == IN_TRANSIT for segment in segments):
            continue
        machine = by_id[machine_id]
        here = [one for one in said if one.is_at(machine.name, machine.line)]
        stops += (
            stop
            for stop in _stops(site, site.book, segments)
            if stop.to_us < ends[machine_id] and not _is_said(stop, here)
        )
    return stops


def asked_at(
    connection: Connection[Any], site: Site, machines: Sequence[Machine], now_us: int
) -> list[tuple[Any, ...]]:
    """Rows of context.asked of the last three days."""
    parameters = {
        "machines": [machine.machine_id for machine in machines],
        "now": from_us(now_us),
        "since": from_us(now_us - 72 * HOUR_US),
    }
    return connection.execute(statement("context.asked"), parameters).fetchall()


def asked_of(site: Site, machine: str, row: Sequence[Any]) -> Asked:
    """A question that was asked: starts_at, ends_at, pattern, shift_from, asked_in, asked_at of it."""
    starts_at, ends_at, pattern, shift_from, asked_in, asked_at_ = row
    return Asked(
        machine=machine,
        from_us=to_us(starts_at),
        to_us=to_us(ends_at),
        pattern=pattern,
        shift_from_us=to_us(shift_from),
        asked_in_us=to_us(asked_in),
        day_from_us=site.day_start_us(site.day_of(to_us(starts_at))),
        asked_us=to_us(asked_at_),
    )


def _stops(site: Site, book: Book, segments: Sequence[Segment]) -> Iterator[Stop]:
    """Segments of one machine joined to stops, priced, without those that a reason explains, and without the
    time after a file ended, of which nobody at the machine could say more."""
    silent = silent_reasons(site.plant)
    held: Stop | None = None
    for segment in segments:
        cause = CAUSE_OF_STATE[segment.state]
        if reason_explains(cause, segment.reason, silent) or segment.reason == NO_DATA:
            continue
        amount = sum(
            (entry.amount for entry in price([segment], segment.machine, book) if entry.cause == cause), ZERO
        )
        if held is not None and held.to_us == segment.from_us and held.state == segment.state:
            held = replace(held, to_us=segment.to_us, amount=CONTEXT.add(held.amount, amount))
            continue
        if held is not None:
            yield held
        shift = shift_at(book.almanac, segment.from_us)
        held = Stop(
            machine=segment.machine,
            from_us=segment.from_us,
            to_us=segment.to_us,
            state=segment.state,
            cause=cause,
            reason=segment.reason,
            product=segment.product,
            order=segment.order,
            shift=shift.name,
            shift_from_us=shift.from_us,
            day_from_us=site.day_start_us(site.day_of(segment.from_us)),
            amount=amount,
        )
    if held is not None:
        yield held


def _is_said(stop: Stop, said: Sequence[Said]) -> bool:
    """Whether a note is about some of the stop already."""
    return any(
        one.span.from_us < stop.to_us
        and one.span.to_us > stop.from_us
        and one.moves("machine", stop.cause)
        and one.fits(stop.product, stop.order)
        for one in said
    )
