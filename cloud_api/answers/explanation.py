"""How much of a cost somebody, or the reason of a stop, explains: by any group, and what one note explains.

Amounts are the entries of the ledger. The reason of a stop explains its entries whole; a note explains the part
of an entry that falls on its span, by time, where no reason does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.grouping import Key, key_of
from cloud_api.answers.ledger import grain_of, sums_of, wanted
from cloud_api.answers.notes import said_at
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.answers.stretches import segment_of
from cloud_api.interpret.ledger import price
from cloud_api.interpret.matching import (
    OTHER,
    SPEAKS_FOR_ITSELF,
    Said,
    explained_part,
    reason_explains,
    silent_reasons,
)
from cloud_api.interpret.model import Segment, Span
from cloud_api.interpret.money import CONTEXT
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us

ZERO = Decimal(0)
EARLIEST_US, LATEST_US = 0, 7_258_118_400_000_000
"""Ends of a window that a question leaves open: 1970 and 2200."""


@dataclass(frozen=True, slots=True)
class Share:
    """An amount and the part of it that is explained, both exact."""

    amount: Decimal
    explained: Decimal

    def plus(self, other: Share) -> Share:
        """Both together."""
        return Share(CONTEXT.add(self.amount, other.amount), CONTEXT.add(self.explained, other.explained))


def explained_by(connection: Connection[Any], question: Question) -> dict[Key, Share]:
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
    cancel: each cell counts with its size."""
    whole = explained = ZERO
    for share in shares:
        size = abs(share.amount)
        whole += size
        explained += min(size, max(ZERO, share.explained if share.amount > 0 else -share.explained))
    if not whole:
        return None
    return CONTEXT.divide(explained, whole).quantize(Decimal("0.000001"), "ROUND_DOWN", CONTEXT)


def _reasoned(
    connection: Connection[Any], question: Question, site: Site, by: Sequence[str]
) -> Iterator[tuple[Key, Share]]:
    silent = silent_reasons(site.plant)
    for key, sum_ in sums_of(connection, question.grouped(*by, "resource", "cause", "reason")).items():
        *group, resource, cause, reason = key
        if cause in SPEAKS_FOR_ITSELF:
            continue
        known = reason_explains(cause, reason, silent) or (resource == OTHER and cause != "unexplained")
        yield (*group, resource, cause), Share(sum_.amount, sum_.amount if known else ZERO)


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
                yield (*key_of(grain, by), entry.resource, entry.cause), Share(ZERO, part)


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
    for entry in wanted(price([segment], machine.name, site.book), question):
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
