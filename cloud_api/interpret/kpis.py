"""Key figures of ISO 22400-2 from the times and counts of a machine's scheduled time.

    PBT = scheduled time - planned stops        APT = running        ASUT = changeover        ADET = down
    GQ, SQ, RQ = good, scrap, rework            PQ = GQ + SQ + RQ

    availability = APT / PBT       effectiveness = sum of ideal cycle x PQ / APT       quality ratio = GQ / PQ
    OEE = their product            NEE = (APT + ASUT) / PBT x effectiveness x quality ratio
    technical efficiency = APT / (APT + ADET)   setup rate = ASUT / (APT + ASUT)
    scrap ratio = SQ / PQ          rework ratio = RQ / PQ
    worker efficiency = crew-hours running or changing over / crew-hours scheduled

A ratio without a denominator is None, not zero. Effectiveness above 1 is kept: the ideal cycle is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from msgspec import Struct

from cloud_api.interpret.model import Output
from cloud_api.interpret.money import exactly

ZERO = Decimal(0)
MICROSECONDS = 1_000_000

IdealCycle = Callable[[Output], Decimal | None]
"""Seconds per unit of what the output made, None without a standard."""


class KpiFacts(Struct, frozen=True, kw_only=True):
    """Times in microseconds and counts in units, additive over hours, products and machines. `ideal_us` is
    ideal cycle x units made; `no_standard` the units made that no standard gives a cycle for: they are in the
    counts and their time is in APT, so effectiveness is too low by them. `crew_us` and `crew_busy_us` are
    person-microseconds scheduled, and running or changing over."""

    planned_busy_us: int = 0
    production_us: int = 0
    setup_us: int = 0
    delay_us: int = 0
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    rework: Decimal = ZERO
    ideal_us: Decimal = ZERO
    no_standard: Decimal = ZERO
    crew_us: Decimal = ZERO
    crew_busy_us: Decimal = ZERO

    @exactly
    def __add__(self, other: KpiFacts) -> KpiFacts:
        return KpiFacts(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        )


class Kpis(Struct, frozen=True, kw_only=True):
    """The ratios, none of them in percent."""

    availability: Decimal | None
    effectiveness: Decimal | None
    quality_ratio: Decimal | None
    oee: Decimal | None
    nee: Decimal | None
    technical_efficiency: Decimal | None
    setup_rate: Decimal | None
    scrap_ratio: Decimal | None
    rework_ratio: Decimal | None
    worker_efficiency: Decimal | None


@exactly
def kpi_facts(outputs: Iterable[Output], ideal_cycle_s: IdealCycle) -> KpiFacts:
    """The facts of the scheduled time of outputs."""
    busy = production = setup = delay = 0
    good = scrap = rework = ideal = without = crew = crew_busy = ZERO
    for output in outputs:
        if output.calendar != "scheduled":
            continue
        time = output.duration_us
        busy += time if output.state != "planned_stop" else 0
        production += time if output.state == "running" else 0
        setup += time if output.state == "changeover" else 0
        delay += time if output.state == "down" else 0
        good, scrap, rework = good + output.good, scrap + output.scrap, rework + output.rework
        units = output.good + output.scrap + output.rework
        cycle = ideal_cycle_s(output) if units else ZERO
        if cycle is None:
            without += units
        else:
            ideal += units * cycle * MICROSECONDS
        crew += output.crew * time
        crew_busy += output.crew * time if output.state in ("running", "changeover") else ZERO
    return KpiFacts(
        planned_busy_us=busy,
        production_us=production,
        setup_us=setup,
        delay_us=delay,
        good=good,
        scrap=scrap,
        rework=rework,
        ideal_us=ideal,
        no_standard=without,
        crew_us=crew,
        crew_busy_us=crew_busy,
    )


@exactly
def kpis(facts: KpiFacts) -> Kpis:
    """The ratios of facts, unrounded."""
    made = facts.good + facts.scrap + facts.rework
    processing = facts.production_us + facts.setup_us
    availability = ratio(facts.production_us, facts.planned_busy_us)
    effectiveness = ratio(facts.ideal_us, facts.production_us)
    quality = ratio(facts.good, made)
    return Kpis(
        availability=availability,
        effectiveness=effectiveness,
        quality_ratio=quality,
        oee=product(availability, effectiveness, quality),
        nee=product(ratio(processing, facts.planned_busy_us), effectiveness, quality),
        technical_efficiency=ratio(facts.production_us, facts.production_us + facts.delay_us),
        setup_rate=ratio(facts.setup_us, processing),
        scrap_ratio=ratio(facts.scrap, made),
        rework_ratio=ratio(facts.rework, made),
        worker_efficiency=ratio(facts.crew_busy_us, facts.crew_us),
    )


def ratio(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """part / whole, None where there is no whole."""
    return Decimal(part) / Decimal(whole) if whole else None


def product(*factors: Decimal | None) -> Decimal | None:
    """The product, None where a factor is."""
    result = Decimal(1)
    for factor in factors:
        if factor is None:
            return None
        result *= factor
    return result
