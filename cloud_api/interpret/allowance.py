"""What the standard allows for one good unit, by resource and cause: the flexed budget.

Currency per good unit, at the standard as then known (`ante`) or as last recorded (`post`). Source: the
standard cost card; scrap s = scrap/(good+scrap), rework w = rework/(good+scrap), availability a =
run/(run+down)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.standards import Basis, Book

ZERO = Decimal(0)
Cells = Mapping[tuple[str, str], Decimal]


def hours(standard: Standard) -> dict[str, Decimal]:
    """Hours per good unit by cause. Production, scrap and rework are the run time."""
    cycle = standard.ideal_cycle_s / 3600
    seen = 1 / (1 - standard.scrap_rate)
    run = {
        "production": cycle,
        "scrap": standard.scrap_rate * seen * cycle,
        "rework": standard.rework_rate * seen * cycle,
    }
    running = sum(run.values(), ZERO)
    return {
        **run,
        "downtime": (1 - standard.availability) / standard.availability * running,
        "planned_stop": standard.planned_stop * running,
        "waiting": standard.waiting * running,
        "changeover": changeover_hours(standard) / standard.lot_size if standard.lot_size else ZERO,
    }


def changeover_hours(standard: Standard | None) -> Decimal:
    """Standard hours of one changeover."""
    return ZERO if standard is None else standard.changeover_min / 60


def run_hours(standard: Standard) -> Decimal:
    """Run time per good unit: production, scrap and rework."""
    each = hours(standard)
    return each["production"] + each["scrap"] + each["rework"]


@exactly
def allowance(
    book: Book, machine: str, product: str | None, shift: str | None, date: dt.date, basis: Basis = "ante"
) -> Cells:
    """Allowance per good unit of a product on a machine, by (resource, cause); empty without a standard.

    `shift` and the site date `date` say whose wages, rates and prices are in force."""
    return _Card(book).cells(machine, product, shift, date, basis)


class _Card:
    def __init__(self, book: Book) -> None:
        self.book = book

    def cells(
        self, machine: str, product: str | None, shift: str | None, date: dt.date, basis: Basis
    ) -> dict[tuple[str, str], Decimal]:
        standard = self.book.standard(machine, product, date, basis)
        if standard is None:
            return {}
        book, times = self.book, hours(standard)
        rate, wage = book.rate(machine, date, basis), book.wage(machine, shift, date, basis)
        per_hour = {
            "machine": rate.standard if rate else ZERO,
            "labour": (standard.crew or ZERO) * (wage.standard if wage else ZERO),
        }
        cells = {
            (resource, cause): time * cost
            for resource, cost in per_hour.items()
            for cause, time in times.items()
        }
        tariff = book.tariff(date, basis)
        cells.update(self._energy(standard, times, tariff.standard if tariff else ZERO))
        cells.update(self._material(standard, date, basis))
        return {key: amount for key, amount in cells.items() if amount}

    @staticmethod
    def _energy(
        standard: Standard, times: Mapping[str, Decimal], tariff: Decimal
    ) -> dict[tuple[str, str], Decimal]:
        seen = 1 / (1 - standard.scrap_rate)
        kwh = {
            "production": standard.energy_kwh,
            "scrap": standard.scrap_rate * seen * standard.energy_kwh,
            "rework": standard.rework_rate * seen * standard.energy_kwh,
        }
        for cause in ("downtime", "changeover", "planned_stop", "waiting"):
            kwh[cause] = standard.idle_kw * times[cause]
        return {("energy", cause): quantity * tariff for cause, quantity in kwh.items()}

    def _material(self, standard: Standard, date: dt.date, basis: Basis) -> dict[tuple[str, str], Decimal]:
        cost = ZERO
        for item, quantity in self.book.bill(standard.machine, standard.product, date, basis).items():
            price = self.book.price(item, date, basis)
            cost += quantity * price.standard if price else ZERO
        scrap = standard.scrap_rate / (1 - standard.scrap_rate)
        return {("material", "production"): cost, ("material", "scrap"): scrap * cost}


def unit_cost(cells: Cells) -> Decimal:
    """Standard cost of one good unit."""
    return sum(cells.values(), ZERO)


class Allowances:
    """Allowances of one site, remembered by machine, product, shift, date and basis; equal ones are one."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._card = _Card(book)
        self._known: dict[tuple[str, str | None, str | None, dt.date, Basis], Cells] = {}
        self._same: dict[frozenset[tuple[tuple[str, str], Decimal]], Cells] = {}

    def of(
        self, machine: str, product: str | None, shift: str | None, date: dt.date, basis: Basis = "ante"
    ) -> Cells:
        """As `allowance`, in the decimal context of the caller."""
        key = (machine, product, shift, date, basis)
        cells = self._known.get(key)
        if cells is None:
            found = self._card.cells(machine, product, shift, date, basis)
            cells = self._known[key] = self._same.setdefault(frozenset(found.items()), found)
        return cells

    def unit_cost(
        self, machine: str, product: str | None, shift: str | None, date: dt.date, basis: Basis = "ante"
    ) -> Decimal:
        """Standard cost of one good unit, 0 without a standard."""
        return unit_cost(self.of(machine, product, shift, date, basis))
