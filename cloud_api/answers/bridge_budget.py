"""What the budget says of a window: each row spread over the production days of its month."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cloud_api.answers.bridge_sides import REVENUE, Makes
from cloud_api.answers.bridge_walks import Budgeted
from cloud_api.answers.grouping import Key
from cloud_api.answers.places import Site
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import Budget
from cloud_api.interpret.standards import Book, in_force

ZERO = Decimal(0)
UNTOLD = ("order", "shift", "reason", "cause")
"""Filters that a budget cannot tell apart."""


@exactly
def budget_of(question: Question, by: tuple[str, ...]) -> Budgeted:
    """Budgeted units and cost of the window of a question. Raises QuestionError where there is no budget."""
    return _Budget(question, by).cost()


@exactly
def budgeted_revenue(question: Question, by: tuple[str, ...]) -> Budgeted:
    """Budgeted output at its budgeted price, else at list price, as a negative cost. Raises QuestionError
    where a product has neither."""
    return _Budget(question, by).revenue()


class _Budget:
    def __init__(self, question: Question, by: tuple[str, ...]) -> None:
        self.question, self.by = question, by
        _refuse_untold(question)
        self.units: dict[Makes, Decimal] = defaultdict(Decimal)
        self.counting: list[tuple[Site, Makes, Budget, Decimal]] = []
        self.rows = [
            (site, row, share)
            for site in question.sites
            if site.book is not None
            for row, share in _rows(question, site)
        ]
        if not self.rows:
            raise QuestionError([Mistake("base", "finds no budget for this window; give one in budget.csv")])
        self._count()

    def cost(self) -> Budgeted:
        costs: dict[tuple[Makes | None, Key], Decimal] = defaultdict(Decimal)
        fixed: dict[Key, Decimal] = defaultdict(Decimal)
        for site, row, share in self.rows:
            makes = self._makes(site, row)
            group = self._group(site, row, makes, row.resource, None)
            costs[makes, group] += row.good_units * row.unit_cost * share
            fixed[group] += (row.fixed_amount or ZERO) * share
        return Budgeted(self.units, costs, {group: amount for group, amount in fixed.items() if amount})

    def revenue(self) -> Budgeted:
        worth: dict[tuple[Makes | None, Key], Decimal] = defaultdict(Decimal)
        lacking = set()
        for site, makes, row, units in self.counting:
            price = row.sales_price if row.sales_price is not None else _listed(site, row)
            if price is None:
                lacking.add(row.product)
                continue
            worth[makes, self._group(site, row, makes, *REVENUE)] -= units * price
        if lacking:
            names = ", ".join(sorted(lacking))
            message = f"needs a price of {names}; give sales_price in budget.csv or products.csv"
            raise QuestionError([Mistake("measure", message)])
        return Budgeted(self.units, worth, {})

    def _count(self) -> None:
        """Units of a product and month: those of the last machine of its line that has a row."""
        months: dict[tuple[Makes, dt.date], list[tuple[Site, Budget, Decimal]]] = defaultdict(list)
        for site, row, share in self.rows:
            if (makes := self._makes(site, row)) is not None:
                months[makes, row.month].append((site, row, share))
        for (makes, _), rows in months.items():
            site, row, share = max(rows, key=lambda one: (_place(one[0], one[1]), one[1].good_units))
            self.units[makes] += row.good_units * share
            self.counting.append((site, makes, row, row.good_units * share))

    def _makes(self, site: Site, row: Budget) -> Makes | None:
        return (site.name, _line(site, row), row.product) if row.product else None

    def _group(
        self, site: Site, row: Budget, makes: Makes | None, resource: str | None, cause: str | None
    ) -> Key:
        said: Mapping[str, Any] = defaultdict(
            lambda: None,
            site=site.name,
            line=makes[1] if makes else _line(site, row),
            machine=row.machine or None,
            product=row.product or None,
            resource=resource,
            cause=cause,
        )
        return tuple(said[name] for name in self.by)


def _refuse_untold(question: Question) -> None:
    told = [name for name in UNTOLD if question.names(name) is not None]
    if told:
        raise QuestionError(
            [Mistake(name, f"is nothing that a budget tells; leave {name} out, or ask base=standard")
             for name in told]
        )  # fmt: skip


def _rows(question: Question, site: Site) -> Iterator[tuple[Budget, Decimal]]:
    """The rows in force that a question asks for, each with the share of its month that the window holds."""
    assert site.plant is not None
    latest: dict[tuple[Any, ...], Budget] = {}
    for row in sorted(site.plant.budget, key=lambda row: (row.recorded_at, row.version)):
        latest[row.month, row.product, row.machine, row.resource] = row
    shares: dict[dt.date, Decimal] = {}
    for row in latest.values():
        if row.month not in shares:
            shares[row.month] = _share(question, site, row.month)
        if shares[row.month] and _asked(question, site, row):
            yield row, shares[row.month]


def _asked(question: Question, site: Site, row: Budget) -> bool:
    machines = {machine.name for machine in question.machines if machine.site == site.name}
    if row.machine:
        placed = row.machine in machines
    else:
        lines = question.names("line")
        placed = question.names("machine") is None and (lines is None or _line(site, row) in lines)
    resources, products = question.names("resource"), question.names("product")
    if (resources is not None or question.withheld) and row.resource is None and row.unit_cost:
        message = "needs a budget by resource here: give the column resource in budget.csv"
        raise QuestionError([Mistake("base", message)])
    return (
        placed
        and row.resource not in question.withheld
        and (resources is None or row.resource in resources)
        and (products is None or (row.product or None) in products)
    )


def _share(question: Question, site: Site, month: dt.date) -> Decimal:
    """Production days of the month that lie in the window, a cut day by its part, over all of them."""
    assert question.from_us is not None
    assert question.to_us is not None
    number = calendar.monthrange(month.year, month.month)[1]
    days = Decimal(0)
    for day in range(number):
        begin = site.day_start_us(month + dt.timedelta(days=day))
        end = site.day_start_us(month + dt.timedelta(days=day + 1))
        inside = min(end, question.to_us) - max(begin, question.from_us)
        days += Decimal(max(inside, 0)) / (end - begin)
    return days / number


def _line(site: Site, row: Budget) -> str | None:
    """The line of a row's machine; of a row without one, the first line with a standard for its product."""
    book: Book | None = site.book
    assert book is not None
    if row.machine in book.machines:
        return book.machines[row.machine].line
    makers = {standard.machine for standard in book.plant.standards if standard.product == row.product}
    return next(
        (line.id for line in book.plant.lines if any(machine.id in makers for machine in line.machines)), None
    )


def _place(site: Site, row: Budget) -> int:
    """Where a machine stands in its line; a row without a machine tells least."""
    book = site.book
    assert book is not None
    if row.machine not in book.machines:
        return -1
    names = [machine.id for machine in book.lines[book.machines[row.machine].line].machines]
    return names.index(row.machine)


def _listed(site: Site, row: Budget) -> Decimal | None:
    assert site.plant is not None
    prices = [price for price in site.plant.products if price.product == row.product]
    found = in_force(prices, row.month, "post", lambda price: price.recorded_at.date())
    return None if found is None else found.sales_price
