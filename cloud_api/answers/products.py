"""True cost per product from what it did to the line, beside the averaged cost that hides it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.envelope import envelope
from cloud_api.answers.grouping import evidence
from cloud_api.answers.orders import order_rows
from cloud_api.answers.orders_reached import with_completion
from cloud_api.answers.paging import one_page
from cloud_api.answers.products_normalised import passing_by_product
from cloud_api.answers.products_sides import Place, Product, Sides, sides_of
from cloud_api.answers.products_spread import NO_ORDERS, Work, variability_by_product, work_by_product
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.ledger import CountedAt
from cloud_api.answers.shapes.products import (
    CapacityRow,
    Disruption,
    ProductRow,
    Products,
    Unassigned,
    Variability,
)
from cloud_api.interpret.money import exactly, parts_of, shown, whole_and_parts
from cloud_api.interpret.products import beyond_plan
from cloud_api.interpret.rounding import measured

ZERO = Decimal(0)


@exactly
def products(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Products:
    """Products of the window, those that cost most beyond their standard first; what is in no product
    stands apart. Rows of all pages + unused capacity + idle labour + unassigned = total."""
    whole = question.without("product")
    about = envelope(connection, whole, now)
    sides = sides_of(connection, whole)
    said = _Said(connection, whole, sides, about, now)
    figures = rounded(sides)
    names = [name for name, amount in figures.actual.items() if amount or sides.products[name].good]
    names.sort(key=lambda name: (sides.products[name].standard - sides.products[name].actual, name))
    wanted = question.names("product")
    rows = [
        said.row(question, sides.products[name], figures.actual[name])
        for name in names
        if wanted is None or name in wanted
    ]
    page, cursor = one_page(rows, question)
    return Products(
        **about,
        next_cursor=cursor,
        total=figures.total,
        rows=page,
        unused_capacity=figures.unused(whole, "machine"),
        idle_labour=figures.unused(whole, "labour"),
        unassigned=[
            Unassigned(machine=machine, resource=resource, cause=cause, amount=figures.unassigned[key])
            for key in sorted(figures.unassigned, key=str)
            for machine, resource, cause in (key,)
        ],
        counted_at=[
            CountedAt(site=site, line=line, machine=machine, good_units=good)
            for (site, line, machine), good in sorted(sides.counted.items())
        ],
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """Every amount of the answer rounded once, so that all of them add up to the total."""

    sides: Sides
    total: Decimal
    actual: Mapping[str, Decimal]
    capacity: Mapping[tuple[str, Place, str], Decimal]
    unassigned: Mapping[tuple[str | None, str, str], Decimal]

    def unused(self, question: Question, resource: str) -> list[CapacityRow]:
        """Rows of unused capacity, or of idle labour."""
        rest = self.sides.rest
        hours = rest.unused if resource == "machine" else rest.idle_labour
        names = ("site", "line", "machine", "resource", "cause")
        return [
            CapacityRow(
                machine=place[2],
                cause=cause,
                hours=measured(hours[place, cause][0]),
                amount=self.capacity[resource, place, cause],
                segments=evidence(question, names, (*place, resource, cause)),
            )
            for place, cause in sorted(hours, key=str)
        ]


def rounded(sides: Sides) -> Figures:
    """The amounts of all products, of capacity and of the rest, adding up to the rounded whole."""
    rest = sides.rest
    capacity = [("machine", *key) for key in rest.unused] + [("labour", *key) for key in rest.idle_labour]
    amounts = [product.actual for product in sides.products.values()]
    amounts += [amount for _, amount in (*rest.unused.values(), *rest.idle_labour.values())]
    amounts += list(rest.unassigned.values())
    total, parts = whole_and_parts(amounts)
    given = iter(parts)
    return Figures(
        sides,
        total,
        {name: next(given) for name in sides.products},
        {key: next(given) for key in capacity},
        {key: next(given) for key in rest.unassigned},
    )


class _Said:
    """What is told of every product, gathered once."""

    def __init__(
        self,
        connection: Connection[Any],
        question: Question,
        sides: Sides,
        about: Mapping[str, Any],
        now: datetime,
    ) -> None:
        self.sees_wages = "labour" not in question.withheld
        self.variability = variability_by_product(connection, question, sides.counted)
        self.work = work_by_product(connection, question)
        self.passing = passing_by_product(connection, question, now)
        self.minutes = next(
            (site.plant.intervention_min for site in question.sites if site.plant is not None), Decimal(5)
        )
        self.late: dict[str, Decimal] = defaultdict(Decimal)
        rows = order_rows(connection, question, now, about["computed_through"])
        for row in with_completion(connection, question, [row for row in rows if row.late_h]):
            if row.product is not None and row.state != "planned":
                self.late[row.product] += row.late_h or ZERO

    def row(self, question: Question, product: Product, actual: Decimal) -> ProductRow:
        """One product; its burden and what is set aside are parts of its rounded cost."""
        good = product.good
        causes = sorted(cause for cause, amount in product.cost.items() if amount)
        parts = parts_of(actual, [product.cost[cause] for cause in causes]) if causes else []
        passing = {cause: shown(amount) for cause, amount in self.passing.get(product.name, {}).items()}
        margin = None if product.revenue is None else shown(product.revenue) - actual
        averaged = product.averaged
        unit_price = product.revenue / good if good and product.revenue is not None else None
        averaged_margin = None if unit_price is None or averaged is None else unit_price - averaged / good
        work = self.work.get(product.name, Work(0, {}))
        whole = question.without("product")
        return ProductRow(
            product=product.name,
            good_units=measured(good),
            standard_unit_cost=_each(product.standard if product.standard else None, good),
            averaged_unit_cost=_each(averaged, good),
            actual_unit_cost=_each(actual, good),
            normalised_unit_cost=_each(actual - sum(passing.values(), ZERO), good),
            actual_cost=actual,
            set_aside={cause: amount for cause, amount in sorted(passing.items()) if amount},
            revenue=None if product.revenue is None else shown(product.revenue),
            margin=margin,
            unit_margin=_each(margin, good),
            averaged_unit_margin=None if averaged_margin is None else shown(averaged_margin),
            burden={cause: part for cause, part in zip(causes, parts, strict=True) if cause != "production"},
            variability=self._variability(product.name),
            supervision=work.told(self.minutes, self.sees_wages),
            disruption=self._disruption(product, work),
            segments=evidence(whole, ("product",), (product.name,)),
            variances=evidence(whole, ("product",), (product.name,), path="/v1/variances")
            + "&by=resource,cause",
        )

    def _variability(self, product: str) -> Variability:
        return self.variability.get(product, NO_ORDERS)

    def _disruption(self, product: Product, work: Work) -> Disruption:
        beyond = amount = ZERO
        for place, planned in product.planned.items():
            count = work.changeovers.get(place, 0)
            more, cost = beyond_plan(count, planned, product.changeover_cost[place])
            beyond, amount = beyond + more, amount + cost
        planned = sum(product.planned.values(), ZERO)
        return Disruption(
            changeovers=sum(work.changeovers.values()),
            planned_changeovers=measured(planned) if product.planned else None,
            beyond_plan=measured(beyond),
            amount=shown(amount),
            late_h=self.late[product.name],
        )


def _each(amount: Decimal | None, good: Decimal) -> Decimal | None:
    return shown(amount / good) if good and amount is not None else None
