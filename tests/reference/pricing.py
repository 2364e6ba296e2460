"""Prices a piece into cost entries: resource x cause x amount (cost model, cost entries and pricing)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .shifts import BREAK, OFF, SCHEDULED
from .tables import Plant, Standard, both
from .timeline import Piece
from .versions import ANTE

ZERO = Fraction(0)
ONE = Fraction(1)
WORKING = ("running", "changeover")
NOT_ORDERED = ("idle", "planned_stop")
CAUSE_OF = {
    "down": "downtime",
    "changeover": "changeover",
    "waiting": "waiting",
    "idle": "idle",
    "planned_stop": "planned_stop",
    "unknown": "unexplained",
}


@dataclass(frozen=True)
class Entry:
    """An amount in the site's currency with what it belongs to; `at` is the instant that dates it."""

    at: int
    machine: str | None
    line: str | None
    product: str | None
    order: str | None
    shift: str | None
    reason: str | None
    resource: str
    cause: str
    amount: Fraction


@dataclass(frozen=True)
class Booking:
    """Quantities as booked: crew, kWh and material used, each measured or assumed at the ex-ante standard."""

    crew: Fraction
    kwh: Fraction
    used: dict[str, Fraction]


def standard_of(piece: Piece, plant: Plant, view: str) -> Standard | None:
    return plant.standard(piece.product, piece.machine.id, piece.day, view)


def units_of(piece: Piece) -> Fraction:
    return piece.good + piece.scrap + piece.rework


def booked(piece: Piece, plant: Plant) -> Booking:
    """What the piece used. Cost model: without an energy or material signal the use is assumed at standard;
    assumed energy is (G+S+R) x kWh while running, 0 else; assumed material (G+S) x bill, item by item."""
    standard = standard_of(piece, plant, ANTE)
    kwh = piece.kwh
    if not piece.has_energy and piece.state == "running" and standard is not None:
        kwh = units_of(piece) * standard.energy_kwh
    used = dict(piece.used)
    for item, quantity in plant.bill(piece.unit_product, piece.machine.id, piece.day, ANTE).items():
        if item not in piece.metered_items:
            used[item] = (piece.good + piece.scrap) * quantity
    return Booking(crew_of(piece, plant), kwh, used)


def crew_of(piece: Piece, plant: Plant) -> Fraction:
    """Cost model: crew = last trusted signal, else standard crew of the product or, where unknown, of the
    last trusted product, else 0."""
    if piece.crew_signal is not None:
        return piece.crew_signal
    if piece.product is not None:
        return standard_crew(piece, plant, ANTE) or ZERO
    standard = plant.standard(piece.last_product, piece.machine.id, piece.day, ANTE)
    return standard.crew if standard is not None else ZERO


def standard_crew(piece: Piece, plant: Plant, view: str) -> Fraction | None:
    """None where there is no standard crew: the actual one stands in. Cost model: idle and planned_stop have
    none; a changeover takes that of the next running segment."""
    if piece.state in NOT_ORDERED:
        return None
    standard = plant.standard(piece.product, piece.machine.id, piece.day, view)
    return standard.crew if standard is not None else None


def priced(piece: Piece, plant: Plant, booking: Booking, view: str) -> list[Entry]:
    """All entries of a piece under one view of the standards."""
    entries: list[Entry] = []

    def put(resource: str, cause: str, amount: Fraction, product: str | None, order: str | None) -> None:
        entries.append(
            Entry(
                piece.start, piece.machine.id, piece.machine.line, product, order,
                piece.span.shift, piece.reason, resource, cause, amount,
            )
        )  # fmt: skip

    for cause, amount in machine_time(piece, plant, view):
        put("machine", cause, amount, piece.product, piece.order)
    in_pause = paid_pause(piece)
    for cause, amount in labour(piece, plant, booking, view):
        put("labour", cause, amount, None if in_pause else piece.product, None if in_pause else piece.order)
    for cause, amount in energy(piece, plant, booking, view):
        put("energy", cause, amount, piece.product, piece.order)
    for cause, amount in material(piece, plant, booking, view):
        put("material", cause, amount, piece.unit_product, piece.unit_order)
    return [entry for entry in entries if entry.amount]


def costs_time(piece: Piece) -> bool:
    """Cost model: `scheduled` always; `break` and `off` only while running or changing over."""
    return piece.span.status == SCHEDULED or piece.state in WORKING


def paid_pause(piece: Piece) -> bool:
    """Cost model: a `paid: true` break also costs labour, to `planned_stop`, whatever the machine does,
    unless it runs or is changed over and costs as such."""
    return piece.span.status == BREAK and piece.span.paid and piece.state not in WORKING


