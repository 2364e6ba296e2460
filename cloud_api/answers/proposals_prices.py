"""What better standards would do to the price list: unit cost, margin and price floor, before and after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal

from msgspec.structs import replace

from cloud_api.answers.constraints_worth import IN_RUNNING
from cloud_api.answers.shapes.proposals import PriceEffect
from cloud_api.interpret.allowance import allowance
from cloud_api.interpret.money import CONTEXT, shown
from cloud_api.interpret.products import list_price
from cloud_api.interpret.rounding import measured
from cloud_api.interpret.standards import Book

ZERO = Decimal(0)
Cells = Mapping[tuple[str, str], Decimal]


def price_effects(
    before: Book, after: Book, cards: Collection[tuple[str, str]], date: dt.date, *, whole: bool
) -> list[PriceEffect]:
    """Products of the cards (machine, product) line by line, at the standards of a site date. `whole`: the
    books hold every resource; without one of them there is no margin."""
    products = sorted({product for _, product in cards})
    found = []
    for line in before.plant.lines:
        names = [machine.id for machine in line.machines]
        for product in products:
            if any((name, product) in cards for name in names):
                made = [name for name in names if after.standard(name, product, date, "post") is not None]
                effect = _effect(before, after, line.id, made, product, date)
                found.append(effect if whole else _without_margin(effect))
    return found


def _effect(
    before: Book, after: Book, line: str, machines: list[str], product: str, date: dt.date
) -> PriceEffect:
    cells = [_cells(book, machines, product, date) for book in (before, after)]
    costs = [shown(sum(own.values(), ZERO)) for own in cells]
    floors = [shown(_variable(book, own)) for book, own in zip((before, after), cells, strict=True)]
    price = list_price(before, product, date)
    sold = shown(price) if price is not None else None
    margins = [None if sold is None else sold - cost for cost in costs]
    shares = [None if margin is None or not sold else measured(margin / sold) for margin in margins]
    same = None
    if sold is not None and costs[0]:
        same = shown(CONTEXT.divide(CONTEXT.multiply(sold, costs[1]), costs[0]))
    return PriceEffect(
        product=product,
        line=line,
        machines=machines,
        sales_price=sold,
        unit_cost_before=costs[0],
        unit_cost_after=costs[1],
        margin_before=margins[0],
        margin_after=margins[1],
        margin_share_before=shares[0],
        margin_share_after=shares[1],
        price_floor_before=floors[0],
        price_floor_after=floors[1],
        same_margin_price=same,
    )


def _without_margin(effect: PriceEffect) -> PriceEffect:
    return replace(
        effect,
        margin_before=None,
        margin_after=None,
        margin_share_before=None,
        margin_share_after=None,
        same_margin_price=None,
    )


def _cells(book: Book, machines: list[str], product: str, date: dt.date) -> Cells:
    """Allowance of a unit over the machines of a line."""
    whole: dict[tuple[str, str], Decimal] = {}
    for machine in machines:
        for cell, amount in allowance(book, machine, product, None, date, "post").items():
            whole[cell] = whole.get(cell, ZERO) + amount
    return whole


def _variable(book: Book, cells: Cells) -> Decimal:
    """Truly variable: material, energy in running, and labour where it is variable."""
    return sum(
        (
            amount
            for (resource, cause), amount in cells.items()
            if resource == "material"
            or (resource == "energy" and cause in IN_RUNNING)
            or (resource == "labour" and book.plant.labour_variable)
        ),
        ZERO,
    )
