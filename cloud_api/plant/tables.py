"""The CSV files of a plant model: which columns each has, what they hold, and what makes a row one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cloud_api.plant.scalars import (
    ANY,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE_ABOVE_ZERO,
    SHARE_BELOW_ONE,
    Bounds,
)

Holds = Literal[
    "text", "new_product", "product", "machine", "number", "date", "month", "instant", "flag", "choice"
]

RESOURCES = ("machine", "labour", "energy", "material", "other")
DISPOSITIONS = ("accept", "scrap", "rework", "hold", "release")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``header`` False: the column may be left out; ``filled`` False: a cell may be empty."""

    name: str
    holds: Holds
    header: bool = True
    filled: bool = True
    bounds: Bounds = ANY
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file. ``key`` names the columns that tell its rows apart; empty means all of them.

    ``effective`` names the column from whose date on a row counts.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    effective: str | None = None
    required: bool = False

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @property
    def key_columns(self) -> tuple[str, ...]:
        return self.key or tuple(column.name for column in self.columns)


def _number(name: str, bounds: Bounds = NOT_NEGATIVE) -> Column:
    return Column(name, "number", bounds=bounds)


def _optional_number(name: str, bounds: Bounds = NOT_NEGATIVE) -> Column:
    return Column(name, "number", header=False, filled=False, bounds=bounds)


_MACHINE = Column("machine", "machine")
_PRODUCT = Column("product", "product")
_FROM = Column("from", "date")
_TIME = Column("time", "instant")
_MAYBE_MACHINE = Column("machine", "machine", filled=False)
_MAYBE_PRODUCT = Column("product", "product", filled=False)
_MAYBE_ORDER = Column("order", "text", filled=False)
_NOTE = Column("text", "text", header=False, filled=False)

STANDARDS = Table(
    "standards",
    (
        Column("product", "new_product"),
        _MACHINE,
        _FROM,
        _number("ideal_cycle_s", POSITIVE),
        Column("crew", "number", filled=False, bounds=NOT_NEGATIVE),
        _number("scrap_rate", SHARE_BELOW_ONE),
        _number("rework_rate"),
        _number("changeover_min"),
        Column("lot_size", "number", filled=False, bounds=NOT_NEGATIVE),
        _number("availability", SHARE_ABOVE_ZERO),
        _number("energy_kwh"),
        _optional_number("planned_stop"),
        _optional_number("waiting"),
        _optional_number("idle_kw"),
    ),
    key=("product", "machine", "from"),
    effective="from",
    required=True,
)
BILL = Table(
    "bill",
    (_PRODUCT, _MACHINE, Column("material", "text"), _FROM, _number("quantity")),
    key=("product", "machine", "material", "from"),
    effective="from",
)
PRICES = Table(
    "prices",
    (Column("material", "text"), _FROM, _number("standard"), _optional_number("actual")),
    key=("material", "from"),
    effective="from",
)
PRODUCTS = Table(
    "products",
    (Column("product", "new_product"), _FROM, _number("sales_price")),
    key=("product", "from"),
    effective="from",
)
BUDGET = Table(
    "budget",
    (
        Column("month", "month"),
        _MAYBE_PRODUCT,
        _MAYBE_MACHINE,
        Column("good_units", "number", filled=False, bounds=NOT_NEGATIVE),
        Column("unit_cost", "number", filled=False, bounds=NOT_NEGATIVE),
        Column("resource", "choice", header=False, filled=False, choices=RESOURCES),
        _optional_number("fixed_amount", ANY),
        _optional_number("sales_price"),
    ),
    key=("month", "product", "machine", "resource"),
    effective="month",
)
ORDERS = Table(
    "orders",
    (
        Column("order", "text"),
        _PRODUCT,
        _MACHINE,
        Column("planned_start", "instant"),
        Column("planned_end", "instant"),
        _number("quantity"),
    ),
    key=("order", "product", "machine"),
)
QUALITY = Table(
    "quality",
    (
        _TIME,
        _MACHINE,
        _PRODUCT,
        _MAYBE_ORDER,
        _number("units"),
        Column("disposition", "choice", choices=DISPOSITIONS),
        Column("reason", "text", filled=False),
    ),
)
MAINTENANCE = Table(
    "maintenance",
    (
        Column("start", "instant"),
        Column("end", "instant", filled=False),
        _MACHINE,
        Column("kind", "text"),
        Column("cost", "number", filled=False, bounds=NOT_NEGATIVE),
        Column("in_rate", "flag"),
        _NOTE,
    ),
)
CHANGEOVERS = Table(
    "changeovers",
    (
        _MACHINE,
        Column("from_product", "product"),
        Column("to_product", "product"),
        _FROM,
        _number("minutes"),
    ),
    key=("machine", "from_product", "to_product", "from"),
    effective="from",
)
CHARGES = Table(
    "charges",
    (
        _TIME,
        _MAYBE_MACHINE,
        _MAYBE_PRODUCT,
        _MAYBE_ORDER,
        Column("cause", "text"),
        _number("amount", ANY),
        _NOTE,
    ),
)
REASONS = Table(
    "reasons",
    (
        Column("reason", "text"),
        _MAYBE_MACHINE,
        Column("category", "text", filled=False),
        Column("owner", "text", filled=False),
        Column("controllable", "flag", filled=False),
    ),
    key=("reason", "machine"),
)
SALES = Table("sales", (Column("date", "date"), _PRODUCT, _number("units", ANY), _number("revenue", ANY)))
ACTUALS = Table(
    "actuals",
    (
        Column("month", "month"),
        Column("cost_centre", "text"),
        Column("resource", "choice", choices=RESOURCES),
        _number("amount", ANY),
        Column("hours", "number", filled=False, bounds=NOT_NEGATIVE),
    ),
    key=("month", "cost_centre", "resource"),
)
CONFIRMATIONS = Table(
    "confirmations",
    (_TIME, Column("order", "text"), _MACHINE, _number("good"), _number("scrap")),
)

TABLES: tuple[Table, ...] = (
    STANDARDS,
    BILL,
    PRICES,
    PRODUCTS,
    BUDGET,
    ORDERS,
    QUALITY,
    MAINTENANCE,
    CHANGEOVERS,
    CHARGES,
    REASONS,
    SALES,
    ACTUALS,
    CONFIRMATIONS,
)
