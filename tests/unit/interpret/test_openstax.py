"""Published cost variances: OpenStax, Principles of Accounting vol. 2, ch. 8 (positive = unfavourable)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import Struct

from cloud_api.interpret.ledger import price as priced
from cloud_api.interpret.model import Output, Use
from cloud_api.interpret.plant import Plant
from cloud_api.interpret.standards import Book
from cloud_api.interpret.variance import Sheet, cells
from shared.units import HOUR_US

from .scenes import NEW_YEAR, D, bill, machine, plant, price, rate, standard, wage


def output(hours: str, good: str, used: str | None = None) -> Output:
    """Hours of running of one person at one machine, for so many good units and so much material."""
    return Output(
        machine="m1",
        hour_us=0,
        standard_version=1,
        calendar_version=7,
        production_day=NEW_YEAR,
        effective=NEW_YEAR,
        state="running",
        product="P",
        order=None,
        made_product="P",
        made_order=None,
        reason=None,
        shift="A",
        calendar="scheduled",
        overtime=False,
        paid=False,
        crew=D(1),
        duration_us=int(D(hours) * HOUR_US),
        good=D(good),
        material=() if used is None else (Use("steel", D(used)),),
    )


def sheet(model: Plant, facts: Output) -> Sheet:
    book = Book(model)
    actuals = [("all", e.resource, e.cause, e.amount) for e in priced([facts], "m1", book)]
    return cells(actuals, [("all", facts)], book)["all"]


def split(found: Sheet, resource: str) -> tuple[Decimal, Decimal]:
    """Price (rate) variance, and quantity (efficiency) variance: the sum of the other cells."""
    own = {cause: cell.variance for (of, cause), cell in found.items() if of == resource}
    apart = own.pop("price", D(0))
    return apart, sum(own.values(), D(0))


class Case(Struct, frozen=True):
    """Standard quantity and price of a unit, units made, actual quantity and price, the two variances."""

    name: str
    standard: str
    standard_price: str
    made: str
    used: str
    paid: str
    apart: str
    quantity: str


MATERIAL = (
    Case("unit", ".25", "7", "1", ".5", "9", "1.00", "1.75"),
    Case("Biglow", "8", ".85", "11000", "89000", ".84", "-890", "850"),
    Case("Barley", "4", "15", "10000", "50000", "16", "50000", "150000"),
)
LABOUR = (
    Case("unit", ".1", "8", "1", ".2", "9.5", ".30", ".80"),
    Case("Biglow", "1.5", "35", "11000", "16000", "35.35", "5600", "-17500"),
    Case("Barley", "2", "20", "10000", "25000", "18", "-50000", "100000"),
)
OVERHEAD = (Case("variable overhead", "1", "2", "2000", "2500", "2.8", "2000", "1000"),)


@pytest.mark.parametrize("case", MATERIAL, ids=lambda case: case.name)
def test_material_price_and_quantity(case: Case) -> None:
    model = plant(
        machines=[machine(rates=[rate("0")])],
        labour=[wage("0")],
        bill=(bill("steel", case.standard),),
        prices=(price("steel", case.standard_price, case.paid),),
    )
    found = split(sheet(model, output("1", case.made, case.used)), "material")
    assert found == (D(case.apart), D(case.quantity))


def seconds(hours: str) -> str:
    return str(D(hours) * 3600)


@pytest.mark.parametrize("case", LABOUR, ids=lambda case: case.name)
def test_labour_rate_and_efficiency(case: Case) -> None:
    model = plant(
        machines=[machine(rates=[rate("0")])],
        labour=[wage(case.standard_price, case.paid)],
        standards=[standard(cycle=seconds(case.standard), crew=1)],
    )
    assert split(sheet(model, output(case.used, case.made)), "labour") == (D(case.apart), D(case.quantity))


@pytest.mark.parametrize("case", OVERHEAD, ids=lambda case: case.name)
def test_variable_overhead_rate_and_efficiency(case: Case) -> None:
    model = plant(
        machines=[machine(rates=[rate(case.standard_price, case.paid)])],
        labour=[wage("0")],
        standards=[standard(cycle=seconds(case.standard), crew=1)],
    )
    assert split(sheet(model, output(case.used, case.made)), "machine") == (D(case.apart), D(case.quantity))