def hours_by_cause(piece: Piece, standard: Standard | None) -> list[tuple[str, Fraction]]:
    """Hours of a piece by cause, they add up to its hours. Cost model: running is production, scrap, rework
    and speed_loss (a gain is negative and stays); other states are their own cause; running without a
    standard is unexplained."""
    if piece.state != "running":
        return [(CAUSE_OF[piece.state], piece.hours)]
    if standard is None:
        return [("unexplained", piece.hours)]
    cycle = standard.cycle_h
    return [
        ("production", piece.good * cycle),
        ("scrap", piece.scrap * cycle),
        ("rework", piece.rework * cycle),
        ("speed_loss", piece.hours - units_of(piece) * cycle),
    ]


def machine_time(piece: Piece, plant: Plant, view: str) -> list[tuple[str, Fraction]]:
    if not costs_time(piece):
        return []
    standard_rate, actual_rate = both(plant.rates, piece.machine.id, piece.day, view)
    parts = hours_by_cause(piece, standard_of(piece, plant, view))
    costs = [(cause, hours * standard_rate) for cause, hours in parts]
    return [*costs, ("price", piece.hours * (actual_rate - standard_rate))]


def overtime_factor(piece: Piece, multiplier: Fraction) -> Fraction:
    """Cost model: labour at the overtime multiplier in `off` and in an overtime shift, whose breaks are at
    normal rates."""
    overtime = piece.span.status == OFF or (piece.span.status == SCHEDULED and piece.span.overtime)
    return multiplier if overtime else ONE


def labour(piece: Piece, plant: Plant, booking: Booking, view: str) -> list[tuple[str, Fraction]]:
    standard_wage, actual_wage, multiplier = plant.wage(piece.machine.id, piece.span.shift, piece.day, view)
    people_hours = piece.hours * booking.crew
    price = ("price", people_hours * (actual_wage - standard_wage))
    if paid_pause(piece):
        return [("planned_stop", people_hours * standard_wage), price]
    if not costs_time(piece):
        return []
    expected = standard_crew(piece, plant, view)
    crew = booking.crew if expected is None else expected
    parts = hours_by_cause(piece, standard_of(piece, plant, view))
    costs = [(cause, hours * crew * standard_wage) for cause, hours in parts]
    surplus = ("crew", piece.hours * (booking.crew - crew) * standard_wage)
    overtime = ("overtime", people_hours * actual_wage * (overtime_factor(piece, multiplier) - 1))
    return [*costs, surplus, price, overtime]


def energy(piece: Piece, plant: Plant, booking: Booking, view: str) -> list[tuple[str, Fraction]]:
    """Cost model: energy is costed whenever it is used, at normal prices, to the cause of the state."""
    standard_tariff, actual_tariff = both(plant.tariffs, (), piece.day, view)
    price = ("price", booking.kwh * (actual_tariff - standard_tariff))
    if piece.state != "running":
        return [(CAUSE_OF[piece.state], booking.kwh * standard_tariff), price]
    standard = standard_of(piece, plant, view)
    if standard is None:
        return [("unexplained", booking.kwh * standard_tariff), price]
    per_unit = standard.energy_kwh * standard_tariff
    return [
        ("production", piece.good * per_unit),
        ("scrap", piece.scrap * per_unit),
        ("rework", piece.rework * per_unit),
        ("usage", booking.kwh * standard_tariff - units_of(piece) * per_unit),
        price,
    ]


def material(piece: Piece, plant: Plant, booking: Booking, view: str) -> list[tuple[str, Fraction]]:
    """Cost model: G x bill to production, S x bill to scrap, item by item, also for units seen outside
    running. The rest is usage while running (an item outside the bill too), else it goes to the cause of the
    state in which it was seen. Units without a standard earn nothing; running without a standard is
    unexplained."""
    bill = plant.bill(piece.unit_product, piece.machine.id, piece.day, view)
    if plant.standard(piece.unit_product, piece.machine.id, piece.day, view) is None:
        bill = {}
    unexplained = piece.state == "running" and standard_of(piece, plant, view) is None
    costs: list[tuple[str, Fraction]] = []
    for item in sorted({*bill, *booking.used}):
        used, quantity = booking.used.get(item, ZERO), bill.get(item, ZERO)
        standard_price, actual_price = both(plant.prices, item, piece.day, view)
        costs.append(("price", used * (actual_price - standard_price)))
        if unexplained:
            costs.append(("unexplained", used * standard_price))
            continue
        costs.append(("production", piece.good * quantity * standard_price))
        costs.append(("scrap", piece.scrap * quantity * standard_price))
        rest = "usage" if piece.state == "running" else CAUSE_OF[piece.state]
        costs.append((rest, (used - (piece.good + piece.scrap) * quantity) * standard_price))
    return costs
