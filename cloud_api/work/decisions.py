"""Decisions that the data shows, drafted by themselves; one that goes on is the same draft, made longer.

The last day of every machine is looked at again and again. What is written of the past beside it (a backfill,
late data, a new plant model) is due once, from where it begins, and is looked at piece by piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from cloud_api.answers.places import Machine, Site
from cloud_api.answers.stretches import segment_of
from cloud_api.interpret import decisions
from cloud_api.interpret.decisions import Draft
from cloud_api.interpret.model import Segment
from cloud_api.store.context import past_due
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us
from shared.units import HOUR_US

WINDOW_US = 26 * HOUR_US
"""So far back the data is looked at, from the present or from what was written."""
KNOWN_US = 8 * 24 * HOUR_US
PIECE_US = 8 * 24 * HOUR_US
"""So much of the past of a machine is looked at in one round."""
BACK_US = 92 * 24 * HOUR_US
"""Nothing is drafted further back than this: nobody would remember."""


def draft_decisions(connection: Connection[Any], site: Site, now: datetime) -> list[int]:
    """Drafts what the last day of a site shows; the new drafts. Call it in a transaction that has the site to
    itself (context.claim_site)."""
    if site.book is None:
        return []
    now_us = to_us(now)
    made: list[int] = []
    for machine in _modelled(site):
        made += _machine(connection, site, machine, now_us - WINDOW_US, now, now)
    return made


def draft_past(connection: Connection[Any], site: Site, now: datetime) -> list[int]:
    """Drafts a piece of what is due of the past at each machine, as `draft_decisions` does; the rest stays
    due. What lies in a locked or closed period is left alone: nobody could confirm it."""
    machines = {machine.machine_id: machine for machine in _modelled(site)}
    now_us, made = to_us(now), list[int]()
    due = connection.execute(statement("context.take_due"), {"machines": list(machines)}).fetchall()
    for machine_id, since in due:
        begin = max(to_us(since), now_us - BACK_US)
        end = min(begin + PIECE_US, now_us)
        if begin < end:
            made += _machine(connection, site, machines[machine_id], begin - WINDOW_US, from_us(end), now)
        if end < now_us - WINDOW_US:
            past_due(connection, machine_id, end)
    return made


def _modelled(site: Site) -> list[Machine]:
    """The machines of a site that its plant model knows."""
    return [one for one in site.machines if site.book is not None and one.name in site.book.machines]


def _machine(
    connection: Connection[Any], site: Site, machine: Machine, since_us: int, until: datetime, now: datetime
) -> list[int]:
    assert site.book is not None
    since = from_us(since_us)
    rows = connection.execute(
        statement("context.segments_until"), {"machine": machine.machine_id, "from": since, "to": until}
    ).fetchall()
    segments = [segment_of(machine.name, row) for row in rows]
    if not segments:
        return []
    scrapped, is_past = decisions.scrap(segments, site.book), to_us(now) - since_us > WINDOW_US
    drafts = [
        *decisions.off_time(segments),
        *decisions.crew(segments, site.book),
        *(decisions.in_a_row(scrapped) if is_past else scrapped),
        *_sequence(connection, site, machine, segments, until),
        *_override(connection, machine, segments, since, until),
    ]
    found = [
        _keep(connection, site, machine, draft, now)
        for draft in decisions.joined(drafts)
        if not _is_kept(site, draft)
    ]
    return [one for one in found if one is not None]


def _is_kept(site: Site, draft: Draft) -> bool:
    """Whether a draft ends in a period that is locked or closed."""
    return any(one.status != "provisional" and one.from_us < draft.to_us <= one.to_us for one in site.periods)


def _sequence(
    connection: Connection[Any], site: Site, machine: Machine, segments: Sequence[Segment], now: datetime
) -> list[Draft]:
    assert site.book is not None
    planned = [order for order in site.book.plant.orders if order.machine == machine.name]
    if not planned:
        return []
    names = {"machine": machine.machine_id, "orders": [order.order for order in planned], "now": now}
    begun = {order: to_us(at) for order, at in connection.execute(statement("context.begun"), names)}
    return decisions.sequence(segments, planned, begun)


def _override(
    connection: Connection[Any], machine: Machine, segments: Sequence[Segment], since: datetime, now: datetime
) -> list[Draft]:
    window = {"machine": machine.machine_id, "from": since, "to": now}
    values = [
        (to_us(time), None if value is None else Decimal(repr(value)))
        for time, value in connection.execute(statement("context.overrides"), window)
    ]
    changes = [one for at, one in enumerate(values) if at == 0 or values[at - 1][1] != one[1]]
    return decisions.override(machine.name, changes, segments[-1].to_us, segments) if changes else []


def _keep(
    connection: Connection[Any], site: Site, machine: Machine, draft: Draft, now: datetime
) -> int | None:
    """The id of a new draft; None where it goes on with an earlier one, whatever became of that."""
    known = connection.execute(
        statement("context.drafted"),
        {"machine": machine.machine_id, "sign": draft.sign, "since": from_us(draft.from_us - KNOWN_US)},
    ).fetchall()
    said = {
        "starts_at": from_us(draft.from_us),
        "ends_at": from_us(draft.to_us),
        "detail": Jsonb(dict(draft.detail)),
    }
    for decision_id, starts_at, ends_at, order, product in known:
        if draft.sign == "scrap" and product != draft.product:
            continue
        if draft.goes_on(draft.sign, to_us(starts_at), to_us(ends_at), order):
            connection.execute(statement("context.draft_on"), {"decision": decision_id, **said})
            return None
    row = connection.execute(
        statement("context.draft"),
        {
            "site": site.name,
            "machine": machine.machine_id,
            "kind": draft.kind,
            "sign": draft.sign,
            "product": draft.product,
            "order": draft.order,
            "now": now,
            **said,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])
