"""Asks for random groups and filters, and for key figures: any of them must be the sum of the same pieces."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .agreement import FIGURES, Api, grouped, spelled
from .clock import HOUR_US
from .comparison import UNIT, Key, cells_of_rows, differences
from .pricing import Entry
from .result import DIMENSIONS, TIMES, unit_place
from .shifts import SCHEDULED
from .timeline import Piece
from .true_cost import UNUSED, TrueCost, true_costs
from .variances import Cell
from .versions import ANTE

ZERO = Fraction(0)
ROUNDS = 3
FILTERED = ("line", "machine", "product", "order", "shift", "resource", "cause", "reason")
MAY_BE_NONE = ("product", "order", "shift", "reason")
OF_TIME = ("line", "machine", "product", "order", "shift", *TIMES)
HOURS = {"planned_busy_h": ZERO, "production_h": ZERO, "setup_h": ZERO, "delay_h": ZERO}
SIX_DECIMALS = Fraction(3, 1_000_000)


def disagreements(api: Api, seed: int) -> list[str]:
    """What differs in some drawn questions, as sentences."""
    draw = random.Random(seed)
    told: list[str] = []
    for _ in range(ROUNDS):
        by = draw.sample(["site", *DIMENSIONS, *TIMES], draw.randint(0, 4))
        only = filters(api, draw)
        asked = {name: value or "" for name, value in only.items()}
        told += [f"{only} {text}" for text in costs(api, by, only, asked) + variances(api, by, only, asked)]
    by = draw.sample(OF_TIME, draw.randint(0, 3))
    return told + kpis(api, by) + products(api)


def filters(api: Api, draw: random.Random) -> dict[str, str | None]:
    """Up to two filters, with values that there are."""
    found: dict[str, str | None] = {}
    for name in draw.sample(FILTERED, draw.choice((0, 1, 1, 2))):
        values = {getattr(entry, name) for entry in api.result.entries}
        known = sorted(value for value in values if value is not None)
        choices = [*known, None] if name in MAY_BE_NONE and None in values else known
        if choices:
            found[name] = draw.choice(choices)
    return found


def costs(api: Api, by: Sequence[str], only: dict[str, Any], asked: dict[str, str]) -> list[str]:
    rows = api.rows("/v1/costs", **grouped(by), **asked)
    total = Fraction(str(api.body("/v1/costs", **asked)["total"]))
    cells = api.result.costs(by, **only)
    told = [f"costs by {by} {text}" for text in differences(cells, spelled(cells_of_rows(rows, by), by))]
    if sum((Fraction(str(row["amount"])) for row in rows), ZERO) != total:
        told.append(f"costs by {by}: rows do not sum to the total {float(total)}")
    return told + differences({(): sum(cells.values(), ZERO)}, {(): total})


def variances(api: Api, by: Sequence[str], only: dict[str, Any], asked: dict[str, str]) -> list[str]:
    rows = api.rows("/v1/variances", **grouped(by), **asked)
    total = api.body("/v1/variances", **asked)["total"]
    cells = api.result.variances(by, **only)
    whole = Cell()
    for cell in cells.values():
        whole.add(cell)
    told = []
    for figure in FIGURES:
        ours = {key: getattr(cell, figure) for key, cell in cells.items()}
        found = differences(ours, spelled(cells_of_rows(rows, by, figure), by))
        told += [f"{figure} by {by} {text}" for text in found]
        said = Fraction(str(total[figure]))
        if sum((Fraction(str(row[figure])) for row in rows), ZERO) != said:
            told.append(f"{figure} by {by}: rows do not sum to the total {float(said)}")
        told += [
            f"total of {figure} {text}" for text in differences({(): getattr(whole, figure)}, {(): said})
        ]
    return told


def products(api: Api) -> list[str]:
    """Unit costs of each product, and what is in none, machine by machine: unused capacity, idle labour."""
    answer = api.body("/v1/products")
    ours, rest = true_costs(api.result)
    rows = {row["product"]: row for row in answer["rows"]}
    told = []
    for name in sorted({*ours, *rows}):
        mine, row = ours.get(name, TrueCost()), rows.get(name)
        if row is None:
            told += [f"product {name} is missing"] if mine.good or mine.actual else []
            continue
        good = mine.good
        each = {
            "good_units": good,
            "standard_unit_cost": mine.standard / good if good and mine.standard else None,
            "averaged_unit_cost": (mine.material + mine.averaged) / good if good else None,
            "actual_unit_cost": mine.actual / good if good else None,
        }
        for figure, value in each.items():
            said = row[figure]
            if said is None and figure == "averaged_unit_cost":
                continue  # without standard run hours nothing is spread
            if (value is None) != (said is None) or abs(Fraction(str(said or 0)) - (value or 0)) > UNIT:
                told.append(f"{figure} of {name}: reference {value and float(value)}, answered {said}")
    capacity = [("machine", row) for row in answer["unused_capacity"]]
    capacity += [("labour", row) for row in answer["idle_labour"]]
    answered = {(row["machine"], of, row["cause"]): Fraction(str(row["amount"])) for of, row in capacity}
    unused = {key: rest[key] for key in rest if key[1:] in (*UNUSED, ("labour", "idle"))}
    return told + [f"unused capacity {text}" for text in differences(unused, answered)]


def kpis(api: Api, by: Sequence[str]) -> list[str]:
    """Times, counts and effectiveness of scheduled time."""
    rows = api.rows("/v1/kpis", **grouped(by))
    told = []
    ours = key_figures(api, by)
    for name in (*HOURS, "good", "scrap", "rework"):
        mine = {key: figures[name] for key, figures in ours.items()}
        found = differences(mine, spelled(cells_of_rows(rows, by, name), by), SIX_DECIMALS)
        told += [f"{name} by {by} {text}" for text in found]
    ideal = {
        key: figures["ideal_h"] / figures["production_h"]
        for key, figures in ours.items()
        if figures["production_h"]
    }
    found = differences(ideal, spelled(cells_of_rows(rows, by, "effectiveness"), by), UNIT)
    return told + [f"effectiveness by {by} {text}" for text in found]


def key_figures(api: Api, by: Sequence[str]) -> dict[Key, dict[str, Fraction]]:
    """Cost model, verdicts and KPIs: PBT = scheduled - planned_stop, APT = running, ASUT = changeover,
    ADET = down, all of scheduled segments; units belong to the product that they are of."""
    figures: dict[Key, dict[str, Fraction]] = {}

    def at(place: Entry) -> dict[str, Fraction]:
        empty = HOURS | {"good": ZERO, "scrap": ZERO, "rework": ZERO, "ideal_h": ZERO}
        return figures.setdefault(api.result.key(place, by), empty)

    for piece in api.result.pieces:
        if piece.span.status != SCHEDULED:
            continue
        times = at(time_place(piece))
        hours = Fraction(piece.end - piece.start, HOUR_US)
        times["planned_busy_h"] += ZERO if piece.state == "planned_stop" else hours
        for state, name in (("running", "production_h"), ("changeover", "setup_h"), ("down", "delay_h")):
            times[name] += hours if piece.state == state else ZERO
        if piece.good or piece.scrap or piece.rework:
            made = at(unit_place(piece))
            for name in ("good", "scrap", "rework"):
                made[name] += getattr(piece, name)
            plant = api.result.plant
            card = plant.standard(piece.unit_product, piece.machine.id, piece.day, ANTE)
            passed = piece.good + piece.scrap + piece.rework
            made["ideal_h"] += ZERO if card is None else passed * card.cycle_h
    return figures


def time_place(piece: Piece) -> Entry:
    return Entry(
        piece.start, piece.machine.id, piece.machine.line, piece.product, piece.order,
        piece.span.shift, None, "", "", ZERO,
    )  # fmt: skip
