"""The evidence: what the machines did, each span with its amount."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
from psycopg import Connection

from cloud_api.answers.causes_of_waiting import with_causes
from cloud_api.answers.envelope import envelope
from cloud_api.answers.ledger import sums_of, wanted
from cloud_api.answers.paging import cursor, place
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question, told
from cloud_api.answers.shapes.ledger import SegmentRow, Segments
from cloud_api.answers.stretches import Stretch, stretches
from cloud_api.interpret.dispositions import disposed
from cloud_api.interpret.ledger import price
from cloud_api.interpret.model import Span
from cloud_api.interpret.money import CONTEXT, shown
from cloud_api.interpret.rounding import measured
from cloud_api.store.evidence import subject
from cloud_api.store.times import from_us
from shared.units import hours_in


class _Place(msgspec.Struct, frozen=True):
    """Where a page ends: machine, end of its last stretch, and the exact amount of all rows so far."""

    machine: int
    after_us: int
    amount: Decimal


def segments(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Segments:
    """Stretches of the machines asked for, by machine and time; their amounts add up to the total.

    Rows are rounded so that the sum of all rows so far is itself rounded: no cent is lost between pages.
    """
    at = _Place(0, -1, Decimal(0)) if question.cursor is None else place(question.cursor, _Place)
    rows: list[SegmentRow] = []
    next_cursor = None
    amount = at.amount
    for site, machine, stretch in _in_order(connection, question, at):
        if len(rows) == question.limit:
            next_cursor = cursor(at)
            break
        before, amount = amount, CONTEXT.add(amount, stretch.amount)
        at = _Place(machine.machine_id, stretch.to_us, amount)
        rows.append(_row(site, machine, stretch, shown(amount) - shown(before) if sees_money else None))
    said = envelope(connection, question, now)
    if not sees_money:
        said["currency"] = None
    return Segments(
        **said,
        next_cursor=next_cursor,
        total=_total(connection, question) if sees_money else None,
        rows=with_causes(connection, question, rows),
    )


def _in_order(
    connection: Connection[Any], question: Question, at: _Place
) -> Iterator[tuple[Site, Machine, Stretch]]:
    sites = {site.name: site for site in question.sites}
    reached = at.after_us < 0
    for machine in question.machines:
        resumes = not reached and machine.machine_id == at.machine
        if not (reached or resumes):
            continue
        after_us = at.after_us if resumes else None
        reached = True
        for stretch in stretches(connection, question, sites[machine.site], machine, after_us):
            yield sites[machine.site], machine, stretch


def _total(connection: Connection[Any], question: Question) -> Decimal:
    """The cost of everything asked for but charges and late dispositions, which belong to no segment: from
    the ledger itself."""
    by_resource = sums_of(connection, question.grouped("resource"))
    amounts = (sum_.amount for (resource,), sum_ in by_resource.items() if resource != "other")
    return shown(sum(amounts, -_disposed(connection, question)))


def _disposed(connection: Connection[Any], question: Question) -> Decimal:
    """What dispositions after the fact moved in the window, of the entries asked for."""
    total = Decimal(0)
    for site in question.sites:
        if site.book is None or not site.book.plant.quality:
            continue
        for machine in question.machines:
            if machine.site == site.name:
                who = subject(connection, machine.machine_id, None, datetime.now(UTC))
                if who is None:
                    continue
                first = max(who.first_us, question.from_us or who.first_us)
                end = min(who.watermark_us, question.to_us or who.watermark_us)
                line = Span(who.first_us, who.watermark_us)
                for output in disposed(site.book, machine.name, line, first, end):
                    book = site.book.at(output.production_day)
                    entries = wanted(price([output], machine.name, book), question)
                    total = CONTEXT.add(total, sum((entry.amount for entry in entries), Decimal(0)))
    return total


def _row(site: Site, machine: Machine, stretch: Stretch, amount: Decimal | None) -> SegmentRow:
    first = stretch.first
    flags = [name for name in ("assumed", "late_seen", "uncertain") if getattr(stretch, name)]
    where = {
        "site": site.name,
        "machine": machine.name,
        "from": told(first.from_us),
        "to": told(stretch.to_us),
    }
    return SegmentRow(
        site=site.name,
        line=machine.line,
        machine=machine.name,
        from_=from_us(first.from_us),
        to=from_us(stretch.to_us),
        hours=measured(hours_in(stretch.to_us - first.from_us)),
        state=first.state,
        product=first.product,
        order=first.order,
        reason=first.reason,
        crew=first.crew,
        shift=first.shift,
        calendar=first.calendar,
        production_day=first.production_day,
        good=stretch.good,
        scrap=stretch.scrap,
        rework=stretch.rework,
        energy_kwh=stretch.energy_kwh,
        material=stretch.material or {},
        flags=flags,
        amount=amount,
        samples=f"/v1/samples?{urlencode(where)}",
    )
