"""The ledger's hourly entries: priced cells summed in its grain, and the charges that people booked.

Amounts are in the site's currency with 12 decimals, quantities in hours, kWh or material units. Source: the
table of cost entries and the settled reading on grain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from cloud_api.interpret.calendar import micros
from cloud_api.interpret.model import Entry, Output, Segment
from cloud_api.interpret.money import exactly, stored
from cloud_api.interpret.pricing import Cell, Pricing
from cloud_api.interpret.standards import Basis, Book
from shared.units import HOUR_US

ZERO = Decimal(0)
EntryKey = tuple[Any, ...]


class Journal:
    """Sums cells into the hourly entries of one machine."""

    def __init__(self, pricing: Pricing) -> None:
        self._pricing = pricing
        self._sums: dict[EntryKey, list[Decimal]] = {}

    def post(self, facts: Output | Segment) -> None:
        """Price the facts and add them."""
        for cell in self._pricing.cells(facts):
            total = self._sums.setdefault(self._key(facts, cell), [ZERO, ZERO])
            total[0] += cell.amount
            total[1] += cell.quantity

    def _key(self, facts: Output | Segment, cell: Cell) -> EntryKey:
        product, order = {
            "time": (facts.product, facts.order),
            "made": (facts.made_product, facts.made_order),
            "none": (None, None),
        }[cell.whose]
        pricing = self._pricing
        standard = pricing.book.standard(pricing.machine, product, facts.effective, pricing.basis)
        return (
            facts.hour_us,
            facts.production_day,
            product,
            order,
            facts.shift,
            facts.reason,
            cell.resource,
            cell.cause,
            cell.item,
            cell.rate,
            None if standard is None else standard.version,
            cell.assumed,
        )

    def entries(self) -> list[Entry]:
        """The entries, sorted by their key."""
        order = sorted(self._sums, key=lambda key: tuple("" if part is None else str(part) for part in key))
        return [self._entry(key, *self._sums[key]) for key in order if any(self._sums[key])]

    def _entry(self, key: EntryKey, amount: Decimal, quantity: Decimal) -> Entry:
        hour_us, day, product, order, shift, reason, resource, cause, item, rate, version, assumed = key
        pricing = self._pricing
        return Entry(
            machine=pricing.machine,
            hour_us=hour_us,
            production_day=day,
            product=product,
            order=order,
            shift=shift,
            reason=reason,
            cost_centre=pricing.cost_centre,
            resource=resource,
            cause=cause,
            item=item,
            amount=amount,
            quantity=quantity,
            unit=pricing.unit(resource, item),
            rate=rate,
            standard_version=version,
            calendar_version=pricing.book.plant.calendar.version,
            assumed=assumed,
        )


@exactly
def price(
    facts: Iterable[Output | Segment],
    machine: str,
    book: Book,
    basis: Basis = "ante",
    units: Mapping[str, str] | None = None,
) -> list[Entry]:
    """The entries of facts of one machine, summed in the ledger's grain; `units`: unit of measure by
    material.

    The entries of one segment are `price([segment], segment.machine, book)`."""
    journal = Journal(Pricing(book, machine, basis, units))
    for each in facts:
        journal.post(each)
    return journal.entries()


def charge_entries(book: Book) -> list[Entry]:
    """Every entry of resource `other` of a site: charges, and maintenance that is not in the rate, at its
    start."""
    plant = book.plant
    entries = [
        _other(book, micros(c.time), c.machine, c.product, c.order, c.cause, c.amount) for c in plant.charges
    ]
    entries += [
        _other(
            book,
            micros(m.start),
            m.machine,
            None,
            None,
            "planned_stop" if m.kind == "planned" else "downtime",
            m.cost,
        )
        for m in plant.maintenance
        if not m.in_rate
    ]
    return entries


def _other(
    book: Book,
    time_us: int,
    machine: str | None,
    product: str | None,
    order: str | None,
    cause: str,
    amount: Decimal,
) -> Entry:
    known = book.machines.get(machine) if machine else None
    return Entry(
        machine=machine,
        hour_us=time_us - time_us % HOUR_US,
        production_day=book.production_day(time_us),
        product=product,
        order=order,
        shift=book.almanac.at(time_us).shift,
        reason=None,
        cost_centre=known.cost_centre if known else None,
        resource="other",
        cause=cause,
        item=None,
        amount=stored(amount),
        quantity=None,
        unit=None,
        rate=None,
        standard_version=None,
        calendar_version=book.plant.calendar.version,
    )
