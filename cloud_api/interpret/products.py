"""True cost of products: what each did to the line, beside the average that hides it.

    averaged cost = standard material + conversion cost of the line x its share of standard run hours

Unused capacity (machine idle and waiting) is a line of its own and in no product; the average spreads it.
Money is in the site's currency, unrounded."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from cloud_api.interpret.allowance import run_hours
from cloud_api.interpret.model import Output
from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import Dated
from cloud_api.interpret.standards import Book, in_force

ZERO = Decimal(0)
UNUSED = frozenset({("machine", "idle"), ("machine", "waiting")})
"""Resource and cause of capacity that made nothing."""

IDLE_LABOUR = ("labour", "idle")
CONVERSION = frozenset({"machine", "labour", "energy", "other"})
"""Resources that turn material into product."""

K = TypeVar("K")


def list_price(book: Book, product: str | None, date: dt.date) -> Decimal | None:
    """Sales price of a unit on a site date as recorded last; None before the first."""
    rows = [row for row in book.plant.products if row.product == product]
    found = in_force(rows, date, "post", _recorded)
    return None if found is None else found.sales_price


def _recorded(row: Dated) -> dt.date:
    return row.recorded_at.date()


@exactly
def standard_run_hours(output: Output, book: Book) -> Decimal | None:
    """Standard run time of the good units of an output at its machine; None without a standard."""
    standard = book.standard(output.machine, output.made_product, output.effective, "ante")
    return None if standard is None else output.good * run_hours(standard)


@exactly
def averaged(conversion: Mapping[str, Decimal], hours: Mapping[tuple[str, K], Decimal]) -> dict[K, Decimal]:
    """Conversion cost of each line spread over its products on standard run hours, (line, product) to hours;
    the shares of a line sum to its cost where it has any hours."""
    whole: dict[str, Decimal] = defaultdict(Decimal)
    for (line, _), own in hours.items():
        whole[line] += own
    shares: dict[K, Decimal] = defaultdict(Decimal)
    for (line, product), own in hours.items():
        if whole[line]:
            shares[product] += conversion.get(line, ZERO) * own / whole[line]
    return dict(shares)


@exactly
def coefficient_of_variation(values: Sequence[Decimal]) -> Decimal | None:
    """Sample standard deviation / mean; None below two values or without a mean."""
    count = len(values)
    mean = sum(values, ZERO) / count if count else ZERO
    if count < 2 or not mean:
        return None
    square = sum(((value - mean) ** 2 for value in values), ZERO) / (count - 1)
    return square.sqrt() / abs(mean)


@exactly
def beyond_plan(changeovers: int, planned: Decimal, cost: Decimal) -> tuple[Decimal, Decimal]:
    """Changeovers beyond the planned ones, and their share of what all of them cost."""
    beyond = max(ZERO, changeovers - planned)
    return beyond, (cost * beyond / changeovers if changeovers else ZERO)
