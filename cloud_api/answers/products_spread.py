"""How orders of a product differ, and how often people had to step in: what a mean cost does not say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.facts import machines_at
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.places import Site
from cloud_api.answers.products_sides import Place
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.products import Supervision, Variability
from cloud_api.answers.window import window_at
from cloud_api.interpret.money import shown
from cloud_api.interpret.orders import FIRST_UNITS
from cloud_api.interpret.products import UNUSED, coefficient_of_variation
from cloud_api.interpret.rounding import measured
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us
from shared.units import hours_in

ZERO = Decimal(0)
SHORT_STOP_MIN = 5
"""Stops below it are interventions, not failures."""


def variability_by_product(
    connection: Connection[Any], question: Question, counted: Mapping[Place, Decimal]
) -> dict[str, Variability]:
    """Spread of cycle time and unit cost over the orders of each product in the window."""
    cycles: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    good: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for site in question.sites:
        machines = {one.machine_id: (site.name, one.line, one.name) for one in machines_at(question, site)}
        asked = {"site": site.name, "machines": list(machines), **_window(question, site)}
        for row in connection.execute(statement("products.order_pace"), asked):
            order, machine_id, product, running_us, passed, units = row
            if machines[machine_id] not in counted:
                continue
            key = (product, order)
            before = cycles.get(key, (ZERO, ZERO))
            cycles[key] = (before[0] + running_us, before[1] + passed)
            good[key] += units
    costs: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    by = ("product", "order", "resource", "cause")
    for (product, order, resource, cause), sum_ in sums_of(connection, question.grouped(*by)).items():
        if product is not None and order is not None and (resource, cause) not in UNUSED:
            costs[product, order] += sum_.amount
    orders: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, units in good.items():
        if units >= FIRST_UNITS:
            orders[key[0]].append(key)
    return {product: _spread(keys, cycles, costs, good) for product, keys in orders.items()}


def _spread(
    keys: list[tuple[str, str]],
    cycles: Mapping[tuple[str, str], tuple[Decimal, Decimal]],
    costs: Mapping[tuple[str, str], Decimal],
    good: Mapping[tuple[str, str], Decimal],
) -> Variability:
    each = [costs.get(key, ZERO) / good[key] for key in keys]
    paces = [cycles[key][0] / cycles[key][1] for key in keys if cycles[key][1]]
    return Variability(
        orders=len(keys),
        cycle_time_cv=measured(coefficient_of_variation(paces)),
        unit_cost_cv=measured(coefficient_of_variation(each)),
        unit_cost_low=shown(min(each)),
        unit_cost_high=shown(max(each)),
    )


NO_ORDERS = Variability(
    orders=0, cycle_time_cv=None, unit_cost_cv=None, unit_cost_low=None, unit_cost_high=None
)


@dataclass(slots=True)
class Work:
    """Of one product in the window: running time, changeovers by machine, and how often people stepped in."""

    running_us: int
    changeovers: dict[Place, int]
    alarms: int = 0
    overrides: int = 0
    short_stops: int = 0
    notes: int = 0
    wages: Decimal = ZERO

    @property
    def interventions(self) -> int:
        """All of them."""
        return self.alarms + self.overrides + self.short_stops + self.notes

    def told(self, minutes: Decimal, sees_wages: bool) -> Supervision:
        """As the answer tells it; `wages` is the sum over interventions of the wage of an hour."""
        running_h = hours_in(self.running_us)
        return Supervision(
            interventions=self.interventions,
            alarms=self.alarms,
            overrides=self.overrides,
            short_stops=self.short_stops,
            notes=self.notes,
            per_run_hour=measured(self.interventions / running_h) if running_h else None,
            minutes_each=minutes,
            amount=shown(self.wages * minutes / 60) if sees_wages else None,
        )


def work_by_product(connection: Connection[Any], question: Question) -> dict[str, Work]:
    """Running time, changeovers and interventions by product; wages as they were paid where each fell."""
    found: dict[str, Work] = {}
    for site in question.sites:
        if site.book is not None:
            _Steps(connection, question, site, found).take()
    return found


class _Steps:
    def __init__(
        self, connection: Connection[Any], question: Question, site: Site, found: dict[str, Work]
    ) -> None:
        self.connection, self.question, self.site, self.found = connection, question, site, found
        self.machines = {one.machine_id: one for one in machines_at(question, site)}
        self.asked = {
            "site": site.name,
            "machines": list(self.machines),
            "from": None if question.from_us is None else from_us(question.from_us),
            "to": None if question.to_us is None else from_us(question.to_us),
            **_window(question, site),
        }

    def take(self) -> None:
        for row in self._rows("run_times"):
            machine_id, product, running_us, changeovers = row
            machine = self.machines[machine_id]
            work = self._work(product)
            work.running_us += running_us
            if changeovers:
                place = (self.site.name, machine.line or "", machine.name)
                work.changeovers[place] = work.changeovers.get(place, 0) + changeovers
        for machine_id, product, shift, effective, count in self._rows("short_stops", minutes=SHORT_STOP_MIN):
            self._work(product).short_stops += count
            self._earn(product, machine_id, shift, effective, count)
        for machine_id, product, shift, effective, count in self._rows("decisions_noted"):
            self._work(product).notes += count
            self._earn(product, machine_id, shift, effective, count)
        self._signals()

    def _signals(self) -> None:
        series = [series for series, _ in self._rows("watched_series")]
        if not series:
            return
        for role, machine_id, product, shift, effective, count in self._rows("raised", series=series):
            work = self._work(product)
            if role == "alarm":
                work.alarms += count
            else:
                work.overrides += count
            self._earn(product, machine_id, shift, effective, count)

    def _rows(self, what: str, **more: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement(f"products.{what}"), {**self.asked, **more}).fetchall()

    def _work(self, product: str) -> Work:
        return self.found.setdefault(product, Work(0, {}))

    def _earn(self, product: str, machine_id: int, shift: str | None, effective: date, count: int) -> None:
        assert self.site.book is not None
        wage = self.site.book.wage(self.machines[machine_id].name, shift, effective, "ante")
        if wage is not None:
            self._work(product).wages += count * wage.actual


def _window(question: Question, site: Site) -> dict[str, Any]:
    """The stored hours that lie in the window whole."""
    span = window_at(site, question.from_us, question.to_us)
    return {
        **span.bounds(),
        "posting": question.basis == "posting",
    }
