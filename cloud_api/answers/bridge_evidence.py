"""What stands behind each bar: the dearest spans, products, and a rest, which add up to it exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from msgspec.structs import replace as changed
from psycopg import Connection

from cloud_api.answers.bridge_base import Walked
from cloud_api.answers.bridge_factors import PARTS, Factor, factor_of
from cloud_api.answers.bridge_links import Links
from cloud_api.answers.bridge_movers import Movers, movers_between, movers_from
from cloud_api.answers.bridge_rounding import decimal
from cloud_api.answers.bridge_sides import UNUSED, Makes
from cloud_api.answers.bridge_spans import Found, dearest_spans
from cloud_api.answers.bridge_walks import Step, Walk, narrowed
from cloud_api.answers.grouping import key_of
from cloud_api.answers.ledger import entries_of, grain_of, wanted
from cloud_api.answers.notes import by_id, ref, said_at
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.bridge import EvidenceRow
from cloud_api.answers.shapes.notes import NoteRef
from cloud_api.answers.stretches import STATES_OF_CAUSE
from cloud_api.interpret.matching import Said
from cloud_api.interpret.model import Segment
from cloud_api.interpret.money import exactly, shown
from cloud_api.interpret.standards import Book
from cloud_api.interpret.variance import SPLIT, cells
from cloud_api.store.times import from_us

BARS, ROWS = 12, 5
"""Bars whose spans are listed (the largest), and rows of each bar."""

ZERO = Decimal(0)
Window = Literal["end", "start"]
Amounts = dict[tuple[Step, Makes | None], Decimal]
"""What is in a bar, by product."""


@dataclass(slots=True)
class Piece:
    """A span of a window, and what it adds to one bar."""

    window: Window
    found: Found
    amount: Fraction
    cost: Decimal


@dataclass(slots=True)
class Evidence:
    """Rows by bar. `notes` are those that stand beside a span."""

    question: Question
    base: Question | None
    walk: Walk
    per_unit: bool
    pieces: dict[Step, list[Piece]] = field(default_factory=lambda: defaultdict(list))
    notes: dict[str, list[tuple[Said, NoteRef]]] = field(default_factory=dict)

    def rows(self, step: Step, amount: Decimal, segments: str) -> list[EvidenceRow]:
        """The evidence of a bar of that rounded amount; the last row is the rest, where there is one.
        `segments`: the address of all behind it."""
        factor = step[0]
        if factor.cause is None:
            rows = self._products(step)
        else:
            rows = [self._span(step, piece) for piece in self._dearest(step)]
        rest = amount - sum((row.amount for row in rows), ZERO)
        if rest or not rows:
            rows.append(
                EvidenceRow(
                    kind="rest",
                    window="end",
                    machine=None,
                    from_=None,
                    to=None,
                    state=None,
                    product=None,
                    reason=None,
                    amount=rest,
                    cost=None,
                    notes=[],
                    text=self._rest(factor, bool(rows)),
                    rows=segments,
                )
            )
        return rows

    def reasons(self, step: Step) -> list[tuple[str | None, str]]:
        """Reason and machine of each span behind a bar."""
        found = [piece.found for piece in self._dearest(step)]
        return [(one.stretch.first.reason, one.machine.name) for one in found]

    def _dearest(self, step: Step) -> list[Piece]:
        return sorted(self.pieces.get(step, ()), key=lambda one: -abs(one.amount))[:ROWS]

    def _span(self, step: Step, piece: Piece) -> EvidenceRow:
        question = self.question if piece.window == "end" or self.base is None else self.base
        found, first = piece.found, piece.found.stretch.first
        until = found.stretch.to_us
        there = replace(
            question,
            from_us=first.from_us,
            to_us=until,
            period=None,
            wanted={**question.wanted, "machine": (found.machine.name,)},
        )
        return EvidenceRow(
            kind="segment",
            window=piece.window,
            machine=found.machine.name,
            from_=from_us(first.from_us),
            to=from_us(until),
            state=first.state,
            product=first.product,
            reason=first.reason,
            amount=shown(decimal(piece.amount)),
            cost=shown(piece.cost),
            notes=self._notes(found, first.from_us, until),
            text=None,
            rows=Links(there, self.base is None, self.per_unit).of(*step),
        )

    def _notes(self, found: Found, from_us_: int, to_us_: int) -> list[NoteRef]:
        machine = found.machine
        return [
            note
            for said, note in self.notes.get(found.site.name, ())
            if said.is_at(machine.name, machine.line)
            and said.span.from_us < to_us_
            and said.span.to_us > from_us_
        ]

    def _products(self, step: Step) -> list[EvidenceRow]:
        """What each product did to a bar without a cause."""
        factor, group = step
        amounts = self.walk.products.get((factor.name, group), {})
        largest = sorted(amounts.items(), key=lambda one: (-abs(one[1]), str(one[0])))[:ROWS]
        return [
            EvidenceRow(
                kind="product",
                window="end",
                machine=None,
                from_=None if self.question.from_us is None else from_us(self.question.from_us),
                to=None if self.question.to_us is None else from_us(self.question.to_us),
                state=None,
                product=None if makes is None else makes[2],
                reason=None,
                amount=shown(decimal(amount)),
                cost=None,
                notes=[],
                text=_of_line(makes),
                rows=Links(
                    self.question if makes is None else _only(self.question, makes),
                    self.base is None,
                    self.per_unit,
                ).of(factor, group),
            )
            for makes, amount in largest
        ]

    def _rest(self, factor: Factor, listed: bool) -> str:
        """What the rest of a bar is made of."""
        if factor.cause is None:
            return "The other products." if listed else "What belongs to no product."
        if factor.cause in ("scrap_upstream", "wip_change"):
            return "Units between the machines of a line, at the standard unit cost of those before."
        every = "All other spans" if listed else "All spans"
        if self.base is not None:
            return f"{every} of both windows: those of the end less those of the base, each per unit made."
        if factor.part == "lot_size":
            return f"{every} in which a changeover began, less the allowance for the good units made."
        return f"{every}, less what the standard allows for the good units made."


def _of_line(makes: Makes | None) -> str:
    if makes is None:
        return "Of no product."
    return f"{makes[2] or 'Units without a product'} of {makes[1] or makes[0]}"


def _only(question: Question, makes: Makes) -> Question:
    named: dict[str, tuple[str | None, ...]] = {"product": (makes[2],)}
    if makes[1] is not None and question.names("machine") is None:
        named["line"] = (makes[1],)
    return replace(question, wanted={**question.wanted, **named})


@exactly
def evidence_of(
    connection: Connection[Any],
    question: Question,
    base: Question | None,
    walked: Walked,
    per_unit: bool,
    only: frozenset[str] | None = None,
) -> Evidence:
    """The evidence of the largest bars; of the others there is the rest alone. `only`: nothing but the spans
    of the bars of these causes is of interest, which arise in states of their own."""
    figures = walked.figures
    evidence = Evidence(question, base, walked.walk, per_unit)
    largest = sorted(
        (step for step in figures.steps if step[0].cause is not None),
        key=lambda step: -abs(figures.amounts[step]),
    )[:BARS]
    chosen = frozenset(step for step in largest if only is None or step[0].cause in only)
    if not chosen:
        return evidence
    states = None if only is None else {state for cause in only for state in STATES_OF_CAUSE[cause]}
    by_order = [name for name in question.by if name == "order"]
    windows: list[tuple[Window, Question]] = [("end", narrowed(question, by_order, largest))]
    if base is not None:
        windows.append(("start", narrowed(base, by_order, largest)))
    movers = _movers(connection, [asked for _, asked in windows], walked, largest, per_unit)
    for window, asked in windows:
        for found in dearest_spans(connection, asked, largest, movers):
            if states is None or found.stretch.first.state in states:
                added = _adds(connection, found, asked, walked.walk, window, base is None, per_unit)
                for step, amount, cost in added:
                    if step in chosen and amount:
                        evidence.pieces[step].append(Piece(window, found, amount, cost))
        for site in asked.sites if only is None else ():
            evidence.notes.setdefault(site.name, []).extend(_notes(connection, site, asked))
    return evidence


def _movers(
    connection: Connection[Any],
    windows: Sequence[Question],
    walked: Walked,
    largest: Sequence[Step],
    per_unit: bool,
) -> Movers:
    """How far machines moved the factors of the largest bars, as far as their groups hold the machine.
    `windows`: the end, and the base where it is another window."""
    question = windows[0]
    names = [factor.cell_name for factor, _ in largest]
    if len(windows) > 1:
        moves = movers_between(connection, (windows[1], question), walked.walk, names, per_unit)
    else:
        moves = {} if walked.sheet is None else movers_from(walked.sheet, names)
    lines = {(machine.site, machine.name): machine.line for machine in question.machines}
    movers: Movers = {}
    for factor, group in largest:
        said = dict(zip(question.by, group, strict=True))
        for place, moved in moves.get(factor.cell_name, {}).items():
            own = {"site": place[0], "machine": place[1], "line": lines.get(place)}
            if all(said.get(name, value) == value for name, value in own.items()):
                movers.setdefault(factor.cell_name, {})[place] = moved
    return movers


def _notes(connection: Connection[Any], site: Site, question: Question) -> list[tuple[Said, NoteRef]]:
    said = said_at(connection, site, question.from_us, question.to_us)
    if not said:
        return []
    told = {row.id: ref(row) for row in by_id(connection, [site], [one.note_id for one in said], frozenset())}
    return [(one, told[one.note_id]) for one in said if one.note_id in told]


def _adds(
    connection: Connection[Any],
    found: Found,
    question: Question,
    walk: Walk,
    window: Window,
    of_standard: bool,
    per_unit: bool,
) -> Iterator[tuple[Step, Fraction, Decimal]]:
    """What a span adds to each bar, and what it cost for it."""
    adding: Amounts = defaultdict(Decimal)
    costs: dict[Step, Decimal] = defaultdict(Decimal)
    for segment in found.members:
        for step, makes, amount, cost in _entries(
            connection, found, segment, question, of_standard, per_unit
        ):
            adding[step, makes] += amount
            costs[step] += cost
    adds: dict[Step, Fraction] = defaultdict(Fraction)
    for (step, makes), amount in adding.items():
        lever = walk.weight(makes)
        adds[step] += (lever.start if window == "start" else lever.end) * Fraction(amount)
    for step, added in adds.items():
        yield step, added, costs[step]


def _entries(
    connection: Connection[Any],
    found: Found,
    segment: Segment,
    question: Question,
    of_standard: bool,
    per_unit: bool,
) -> Iterator[tuple[Step, Makes | None, Decimal, Decimal]]:
    """Bar, product, what is in the bar, and the cost of the entries of a segment; a changeover against
    standard stands in its parts, with its whole cost beside each."""
    assert found.site.book is not None
    book = found.site.book.at(segment.production_day)
    machines = {found.machine.name: found.machine}
    for entry in wanted(entries_of(connection, book, segment), question):
        cell = (entry.resource, entry.cause)
        if per_unit and cell in UNUSED:
            continue
        group = key_of(grain_of(found.site, machines, entry), question.by) if question.by else ()
        makes = None if entry.product is None else (found.site.name, found.machine.line, entry.product)
        if not (of_standard and entry.cause == "changeover" and entry.resource in SPLIT):
            yield (factor_of(*cell), group), makes, entry.amount, entry.amount
            continue
        beside = ZERO
        for part, amount in _parts(book, segment, entry.resource):
            beside += amount
            yield (factor_of(*cell, part), group), makes, amount, entry.amount
        yield (factor_of(*cell, "duration"), group), makes, entry.amount - beside, entry.amount


def _parts(book: Book, segment: Segment, resource: str) -> Iterable[tuple[str, Decimal]]:
    """Standard cost of the changeovers that began in a segment, and of their pairs beyond it."""
    if not segment.changeovers:
        return ()
    began = _empty(segment)
    sheet = cells([], [(None, began)], book).get(None, {})  # type: ignore[list-item]
    cell = sheet.get((resource, "changeover"))
    return () if cell is None else ((PARTS[0], cell.lot_size), (PARTS[1], cell.sequence))


def _empty(segment: Segment) -> Segment:
    """A segment in which nothing was made or used: its changeovers alone."""
    return changed(segment, duration_us=0, good=ZERO, scrap=ZERO, rework=ZERO, energy_kwh=ZERO, material=())
