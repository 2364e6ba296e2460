"""Reads a plant directory by itself: YAML 1.2 and CSV text in, exact fractions and dated rows out."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from .clock import SiteClock
from .versions import ANTE, POST, Version, Versions

ZERO = Fraction(0)
SECONDS_PER_HOUR = 3600
MINUTES_PER_HOUR = 60


def exact(value: Any) -> Fraction:
    """A number of a file as it is written; an empty cell is zero."""
    text = str(value).strip() if value is not None else ""
    return Fraction(Decimal(text)) if text else ZERO


def exact_or_none(value: Any) -> Fraction | None:
    return None if value is None or str(value).strip() == "" else exact(value)


def truth(value: Any, default: bool) -> bool:
    text = str(value if value is not None else "").strip().lower()
    return default if not text else text in ("true", "1", "yes")


def text_or_none(value: Any) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None


@dataclass(frozen=True)
class Standard:
    """One row of standards.csv, times in hours."""

    cycle_h: Fraction
    crew: Fraction
    scrap_rate: Fraction
    rework_rate: Fraction
    changeover_h: Fraction
    lot_size: Fraction
    availability: Fraction
    energy_kwh: Fraction
    planned_stop: Fraction
    waiting: Fraction
    idle_kw: Fraction


@dataclass(frozen=True)
class Rate:
    """A row of rates, tariffs, wages or prices; `actual` None means not recorded yet."""

    standard: Fraction | None
    actual: Fraction | None
    overtime_multiplier: Fraction = Fraction(1)


@dataclass(frozen=True)
class Charge:
    """An amount of resource `other` (charges.csv, or maintenance.csv with in_rate: false)."""

    at: int
    machine: str | None
    product: str | None
    order: str | None
    cause: str
    amount: Fraction


@dataclass(frozen=True)
class Disposition:
    """A row of quality.csv that moves units after the fact: good, scrap and rework of the machine."""

    at: int
    product: str | None
    order: str | None
    reason: str | None
    good: Fraction
    scrap: Fraction
    rework: Fraction


MOVES = {"scrap": (-1, 1, 0), "rework": (-1, 0, 1), "accept": (1, -1, 0)}


@dataclass(frozen=True)
class Machine:
    id: str
    line: str
    cost_centre: str | None
    counters: dict[str, dict[str, Any]]


@dataclass
class Plant:
    """The plant model of one or several loads, dated and versioned."""

    site: str
    clock: SiteClock
    calendar: dict[str, Any]
    lines: dict[str, list[str]]
    machines: dict[str, Machine]
    standards: Versions = field(default_factory=Versions)
    bills: Versions = field(default_factory=Versions)
    prices: Versions = field(default_factory=Versions)
    rates: Versions = field(default_factory=Versions)
    wages: Versions = field(default_factory=Versions)
    tariffs: Versions = field(default_factory=Versions)
    pairs: Versions = field(default_factory=Versions)
    charges: list[Charge] = field(default_factory=list)
    works: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    dispositions: dict[str, list[Disposition]] = field(default_factory=dict)
    confirmations: list[dict[str, Any]] = field(default_factory=list)
    revised: bool = False
    known_allowances: dict[Any, Any] = field(default_factory=dict)

    def standard(self, product: str | None, machine: str, day: date, view: str) -> Standard | None:
        return None if product is None else self.standards.row((product, machine), day, view)

    def bill(self, product: str | None, machine: str, day: date, view: str) -> dict[str, Fraction]:
        """Material quantities per unit in force on a day."""
        found = {
            key[2]: self.bills.row(key, day, view) for key in self.bills.rows if key[:2] == (product, machine)
        }
        return {item: quantity for item, quantity in found.items() if quantity is not None}

    def all_items(self) -> list[str]:
        return sorted({key[2] for key in self.bills.rows})

    def billed_items(self, machine: str) -> list[str]:
        return sorted({key[2] for key in self.bills.rows if key[1] == machine})

    def wage(
        self, machine: str, shift: str | None, day: date, view: str
    ) -> tuple[Fraction, Fraction, Fraction]:
        """Standard wage, actual wage, overtime multiplier."""
        standard, _ = both(self.wages, self._wage_key(machine, shift, day, view), day, view)
        latest = self._wage_key(machine, shift, day, POST)
        _, actual = both(self.wages, latest, day, view)
        row = self.wages.row(latest, day, POST)
        return standard, actual, row.overtime_multiplier if row is not None else Fraction(1)

    def _wage_key(
        self, machine: str, shift: str | None, day: date, view: str
    ) -> tuple[str | None, str | None]:
        """Cost model: line and shift wins over line, line over shift, shift over neither; rows in force
        only."""
        line = self.machines[machine].line
        keys = ((line, shift), (line, None), (None, shift), (None, None))
        return next((key for key in keys if self.wages.row(key, day, view) is not None), (None, None))


def both(table: Versions, key: Any, day: date, view: str) -> tuple[Fraction, Fraction]:
    """Standard and actual of a day. Cost model, pricing: `standard` columns are bitemporal, `actual` columns
    are replaced; confidence: actual rates equal standard until recorded."""
    row, latest = table.row(key, day, view), table.row(key, day, POST)
    standard = row.standard if row is not None and row.standard is not None else ZERO
    if latest is None or latest.actual is None:
        first = table.row(key, day, ANTE)
        return standard, first.standard if first is not None and first.standard is not None else ZERO
    return standard, latest.actual


def read_plant(loads: list[tuple[Path, int]]) -> Plant:
    """The plant of one directory or of several loaded one after another: [(directory, recorded_at_us)]."""
    sites = [site_of(directory) for directory, _ in loads]
    latest = sites[-1]
    calendar = latest.get("calendar") or {}
    clock = SiteClock(latest["time_zone"], str(calendar.get("day_start", "00:00")))
    lines = {line["id"]: [machine["id"] for machine in line["machines"]] for line in latest["lines"]}
    machines = {
        row["id"]: Machine(
            row["id"], line["id"], text_or_none(row.get("cost_centre")), row.get("counters") or {}
        )
        for line in latest["lines"]
        for row in line["machines"]
    }
    plant = Plant(latest["site"], clock, calendar, lines, machines, revised=len(loads) > 1)
    for number, ((directory, recorded_us), site) in enumerate(zip(loads, sites, strict=True)):
        stamp = Stamp(number, clock.date_of(recorded_us))
        add_rates(plant, site, stamp)
        add_tables(plant, directory, stamp)
    add_events(plant, loads[-1][0])
    return plant


@dataclass(frozen=True)
class Stamp:
    load: int
    recorded: date

    def version(self, effective: Any, value: Any) -> Version:
        return Version(day_of(effective), self.load, self.recorded, value)


def day_of(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value).strip())


def site_of(directory: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load((directory / "site.yaml").read_text(encoding="utf-8-sig"))


def table_of(directory: Path, name: str) -> Iterator[dict[str, str]]:
    path = directory / name
    if path.exists():
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)


def rate_of(row: dict[str, Any]) -> Rate:
    multiplier = exact_or_none(row.get("overtime_multiplier"))
    return Rate(
        exact_or_none(row.get("standard")),
        exact_or_none(row.get("actual")),
        Fraction(1) if multiplier is None else multiplier,
    )


def add_rates(plant: Plant, site: dict[str, Any], stamp: Stamp) -> None:
    for row in site.get("labour") or []:
        key = (text_or_none(row.get("line")), text_or_none(row.get("shift")))
        plant.wages.add(key, stamp.version(row["from"], rate_of(row)))
    for row in site.get("energy") or []:
        plant.tariffs.add((), stamp.version(row["from"], rate_of(row)))
    for line in site["lines"]:
        for machine in line["machines"]:
            for row in machine.get("rate") or []:
                plant.rates.add(machine["id"], stamp.version(row["from"], rate_of(row)))


def add_tables(plant: Plant, directory: Path, stamp: Stamp) -> None:
    for row in table_of(directory, "standards.csv"):
        plant.standards.add((row["product"], row["machine"]), stamp.version(row["from"], standard_of(row)))
    for row in table_of(directory, "bill.csv"):
        key = (row["product"], row["machine"], row["material"])
        plant.bills.add(key, stamp.version(row["from"], exact(row["quantity"])))
    for row in table_of(directory, "prices.csv"):
        plant.prices.add(row["material"], stamp.version(row["from"], rate_of(row)))
    for row in table_of(directory, "changeovers.csv"):
        key = (row["machine"], row["from_product"], row["to_product"])
        plant.pairs.add(key, stamp.version(row["from"], exact(row["minutes"]) / MINUTES_PER_HOUR))


def standard_of(row: dict[str, str]) -> Standard:
    availability = exact_or_none(row.get("availability"))
    return Standard(
        cycle_h=exact(row["ideal_cycle_s"]) / SECONDS_PER_HOUR,
        crew=exact(row["crew"]),
        scrap_rate=exact(row.get("scrap_rate")),
        rework_rate=exact(row.get("rework_rate")),
        changeover_h=exact(row.get("changeover_min")) / MINUTES_PER_HOUR,
        lot_size=exact(row.get("lot_size")),
        availability=Fraction(1) if availability is None else availability,
        energy_kwh=exact(row.get("energy_kwh")),
        planned_stop=exact(row.get("planned_stop")),
        waiting=exact(row.get("waiting")),
        idle_kw=exact(row.get("idle_kw")),
    )


def add_events(plant: Plant, directory: Path) -> None:
    """Charges, and maintenance that is not in the rate. Cost model, pricing: maintenance with `in_rate:
    false` goes to `planned_stop` if its kind is planned, else `downtime`, at its start. What has an end
    explains the stops in it to which nobody gave a reason."""
    for row in table_of(directory, "charges.csv"):
        plant.charges.append(
            Charge(
                plant.clock.instant(row["time"]),
                text_or_none(row.get("machine")),
                text_or_none(row.get("product")),
                text_or_none(row.get("order")),
                row["cause"].strip(),
                exact(row["amount"]),
            )
        )
    for row in table_of(directory, "maintenance.csv"):
        if text_or_none(row.get("end")) is not None:
            start, end = plant.clock.instant(row["start"]), plant.clock.instant(row["end"])
            work = (start, end, f"maintenance: {row['kind'].strip()}")
            plant.works.setdefault((row.get("machine") or "").strip(), []).append(work)
        if truth(row.get("in_rate"), default=True) or text_or_none(row.get("cost")) is None:
            continue
        cause = "planned_stop" if row["kind"].strip() == "planned" else "downtime"
        at, machine = plant.clock.instant(row["start"]), text_or_none(row.get("machine"))
        plant.charges.append(Charge(at, machine, None, None, cause, exact(row["cost"])))
    for row in table_of(directory, "quality.csv"):
        if row["disposition"].strip() in MOVES:
            add_disposition(plant, row)
    plant.confirmations = list(table_of(directory, "confirmations.csv"))


def add_disposition(plant: Plant, row: dict[str, str]) -> None:
    """Decision 8: units change from good to scrap, to another pass, or from scrap to good, when it is
    decided."""
    good, scrap, rework = (exact(row["units"]) * move for move in MOVES[row["disposition"].strip()])
    product, order, reason = (text_or_none(row.get(name)) for name in ("product", "order", "reason"))
    told = Disposition(plant.clock.instant(row["time"]), product, order, reason, good, scrap, rework)
    plant.dispositions.setdefault(row["machine"].strip(), []).append(told)
