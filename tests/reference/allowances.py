"""What a good unit may cost at standard (cost model, standard cost card and flexed budget)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from .tables import Plant, Standard, both

ZERO = Fraction(0)
Cells = dict[tuple[str, str], Fraction]


def hours_per_good_unit(standard: Standard) -> dict[str, Fraction]:
    """Standard hours per good unit by cause."""
    cycle, yielded = standard.cycle_h, 1 - standard.scrap_rate
    hours = {
        "production": cycle,
        "scrap": standard.scrap_rate / yielded * cycle,
        "rework": standard.rework_rate / yielded * cycle,
    }
    run = sum(hours.values(), ZERO)
    hours["downtime"] = (1 - standard.availability) / standard.availability * run
    hours["planned_stop"] = standard.planned_stop * run
    hours["waiting"] = standard.waiting * run
    hours["changeover"] = standard.changeover_h / standard.lot_size if standard.lot_size else ZERO
    return hours


def allowance(
    plant: Plant, machine: str, product: str | None, day: date, shift: str | None, view: str
) -> Cells | None:
    """Allowance per good unit by (resource, cause), computed once a day and shift; None without a
    standard."""
    where = (machine, product, day, shift, view)
    if where not in plant.known_allowances:
        plant.known_allowances[where] = reckoned(plant, machine, product, day, shift, view)
    return plant.known_allowances[where]


def reckoned(
    plant: Plant, machine: str, product: str | None, day: date, shift: str | None, view: str
) -> Cells | None:
    standard = plant.standard(product, machine, day, view)
    if standard is None:
        return None
    rate, _ = both(plant.rates, machine, day, view)
    wage, _, _ = plant.wage(machine, shift, day, view)
    tariff, _ = both(plant.tariffs, (), day, view)
    yielded = 1 - standard.scrap_rate
    scrap_share, rework_share = standard.scrap_rate / yielded, standard.rework_rate / yielded
    cells: Cells = {}
    hours = hours_per_good_unit(standard)
    for cause, spent in hours.items():
        cells["machine", cause] = spent * rate
        cells["labour", cause] = spent * standard.crew * wage
    for cause in ("downtime", "changeover", "planned_stop", "waiting"):
        cells["energy", cause] = standard.idle_kw * hours[cause] * tariff
    cells["energy", "production"] = standard.energy_kwh * tariff
    cells["energy", "scrap"] = scrap_share * standard.energy_kwh * tariff
    cells["energy", "rework"] = rework_share * standard.energy_kwh * tariff
    stuff = ZERO
    for item, quantity in plant.bill(product, machine, day, view).items():
        price, _ = both(plant.prices, item, day, view)
        stuff += quantity * price
    cells["material", "production"] = stuff
    cells["material", "scrap"] = scrap_share * stuff
    return cells


def standard_unit_cost(
    plant: Plant, machine: str, product: str | None, day: date, shift: str | None, view: str
) -> Fraction | None:
    """Standard cost of a good unit at one machine; None without a standard."""
    cells = allowance(plant, machine, product, day, shift, view)
    return None if cells is None else sum(cells.values(), ZERO)
