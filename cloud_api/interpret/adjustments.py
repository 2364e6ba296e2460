"""What a closed period keeps, and what came too late for it.

An adjustment is recomputed - frozen - earlier adjustments, entry by entry and fact by fact: rows in the same
grain whose amounts and quantities may be negative. A period that is locked or closed keeps the plant model
it knew; what happened (actual prices, charges, quality, maintenance, confirmations) is taken as it is known
now. Source: the domain's chapter on time and closing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from cloud_api.interpret.model import Entry, Output, Turn, Use
from cloud_api.interpret.money import exactly
from cloud_api.interpret.plant import Dated, Labour, Line, Machine, Plant, Price, Priced, Rate, Tariff

ZERO = Decimal(0)
P = TypeVar("P", Rate, Labour, Tariff, Price)


class Kept(Struct, frozen=True):
    """A locked or closed period: production days [first_day, end_day), and the plant model that it keeps.
    `closed`: its entries are frozen."""

    period: str
    first_day: dt.date
    end_day: dt.date
    plant: Plant
    closed: bool


@exactly
def entry_difference(new: Iterable[Entry], old: Iterable[Entry]) -> list[Entry]:
    """New entries less the old ones, in their grain; nothing where they are equal."""
    sums: dict[Entry, list[Decimal]] = {}
    for sign, entries in ((1, new), (-1, old)):
        for entry in entries:
            name = replace(entry, amount=ZERO, quantity=None if entry.quantity is None else ZERO)
            total = sums.setdefault(name, [ZERO, ZERO])
            total[0] += sign * entry.amount
            total[1] += sign * (entry.quantity or ZERO)
    return [
        replace(name, amount=amount, quantity=None if name.quantity is None else quantity)
        for name, (amount, quantity) in sums.items()
        if amount or quantity
    ]


_SUMS = ("duration_us", "crew_assumed_us", "uncertain_us", "good", "scrap", "rework", "energy_kwh")


@exactly
def output_difference(new: Iterable[Output], old: Iterable[Output]) -> list[Output]:
    """New facts less the old ones, in their grain; nothing where they are equal."""
    empty: dict[str, Any] = {**dict.fromkeys(_SUMS[:3], 0), **dict.fromkeys(_SUMS[3:], ZERO)}
    found: dict[Output, tuple[dict[str, Any], dict[Any, Decimal], dict[Any, int]]] = {}
    for sign, outputs in ((1, new), (-1, old)):
        for output in outputs:
            name = replace(output, **empty, material=(), changeovers=())
            sums, uses, turns = found.setdefault(name, (dict(empty), {}, {}))
            for column in _SUMS:
                sums[column] += sign * getattr(output, column)
            for use in output.material:
                thing = (use.item, use.assumed)
                uses[thing] = uses.get(thing, ZERO) + sign * use.quantity
            for turn in output.changeovers:
                turns[turn.from_product] = turns.get(turn.from_product, 0) + sign * turn.count
    return [
        replace(
            name,
            **sums,
            material=tuple(
                sorted(Use(item, units, assumed) for (item, assumed), units in uses.items() if units)
            ),
            changeovers=tuple(
                Turn(before, count)
                for before, count in sorted(turns.items(), key=lambda turn: turn[0] or "")
                if count
            ),
        )
        for name, (sums, uses, turns) in found.items()
        if any(sums.values()) or any(uses.values()) or any(turns.values())
    ]


def plant_kept(then: Plant, now: Plant) -> Plant:
    """The plant model of a locked or closed period: standards, bills, calendar and places as known `then`;
    actual prices and what happened as known `now`."""
    rates = {machine.id: machine.rates for line in now.lines for machine in line.machines}
    return replace(
        then,
        lines=tuple(
            Line(line.id, tuple(_machine(machine, rates.get(machine.id, ())) for machine in line.machines))
            for line in then.lines
        ),
        labour=_actuals(then.labour, now.labour),
        energy=_actuals(then.energy, now.energy),
        prices=_actuals(then.prices, now.prices),
        charges=now.charges,
        quality=now.quality,
        maintenance=now.maintenance,
        sales=now.sales,
        actuals=now.actuals,
        confirmations=now.confirmations,
    )


def _machine(machine: Machine, rates: Sequence[Rate]) -> Machine:
    return replace(machine, rates=_actuals(machine.rates, rates))


def _actuals(then: Sequence[P], now: Sequence[P]) -> tuple[P, ...]:
    """Rows as recorded then, each with the actual price that is recorded last now. A row for a date of its
    own that came later brings its actual price alone, beside the standard in force then."""
    last = {_scope(row): row for row in sorted(now, key=_recording)}
    known = {_scope(row) for row in then}
    kept = [
        replace(row, actual=last[_scope(row)].actual if _scope(row) in last else row.actual) for row in then
    ]
    for scope, row in last.items():
        if scope in known or row.actual is None:
            continue
        same = [each for each in then if _scope(each)[:-1] == scope[:-1]]
        before = [each for each in same if each.effective_from <= row.effective_from]
        if before:
            standing = max(before, key=lambda each: (each.effective_from, *_recording(each)))
            kept.append(
                replace(standing, effective_from=row.effective_from, actual=row.actual, source=row.source)
            )
    return tuple(kept)


def _recording(row: Dated) -> tuple[dt.datetime, int]:
    return row.recorded_at, row.version


def _scope(row: Priced) -> tuple[Any, ...]:
    """What a row prices, and from when."""
    words = [getattr(row, name, None) for name in ("line", "shift", "material")]
    return (*words, row.effective_from)
