"""What the office of the simulated plant knows: orders as planned, confirmations, maintenance, quality,
budget, ledger, payroll, sales. Dated by the plant's own days, so that it fits the history beside it."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from deploy.demo.catalogue import LINES, ZONE, Line
from deploy.demo.plant import MINUTE, SECOND, Lot, Plant

Row = tuple[object, ...]
QUARTER = 15 * MINUTE
PLANNED_PACE = 0.9
"""Planning counts on so much of the ideal pace: stops are in it, slower machines are not."""
UNIT_COST = {
    "hinge-80": (0.93, 0.37),
    "hinge-120": (1.24, 0.48),
    "bracket-40": (0.68, 0.305),
    "kit-home": (1.06, 0.21),
    "kit-pro": (1.18, 0.26),
}
"""Budgeted cost of a unit at each machine of its line, USD."""
PRICE = {"hinge-80": 1.95, "hinge-120": 2.60, "bracket-40": 1.60, "kit-home": 6.50, "kit-pro": 8.90}
BUDGET_DAY = {"hinge-80": 1450, "hinge-120": 1100, "bracket-40": 1900, "kit-home": 1950, "kit-pro": 1450}
"""Good units of a working day in the budget."""
REBATE = 0.985
"""Revenue over list price."""
COST_CENTRES = {
    "CC-410": (85.00, 2, 32.75),
    "CC-411": (78.00, 1, 32.75),
    "CC-420": (41.00, 2, 28.60),
    "CC-421": (24.00, 1, 28.60),
}
"""Machine rate, crew and wage of each cost centre in the ledger of the month, USD an hour."""
STORES = {"stamping": "CC-410", "packing": "CC-420"}
MATERIAL = {
    "hinge-80": 0.4012,
    "hinge-120": 0.6136,
    "bracket-40": 0.2478,
    "kit-home": 0.7135,
    "kit-pro": 0.7135,
}
"""Material of a unit at what was paid for it, USD: the bill at actual prices."""
FINAL_RATE = 1.012
"""The ledger's machine rate at month end over the rate that the floor was priced with."""


def write(folder: Path, plant: Plant, days: Sequence[date], until_us: int) -> None:
    """Write the files of [first day, last day]; confirmations and sales of what is over by ``until_us``."""
    lots = [lot for line in LINES.values() for day in days for lot in plant.lots(line.name, day)]
    over = [lot for lot in lots if lot.end_us < until_us and lot.good]
    last = datetime.fromtimestamp(until_us / SECOND, UTC).astimezone(ZONE).date()
    past = [day for day in days if day < last]
    _table(
        folder / "orders.csv",
        "order,product,machine,planned_start,planned_end,quantity",
        _orders(plant, days),
    )
    _table(folder / "confirmations.csv", "time,order,machine,good,scrap", _confirmations(over))
    _table(folder / "maintenance.csv", "start,end,machine,kind,cost,in_rate,text", _maintenance(plant))
    _table(folder / "quality.csv", "time,machine,product,order,units,disposition,reason", _quality(over))
    _table(folder / "budget.csv", "month,product,machine,good_units,unit_cost,sales_price", _budget(days))
    _table(folder / "actuals.csv", "month,cost_centre,resource,amount,hours", _actuals(past, over))
    _table(folder / "sales.csv", "date,product,units,revenue", _sales(over))


