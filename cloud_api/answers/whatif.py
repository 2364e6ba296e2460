"""What if a product ran otherwise on a machine: unit cost, price floor, constraint, yearly value, payback."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from psycopg import Connection

from cloud_api.answers.bridge_sides import UNUSED
from cloud_api.answers.cells import book_for
from cloud_api.answers.constraints_worth import IN_RUNNING
from cloud_api.answers.envelope import envelope
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.answers.shapes.whatif import WhatIf, WhatIfFigures, WhatIfRow, YearlyItem
from cloud_api.answers.whatif_changes import changes_of
from cloud_api.answers.whatif_question import Tried, read_tried, subject
from cloud_api.answers.whatif_runs import Runs, runs_of, unit_run
from cloud_api.interpret.money import exactly, shown, whole_and_parts
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.rounding import measured
from cloud_api.interpret.standards import Book, in_force
from cloud_api.interpret.whatif import (
    Cause,
    Run,
    busy_after,
    costs_after,
    net_present_value,
    payback_years,
    ratios,
)
from shared.units import HOUR_US, hours_in

ZERO, ONE = Decimal(0), Decimal(1)
YEAR_US = Decimal(365 * 24) * HOUR_US
DEMAND = Decimal("0.1")
"""Share of the constraint's scheduled time without an order from which on orders lack, not capacity."""

Costs = Mapping[str, Mapping[Cause, Decimal]]
"""Cost of the product by machine and cell."""


@dataclass(frozen=True, slots=True)
class State:
    """A line as it was, or would have been: costs of the product by machine and cell, busy hours of each
    machine, of them those of the product, price, and the run on the machine that is changed."""

    costs: Costs
    busy_h: Mapping[str, Decimal]
    own_h: Mapping[str, Decimal]
    price: Decimal | None
    run: Run


