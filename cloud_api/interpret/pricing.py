"""Facts priced as resource x cause, so that the cells sum to the use of each resource x its actual price.

One pure function prices an hour's facts and a single segment alike, at the standards as then known (`ante`)
or cut anew at those last recorded (`post`). Amounts are in the site's currency, quantities in hours, kWh or
material units. Source: the table of cost entries and the settled readings on pricing."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.model import CAUSE_OF_STATE, Facts, Missing
from cloud_api.interpret.money import STORED, stored
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.standards import Basis, Book, Pair
from shared.units import HOUR_US

ZERO = Decimal(0)
HOUR = Decimal(HOUR_US)
SECOND = Decimal(1_000_000)
FREE = Pair(ZERO, ZERO)


class Cell(Struct):
    """One cause's share of one resource (and item). `whose`: the product of the time, of what was made, or
    none."""

    resource: str
    cause: str
    amount: Decimal
    quantity: Decimal
    rate: Decimal
    item: str | None = None
    assumed: bool = False
    whose: str = "time"


class Pricing:
    """Prices the facts of one machine; remembers what the plant model lacked (`missing`)."""

    def __init__(
        self, book: Book, machine: str, basis: Basis = "ante", units: Mapping[str, str] | None = None
    ) -> None:
        self.book, self.machine, self.basis = book, machine, basis
        self.missing: set[Missing] = set()
        known = book.machines.get(machine)
        self.cost_centre = known.cost_centre if known else None
        self._line = known.line if known else None
        self._units = units or {}

    def unit(self, resource: str, item: str | None) -> str:
        """The unit of measure of a resource; a material whose unit nobody named counts in units of itself."""
        if resource == "material":
            return self._units.get(item or "", item or "")
        return "kWh" if resource == "energy" else "h"

    def cells(self, facts: Facts) -> list[Cell]:
        """The cells of the facts; those of each resource and item add up to use x actual price, to 12
        decimals."""
        standard = self.book.standard(self.machine, facts.product, facts.effective, self.basis)
        cells = self._machine_cells(facts, standard)
        cells += self._labour_cells(facts, standard)
        cells += self._energy_cells(facts, standard)
        cells += self._material_cells(facts)
        self._name_missing(facts, standard)
        return cells

    def _name_missing(self, facts: Facts, standard: Standard | None) -> None:
        if facts.state == "running" and facts.product is None:
            self.missing.add(Missing("product", self.machine, facts.effective))
        elif facts.state == "running" and standard is None and facts.product is not None:
            self.missing.add(Missing("standard", facts.product, facts.effective))
        if facts.crew_assumed_us and not facts.crew and costs_time(facts):
            product = facts.product or facts.made_product
            card = self.book.standard(self.machine, product, facts.effective, self.basis)
            if card is None or card.crew is None:
                self.missing.add(Missing("crew", product or self.machine, facts.effective))
        if facts.good and facts.made_product is not None and facts.made_product != facts.product:
            made = self.book.standard(self.machine, facts.made_product, facts.effective, self.basis)
            if made is None:
                self.missing.add(Missing("standard", facts.made_product, facts.effective))

    def _priced(self, kind: str, subject: str, facts: Facts, pair: Pair | None) -> Pair:
        if pair is None:
            self.missing.add(Missing(kind, subject, facts.effective))
            return FREE
        return pair

    def _split(self, facts: Facts, standard: Standard) -> list[tuple[str, Decimal]]:
        """Standard microseconds of the units of a running span by cause, and what they do not explain."""
        cycle = standard.ideal_cycle_s * SECOND
        parts = [
            ("production", facts.good * cycle),
            ("scrap", facts.scrap * cycle),
            ("rework", facts.rework * cycle),
        ]
        return [*parts, ("speed_loss", facts.duration_us - sum((part for _, part in parts), ZERO))]

    def _shares(self, facts: Facts, standard: Standard | None) -> list[tuple[str, Decimal]]:
        """Microseconds of the span by cause."""
        if facts.state != "running":
            return [(CAUSE_OF_STATE[facts.state], Decimal(facts.duration_us))]
        if standard is None:
            return [("unexplained", Decimal(facts.duration_us))]
        return self._split(facts, standard)

    def _machine_cells(self, facts: Facts, standard: Standard | None) -> list[Cell]:
        if not has_time(facts) or not costs_time(facts):
            return []
        rate = self._priced(
            "rate", self.machine, facts, self.book.rate(self.machine, facts.effective, self.basis)
        )
        cells = [
            Cell("machine", cause, share * rate.standard / HOUR, share / HOUR, rate.standard)
            for cause, share in self._shares(facts, standard)
        ]
        premium = rate.actual - rate.standard
        cells.append(Cell("machine", "price", facts.duration_us * premium / HOUR, ZERO, premium))
        return exact_cells(cells, facts.duration_us * rate.actual / HOUR, Decimal(facts.duration_us) / HOUR)

    def _labour_cells(self, facts: Facts, standard: Standard | None) -> list[Cell]:
        paid_break = facts.paid and facts.state not in ("running", "changeover")
        if not has_time(facts) or not (paid_break or costs_time(facts)):
            return []
        wage = self._priced(
            "wage",
            self._line or self.machine,
            facts,
            self.book.wage(self.machine, facts.shift, facts.effective, self.basis),
        )
        crew_us = facts.crew * facts.duration_us
        people, shares = self._standard_crew(facts, standard), self._shares(facts, standard)
        if paid_break:
            people, shares = facts.crew, [("planned_stop", Decimal(facts.duration_us))]
        cells = [
            Cell("labour", cause, share * people * wage.standard / HOUR, share * people / HOUR, wage.standard)
            for cause, share in shares
        ]
        spare = crew_us - facts.duration_us * people
        premium = wage.actual - wage.standard
        cells.append(Cell("labour", "crew", spare * wage.standard / HOUR, spare / HOUR, wage.standard))
        cells.append(Cell("labour", "price", crew_us * premium / HOUR, ZERO, premium))
        amount = crew_us * wage.actual / HOUR
        if is_overtime(facts):
            extra = wage.actual * (wage.multiplier - 1)
            cells.append(Cell("labour", "overtime", crew_us * extra / HOUR, ZERO, extra))
            amount = crew_us * wage.actual * wage.multiplier / HOUR
        for cell in cells:
            cell.whose = "none" if paid_break else "time"
        return exact_cells(cells, amount, crew_us / HOUR)

    @staticmethod
    def _standard_crew(facts: Facts, standard: Standard | None) -> Decimal:
        """People of the standard; without one, as in idle and planned_stop, the actual crew stands in."""
        return facts.crew if standard is None or standard.crew is None else standard.crew

    def _energy_cells(self, facts: Facts, standard: Standard | None) -> list[Cell]:
        if not facts.energy_kwh and not (facts.good or facts.scrap or facts.rework):
            return []
        tariff = self._priced("tariff", "energy", facts, self.book.tariff(facts.effective, self.basis))
        kwh = facts.energy_kwh
        if facts.state != "running":
            shares = [(CAUSE_OF_STATE[facts.state], kwh)]
        elif standard is None:
            shares = [("unexplained", kwh)]
        else:
            each = standard.energy_kwh
            shares = [
                ("production", facts.good * each),
                ("scrap", facts.scrap * each),
                ("rework", facts.rework * each),
            ]
            shares.append(("usage", kwh - sum((share for _, share in shares), ZERO)))
        cells = [
            Cell("energy", cause, share * tariff.standard, share, tariff.standard) for cause, share in shares
        ]
        premium = tariff.actual - tariff.standard
        cells.append(Cell("energy", "price", kwh * premium, ZERO, premium))
        for cell in cells:
            cell.assumed = facts.energy_assumed
        return exact_cells(cells, kwh * tariff.actual, kwh)

    def _material_cells(self, facts: Facts) -> list[Cell]:
        units = facts.good or facts.scrap
        if not facts.material and not units:
            return []
        standard = self.book.standard(self.machine, facts.made_product, facts.effective, self.basis)
        bill = self.book.bill(self.machine, facts.made_product, facts.effective, self.basis)
        if standard is None or not units:
            bill = {}
        used: dict[str, Decimal] = dict.fromkeys(bill, ZERO)
        assumed: set[str] = set()
        for use in facts.material:
            used[use.item] = used.get(use.item, ZERO) + use.quantity
            if use.assumed:
                assumed.add(use.item)
        cells: list[Cell] = []
        for item in sorted(used):
            cells += self._item_cells(
                facts, item, used[item], bill.get(item, ZERO), standard, item in assumed
            )
        return cells

    def _item_cells(
        self,
        facts: Facts,
        item: str,
        used: Decimal,
        each: Decimal,
        standard: Standard | None,
        assumed: bool,
    ) -> list[Cell]:
        price = self._priced("price", item, facts, self.book.price(item, facts.effective, self.basis))
        rest = CAUSE_OF_STATE.get(facts.state, "usage" if standard is not None else "unexplained")
        shares = [("production", facts.good * each), ("scrap", facts.scrap * each)]
        shares.append((rest, used - sum((share for _, share in shares), ZERO)))
        premium = price.actual - price.standard
        cells = [
            Cell("material", cause, share * price.standard, share, price.standard) for cause, share in shares
        ]
        cells.append(Cell("material", "price", used * premium, ZERO, premium))
        for cell in cells:
            cell.item, cell.assumed, cell.whose = item, assumed, "made"
        return exact_cells(cells, used * price.actual, used)


def has_time(facts: Facts) -> bool:
    """Whether there is time to price, or units that came late and move time from one cause to another."""
    units = facts.good or facts.scrap or facts.rework
    return facts.duration_us != 0 or (facts.state == "running" and bool(units))


def costs_time(facts: Facts) -> bool:
    """Whether machine and labour cost: scheduled always; break and off only while running or changing
    over."""
    return facts.calendar == "scheduled" or facts.state in ("running", "changeover")


def is_overtime(facts: Facts) -> bool:
    """Whether labour is paid at the multiplier: outside all shifts, and in a shift of overtime but for its
    breaks."""
    return facts.calendar == "off" or (facts.calendar == "scheduled" and facts.overtime)


def exact_cells(cells: list[Cell], amount: Decimal, quantity: Decimal) -> list[Cell]:
    """Round the cells to 12 decimals; the largest takes what rounding leaves, so that they sum to the
    whole."""
    cells = [cell for cell in cells if cell.amount or cell.quantity]
    if not cells:
        return cells
    whole, all_of_it = stored(amount), stored(quantity)
    for cell in cells:
        cell.amount, cell.quantity = stored(cell.amount), stored(cell.quantity)
    largest = max(cells, key=lambda cell: abs(cell.amount))
    rest = whole - sum((cell.amount for cell in cells), ZERO)
    largest.amount += rest
    most = max(cells, key=lambda cell: abs(cell.quantity))
    most.quantity += all_of_it - sum((cell.quantity for cell in cells), ZERO)
    assert abs(rest) <= len(cells) * STORED, "the causes of a resource sum to its use x actual price"
    return [cell for cell in cells if cell.amount or cell.quantity]
