"""What if: the costs of a product on a machine, had its cycle, yield, crew or lot size been another.

Every amount of the ledger is scaled by how far its quantity would have moved; what does not move stays. With
c the ideal cycle, G, S, R good, scrap and rework units, and good output as it was:

    S' = G (1 - y') / y'                    R' = R (G + S') / (G + S)
    running hours x c' (G + S' + R') / (c (G + S + R)); stops but changeovers move with them
    changeovers x (G / changeovers) / lot size'
    labour besides x crew' / mean crew

Net present value and payback are those of textbooks: value = sum of yearly / (1 + rate)^year - investment,
payback = investment / yearly."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.money import exactly

ZERO, ONE = Decimal(0), Decimal(1)
Cause = tuple[str, str]
STOPS = ("downtime", "waiting", "planned_stop")
BUSY = ("running", "down", "changeover")
"""States that take a machine's time for a product."""


class Run(Struct, frozen=True, kw_only=True):
    """How a product ran on a machine: units, hours by state, mean people at work, ideal cycle in seconds,
    changeovers that began, and what the standard allows for one unit run (by resource; for units that were
    never scrapped before)."""

    good: Decimal
    scrap: Decimal
    rework: Decimal
    hours: Mapping[str, Decimal]
    crew: Decimal
    cycle_s: Decimal
    changeovers: int
    unit: Mapping[str, Decimal] = {}

    @property
    def units(self) -> Decimal:
        """Units run."""
        return self.good + self.scrap + self.rework

    @property
    def busy_h(self) -> Decimal:
        """Hours that it takes of the machine."""
        return sum((self.hours.get(state, ZERO) for state in BUSY), ZERO)

    @property
    def yield_(self) -> Decimal | None:
        """good / (good + scrap)."""
        return self.good / (self.good + self.scrap) if self.good + self.scrap else None

    @property
    def lot_size(self) -> Decimal | None:
        """Good units to a changeover."""
        return self.good / self.changeovers if self.changeovers else None


class Change(Struct, frozen=True, kw_only=True):
    """What would be another; None: as it is."""

    cycle_s: Decimal | None = None
    yield_: Decimal | None = None
    crew: Decimal | None = None
    lot_size: Decimal | None = None


class Ratios(Struct, frozen=True, kw_only=True):
    """How far quantities move: cycle, units run, scrapped and reworked (scrap units where there were none
    before), changeovers, crew."""

    cycle: Decimal = ONE
    units: Decimal = ONE
    scrap: Decimal | None = ONE
    processed: Decimal = ONE
    changeovers: Decimal = ONE
    crew: Decimal = ONE
    scrap_units: Decimal = ZERO

    @property
    def running(self) -> Decimal:
        """Of running hours, and of the stops that come with them."""
        return self.cycle * self.units


@exactly
def ratios(run: Run, change: Change) -> Ratios:
    """What a change does to the quantities of a run."""
    processed_before = run.good + run.scrap
    scrap = run.scrap if change.yield_ is None else run.good * (1 - change.yield_) / change.yield_
    processed = (run.good + scrap) / processed_before if processed_before else ONE
    units = run.good + scrap + run.rework * processed
    lot = run.lot_size
    return Ratios(
        cycle=ONE if change.cycle_s is None else change.cycle_s / run.cycle_s,
        units=units / run.units if run.units else ONE,
        scrap=scrap / run.scrap if run.scrap else (ONE if not scrap else None),
        processed=processed,
        changeovers=ONE if change.lot_size is None or lot is None else lot / change.lot_size,
        crew=ONE if change.crew is None or not run.crew else change.crew / run.crew,
        scrap_units=scrap,
    )


@exactly
def costs_after(costs: Mapping[Cause, Decimal], run: Run, moved: Ratios) -> dict[Cause, Decimal]:
    """The costs of a run by resource and cause, had its quantities moved."""
    after: dict[Cause, Decimal] = {}
    hours, before = _hours(run, moved), sum(run.hours.values(), ZERO)
    time = sum(hours.values(), ZERO) / before if before else ONE
    for cell, amount in costs.items():
        if cell[1] not in ("price", "overtime", "crew"):
            after[cell] = amount * _ratio(cell, moved)
    if moved.scrap is None:
        for resource, each in run.unit.items():
            cycle = moved.cycle if resource in ("machine", "labour") else ONE
            crew = moved.crew if resource == "labour" else ONE
            scrapped = after.get((resource, "scrap"), ZERO)
            after[resource, "scrap"] = scrapped + moved.scrap_units * each * cycle * crew
    for resource, cause in costs:
        if cause not in ("price", "overtime", "crew"):
            continue
        ratio = time
        if resource in ("energy", "material"):
            ratio = _whole(after, resource) / whole if (whole := _whole(costs, resource)) else ONE
        after[resource, cause] = costs[resource, cause] * ratio * (moved.crew if resource == "labour" else 1)
    return after


@exactly
def busy_after(run: Run, moved: Ratios) -> Decimal:
    """Hours that a run would take of its machine."""
    hours = _hours(run, moved)
    return sum((hours.get(state, ZERO) for state in BUSY), ZERO)


def _hours(run: Run, moved: Ratios) -> dict[str, Decimal]:
    """Hours by state, had the quantities moved."""
    running = moved.running
    if moved.scrap is None and not run.units:
        running = ONE
    return {
        state: time * (moved.changeovers if state == "changeover" else ONE if state == "idle" else running)
        for state, time in run.hours.items()
    }


def _whole(costs: Mapping[Cause, Decimal], resource: str) -> Decimal:
    """Cost at standard prices of what was used."""
    used = (amount for (own, cause), amount in costs.items() if own == resource and cause != "price")
    return sum(used, ZERO)


def _ratio(cell: Cause, moved: Ratios) -> Decimal:
    """How far a cost moves with its quantity."""
    resource, cause = cell
    timed = resource in ("machine", "labour")
    crew = moved.crew if resource == "labour" else ONE
    cycle = moved.cycle if timed else ONE
    scrap = ONE if moved.scrap is None else moved.scrap
    by_cause = {
        "production": cycle,
        "scrap": cycle * scrap,
        "rework": cycle * moved.processed,
        "speed_loss": moved.running,
        "changeover": moved.changeovers,
        "usage": moved.running if resource == "energy" else moved.processed,
        **dict.fromkeys(STOPS, moved.running),
    }
    return ONE if resource == "other" else by_cause.get(cause, ONE) * crew


@exactly
def payback_years(investment: Decimal, yearly: Decimal) -> Decimal | None:
    """Years until the yearly value has paid the investment; None where it never does."""
    return investment / yearly if yearly > 0 else None


@exactly
def net_present_value(investment: Decimal, yearly: Decimal, years: int, rate: Decimal) -> Decimal:
    """Value today of a yearly value at each year's end, less the investment. `rate`: .08 is 8 %."""
    return sum((yearly / (1 + rate) ** year for year in range(1, years + 1)), ZERO) - investment
