"""Segments of one machine as people see them: joined again across the cuts that storage makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.edges import edge_segments
from cloud_api.answers.grouping import filters
from cloud_api.answers.ledger import wanted
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.answers.window import Window, window_at
from cloud_api.interpret.ledger import price
from cloud_api.interpret.model import CAUSE_OF_STATE, Segment
from cloud_api.interpret.money import CONTEXT
from cloud_api.store.rows import facts_of
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us

CHUNK = 2000
"""Stored segments fetched at a time."""

_SAME = ("state", "product", "order", "reason", "crew", "shift", "calendar")
ZERO = Decimal(0)

STATES_OF_CAUSE = {
    **{cause: (state,) for state, cause in CAUSE_OF_STATE.items()},
    **dict.fromkeys(("speed_loss", "rework", "usage"), ("running",)),
    "unexplained": ("running", "unknown"),
}
"""Where entries of a cause come from; causes that are not named here come from any state."""


@dataclass(slots=True)
class Stretch:
    """A maximal span in which nothing changed, with sums; `amount` is of the entries asked for."""

    first: Segment
    to_us: int
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    rework: Decimal = ZERO
    energy_kwh: Decimal = ZERO
    amount: Decimal = ZERO
    matched: bool = False
    assumed: bool = False
    late_seen: bool = False
    uncertain: bool = False
    material: dict[str, Decimal] | None = None

    def take(self, segment: Segment) -> None:
        """Adds a stored segment that continues this one."""
        self.to_us = segment.to_us
        self.good += segment.good
        self.scrap += segment.scrap
        self.rework += segment.rework
        self.energy_kwh += segment.energy_kwh
        material = self.material = self.material or {}
        for use in segment.material:
            material[use.item] = material.get(use.item, ZERO) + use.quantity
        assumed = segment.energy_assumed or segment.crew_assumed_us > 0
        self.assumed |= assumed or any(use.assumed for use in segment.material)
        self.late_seen |= segment.late_seen
        self.uncertain |= segment.uncertain_us > 0


def stretches(
    connection: Connection[Any], question: Question, site: Site, machine: Machine, after_us: int | None
) -> Iterator[Stretch]:
    """The stretches of a machine that a question lets through, from an instant on."""
    if site.book is None:
        return
    narrow = any(question.names(name) is not None for name in ("resource", "cause"))
    for stretch, segments in joined(_segments(connection, question, site, machine, after_us)):
        own = not narrow and _fits(stretch.first, question)
        for segment in segments:
            for entry in wanted(
                price([segment], machine.name, site.book.at(segment.production_day)), question
            ):
                stretch.amount = CONTEXT.add(stretch.amount, entry.amount)
                stretch.matched = True
        if own or stretch.matched:
            yield stretch


def joined(segments: Iterable[Segment]) -> Iterator[tuple[Stretch, list[Segment]]]:
    """Segments of one machine, in order, joined where nothing but storage cuts them; with their members."""
    held: Stretch | None = None
    members: list[Segment] = []
    for segment in segments:
        if held is not None and held.to_us == segment.from_us and _same(held.first, segment):
            held.take(segment)
            members.append(segment)
            continue
        if held is not None:
            yield held, members
        held, members = Stretch(segment, segment.to_us), [segment]
        held.take(segment)
    if held is not None:
        yield held, members


def _same(one: Segment, other: Segment) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _SAME)


def _fits(segment: Segment, question: Question) -> bool:
    """Whether the words of a segment are those asked for."""
    said = {
        "product": (segment.product, segment.made_product),
        "order": (segment.order, segment.made_order),
        "shift": (segment.shift,),
        "reason": (segment.reason,),
    }
    return all(
        (named := question.names(name)) is None or any(value in named for value in values)
        for name, values in said.items()
    )


def _segments(
    connection: Connection[Any], question: Question, site: Site, machine: Machine, after_us: int | None
) -> Iterator[Segment]:
    """Stored segments in the window, and those of its cut hours before and behind them."""
    span = window_at(site, question.from_us, question.to_us)
    cut = [
        segment
        for segment in edge_segments(connection, question, site, machine)
        if after_us is None or segment.from_us >= after_us
    ]
    first = None if span.first_hour is None else to_us(span.first_hour)
    before = [segment for segment in cut if first is not None and segment.from_us < first]
    yield from before
    yield from _stored(connection, question, span, machine, after_us)
    yield from (segment for segment in cut if segment not in before)


def _stored(
    connection: Connection[Any], question: Question, span: Window, machine: Machine, after_us: int | None
) -> Iterator[Segment]:
    after = None if after_us is None else from_us(after_us)
    asked = {**filters(question), "states": states_of(question.names("cause"))}
    while True:
        rows = connection.execute(
            statement("answers.segments"),
            {
                "machine": machine.machine_id,
                **span.bounds(),
                "after": after,
                "limit": CHUNK,
                **asked,
            },
        ).fetchall()
        yield from (segment_of(machine.name, row) for row in rows)
        if len(rows) < CHUNK:
            return
        after = rows[-1][1]


def states_of(causes: Sequence[str | None] | None) -> list[str] | None:
    """States that entries of these causes can come from; None where every state can."""
    if causes is None or not all(cause in STATES_OF_CAUSE for cause in causes):
        return None
    return sorted({state for cause in causes if cause for state in STATES_OF_CAUSE[cause]})


def segment_of(machine: str, row: tuple[Any, ...]) -> Segment:
    """A stored segment, from the columns of answers.segments."""
    starts_at, ends_at, hour, *facts = row
    return Segment(
        machine=machine,
        hour_us=to_us(hour),
        from_us=to_us(starts_at),
        to_us=to_us(ends_at),
        **facts_of(tuple(facts)),
    )
