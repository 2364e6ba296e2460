"""What quality and maintenance say after the fact: units that change from good to scrap, stops explained.

A disposition moves units that were counted before: `scrap` takes them from good, `rework` takes them from
good for another pass, `accept` gives scrap back to good. It is a row of facts without time, of the product
and order that made the units, in the hour in which it was decided: the order's production becomes scrap or
rework at standard, the allowance for its good units goes or comes, and the use of resources stays what it
was. `hold` and `release` move nothing: what is held is shown at standard and by age."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.calendar import micros
from cloud_api.interpret.model import Output, Span
from cloud_api.interpret.plant import Maintenance, Plant, QualityEvent
from cloud_api.interpret.standards import Book
from shared.units import HOUR_US

ZERO = Decimal(0)
MOVES = {"scrap": (-1, 1, 0), "rework": (-1, 0, 1), "accept": (1, -1, 0)}
"""Units of good, scrap and rework that one unit of a disposition moves."""


class Works(Struct, frozen=True):
    """Maintenance of a machine in [from_us, to_us); `reason` is what it says of a stop in it."""

    from_us: int
    to_us: int
    reason: str


def works(plant: Plant, machine: str) -> list[Works]:
    """Maintenance of a machine that has an end, in order. Without an end it explains no stop."""
    return sorted(
        (
            Works(micros(event.start), micros(event.end), reason_of(event))
            for event in plant.maintenance
            if event.machine == machine and event.end is not None
        ),
        key=lambda each: (each.from_us, each.to_us, each.reason),
    )


def reason_of(event: Maintenance) -> str:
    """What maintenance says of a stop in which nobody gave a reason."""
    return f"maintenance: {event.kind}"


def disposed(book: Book, machine: str, line: Span, from_us: int, to_us: int) -> list[Output]:
    """The facts that dispositions of a machine in [from_us, to_us) add, one row each. What was decided
    outside its time line (`line`) stands at the nearer end, until data reaches it."""
    found = []
    for event in book.plant.quality:
        if event.machine == machine and event.disposition in MOVES:
            time_us = min(max(micros(event.time), line.from_us), line.to_us - 1)
            if from_us <= time_us < to_us:
                found.append(_output(book, event, time_us))
    return found


def _output(book: Book, event: QualityEvent, time_us: int) -> Output:
    day, effective = book.production_day(time_us), book.effective(time_us)
    own = book.at(day)
    standard = own.standard(event.machine, event.product, effective, "ante")
    tile = own.almanac.at(time_us)
    good, scrap, rework = MOVES[event.disposition]
    return Output(
        machine=event.machine,
        hour_us=time_us - time_us % HOUR_US,
        standard_version=None if standard is None else standard.version,
        calendar_version=own.plant.calendar.version,
        production_day=day,
        effective=effective,
        state="running",
        product=event.product,
        order=event.order,
        made_product=event.product,
        made_order=event.order,
        reason=event.reason,
        shift=tile.shift,
        calendar=tile.status,
        overtime=tile.overtime,
        paid=tile.paid,
        crew=ZERO,
        duration_us=0,
        good=good * event.units,
        scrap=scrap * event.units,
        rework=rework * event.units,
    )


class Held(Struct, frozen=True, kw_only=True):
    """Units on hold: since when the oldest of them are, and their value at standard (None: no standard)."""

    machine: str
    product: str | None
    order: str | None
    units: Decimal
    since: dt.datetime
    value: Decimal | None


def held(events: Iterable[QualityEvent], unit_cost: dict[tuple[str, str | None], Decimal]) -> list[Held]:
    """What is held now: units held less those released, scrapped, accepted or sent to rework since, the
    oldest first. `unit_cost`: standard cost of one unit by machine and product."""
    stock: dict[tuple[str, str | None, str | None], list[tuple[dt.datetime, Decimal]]] = {}
    for event in sorted(events, key=lambda event: event.time):
        queue = stock.setdefault((event.machine, event.product, event.order), [])
        if event.disposition == "hold":
            queue.append((event.time, event.units))
            continue
        left = event.units
        while queue and left > 0:
            since, units = queue.pop(0)
            if units > left:
                queue.insert(0, (since, units - left))
            left -= units
    found = []
    for (machine, product, order), queue in sorted(stock.items(), key=lambda pair: str(pair[0])):
        if queue:
            units = sum((each for _, each in queue), ZERO)
            cost = unit_cost.get((machine, product))
            found.append(
                Held(
                    machine=machine,
                    product=product,
                    order=order,
                    units=units,
                    since=queue[0][0],
                    value=None if cost is None else units * cost,
                )
            )
    return found
