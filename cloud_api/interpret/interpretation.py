"""A machine's samples and its plant model become segments, hourly facts and exact entries.

`interpret` is the one entry point: pure, equal for any order of arrival, and the same figure whether an
hour is computed alone from its stored boundary or with all that came before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.interpret.dispositions import disposed, works
from cloud_api.interpret.ledger import Journal
from cloud_api.interpret.model import (
    Boundary,
    Carry,
    Entry,
    Evidence,
    HourResult,
    Interpretation,
    Missing,
    Outlook,
    Output,
    Span,
)
from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import CounterRule
from cloud_api.interpret.pricing import Pricing
from cloud_api.interpret.segments import ENERGY, Crews, Facts, Key, Sum, key_of, resolve
from cloud_api.interpret.standards import Book
from cloud_api.interpret.timeline import Piece, Sweep
from shared.units import HOUR_US

NOTHING: Mapping[int, Boundary] = {}
EMPTY = Outlook()


@exactly
def interpret(
    machine: str,
    book: Book,
    evidence: Evidence,
    begin: Boundary | None = None,
    stored: Mapping[int, Boundary] = NOTHING,
    dirty_us: int | None = None,
    cuts: Sequence[int] = (),
) -> Interpretation:
    """Interpret [begin, evidence.to_us) of one machine's time line.

    `begin`: the boundary to start from; None: nothing came before. `stored`: boundaries known at later
    hours; at the first of them after the hour `dirty_us` whose carry is the same the run stops. `cuts`:
    instants at which hours are sliced for a window off the hour grid; they change no amount. See
    `Interpretation` for what to do next."""
    start = evidence.first_us if begin is None else max(begin.hour_us, evidence.first_us)
    if begin is None:
        begin = Boundary(hour_us=start - start % HOUR_US)
    end = min(evidence.to_us, evidence.watermark_us)
    if start >= end:
        return Interpretation(hours=(), next=None, settled=False, revise_us=None)
    known = book.machines.get(machine)
    rules: Mapping[str, CounterRule] = known.counters if known else {}
    sweep = Sweep(evidence, rules, begin)
    done = works(book.plant, machine)
    edges = {edge for work in done for edge in (work.from_us, work.to_us)}
    sweep.run(
        book.grid(start, end, tuple(cuts), tuple(edges)),
        stored,
        begin.hour_us if dirty_us is None else dirty_us,
    )
    return _Run(machine, book, evidence, begin, sweep, stored).result(end)


class Rules(Struct, frozen=True):
    """One book, and what reads pieces by it."""

    book: Book
    facts: Facts
    crews: Crews


class Slice(Struct):
    """What is collected of one hour, or of one slice of it."""

    hour_us: int
    slice_us: int
    from_us: int
    to_us: int
    segments: list[Sum]
    groups: dict[tuple[int, Key, bool], Sum]


class _Run:
    """Turns one sweep into hours."""

    def __init__(
        self,
        machine: str,
        book: Book,
        evidence: Evidence,
        begin: Boundary,
        sweep: Sweep,
        stored: Mapping[int, Boundary],
    ) -> None:
        self.begin, self.sweep = begin, sweep
        self.machine, self.book = machine, book
        self.line = Span(evidence.first_us, evidence.watermark_us)
        self.known: dict[dt.date, Rules] = {}
        self.units = {
            signal.item: signal.unit
            for signal in evidence.signals.values()
            if signal.role == "material" and signal.item and signal.unit
        }
        self.ahead = EMPTY if sweep.settled_us is None else stored[sweep.settled_us].outlook
        self.found = sweep.found()

    def result(self, end: int) -> Interpretation:
        sweep = self.sweep
        resolve(sweep, self.ahead, works(self.book.plant, self.machine))
        last = sweep.settled_us or end
        carry = sweep.carries.get(last) if last != self.begin.hour_us else None
        begin = Boundary(
            hour_us=self.begin.hour_us, carry=self.begin.carry, outlook=self.outlook(self.begin.carry)
        )
        hours: list[HourResult] = []
        for _, parts in groupby(self.slices(), key=lambda part: part.hour_us):
            hours += self.hour(list(parts), begin)
        return Interpretation(
            hours=tuple(hours),
            next=None if carry is None else Boundary(hour_us=last, carry=carry, outlook=self.ahead),
            settled=sweep.settled_us is not None,
            revise_us=self.revision(begin.outlook),
        )

    def outlook(self, carry: Carry) -> Outlook:
        """What this run knows of the things that a carry leaves open."""
        changeover = None
        if carry.changeover_us is not None:
            changeover = self.sweep.resolutions.get(carry.changeover_us)
            ahead = self.ahead.changeover
            if changeover is None and ahead is not None and ahead.from_us == carry.changeover_us:
                changeover = ahead
        told = dict(self.ahead.reasons)
        reasons = []
        for stop in carry.stops:
            if stop.reason is None:
                given = self.sweep.stops[stop.from_us].given
                reason = given[0][1] if given else told.get(stop.from_us)
                if reason is not None:
                    reasons.append((stop.from_us, reason))
        return Outlook(changeover=changeover, reasons=tuple(reasons))

    def revision(self, outlook: Outlook) -> int | None:
        """The hour from which on earlier hours must be told what this run has found out."""
        old = self.begin.outlook
        starts = [start for start, _ in set(old.reasons) ^ set(outlook.reasons)]
        if old.changeover != outlook.changeover:
            starts += [each.from_us for each in (old.changeover, outlook.changeover) if each is not None]
        return min(starts) - min(starts) % HOUR_US if starts else None

    def rules(self, day: dt.date) -> Rules:
        """What prices a production day: periods that are locked or closed keep their plant model."""
        known = self.known.get(day)
        if known is None:
            book = self.book.at(day)
            same = next((rules for rules in self.known.values() if rules.book is book), None)
            known = same or Rules(book, Facts(book, self.machine), Crews(book, self.machine))
            self.known[day] = known
        return known

    def outputs(self, groups: Iterable[Sum]) -> list[Output]:
        return [self.rules(group.cell.production_day).facts.output(group) for group in groups]

    def priced(self, outputs: Sequence[Output]) -> tuple[list[Entry], set[Missing]]:
        """The entries of outputs, and what the plant model lacked for them."""
        entries: list[Entry] = []
        missing: set[Missing] = set()
        by_book: dict[int, list[Output]] = {}
        for output in outputs:
            by_book.setdefault(id(self.rules(output.production_day).book), []).append(output)
        for own in by_book.values():
            pricing = Pricing(self.rules(own[0].production_day).book, self.machine, "ante", self.units)
            entries += journal(pricing, own)
            missing |= pricing.missing
        return entries, missing

    def slices(self) -> list[Slice]:
        """The pieces collected by slice of the grid."""
        slices: list[Slice] = []
        for piece in self.sweep.pieces:
            cell = piece.cell
            if not slices or slices[-1].slice_us != cell.slice_us:
                slices.append(Slice(cell.hour_us, cell.slice_us, piece.from_us, piece.to_us, [], {}))
            self.add(slices[-1], piece)
        return slices

    def add(self, part: Slice, piece: Piece) -> None:
        """Add a piece to its segment and to its group."""
        cell = piece.cell
        key = key_of(piece, self.rules(cell.production_day).crews)
        part.to_us = piece.to_us
        last = part.segments[-1] if part.segments else None
        if last is None or last.cell is not cell or last.key != key:
            last = Sum(cell, key, piece.from_us)
            part.segments.append(last)
        last.add(piece)
        name = (cell.kind, key, ENERGY in piece.metered)
        group = part.groups.get(name)
        if group is None:
            group = part.groups[name] = Sum(cell, key, piece.from_us)
        group.add(piece)

    def hour(self, parts: list[Slice], begin: Boundary) -> list[HourResult]:
        """The results of the slices of one hour; their entries add up to the entries of the hour uncut."""
        hour_us = parts[0].hour_us
        outputs = [
            [
                *self.outputs(part.groups.values()),
                *disposed(self.book, self.machine, self.line, part.from_us, part.to_us),
            ]
            for part in parts
        ]
        priced = [self.priced(each) for each in outputs]
        entries = [each for each, _ in priced]
        if len(parts) > 1:
            late = disposed(self.book, self.machine, self.line, parts[0].from_us, parts[-1].to_us)
            whole, _ = self.priced([*self.outputs(merged(parts)), *late])
            entries[-1] = rest(whole, [entry for each in entries[:-1] for entry in each])
        if hour_us == begin.hour_us:
            boundary = begin
        else:
            carry = self.sweep.carries[hour_us]
            boundary = Boundary(hour_us=hour_us, carry=carry, outlook=self.outlook(carry))
        return [
            HourResult(
                hour_us=hour_us,
                from_us=part.from_us,
                to_us=part.to_us,
                begin=boundary,
                segments=tuple(
                    self.rules(total.cell.production_day).facts.segment(total) for total in part.segments
                ),
                outputs=tuple(outputs[at]),
                entries=tuple(entries[at]),
                missing=tuple(sorted(priced[at][1])),
                findings=self.found.get(hour_us, ()) if at == 0 else (),
            )
            for at, part in enumerate(parts)
        ]


def merged(parts: Sequence[Slice]) -> list[Sum]:
    """The groups of an hour from those of its slices."""
    groups: dict[tuple[int, Key, bool], Sum] = {}
    for part in parts:
        for name, group in part.groups.items():
            whole = groups.get(name)
            if whole is None:
                whole = groups[name] = Sum(group.cell, group.key, group.from_us)
            whole.absorb(group)
    return list(groups.values())


def journal(pricing: Pricing, outputs: Sequence[Output]) -> list[Entry]:
    """The entries of outputs."""
    book = Journal(pricing)
    for output in outputs:
        book.post(output)
    return book.entries()


def rest(whole: Sequence[Entry], parts: Sequence[Entry]) -> list[Entry]:
    """What the parts leave of the whole, entry by entry."""
    left: dict[Entry, tuple[Decimal, Decimal]] = {}
    for sign, entries in ((1, whole), (-1, parts)):
        for entry in entries:
            name = replace(entry, amount=Decimal(0), quantity=None)
            amount, quantity = left.get(name, (Decimal(0), Decimal(0)))
            left[name] = (amount + sign * entry.amount, quantity + sign * (entry.quantity or 0))
    return [
        replace(name, amount=amount, quantity=quantity)
        for name, (amount, quantity) in left.items()
        if amount or quantity
    ]
