"""How far each machine moved the factors of a bridge: where to look for its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from psycopg import Connection

from cloud_api.answers.bridge_factors import factor_of
from cloud_api.answers.bridge_sides import UNUSED, Makes, costs_of
from cloud_api.answers.bridge_walks import Place, Walk
from cloud_api.answers.cells import Sheet
from cloud_api.answers.question import Question
from cloud_api.interpret.bridge_levers import Sums

Movers = dict[str, dict[Place, Fraction]]
"""By the name of a factor's cells: how far each machine, of a site and a name, moved it."""


def movers_between(
    connection: Connection[Any],
    windows: tuple[Question, Question],
    walk: Walk,
    names: Iterable[str],
    per_unit: bool,
) -> Movers:
    """Between the windows of two questions: the change of each cause's unit cost, by machine."""
    wanted = frozenset(names)
    costs: dict[tuple[Makes | None, str, Place], list[Decimal]] = {}
    for at, window in enumerate(windows):
        found = costs_of(connection, window, ("site", "machine"), windows[1 - at])
        for (makes, cell), places in found.items():
            name = factor_of(*cell).cell_name
            if name not in wanted or (per_unit and cell in UNUSED):
                continue
            for (site, machine), amount in places.items():
                if machine is not None:
                    pair = costs.setdefault((makes, name, (site, machine)), [Decimal(0), Decimal(0)])
                    pair[at] += amount
    sums: Sums[tuple[str, Place]] = Sums()
    for (makes, name, place), (before, after) in costs.items():
        sums.add((name, place), walk.weight(makes).weights(), before, after)
    return _by_name(sums.wholes())


def movers_from(sheet: Sheet, names: Iterable[str]) -> Movers:
    """From their own standard: the variances, by machine."""
    wanted = frozenset(names)
    moved: dict[tuple[str, Place], Fraction] = {}
    for (key, cell), variance in sheet.cells.items():
        said = dict(zip(sheet.by, key, strict=True))
        name = factor_of(*cell).cell_name
        if name in wanted and said["machine"] is not None and variance.variance:
            where = (name, (said["site"], said["machine"]))
            moved[where] = moved.get(where, Fraction(0)) + Fraction(variance.variance)
    return _by_name(moved.items())


def _by_name(amounts: Iterable[tuple[tuple[str, Place], Fraction]]) -> Movers:
    movers: Movers = {}
    for (name, place), amount in amounts:
        movers.setdefault(name, {})[place] = amount
    return movers