@exactly
def whatif(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> WhatIf:
    """The window of a question, had its product run otherwise on its machine. Raises QuestionError where
    they are not named, or the product did not run there."""
    tried = read_tried(question)
    site, machine, product, standard = subject(question)
    line = [one for one in site.machines if one.line == machine.line]
    names = tuple(one.name for one in line)
    whole = replace(question, sites=(site,), wanted={"machine": names}, by=())
    case = _Case(connection, whole, site, machine, product, standard, line)
    before = case.state()
    after = case.changed(before, tried)
    cells = sorted(
        {(name, cell) for state in (before, after) for name, own in state.costs.items() for cell in own}
    )
    _, nows = whole_and_parts([before.costs.get(name, {}).get(cell, ZERO) for name, cell in cells])
    _, thens = whole_and_parts([after.costs.get(name, {}).get(cell, ZERO) for name, cell in cells])
    items = case.yearly(before, after, tried)
    value, amounts = whole_and_parts([amount for _, amount, _ in items])
    was, then = case.figures(before), case.figures(after)
    money = tried.investment
    paid = None if money is None else payback_years(money, value)
    return WhatIf(
        **envelope(connection, replace(whole, wanted={**whole.wanted, "product": (product,)}), now),
        site=site.name,
        line=str(machine.line),
        machine=machine.name,
        product=product,
        good_units=measured(case.good),
        now=was,
        then=then,
        demand_limited=case.is_demand_limited(before),
        rows=[
            WhatIfRow(machine=name, resource=cell[0], cause=cell[1], now=spent, then=would)
            for (name, cell), spent, would in zip(cells, nows, thens, strict=True)
        ],
        yearly=[
            YearlyItem(item=item, amount=amount, said=said)
            for (item, _, said), amount in zip(items, amounts, strict=True)
        ],
        yearly_value=value,
        changes=changes_of(tried, partial(case.tried, before), then.unit_cost - was.unit_cost, value),
        payback_years=measured(paid),
        net_present_value=None
        if money is None
        else shown(net_present_value(money, value, tried.years, tried.rate)),
    )


class _Case:
    """One product on one line over one window."""

    def __init__(
        self,
        connection: Connection[Any],
        question: Question,
        site: Site,
        machine: Machine,
        product: str,
        standard: Standard,
        line: list[Machine],
    ) -> None:
        self.question, self.site, self.machine, self.product = question, site, machine, product
        self.names = [one.name for one in line]
        assert site.book is not None
        self.book: Book = book_for(site.book, question, {one.name: one for one in line})
        self.runs: Runs = runs_of(connection, question, site, line)
        self.run = self.runs.by[machine.name, product].run(
            standard, unit_run(self.book, standard, site, question)
        )
        self.all: dict[str, dict[str, dict[Cause, Decimal]]] = defaultdict(lambda: defaultdict(dict))
        for key, sum_ in sums_of(
            connection, question.grouped("product", "machine", "resource", "cause")
        ).items():
            made, name, resource, cause = key
            if made is not None and (resource, cause) not in UNUSED:
                self.all[made][name][resource, cause] = sum_.amount
        self.good = self._counted(product)
        if not self.good:
            message = f"{product!r} made no good unit on line {machine.line} in this window"
            raise QuestionError([Mistake("product", message)])

    def _counted(self, product: str) -> Decimal:
        """Good units of a product at the last machine of the line with a standard for it."""
        assert self.question.to_us is not None
        date = self.book.effective(self.question.to_us - 1)
        made = [name for name in self.names if self.book.standard(name, product, date, "ante") is not None]
        ordered = [one.id for one in self.book.lines[str(self.machine.line)].machines if one.id in made]
        return self.runs.by[ordered[-1], product].good if ordered else ZERO

    def state(self) -> State:
        """The line as it was."""
        own = {
            name: sum(
                (
                    self.runs.by[name, self.product].time_us[state]
                    for state in ("running", "down", "changeover")
                ),
                0,
            )
            for name in self.names
        }
        return State(
            costs=self.all[self.product],
            busy_h={name: self.runs.busy_h(name) for name in self.names},
            own_h={name: hours_in(time) for name, time in own.items()},
            price=self._listed(self.product),
            run=self.run,
        )

    def changed(self, before: State, tried: Tried) -> State:
        """The line as it would have been."""
        moved = ratios(self.run, tried.change)
        name = self.machine.name
        costs = {**before.costs, name: costs_after(before.costs.get(name, {}), self.run, moved)}
        own = busy_after(self.run, moved)
        freed = before.own_h[name] - own
        run = Run(
            good=self.run.good,
            scrap=moved.scrap_units,
            rework=self.run.rework * moved.processed,
            hours=self.run.hours,
            crew=self.run.crew if tried.change.crew is None else tried.change.crew,
            cycle_s=self.run.cycle_s if tried.change.cycle_s is None else tried.change.cycle_s,
            changeovers=self.run.changeovers,
        )
        return State(
            costs=costs,
            busy_h={**before.busy_h, name: before.busy_h[name] - freed},
            own_h={**before.own_h, name: own},
            price=before.price if tried.price is None else tried.price,
            run=run,
        )

    def tried(self, before: State, tried: Tried) -> tuple[Decimal, Decimal]:
        """Unit cost, and what a year of it is worth."""
        after = self.changed(before, tried)
        value = sum((amount for _, amount, _ in self.yearly(before, after, tried)), ZERO)
        return self._unit_cost(after), value

    def figures(self, state: State) -> WhatIfFigures:
        """What is told of a state."""
        unit, variable = self._unit_cost(state), self._variable(state.costs) / self.good
        order = self.by_load(state)
        first = order[0] if order else None
        lot = state.run.lot_size
        if state.run is not self.run and self._lot is not None:
            lot = self._lot
        yielded = state.run.yield_
        return WhatIfFigures(
            unit_cost=shown(unit),
            variable_unit_cost=shown(variable),
            price=None if state.price is None else shown(state.price),
            margin=None if state.price is None else shown(state.price) - shown(unit),
            price_floor=shown(variable + self._displaced(state)),
            constraint=first,
            load=None if first is None else measured(self._load(state, first)),
            next_constraint=order[1] if len(order) > 1 else None,
            contribution_per_constraint_hour=self._per_hour(state, first, variable),
            yield_=measured(yielded),
            cycle_s=measured(state.run.cycle_s),
            crew=measured(state.run.crew),
            lot_size=measured(lot),
        )

    @property
    def _lot(self) -> Decimal | None:
        text = self.question.options.get("lot_size")
        return None if text is None else Decimal(text)

    def by_load(self, state: State) -> list[str]:
        """Machines of the line, the busiest first."""
        loaded = [name for name in self.names if self.runs.scheduled_h(name)]
        return sorted(loaded, key=lambda name: (-self._load(state, name), name))

    def _load(self, state: State, machine: str) -> Decimal:
        return state.busy_h[machine] / self.runs.scheduled_h(machine)

    def _unit_cost(self, state: State) -> Decimal:
        return sum((amount for own in state.costs.values() for amount in own.values()), ZERO) / self.good

    def _variable(self, costs: Costs) -> Decimal:
        """Truly variable cost of a product."""
        labour = self.book.plant.labour_variable
        return sum(
            (
                amount
                for own in costs.values()
                for (resource, cause), amount in own.items()
                if resource in ("material", "other")
                or (resource == "energy" and cause in IN_RUNNING)
                or (resource == "labour" and labour and cause != "idle")
            ),
            ZERO,
        )

    def _per_hour(self, state: State, machine: str | None, variable: Decimal) -> Decimal | None:
        """What an hour of the product at a machine earns."""
        if machine is None or state.price is None or not state.own_h.get(machine):
            return None
        return shown((state.price - variable) * self.good / state.own_h[machine])

    def is_demand_limited(self, state: State) -> bool:
        """Whether the constraint waits for orders."""
        order = self.by_load(state)
        if not order:
            return True
        free = self.runs.free_us[order[0]]
        return not free or Decimal(self.runs.idle_us[order[0]]) / free >= DEMAND

    def _displaced(self, state: State) -> Decimal:
        """What a unit's time at the constraint earns with the other products of the line; nothing where
        orders lack."""
        order = self.by_load(state)
        if not order or self.is_demand_limited(state):
            return ZERO
        earned, hours = ZERO, ZERO
        for product, costs in self.all.items():
            time = self.runs.by[order[0], product].time_us
            busy = hours_in(sum(time[one] for one in ("running", "down", "changeover")))
            price = self._listed(product)
            if product != self.product and price is not None and busy:
                earned += price * self._counted(product) - self._variable(costs)
                hours += busy
        each = state.own_h[order[0]] / self.good
        return max(ZERO, earned / hours * each) if hours else ZERO

    def _listed(self, product: str) -> Decimal | None:
        assert self.question.to_us is not None
        date = self.book.effective(self.question.to_us - 1)
        rows = [row for row in self.book.plant.products if row.product == product]
        row = in_force(rows, date, "post", lambda row: row.recorded_at.date())
        return None if row is None else row.sales_price

    def yearly(self, before: State, after: State, tried: Tried) -> list[tuple[str, Decimal, str]]:
        """Parts of the yearly value: item, amount, how it is made."""
        assert self.question.from_us is not None
        assert self.question.to_us is not None
        times = YEAR_US / (self.question.to_us - self.question.from_us)
        units = self.good * times
        items = []
        if before.price is not None and after.price is not None and before.price != after.price:
            items.append(("price", (after.price - before.price) * units, "units a year x change of price"))
        saved = (self._variable(before.costs) - self._variable(after.costs)) * times
        if saved:
            items.append(("variable_cost", saved, "change of truly variable cost, to a year"))
        hours = self._earning_hours(before, after, times, tried.relief_h)
        order = self.by_load(before)
        each = self._per_hour(after, order[0] if order else None, self._variable(after.costs) / self.good)
        if hours and each is not None:
            said = f"{measured(hours).normalize():f} hours a year at {order[0]} x {each:f}"
            items.append(("constraint_hours", hours * each, said))
        return items

    def _earning_hours(self, before: State, after: State, times: Decimal, relief_h: Decimal) -> Decimal:
        """Hours a year that the constraint gains, as far as the next constraint can follow."""
        order = self.by_load(before)
        if not order or self.is_demand_limited(before):
            return ZERO
        first = order[0]
        gained = (before.busy_h[first] - after.busy_h[first]) * times + relief_h
        if gained <= 0 or len(order) == 1 or not before.busy_h[first]:
            return gained
        limits = [
            (self.runs.scheduled_h(name) / after.busy_h[name] - 1) * after.busy_h[first] * times
            for name in order[1:]
            if after.busy_h[name]
        ]
        return max(ZERO, min([gained, *limits]))
