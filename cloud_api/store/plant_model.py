"""Stored rows of a plant model into the frozen `Plant` that the interpretation reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from msgspec import convert

from cloud_api.interpret import plant as model
from cloud_api.interpret.plant import Plant, Recorded

R = TypeVar("R", bound=Recorded)
Fields = dict[str, Any]


class PlantRow(Protocol):
    """What this module needs of a stored row."""

    @property
    def row_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def effective(self) -> date | None: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


_EMPTY: dict[type[Recorded], Fields] = {
    model.Maintenance: {"end": None, "cost": Decimal(0)},
    model.QualityEvent: {"order": None, "product": None},
    model.Charge: {"machine": None, "product": None, "order": None},
    model.Reason: {"machine": None, "category": None, "owner": None},
    model.Budget: {"product": "", "machine": "", "good_units": Decimal(0), "unit_cost": Decimal(0)},
}
"""What stands for an empty cell where the model has no default of its own."""


def assemble(site: str, rows: Iterable[PlantRow]) -> Plant | None:
    """The plant model of a site out of its rows; None where the site itself has none."""
    by_kind: dict[str, list[PlantRow]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    if not by_kind.get("site") or not by_kind.get("calendar"):
        return None
    said = by_kind["site"][-1].body

    def every(kind: str, struct: type[R]) -> tuple[R, ...]:
        return tuple(_recorded(struct, row) for row in by_kind.get(kind, ()))

    return Plant(
        site=site,
        time_zone=said["time_zone"],
        currency=said["currency"],
        calendar=_calendar(by_kind["calendar"][-1]),
        lines=_lines(by_kind),
        labour=every("labour", model.Labour),
        energy=every("energy", model.Tariff),
        standards=every("standards", model.Standard),
        bill=every("bill", model.BillItem),
        prices=every("prices", model.Price),
        products=every("products", model.ProductPrice),
        changeovers=every("changeovers", model.ChangeoverPair),
        budget=every("budget", model.Budget),
        orders=every("orders", model.Order),
        quality=every("quality", model.QualityEvent),
        maintenance=every("maintenance", model.Maintenance),
        charges=every("charges", model.Charge),
        reasons=every("reasons", model.Reason),
        sales=every("sales", model.Sale),
        actuals=every("actuals", model.Actual),
        confirmations=every("confirmations", model.Confirmation),
        materiality_amount=_number(said["materiality"]["amount"]),
        materiality_share=_number(said["materiality"]["share"]),
        labour_variable=said["labour_variable"],
        four_eyes=bool(said.get("four_eyes")),
        floor_shows_money=said.get("floor", {}).get("shows_money", False),
        fiscal_pattern=said["fiscal"]["pattern"],
        fiscal_year_start=_date(said["fiscal"]["year_start"]),
        **{name: Decimal(said[name]) for name in ("intervention_min",) if said[name] is not None},
    )


def _recorded(struct: type[R], row: PlantRow) -> R:
    """A row as its struct; an empty cell leaves the struct's default."""
    fields: Fields = {name: value for name, value in row.body.items() if value is not None}
    for name, empty in _EMPTY.get(struct, {}).items():
        fields.setdefault(name, empty)
    fields.update(version=row.row_id, recorded_at=row.recorded_at, effective_from=row.effective)
    return convert(fields, struct)


def _calendar(row: PlantRow) -> model.Calendar:
    return model.Calendar(
        version=row.row_id,
        recorded_at=row.recorded_at,
        source=str(row.body.get("source", "")),
        day_start_min=_minutes(row.body["day_start"]),
        shifts=tuple(_shift(shift) for shift in row.body["shifts"]),
        exceptions=tuple(
            model.CalendarException(
                date=date.fromisoformat(day["date"]),
                closed=day["closed"],
                shifts=tuple(_shift(shift) for shift in day["shifts"]),
            )
            for day in row.body["exceptions"]
        ),
    )


def _shift(said: Mapping[str, Any]) -> model.Shift:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    breaks = (
        model.Break(_minutes(part["start"]), int(part["minutes"]), part["paid"]) for part in said["breaks"]
    )
    return model.Shift(
        name=said["name"],
        start_min=_minutes(said["start"]),
        end_min=_minutes(said["end"]),
        days=tuple(days.index(day) for day in said["days"]),
        breaks=tuple(breaks),
        overtime=said["overtime"],
    )


def _lines(by_kind: Mapping[str, list[PlantRow]]) -> tuple[model.Line, ...]:
    rates: dict[str, list[model.Rate]] = {}
    for row in by_kind.get("rate", ()):
        rates.setdefault(row.key[0], []).append(_recorded(model.Rate, row))
    machines: dict[str, list[tuple[int, model.Machine]]] = {}
    for row in by_kind.get("machine", ()):
        machine = model.Machine(
            id=row.key[0],
            line=row.body["line"],
            cost_centre=row.body["cost_centre"],
            rates=tuple(rates.get(row.key[0], ())),
            counters={
                role: model.CounterRule(fall=rule["fall"], rollover=_number(rule["rollover"]))
                for role, rule in row.body["counters"].items()
            },
        )
        machines.setdefault(machine.line, []).append((row.body["position"], machine))
    ordered = sorted(by_kind.get("line", ()), key=lambda row: row.body["position"])
    return tuple(
        model.Line(
            row.key[0], tuple(machine for _, machine in sorted(machines.get(row.key[0], ()), key=_first))
        )
        for row in ordered
    )


def _first(pair: tuple[int, model.Machine]) -> int:
    return pair[0]


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _number(word: str | None) -> Decimal | None:
    return None if word is None else Decimal(word)


def _date(word: str | None) -> date | None:
    return None if word is None else date.fromisoformat(word)
