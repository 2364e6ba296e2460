"""What is known of one machine in a span, read from the database for the interpretation.

Call inside one REPEATABLE READ transaction, so that samples, coverage, losses and boundaries are of one
instant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from cloud_api.interpret.model import Boundary, Evidence, Loss, Sample, Signal, Span
from cloud_api.interpret.plant import Plant
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, hour_of, to_us
from shared.roles import COUNTERS, TEXTS, Role
from shared.units import HOUR_US

BELIEVED_US = 8 * HOUR_US
"""A file tells changes only, so its last row is believed for a shift; beyond that nothing is known until the
first live sample."""
NO_DATA = "no data"

ROLES = sorted({*COUNTERS, *TEXTS, Role.CREW})
"""Roles that the interpretation reads; measures, alarms and overrides tell nothing of time or use."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A machine as the interpretation sees it: its time line [first_us, watermark_us) and its signals.

    ``agents`` names the series of each agent; ``sources`` are keys of coverage. ``silence``: from when the
    last row of its files is believed no longer, to its first live sample; None where there is none.
    ``known``: only what was received up to this instant counts; None: everything.
    """

    machine_id: int
    machine: str
    site: str
    first_us: int
    watermark_us: int
    signals: Mapping[int, Signal]
    agents: Mapping[int, frozenset[int]]
    sources: tuple[int, ...]
    silence: Span | None = None
    known: datetime | None = None


def subject(
    connection: Connection[TupleRow], machine_id: int, plant: Plant | None, now: datetime
) -> Subject | None:
    """A machine with its signals; None where it has no data. ``now`` (aware) ends a loss that lasts."""
    at = {"machine_id": machine_id, "roles": ROLES}
    found = connection.execute(statement("evidence.machine"), at).fetchone()
    if found is None:
        return None
    machine, site, first, watermark = found
    rows = connection.execute(statement("evidence.series"), at).fetchall()
    if any(source is not None for _, source, *_ in rows):
        lost = connection.execute(statement("evidence.lasting_loss"), at).fetchone()
        if lost is not None:
            watermark = max(watermark, min(lost[0] or now, now))
    return _subject(connection, (machine_id, machine, site), (first, watermark), rows, plant)


def subject_as_known(
    connection: Connection[TupleRow], now: Subject, plant: Plant | None, known: datetime, watermark: datetime
) -> Subject | None:
    """A machine as it was at an instant, by what had been received; ``watermark``: of then."""
    at = {"machine_id": now.machine_id, "roles": ROLES, "known": known}
    found = connection.execute(statement("replay.first_sample"), at).fetchone()
    if found is None or found[0] is None:
        return None
    rows = connection.execute(statement("replay.series"), at).fetchall()
    named = (now.machine_id, now.machine, now.site)
    return _subject(connection, named, (found[0], watermark), rows, plant, known)


def _subject(
    connection: Connection[TupleRow],
    named: tuple[int, str, str],
    span: tuple[datetime, datetime],
    rows: Sequence[tuple[Any, ...]],
    plant: Plant | None,
    known: datetime | None = None,
) -> Subject:
    machine_id, machine, site = named
    agents: dict[int, set[int]] = {}
    for series, _, agent, *_ in rows:
        if agent is not None:
            agents.setdefault(agent, set()).add(series)
    only_item = _only_item(plant, machine)
    return Subject(
        machine_id=machine_id,
        machine=machine,
        site=site,
        first_us=to_us(span[0]),
        watermark_us=to_us(span[1]),
        signals={row[0]: _signal(row, only_item) for row in rows},
        agents={agent: frozenset(series) for agent, series in agents.items()},
        sources=tuple(sorted({row[1] for row in rows if row[1] is not None})),
        silence=_silence(connection, rows, known),
        known=known,
    )


def _read(known: datetime | None, what: str) -> bytes:
    """The statement that reads everything, or its fellow that reads what was known."""
    return statement(f"evidence.{what}" if known is None else f"replay.{what}")


def _silence(
    connection: Connection[TupleRow], rows: Sequence[tuple[Any, ...]], known: datetime | None
) -> Span | None:
    """Between the last row of the files and the first live sample, where that is longer than believed."""
    files = [series for series, source, *_ in rows if source is None]
    live = [row[-1] for row in rows if row[1] is not None and row[-1] is not None]
    if not files or not live:
        return None
    at = {"series": files, "before": from_us(min(live)), "known": known}
    found = connection.execute(_read(known, "last_of_files"), at).fetchone()
    if found is None or found[0] is None or to_us(found[0]) + BELIEVED_US >= min(live):
        return None
    return Span(to_us(found[0]) + BELIEVED_US, min(live))


def evidence(connection: Connection[TupleRow], who: Subject, from_us_: int, to_us_: int) -> Evidence:
    """Everything known of a machine in [from_us_, to_us_), microseconds UTC, samples at the end included."""
    span = {"from": from_us(from_us_), "to": from_us(to_us_), "known": who.known}
    samples = connection.execute(_read(who.known, "samples"), {"series": list(who.signals), **span})
    return Evidence(
        from_us=from_us_,
        to_us=to_us_,
        first_us=who.first_us,
        watermark_us=who.watermark_us,
        signals=who.signals,
        samples=[Sample(*row) for row in samples],
        coverage=_coverage(connection, who, span),
        losses=_losses(connection, who, span),
    )


def chunk_end(
    connection: Connection[TupleRow], who: Subject, from_us_: int, most_samples: int | None, most_hours: int
) -> int:
    """Where a piece of work that begins at an hour should end: at an hour's start, or beyond the watermark.

    It holds about ``most_samples`` (None: any number), at least one hour and at most ``most_hours``.
    """
    end = hour_of(from_us_) + most_hours * HOUR_US
    if end > who.watermark_us:
        end = who.watermark_us + HOUR_US - who.watermark_us % HOUR_US
    if most_samples is None:
        return end
    at = {"series": list(who.signals), "from": from_us(from_us_), "to": from_us(end)}
    total = 0
    for hour, count in connection.execute(statement("evidence.count_samples"), at):
        total += count
        if total > most_samples:
            return min(end, max(to_us(hour), hour_of(from_us_)) + HOUR_US)
    return end


def boundary_before(connection: Connection[TupleRow], machine_id: int, hour_us: int) -> Boundary | None:
    """The newest boundary of a machine at or before an hour."""
    at = {"machine_id": machine_id, "hour": from_us(hour_us)}
    found = connection.execute(statement("evidence.boundary_before"), at).fetchone()
    return None if found is None else msgspec.convert(found[0], Boundary)


def boundaries(
    connection: Connection[TupleRow], machine_id: int, from_us_: int, to_us_: int
) -> dict[int, Boundary]:
    """The boundaries of a machine at hours in [from_us_, to_us_], by hour."""
    at = {"machine_id": machine_id, "from": from_us(from_us_), "to": from_us(to_us_)}
    found = (
        msgspec.convert(row[0], Boundary) for row in connection.execute(statement("evidence.boundaries"), at)
    )
    return {boundary.hour_us: boundary for boundary in found}


def _signal(row: tuple[Any, ...], only_item: str | None) -> Signal:
    _, source, _, role, item, unit, declared, since_us = row
    rollover = declared.get("rollover")
    if role == Role.MATERIAL and item is None:
        item = only_item
    return Signal(
        role=role,
        item=item,
        source=None if source is None else str(source),
        unit=unit,
        fall=declared.get("fall"),
        rollover=None if rollover is None else Decimal(rollover),
        width=declared.get("width"),
        signed=declared.get("signed"),
        factor=Decimal(repr(declared.get("scale", 1))),
        since_us=since_us,
    )


def _only_item(plant: Plant | None, machine: str) -> str | None:
    """The item that a material counter without one means: the only one that the machine's bills name."""
    if plant is None:
        return None
    items = {row.material for row in plant.bill if row.machine == machine}
    return next(iter(items)) if len(items) == 1 else None


def _coverage(
    connection: Connection[TupleRow], who: Subject, span: Mapping[str, Any]
) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {str(source): [] for source in who.sources}
    if who.sources:
        at = {"sources": list(who.sources), **span}
        for source, first, last in connection.execute(_read(who.known, "coverage"), at):
            found[str(source)].append(Span(first, last))
    return found


def _losses(connection: Connection[TupleRow], who: Subject, span: Mapping[str, Any]) -> list[Loss]:
    if not who.agents:
        return []
    found: list[Loss] = []
    silence = who.silence
    if (
        silence is not None
        and from_us(silence.from_us) <= span["to"]
        and from_us(silence.to_us) > span["from"]
    ):
        every = frozenset(who.signals)
        found.append(
            Loss(from_us=silence.from_us, to_us=silence.to_us, kind="gap", reason=NO_DATA, series=every)
        )
    at = {"agents": list(who.agents), **span}
    for agent, kind, first, last, reason, named in connection.execute(_read(who.known, "losses"), at):
        series = who.agents[agent] & frozenset(named) if named else who.agents[agent]
        if series:
            found.append(Loss(from_us=first, to_us=last, kind=kind, reason=reason, series=series))
    return found
