"""What some proposals would change: the same questions asked of a book that has the new cards."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import quantiles
from typing import Any

from msgspec import UNSET, structs
from psycopg import Connection

from cloud_api.answers.assumptions import frame_of
from cloud_api.answers.assumptions_streams import KINDS
from cloud_api.answers.cells import Sheet, book_for, sheet_of
from cloud_api.answers.envelope import envelope
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.assumptions import AssumptionRow, Observation
from cloud_api.answers.shapes.proposals import ProposalRow, StandardRow
from cloud_api.answers.variances import told as told_variances
from cloud_api.interpret.allowance import allowance, unit_cost
from cloud_api.interpret.money import parts_of, shown
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.rounding import SIX
from cloud_api.interpret.standards import Book
from cloud_api.interpret.standards_proposed import Proposed, recorded, with_standards
from cloud_api.store.times import to_us

ZERO = Decimal(0)
COLUMNS = {kind.name: kind.column for kind in KINDS}
"""Column of standards.csv by assumption."""
Place = tuple[str, str]
"""Machine and product."""

Moved = tuple[Decimal, Decimal]
"""How far planning and variance moved."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A proposal that is taken: what the assumption says, what would be recorded, from when."""

    row: AssumptionRow
    value: Decimal
    from_: dt.date

    @property
    def proposed(self) -> Proposed:
        """As the interpretation takes it."""
        return Proposed(
            product=str(self.row.product),
            machine=str(self.row.machine),
            column=COLUMNS[self.row.assumption],
            value=self.value,
            effective_from=self.from_,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What one proposal adds to those before it: to planning, to the variance; unit cost before and then."""

    planning: Decimal
    variance: Decimal
    cost: Decimal
    then: Decimal


def standard_row(row: Standard) -> StandardRow:
    """A card as a row of standards.csv."""
    said = {
        name: value for name, value in structs.asdict(row).items() if name in StandardRow.__struct_fields__
    }
    return StandardRow(from_=row.effective_from, **said)


class Case:
    """What some proposals change over one window of one site."""

    def __init__(
        self,
        connection: Connection[Any],
        question: Question,
        site: Site,
        taken: Sequence[Chosen],
        now: dt.datetime,
    ) -> None:
        self.connection, self.question, self.site, self.taken, self.now = (
            connection,
            question,
            site,
            taken,
            now,
        )
        assert site.book is not None
        self.plain: Book = site.book
        self.cards = recorded(self.plain, [one.proposed for one in taken], now)
        self.about = envelope(connection, question, now)
        self.by_card = question.grouped("machine", "product")
        sheets = [sheet_of(connection, self.by_card)]
        sheets.append(self._sheet(self.cards) if self.cards else sheets[0])
        self.sheet, self.moved = sheets[0], _moved(*sheets)
        plain = question.grouped()
        self.before, self.after = (told_variances(plain, sheet, self.about).total for sheet in sheets)
        frame = frame_of(connection, Question(sites=(site,)), site, now)
        self.date = self.plain.effective(to_us(now)) if frame is None else frame.end - dt.timedelta(days=1)
        self.book = self._seen(self.plain)
        self.book_after = self._seen(with_standards(self.plain, self.cards))

    @property
    def taken_at(self) -> set[Place]:
        """Machines and products whose cards are recorded anew."""
        return {(row.machine, row.product) for row in self.cards}

    def _seen(self, book: Book) -> Book:
        """The book without what the reader may not know."""
        return book_for(book, self.question, {one.name: one for one in self.site.machines})

    def _sheet(self, cards: Sequence[Standard]) -> Sheet:
        """Variances by machine and product, with some new cards."""
        site = replace(self.site, book=with_standards(self.plain, cards))
        return sheet_of(self.connection, replace(self.by_card, sites=(site,)))

    def rows(self, *, series: bool = False) -> list[ProposalRow]:
        """The proposals in their order, with what each changes, those of one card one after another.
        `series`: with their observations."""
        steps: dict[str, Step] = {}
        cards: dict[Place, list[Chosen]] = defaultdict(list)
        for one in self.taken:
            cards[str(one.row.machine), str(one.row.product)].append(one)
        moved = self._moved_by_count(cards.values())
        for place, own in cards.items():
            for one, step in zip(own, self._steps(place, own, moved), strict=True):
                steps[one.row.id] = step
        told = [steps[one.row.id] for one in self.taken]
        planning = parts_of(self.after.planning - self.before.planning, [step.planning for step in told])
        variance = parts_of(self.after.variance - self.before.variance, [step.variance for step in told])
        return [
            self._row(one, step, planned, varied, series=series)
            for one, step, planned, varied in zip(self.taken, told, planning, variance, strict=True)
        ]

    def _moved_by_count(self, cards: Collection[Sequence[Chosen]]) -> list[Mapping[Place, Moved]]:
        """What moves by machine and product with the first, the first two, ... proposals of every card; the
        last is all of them. A card moves nothing but its own cells, so that all are asked for at once."""
        most = max((len(own) for own in cards), default=0)
        found: list[Mapping[Place, Moved]] = []
        for count in range(1, most):
            some = [one.proposed for own in cards for one in own[:count]]
            found.append(_moved(self.sheet, self._sheet(recorded(self.plain, some, self.now))))
        return [*found, self.moved]

    def _steps(
        self, place: Place, own: Sequence[Chosen], by_count: Sequence[Mapping[Place, Moved]]
    ) -> list[Step]:
        """What each proposal of a card changes after those before it."""
        cost = self._unit_cost(self.book, place)
        planning = variance = ZERO
        steps = []
        for count in range(1, len(own) + 1):
            cards = recorded(self.plain, [one.proposed for one in own[:count]], self.now)
            moved = by_count[count - 1].get(place, (ZERO, ZERO))
            then = self._unit_cost(self._seen(with_standards(self.plain, cards)), place)
            steps.append(Step(moved[0] - planning, moved[1] - variance, cost, then))
            (planning, variance), cost = moved, then
        return steps

    def _unit_cost(self, book: Book, place: Place) -> Decimal:
        return unit_cost(allowance(book, place[0], place[1], None, self.date, "post"))

    def _row(
        self,
        one: Chosen,
        step: Step,
        planning: Decimal,
        variance: Decimal,
        *,
        series: bool,
    ) -> ProposalRow:
        row = one.row
        lines = {machine.name: machine for machine in self.site.machines}
        seen = _since(row.series if row.series is not UNSET else [], self.site.day_start_us(one.from_))
        low, high = _tenths(seen)
        return ProposalRow(
            id=row.id,
            site=row.site,
            line=str(_line(lines, row)),
            machine=str(row.machine),
            product=str(row.product),
            assumption=row.assumption,
            column=COLUMNS[row.assumption],
            unit=row.unit,
            status=row.status,
            assumed=row.assumed,
            observed=row.observed,
            proposed=None if row.proposed is None else row.proposed.value,
            value=one.value,
            from_=one.from_,
            error=None if row.proposed is None else row.proposed.error,
            low=low,
            high=high,
            sigma=row.sigma,
            observations=len(seen),
            since=row.since,
            moved=row.moved,
            cost_per_day=row.cost_per_day,
            projected=row.projected,
            planning=planning,
            variance=variance,
            unit_cost_before=shown(step.cost),
            unit_cost_change=shown(step.then) - shown(step.cost),
            segments=row.evidence,
            series=row.series if series else UNSET,
        )


def _line(machines: Mapping[str, Machine], row: AssumptionRow) -> str | None:
    return machines[str(row.machine)].line


def _since(series: Iterable[Observation], from_us: int) -> list[Decimal]:
    return [one.value for one in series if to_us(one.time) >= from_us]


def _tenths(values: Sequence[Decimal]) -> tuple[Decimal | None, Decimal | None]:
    """The lowest and the highest tenth end here; None of fewer than ten values."""
    if len(values) < 10:
        return None, None
    tenths = quantiles(values, n=10, method="inclusive")
    return shown(tenths[0], SIX), shown(tenths[-1], SIX)


def _moved(before: Sheet, after: Sheet) -> dict[Place, Moved]:
    """How planning and variance differ between two sheets, by machine and product."""
    moved: dict[Place, Moved] = {}
    for sheet, sign in ((after, 1), (before, -1)):
        for (group, _), cell in sheet.cells.items():
            planning, variance = moved.get((group[0], group[1]), (ZERO, ZERO))
            moved[group[0], group[1]] = (planning + sign * cell.planning, variance + sign * cell.variance)
    return moved
