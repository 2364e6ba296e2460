"""Questions that raise themselves: what the ledger leaves unexplained, asked within the limits of the floor.

Given the ledger and the present, the same questions: nothing else decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.places import Machine, Site
from cloud_api.answers.questions import states
from cloud_api.answers.questions_stops import asked_at, asked_of, open_stops
from cloud_api.interpret.asking import FRESH_US, Group, Stop, like, shift_at, to_ask
from cloud_api.store import context
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us
from shared.units import HOUR_US

_HOURS = Decimal("0.000001")


def claimed(connection: Connection[Any], site: Site) -> bool:
    """Whether this transaction has the floor of a site to itself, until it ends."""
    row = connection.execute(statement("context.claim_site"), {"site": site.name}).fetchone()
    return row is not None and bool(row[0])


def raise_questions(connection: Connection[Any], site: Site, now: datetime) -> list[int]:
    """Asks what is to be asked at a site now, line by line, after answers were carried on to stops like
    theirs; the new questions. Call it in a transaction that has the site to itself (`claimed`)."""
    if site.book is None:
        return []
    asked: list[int] = []
    lines = dict.fromkeys(machine.line for machine in site.machines if machine.line is not None)
    for line in lines:
        machines = [machine for machine in site.machines if machine.line == line]
        asked += _line(connection, site, machines, now)
    return asked


def _line(connection: Connection[Any], site: Site, machines: Sequence[Machine], now: datetime) -> list[int]:
    assert site.book is not None
    now_us = to_us(now)
    standing = states(connection, machines, now)
    ready = [one.machine for one in standing.values() if not one.waits]
    rows = asked_at(connection, site, machines, now_us)
    shift = shift_at(site.book.almanac, now_us)
    carries = any(row[-2] is not None and to_us(row[-2]) > now_us - 2 * HOUR_US for row in rows)
    if shift.name is None and not carries:
        return []
    stops = open_stops(connection, site, ready, now_us - FRESH_US - HOUR_US, now_us)
    names = {machine.machine_id: machine.name for machine in machines}
    for question_id, machine_id, *span, like_until, note_id in rows:
        if like_until is not None and note_id is not None:
            before = asked_of(site, names[machine_id], span)
            found = like(stops, before, to_us(like_until))
            explain_like(connection, site, question_id, note_id, found, now)
            stops = [stop for stop in stops if stop not in found]
    down = frozenset(one.machine.name for one in standing.values() if one.is_down)
    asked = [asked_of(site, names[machine_id], span) for _, machine_id, *span, _, _ in rows]
    plant = site.book.plant
    groups = to_ask(stops, asked, shift, now_us, down, plant.materiality_amount)
    ids = {machine.name: machine.machine_id for machine in machines}
    return [_ask(connection, site, ids[group.first.machine], group, shift.from_us, now) for group in groups]


def explain_like(
    connection: Connection[Any],
    site: Site,
    question_id: int,
    note_id: int,
    stops: Sequence[Stop],
    now: datetime,
) -> list[int]:
    """Carries an answer on to stops like its own, as notes that can be withdrawn; none in a locked period."""
    made = []
    row = connection.execute(statement("context.answer_said"), {"note": note_id}).fetchone()
    if row is None:
        return []
    for stop in stops:
        if any(
            period.status != "provisional" and period.from_us < stop.to_us and period.to_us > stop.from_us
            for period in site.periods
        ):
            continue
        kept = context.add_note(
            connection,
            site.name,
            now,
            kind="cause",
            text=row[0],
            author=row[1],
            machine=stop.machine,
            starts_at=from_us(stop.from_us),
            ends_at=from_us(stop.to_us),
            causes=[stop.cause],
            question=question_id,
            like_of=note_id,
        )
        if kept is not None:
            made.append(kept)
    return made


def _ask(
    connection: Connection[Any], site: Site, machine_id: int, group: Group, asked_in_us: int, now: datetime
) -> int:
    first = group.first
    lasted = sum(stop.to_us - stop.from_us for stop in group.stops)
    row = connection.execute(
        statement("context.ask"),
        {
            "site": site.name,
            "machine": machine_id,
            "state": first.state,
            "cause": first.cause,
            "starts_at": from_us(first.from_us),
            "ends_at": from_us(first.to_us),
            "reason": first.reason,
            "product": first.product,
            "order": first.order,
            "shift": first.shift,
            "amount": group.amount,
            "hours": (Decimal(lasted) / HOUR_US).quantize(_HOURS),
            "spans": len(group.stops),
            "pattern": group.pattern,
            "shift_from": from_us(first.shift_from_us),
            "asked_in": from_us(asked_in_us),
            "asked_at": now,
            "gone_at": from_us(first.to_us + FRESH_US),
        },
    ).fetchone()
    assert row is not None
    return int(row[0])
