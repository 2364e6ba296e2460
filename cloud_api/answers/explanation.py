"""How much of a cost somebody, or the reason of a stop, explains: by any group, and what one note does.

Amounts are entries of the ledger. The reason of a stop explains its entries whole; a note explains the part
of an entry that falls on its span, by time, where no reason does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from typing import Any

from psycopg import Connection

from cloud_api.answers.edges import edge_entries
from cloud_api.answers.grouping import Grain, Key, filters, key_of, needs
from cloud_api.answers.ledger import grain_of, wanted
from cloud_api.answers.memory import remembered
from cloud_api.answers.notes import said_at
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.answers.questions_words import effect_said
from cloud_api.answers.shapes.notes import Explained
from cloud_api.answers.stretches import segment_of
from cloud_api.answers.window import days_at, window_at
from cloud_api.interpret.ledger import price
from cloud_api.interpret.matching import (
    OTHER,
    REASONED,
    SPEAKS_FOR_ITSELF,
    Said,
    covered_us,
    explained_part,
    reason_explains,
    silent_reasons,
)
from cloud_api.interpret.model import Segment, Span
from cloud_api.interpret.money import CONTEXT, shown
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us
from shared.units import HOUR_US

ZERO = Decimal(0)
EARLIEST_US, LATEST_US = 0, 7_258_118_400_000_000
"""Ends of a window that a question leaves open: 1970 and 2200."""


@dataclass(frozen=True, slots=True)
class Share:
    """An amount, its size (the sum of its entries whatever their signs), and the size that is explained."""

    amount: Decimal
    size: Decimal
    explained: Decimal

    def plus(self, other: Share) -> Share:
        """Both together."""
        return Share(
            CONTEXT.add(self.amount, other.amount),
            CONTEXT.add(self.size, other.size),
            CONTEXT.add(self.explained, other.explained),
        )


@remembered
def explained_by(connection: Connection[Any], question: Question) -> Mapping[Key, Share]:
    """Amount and explained part by the groups of `question.by`, then resource and cause.

    Cells of causes that speak for themselves are left out. Charges say what they are for.
    """
    by = tuple(name for name in question.by if name not in ("resource", "cause"))
    shares: dict[Key, Share] = {}
    for site in question.sites:
        here = replace(question, sites=(site,))
        for key, share in (*_reasoned(connection, here, site, by), *_noted(connection, here, site, by)):
            shares[key] = shares[key].plus(share) if key in shares else share
    return shares


def explained_share(connection: Connection[Any], question: Question) -> Decimal | None:
    """Explained part of everything that a question asks for, 0 to 1; None where there is nothing to
    explain. Its `resource` and `cause` filters name the cells."""
    return share_of(explained_by(connection, question.grouped()).values())


def share_of(shares: Iterable[Share]) -> Decimal | None:
    """Explained part of some cells together, 0 to 1 with 6 decimals; None of nothing. Gains and losses do not
    cancel: each counts with its size."""
    whole = explained = ZERO
    for share in shares:
        whole = CONTEXT.add(whole, share.size)
        explained = CONTEXT.add(explained, min(share.size, share.explained))
    if not whole:
        return None
    return CONTEXT.divide(explained, whole).quantize(Decimal("0.000001"), "ROUND_DOWN", CONTEXT)


def effect_of(
    connection: Connection[Any], site: Site, said: Sequence[Said], shows_money: bool, lang: str
) -> Explained:
    """What some notes of a site explain together, by now: segments that no reason explains already."""
    question = Question(sites=(site,))
    whole = Span(EARLIEST_US, LATEST_US)
    amount, lasted, spans = ZERO, 0, 0
    causes: dict[str, None] = {}
    machines: dict[str, None] = {}
    states: set[str] = set()
    for machine in site.machines:
        here = [one for one in said if one.is_at(machine.name, machine.line)]
        before: Segment | None = None
        for segment in segments_in(connection, machine, [one.span for one in here]):
            found = list(parts(site, question, machine, segment, here, whole))
            if not found:
                continue
            for entry, part in found:
                amount = CONTEXT.add(amount, part)
                causes[entry.cause] = None
            lasted += covered_us([one.span for one in here], segment.from_us, segment.to_us)
            spans += before is None or not _goes_on(before, segment)
            before = segment
            states.add(segment.state)
            machines[machine.name] = None
    hours = (Decimal(lasted) / HOUR_US).quantize(Decimal("0.000001"))
    return Explained(
        spans=spans,
        hours=hours,
        amount=shown(amount) if shows_money else None,
        causes=sorted(causes),
        said=effect_said(spans, hours, list(machines), states == {"down"}, lang),
    )


def _goes_on(before: Segment, segment: Segment) -> bool:
    """Whether a stored segment continues the one before: cuts at hours are storage only."""
    return before.to_us == segment.from_us and (before.state, before.reason, before.product) == (
        segment.state,
        segment.reason,
        segment.product,
    )


def _reasoned(
    connection: Connection[Any], question: Question, site: Site, by: Sequence[str]
) -> Iterator[tuple[Key, Share]]:
    """Every cell with its size, explained where the reason of a stop says why, or a charge what it is for."""
    silent = silent_reasons(site.plant)
    machines = {machine.name: machine for machine in question.machines if machine.site == site.name}
    found = chain(
        _stored(connection, question, site, by),
        (
            (grain_of(site, machines, entry), entry.amount, abs(entry.amount))
            for entry in wanted(edge_entries(connection, question, site), question)
        ),
    )
    for grain, amount, size in found:
        resource, cause = grain.resource or "", grain.cause or ""
        if cause in SPEAKS_FOR_ITSELF:
            continue
        known = reason_explains(cause, grain.reason, silent)
        known = known or (resource == OTHER and cause != "unexplained")
        yield (*key_of(grain, by), resource, cause), Share(amount, size, size if known else ZERO)


def _stored(
    connection: Connection[Any], question: Question, site: Site, by: Sequence[str]
) -> Iterator[tuple[Grain, Decimal, Decimal]]:
    """Amount and size of the stored entries of a question, by group."""
    span = window_at(site, question.from_us, question.to_us)
    days = None if "hour" in by else days_at(site, question.from_us, question.to_us)
    machines = {machine.machine_id: machine for machine in question.machines if machine.site == site.name}
    parameters = {
        "site": site.name,
        "machines": list(machines),
        **span.bounds(days),
        "silent": sorted(SPEAKS_FOR_ITSELF),
        "reasoned": sorted(REASONED),
        **filters(question),
        **needs(by),
    }
    name = "context.sizes" if days is None else "context.sizes_by_part"
    for row in connection.execute(statement(name), parameters):
        machine_id, *said, amount, size = row
        yield Grain(site, machines.get(machine_id), *said), amount, size


def _noted(
    connection: Connection[Any], question: Question, site: Site, by: Sequence[str]
) -> Iterator[tuple[Key, Share]]:
    window = Span(
        EARLIEST_US if question.from_us is None else question.from_us,
        LATEST_US if question.to_us is None else question.to_us,
    )
    said = said_at(connection, site, question.from_us, question.to_us)
    machines = {machine.name: machine for machine in question.machines if machine.site == site.name}
    for machine in machines.values():
        here = [one for one in said if one.is_at(machine.name, machine.line)]
        for segment in segments_in(connection, machine, [one.span for one in here]):
            for entry, part in parts(site, question, machine, segment, here, window):
                grain = grain_of(site, machines, entry)
                yield (*key_of(grain, by), entry.resource, entry.cause), Share(ZERO, ZERO, abs(part))


def parts(
    site: Site,
    question: Question,
    machine: Machine,
    segment: Segment,
    said: Sequence[Said],
    window: Span,
) -> Iterator[tuple[Any, Decimal]]:
    """Entries of a segment that notes explain and no reason does, with the part that they explain."""
    if site.book is None:
        return
    silent = silent_reasons(site.plant)
    inside = Span(max(segment.from_us, window.from_us), min(segment.to_us, window.to_us))
    duration = segment.to_us - segment.from_us
    said = [one for one in said if covered_us([one.span], inside.from_us, inside.to_us)]
    if not said:
        return
    for entry in wanted(price([segment], machine.name, site.book.at(segment.production_day)), question):
        if entry.cause in SPEAKS_FOR_ITSELF or reason_explains(entry.cause, entry.reason, silent):
            continue
        part = explained_part(
            said, entry.resource, entry.cause, segment.product, segment.order, inside, duration, entry.amount
        )
        if part:
            yield entry, part


def segments_in(connection: Connection[Any], machine: Machine, spans: Sequence[Span]) -> list[Segment]:
    """Stored segments of a machine that touch any of the spans, in order."""
    if not spans:
        return []
    parameters = {
        "machine": machine.machine_id,
        "froms": [from_us(span.from_us) for span in spans],
        "tos": [from_us(span.to_us) for span in spans],
        "first": from_us(min(span.from_us for span in spans)),
        "last": from_us(max(span.to_us for span in spans)),
    }
    rows = connection.execute(statement("context.segments_in"), parameters).fetchall()
    return [segment_of(machine.name, row) for row in rows]
