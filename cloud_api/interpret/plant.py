"""The plant model of one site as one frozen snapshot: what finance and engineering declared, with versions.

Numbers are Decimal; money is in the site's currency; dates are site dates; `recorded_at` is aware (UTC).
Rows that hold from a date on inherit `Dated`; rows of an event or a month inherit `Recorded`. Several rows
with the same key and date may stand side by side: each is one recording (see `standards` for which one is
in force). A correction (`load --correction`) keeps the `recorded_at` of the row that it replaces."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from msgspec import Struct

ZERO = Decimal(0)
ONE = Decimal(1)


class Recorded(Struct, frozen=True, kw_only=True):
    """A row with its stable version id, the moment it was recorded (aware) and its place ('file:line')."""

    version: int
    recorded_at: dt.datetime
    source: str = ""


class Dated(Recorded, frozen=True, kw_only=True):
    """A row that applies from 00:00 site time of `effective_from` until a later row does."""

    effective_from: dt.date


class Break(Struct, frozen=True):
    """A planned break: wall clock start in minutes after midnight, elapsed length in minutes."""

    start_min: int
    minutes: int
    paid: bool = False


class Shift(Struct, frozen=True):
    """A shift of the week. `days`: 0 = Monday (empty for the shifts of an exception). Wall clock minutes
    after midnight; `end_min` < `start_min` ends the next day, equal means 24 hours."""

    name: str
    start_min: int
    end_min: int
    days: tuple[int, ...] = ()
    breaks: tuple[Break, ...] = ()
    overtime: bool = False


class CalendarException(Struct, frozen=True):
    """One date: its shifts are added to the day's, or replace them where `closed`."""

    date: dt.date
    closed: bool = False
    shifts: tuple[Shift, ...] = ()


class Calendar(Recorded, frozen=True, kw_only=True):
    """Shifts, exceptions and the start of the production day of a site."""

    day_start_min: int = 0
    shifts: tuple[Shift, ...] = ()
    exceptions: tuple[CalendarException, ...] = ()


class Priced(Dated, frozen=True, kw_only=True):
    """A price of a resource. `actual` None: not recorded yet, equals the standard."""

    standard: Decimal
    actual: Decimal | None = None


class Rate(Priced, frozen=True, kw_only=True):
    """Cost per machine hour."""


class Labour(Priced, frozen=True, kw_only=True):
    """Wage per person-hour; a row that names line and shift wins over line, over shift, over neither."""

    overtime_multiplier: Decimal = ONE
    line: str | None = None
    shift: str | None = None


class Tariff(Priced, frozen=True, kw_only=True):
    """Price per kWh."""


class CounterRule(Struct, frozen=True):
    """What a fall of a counter means: 'reset', 'rollover' (with its modulus in raw units) or 'correction'."""

    fall: str
    rollover: Decimal | None = None


class Machine(Struct, frozen=True, kw_only=True):
    """A machine of a line. `counters` declares falls by role ('good_count', 'material:ITEM', ...)."""

    id: str
    line: str
    cost_centre: str | None = None
    rates: tuple[Rate, ...] = ()
    counters: dict[str, CounterRule] = {}


class Line(Struct, frozen=True):
    """A line: its machines in the order in which the product passes them."""

    id: str
    machines: tuple[Machine, ...]


class Standard(Dated, frozen=True, kw_only=True):
    """The standard cost card of a product on a machine. `crew` None: no standard crew; `lot_size` None or
    0: no changeover allowance. `planned_stop` and `waiting` are hours per run hour."""

    product: str
    machine: str
    ideal_cycle_s: Decimal
    crew: Decimal | None = None
    scrap_rate: Decimal = ZERO
    rework_rate: Decimal = ZERO
    changeover_min: Decimal = ZERO
    lot_size: Decimal | None = None
    availability: Decimal = ONE
    energy_kwh: Decimal = ZERO
    planned_stop: Decimal = ZERO
    waiting: Decimal = ZERO
    idle_kw: Decimal = ZERO


class BillItem(Dated, frozen=True, kw_only=True):
    """Quantity of a material in one unit of the product on the machine; 0 takes the material off the bill."""

    product: str
    machine: str
    material: str
    quantity: Decimal


