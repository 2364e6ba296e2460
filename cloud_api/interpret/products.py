"""True cost of products: what each did to the line, beside the average that hides it.

Money is in the site's currency, unrounded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from .plant import Dated
from .standards import Book, in_force


def list_price(book: Book, product: str | None, date: dt.date) -> Decimal | None:
    """Sales price of a unit on a site date as recorded last; None before the first."""
    rows = [row for row in book.plant.products if row.product == product]
    found = in_force(rows, date, "post", _recorded)
    return None if found is None else found.sales_price


def _recorded(row: Dated) -> dt.date:
    return row.recorded_at.date()
