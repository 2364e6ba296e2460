"""Is this order losing money now: cost to date, at completion, margin and lateness, order by order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
from psycopg import Connection

from cloud_api.answers.cells import book_for
from cloud_api.answers.edges import edge_outputs
from cloud_api.answers.envelope import envelope
from cloud_api.answers.facts import machines_at, made
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.memory import remembered
from cloud_api.answers.orders_life import Life
from cloud_api.answers.orders_queue import before, queue
from cloud_api.answers.orders_reached import with_completion
from cloud_api.answers.paging import one_page
from cloud_api.answers.places import Site
from cloud_api.answers.posting import read_ledger
from cloud_api.answers.question import Question, told
from cloud_api.answers.shapes.orders import OrderRow, Orders
from cloud_api.answers.window import window_at
from cloud_api.interpret import plant
from cloud_api.interpret.allowance import Allowances
from cloud_api.interpret.model import Output
from cloud_api.interpret.money import exactly, shown
from cloud_api.interpret.orders import Progress, estimate_at_completion, hours_of_unit, reached_us
from cloud_api.interpret.products import list_price
from cloud_api.interpret.rounding import measured
from cloud_api.interpret.standards import Book
from cloud_api.interpret.variance import machines_counted
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us
from shared.units import DAY_US, hours_in

ZERO = Decimal(0)


def orders(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Orders:
    """Orders of the window, by planned end; figures are those of their whole life up to the window's end.
    Without money where the reader sees none."""
    about = envelope(connection, question.without("product", "order"), now)
    rows = order_rows(connection, question, now, about["computed_through"], sees_money)
    page, cursor = one_page(rows, question)
    page = with_completion(connection, question, page)
    if not sees_money:
        about["currency"] = None
    return Orders(**about, next_cursor=cursor, rows=page)


@remembered
@exactly
def order_rows(
    connection: Connection[Any],
    question: Question,
    now: datetime,
    computed_through: datetime | None,
    sees_money: bool = True,
) -> list[OrderRow]:
    """All rows of a question. They stand as of its end, the present or the last data, whichever is first."""
    as_of = min(to_us(now), question.to_us or to_us(now))
    if computed_through is not None:
        as_of = min(as_of, max(to_us(computed_through), question.from_us or 0))
    rows: list[OrderRow] = []
    for site in question.sites:
        if site.book is not None:
            rows += _Site(connection, question, site, site.book, as_of).rows(sees_money)
    products = question.names("product")
    rows = [row for row in rows if products is None or row.product in products]
    return sorted(
        rows, key=lambda row: (row.planned_end is None, row.planned_end or now, row.site, row.order)
    )


class _Site:
    """The orders of one site."""

    def __init__(
        self, connection: Connection[Any], question: Question, site: Site, book: Book, as_of_us: int
    ) -> None:
        self.connection, self.question, self.site, self.as_of_us = connection, question, site, as_of_us
        self.machines = {machine.name: machine for machine in machines_at(question, site)}
        self.book = book_for(book, question, self.machines)
        self.allowances = Allowances(self.book)

    def rows(self, sees_money: bool) -> list[OrderRow]:
        plans = self._plans()
        asked = self._lives(plans)
        if not asked:
            return []
        lives = asked | before(asked, plans, self.as_of_us)
        self._make(lives)
        if sees_money:
            self._pay(lives)
        self._time(lives)
        waiting = [
            one for one in lives.values() if one.plans and one.left_us is None and not self._is_done(one)
        ]
        queue(
            waiting, lambda life: self._counted(life)[1], self._progress_of, self.book.almanac, self.as_of_us
        )
        found = [self._row(life) for life in asked.values()]
        return found if sees_money else [_without_money(row) for row in found]

    def _plans(self) -> dict[str, list[plant.Order]]:
        """Planned orders of the machines asked for, machine by machine."""
        plans: dict[str, list[plant.Order]] = defaultdict(list)
        for row in sorted(
            self.book.plant.orders, key=lambda row: (self._place(row.machine), row.planned_end)
        ):
            if row.machine in self.machines:
                plans[row.order].append(row)
        return plans

    def _lives(self, plans: Mapping[str, list[plant.Order]]) -> dict[str, Life]:
        """Orders that were worked on or planned in the window."""
        asked, late = self._window(), self.site.has_closed
        worked = [name for (name,) in read_ledger(self.connection, "products.orders_at", asked, late)]
        worked += [
            name
            for output in edge_outputs(self.connection, self.question, self.site)
            for name in (output.order, output.made_order)
            if name is not None
        ]
        planned = [name for name, rows in plans.items() if self._is_planned(rows)]
        wanted = self.question.names("order")
        return {
            name: Life(name, plans.get(name, []))
            for name in sorted({*worked, *planned})
            if wanted is None or name in wanted
        }

    def _place(self, machine: str) -> int:
        names = list(self.book.machines)
        return names.index(machine) if machine in names else -1

    def _is_planned(self, rows: Sequence[plant.Order]) -> bool:
        start, end = min(row.planned_start for row in rows), max(row.planned_end for row in rows)
        before = self.question.to_us is None or to_us(start) < self.question.to_us
        return before and (self.question.from_us is None or to_us(end) >= self.question.from_us)

    def _window(self, *, whole_life: bool = False) -> dict[str, Any]:
        from_ = None if whole_life else self.question.from_us
        span = window_at(self.site, from_, self.question.to_us)
        return {
            "site": self.site.name,
            "machines": [machine.machine_id for machine in self.machines.values()],
            **span.bounds(),
            "posting": self.question.basis == "posting",
        }

    def _life(self, lives: dict[str, Life]) -> Question:
        """The question for the whole life of some orders."""
        wanted = {
            name: values
            for name, values in self.question.wanted.items()
            if name in ("site", "line", "machine")
        }
        return replace(
            self.question.grouped("order"),
            sites=(self.site,),
            from_us=None,
            period=None,
            wanted=wanted | {"order": tuple(lives)},
        )

    def _make(self, lives: dict[str, Life]) -> None:
        """Good units where they are counted, and what the standard allows for them."""
        question = self._life(lives)
        cut = [
            output
            for output in edge_outputs(self.connection, question, self.site)
            if output.made_order in lives and output.machine in self.machines
        ]
        tell = self._telling()
        for part in self.site.parts():
            if part.book is None:
                continue
            costs = Allowances(book_for(part.book, self.question, self.machines))
            units = [
                *made(self.connection, question, part, part.book),
                *(output for output in cut if part.holds(output.production_day)),
            ]
            for output in units:
                self._add(lives[str(output.made_order)], output, costs, tell)

    def _telling(self) -> set[str]:
        """Machines that tell which order they work on, or that one is planned on: at the last of a line
        units count."""
        names = {machine.machine_id: name for name, machine in self.machines.items()}
        asked = {"machines": list(names), "signals": None, "roles": ["order"]}
        series = self.connection.execute(statement("answers.series"), asked).fetchall()
        return {names[row[1]] for row in series} | {row.machine for row in self.book.plant.orders}

    @staticmethod
    def _add(life: Life, output: Output, costs: Allowances, tell: set[str]) -> None:
        line = costs.book.machines[output.machine].line
        row = [
            name for name in machines_counted(costs.book, line, output.made_product, output) if name in tell
        ]
        names = [machine.id for machine in costs.book.lines[line].machines]
        last = (row or [name for name in names if name in tell] or names)[-1]
        if output.made_product is not None:
            life.made[output.made_product] += output.good
        if output.machine == last:
            life.good[line] += output.good
            life.counted_at[line] = output.machine
            said = (output.made_product, output.shift, output.effective)
            each = sum((costs.unit_cost(machine, *said) for machine in row), ZERO)
            life.standard += output.good * each

    def _pay(self, lives: dict[str, Life]) -> None:
        for (order,), sum_ in sums_of(self.connection, self._life(lives)).items():
            lives[order].actual = sum_.amount

    def _time(self, lives: dict[str, Life]) -> None:
        """When each order was worked on, and when it was complete."""
        names = {machine.machine_id: name for name, machine in self.machines.items()}
        asked = self._window(whole_life=True) | {"orders": list(lives)}
        for row in read_ledger(self.connection, "products.orders_time", asked, self.site.has_closed):
            order, machine_id, scheduled_us = row
            life, machine = lives[order], names[machine_id]
            life.began = True
            life.time_us[machine] = life.time_us.get(machine, 0) + scheduled_us
        done = [life for life in lives.values() if self._is_done(life)]
        counted = {life.order: self._counted(life) for life in done}
        parameters = {
            "orders": [life.order for life in done],
            "counted_at": [self.machines[str(counted[life.order][1])].machine_id for life in done],
            "planned": [life.planned for life in done],
        }
        for order, begin, end, good, through in self.connection.execute(
            statement("products.orders_done"), parameters
        ):
            planned = lives[order].planned or ZERO
            lives[order].reached_us = reached_us(planned, to_us(begin), to_us(end), good, through)
        self._leave([life for life in lives.values() if life.began and life.plans and life not in done])

    def _leave(self, lives: Sequence[Life]) -> None:
        """Orders short of their units that their machine went on from: a day ago or longer, they are left."""
        known = [(life, self._counted(life)[1]) for life in lives]
        parameters = {
            "orders": [life.order for life, _ in known],
            "counted_at": [self.machines[str(machine)].machine_id for _, machine in known],
            "as_of": from_us(self.as_of_us),
        }
        ends = dict(self.connection.execute(statement("products.orders_left"), parameters).fetchall())
        for life in lives:
            if life.order in ends:
                life.was_passed = True
                end_us = to_us(ends[life.order])
                life.left_us = end_us if end_us < self.as_of_us - DAY_US else None

    def _is_done(self, life: Life) -> bool:
        planned = life.planned
        line, machine = self._counted(life)
        return planned is not None and machine is not None and 0 < planned <= life.good[str(line)]

    def _counted(self, life: Life) -> tuple[str | None, str | None]:
        """Line and machine at which the units of an order count: where it is planned, else the last."""
        if life.plans:
            planned = life.plans[-1].machine
            line = self.book.machines[planned].line
            return line, life.counted_at.get(line, planned)
        lines = [line for line in self.book.lines if line in life.counted_at]
        return (lines[-1], life.counted_at[lines[-1]]) if lines else (None, None)

    def _row(self, life: Life) -> OrderRow:
        line, machine = self._counted(life)
        good = life.good[line] if line is not None else ZERO
        planned = life.planned
        end_us = max((to_us(row.planned_end) for row in life.plans), default=None)
        progress = self._progress(life, line, machine, good) if planned is not None else None
        estimate = None if progress is None else estimate_at_completion(progress)
        price = list_price(
            self.book, life.product, self.book.effective(self.as_of_us if end_us is None else end_us)
        )
        done = planned is not None and good >= planned
        completion = life.left_us if life.reached_us is None else life.reached_us
        if not done and life.left_us is None:
            completion = life.completion_us
        margin = planned_margin = None
        if planned is not None and price is not None and progress is not None:
            margin = None if estimate is None else planned * price - estimate
            each = progress.standard_unit_cost
            planned_margin = None if each is None else planned * (price - each)
        return OrderRow(
            site=self.site.name,
            order=life.order,
            product=life.product,
            line=line,
            machine=machine,
            state=life.state(done),
            planned=planned,
            good=measured(good),
            standard_cost=shown(life.standard),
            actual_to_date=shown(life.actual),
            variance=shown(life.actual) - shown(life.standard),
            estimate_at_completion=_shown(estimate),
            sales_price=_shown(price),
            margin=_shown(margin),
            planned_margin=_shown(planned_margin),
            planned_start=min((row.planned_start for row in life.plans), default=None),
            planned_end=None if end_us is None else from_us(end_us),
            completion=None if completion is None else from_us(completion),
            forecast=planned is not None and not done and life.left_us is None,
            late_h=self._late_h(end_us, completion, done),
            **self._addresses(life),
        )

    def _progress_of(self, life: Life) -> Progress:
        line, machine = self._counted(life)
        return self._progress(life, line, machine, life.good[line] if line is not None else ZERO)

    def _progress(self, life: Life, line: str | None, machine: str | None, good: Decimal) -> Progress:
        begin = max(self.as_of_us, life.begin_us or 0, *(to_us(row.planned_start) for row in life.plans))
        standards = self._standards(life, line, begin)
        each = life.standard / good if good and life.standard else self._next_unit(life, standards, begin)
        return Progress(
            planned=life.planned or ZERO,
            good=good,
            actual=life.actual,
            scheduled_us=life.time_us.get(machine or "", 0),
            standard_unit_cost=each,
            hours_each=hours_of_unit(standards),
            begin_us=self.as_of_us if life.began else begin,
        )

    def _next_unit(self, life: Life, standards: Sequence[plant.Standard], at_us: int) -> Decimal | None:
        """Standard cost of a unit made from an instant on, in the first shift then; None without one."""
        if not standards:
            return None
        spans = self.book.almanac.spans(at_us, at_us + 7 * DAY_US)
        shift = next((span.shift for span in spans if span.shift), None)
        date = self.book.effective(at_us)
        costs = (self.allowances.unit_cost(row.machine, life.product, shift, date) for row in standards)
        return sum(costs, ZERO)

    def _standards(self, life: Life, line: str | None, at_us: int) -> list[plant.Standard]:
        machines = self.book.lines[line].machines if line is not None else ()
        date = self.book.effective(at_us)
        rows = [self.book.standard(machine.id, life.product, date, "ante") for machine in machines]
        return [row for row in rows if row is not None]

    def _late_h(self, end_us: int | None, completion: int | None, done: bool) -> Decimal | None:
        if end_us is None:
            return None
        if completion is None and not done and self.as_of_us <= end_us:
            return None
        late_us = max(0, (self.as_of_us if completion is None else completion) - end_us)
        return measured(hours_in(late_us))

    def _addresses(self, life: Life) -> dict[str, str]:
        asked = [("site", self.site.name), ("order", life.order)]
        if self.question.to_us is not None:
            asked.append(("to", told(self.question.to_us) or ""))
        return {
            "segments": f"/v1/segments?{urlencode(asked)}",
            "variances": f"/v1/variances?{urlencode([*asked, ('by', 'resource,cause')])}",
        }


def _shown(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else shown(amount)


def _without_money(row: OrderRow) -> OrderRow:
    names = (
        "standard_cost",
        "actual_to_date",
        "variance",
        "estimate_at_completion",
        "sales_price",
        "margin",
        "planned_margin",
    )
    return msgspec.structs.replace(row, **dict.fromkeys(names))