class Price(Priced, frozen=True, kw_only=True):
    """Price of one unit of a material."""

    material: str


class ProductPrice(Dated, frozen=True, kw_only=True):
    """List price of a product."""

    product: str
    sales_price: Decimal


class ChangeoverPair(Dated, frozen=True, kw_only=True):
    """Standard minutes of a changeover from one product to another."""

    machine: str
    from_product: str
    to_product: str
    minutes: Decimal


class Budget(Recorded, frozen=True, kw_only=True):
    """A budget line of a month (`month` = its first day)."""

    month: dt.date
    product: str
    machine: str
    good_units: Decimal
    unit_cost: Decimal
    resource: str | None = None
    fixed_amount: Decimal | None = None
    sales_price: Decimal | None = None


class Order(Recorded, frozen=True, kw_only=True):
    """A production order and its plan (aware times)."""

    order: str
    product: str
    machine: str
    planned_start: dt.datetime
    planned_end: dt.datetime
    quantity: Decimal


class QualityEvent(Recorded, frozen=True, kw_only=True):
    """A disposition of units: accept, scrap, rework, hold or release."""

    time: dt.datetime
    machine: str
    product: str | None
    order: str | None
    units: Decimal
    disposition: str
    reason: str | None = None


class Maintenance(Recorded, frozen=True, kw_only=True):
    """A maintenance event; its cost is an entry of its own where it is not `in_rate`."""

    start: dt.datetime
    end: dt.datetime | None
    machine: str
    kind: str
    cost: Decimal
    in_rate: bool
    text: str = ""


class Charge(Recorded, frozen=True, kw_only=True):
    """An amount that somebody booked to a cause; without a machine it counts for the site alone."""

    time: dt.datetime
    machine: str | None
    product: str | None
    order: str | None
    cause: str
    amount: Decimal
    text: str = ""


class Reason(Recorded, frozen=True, kw_only=True):
    """A stop reason of a machine (None: of every machine), who owns it, and whether the floor controls it."""

    reason: str
    machine: str | None
    category: str | None
    owner: str | None
    controllable: bool = True


class Sale(Recorded, frozen=True, kw_only=True):
    """Units sold and their revenue on a date."""

    date: dt.date
    product: str
    units: Decimal
    revenue: Decimal


class Actual(Recorded, frozen=True, kw_only=True):
    """Ledger or payroll of a month (`month` = its first day) by cost centre and resource."""

    month: dt.date
    cost_centre: str
    resource: str
    amount: Decimal
    hours: Decimal | None = None


class Confirmation(Recorded, frozen=True, kw_only=True):
    """Good and scrap units that the ERP confirmed for an order."""

    time: dt.datetime
    order: str
    machine: str
    good: Decimal
    scrap: Decimal


class Plant(Struct, frozen=True, kw_only=True):
    """One snapshot of a site's whole model; every open recording of every row is in it, in any order."""

    site: str
    time_zone: str
    currency: str
    calendar: Calendar
    lines: tuple[Line, ...] = ()
    labour: tuple[Labour, ...] = ()
    energy: tuple[Tariff, ...] = ()
    standards: tuple[Standard, ...] = ()
    bill: tuple[BillItem, ...] = ()
    prices: tuple[Price, ...] = ()
    products: tuple[ProductPrice, ...] = ()
    changeovers: tuple[ChangeoverPair, ...] = ()
    budget: tuple[Budget, ...] = ()
    orders: tuple[Order, ...] = ()
    quality: tuple[QualityEvent, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    charges: tuple[Charge, ...] = ()
    reasons: tuple[Reason, ...] = ()
    sales: tuple[Sale, ...] = ()
    actuals: tuple[Actual, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    materiality_amount: Decimal | None = None
    materiality_share: Decimal | None = None
    labour_variable: bool = False
    intervention_min: Decimal = Decimal(5)
    floor_shows_money: bool = False
    four_eyes: bool = False
    fiscal_pattern: str = "calendar"
    fiscal_year_start: dt.date | None = None