def _table(file: Path, header: str, rows: Iterable[Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(header.split(","))
        table.writerows(rows)


def _orders(plant: Plant, days: Sequence[date]) -> Iterator[Row]:
    """One order after another through the working time of its day, at the pace that planning counts on."""
    for line in LINES.values():
        for day in days:
            windows = plant.windows(line, day)
            done_us = 0
            for lot in plant.lots(line.name, day):
                if lot.quantity:
                    begun_us, done_us = done_us, done_us + _planned_us(line, lot)
                    times = (_moment(windows, begun_us, 0), _moment(windows, done_us, QUARTER - 1))
                    yield lot.order, lot.product, line.machines[1].name, *times, lot.quantity


def _planned_us(line: Line, lot: Lot) -> int:
    """Working time of a lot in the plan: its changeover, and its units at the planned pace."""
    product = next(one for one in line.products if one.name == lot.product)
    run_s = lot.quantity * max(product.cycle_s) / PLANNED_PACE
    return round(product.changeover_min * MINUTE + run_s * SECOND)


def _moment(windows: Sequence[tuple[int, int]], worked_us: int, round_up_us: int) -> str:
    """The local time, on a quarter of an hour, at which so much of the day's working time is over."""
    at_us = windows[-1][1] + worked_us - sum(end - begin for begin, end in windows)
    for begin, end in windows:
        if worked_us <= end - begin:
            at_us = begin + worked_us
            break
        worked_us -= end - begin
    return _local((at_us + round_up_us) // QUARTER * QUARTER).isoformat()


def _confirmations(over: Iterable[Lot]) -> Iterator[Row]:
    """What the shift confirms to the ERP: the counted units; now and then a pair is forgotten."""
    for number, lot in enumerate(sorted(over, key=lambda one: one.end_us)):
        forgotten = 2 if number % 23 == 5 and lot.good > 500 else 0
        at = _local(lot.end_us).isoformat(timespec="seconds")
        yield at, lot.order, LINES[lot.line].machines[1].name, lot.good - forgotten, lot.scrap


def _maintenance(plant: Plant) -> Iterator[Row]:
    day = plant.stories.slow_press_from
    start, end = (_at(day, time(hour)) for hour in (6, 8))
    yield start, end, "press-1", "planned", "1850", "false", "clutch overhauled, feed set slower"


def _quality(over: Sequence[Lot]) -> Iterator[Row]:
    """Of one large lot a box is held, most of it released and some scrapped the next day; of the last one a
    box is still held."""
    hinges = [lot for lot in over if lot.product == "hinge-80" and lot.good > 600]
    for lot in hinges[len(hinges) // 2 : len(hinges) // 2 + 1]:
        held, decided = (_local(lot.end_us + hours * 60 * MINUTE).isoformat() for hours in (1, 20))
        named = ("press-2", lot.product, lot.order)
        yield held, *named, 24, "hold", "burr"
        yield decided, *named, 20, "release", ""
        yield decided, *named, 4, "scrap", "burr"
    for lot in hinges[-1:]:
        held = _local(lot.end_us + 60 * MINUTE).isoformat()
        yield held, "press-2", lot.product, lot.order, 60, "hold", "coating"


def _budget(days: Sequence[date]) -> Iterator[Row]:
    for first, working in sorted(_months(days).items()):
        for line in LINES.values():
            for product in line.products:
                units = working * BUDGET_DAY[product.name]
                for machine, cost in zip(line.machines, UNIT_COST[product.name], strict=True):
                    yield f"{first:%Y-%m}", product.name, machine.name, units, cost, PRICE[product.name]


def _actuals(past: Sequence[date], over: Sequence[Lot]) -> Iterator[Row]:
    """The ledger and the payroll of the months that the history covers whole."""
    known = set(past)
    for first, working in sorted(_months(past).items()):
        if not all(day in known for day in _days_of(first)):
            continue
        for centre, (rate, crew, wage) in COST_CENTRES.items():
            hours = working * 15.3333 + 4
            paid = working * 16 * crew * 1.02
            yield f"{first:%Y-%m}", centre, "machine", f"{hours * rate * FINAL_RATE:.2f}", f"{hours:.2f}"
            yield f"{first:%Y-%m}", centre, "labour", f"{paid * wage:.2f}", f"{paid:.2f}"
        for centre, amount in _drawn(first, over).items():
            yield f"{first:%Y-%m}", centre, "material", f"{amount:.2f}", ""


def _drawn(first: date, over: Sequence[Lot]) -> dict[str, float]:
    """What the stores gave out in a month, by its slips: the good units and one in a hundred more."""
    drawn: dict[str, float] = defaultdict(float)
    for lot in over:
        if _local(lot.end_us).date().replace(day=1) == first:
            drawn[STORES[lot.line]] += lot.good * 1.01 * MATERIAL[lot.product]
    return drawn


def _months(days: Iterable[date]) -> dict[date, int]:
    """Working days of each month that a day lies in."""
    firsts = {day.replace(day=1) for day in days}
    return {first: sum(day.weekday() < 5 for day in _days_of(first)) for first in firsts}


def _days_of(first: date) -> list[date]:
    days = [first + timedelta(days=number) for number in range(31)]
    return [day for day in days if day.month == first.month]


def _sales(over: Iterable[Lot]) -> Iterator[Row]:
    """What was made in a week is sold on its Friday, a little below list."""
    made: dict[tuple[date, str], int] = defaultdict(int)
    for lot in over:
        day = _local(lot.end_us).date()
        made[day + timedelta(days=(4 - day.weekday()) % 7), lot.product] += lot.good
    for (day, product), units in sorted(made.items()):
        yield day, product, units, f"{units * PRICE[product] * REBATE:.2f}"


def _local(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us // SECOND, UTC).astimezone(ZONE)


def _at(day: date, moment: time) -> str:
    return datetime.combine(day, moment, ZONE).isoformat()
