"""Absorbed cost: what a line spends so that nobody notices; and whether its output is held by effort."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.grouping import evidence
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.products_sides import sides_of
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.constraints import Absorbed
from cloud_api.interpret.money import CONTEXT, whole_and_parts
from cloud_api.interpret.rounding import measured

ZERO = Decimal(0)
EXPEDITES = frozenset({"expedite", "expedites", "expedited", "expediting"})
"""Causes of charges that are expedites."""

HELD = Decimal("0.98")
ROSE = Decimal("1.03")
PROPS = ("overtime", "rework", "crew", "expedites")

Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Spend:
    """Amount of one prop at one machine, by site, line, machine and prop."""

    amounts: Mapping[tuple[str, str, str, str], Decimal]

    def of(self, line: Line, prop: str) -> Decimal:
        """A prop of a whole line."""
        return sum(
            (amount for (*place, _, name), amount in self.amounts.items() if (*place, name) == (*line, prop)),
            ZERO,
        )


def spend_of(connection: Connection[Any], question: Question) -> Spend:
    """What props cost machine by machine; a crew below standard absorbs nothing."""
    amounts: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    by = ("site", "line", "machine", "resource", "cause")
    for (site, line, machine, resource, cause), sum_ in sums_of(connection, question.grouped(*by)).items():
        prop = prop_of(resource, cause)
        if prop is not None and line is not None and machine is not None:
            amounts[site, line, machine, prop] += sum_.amount
    return Spend(
        {key: amount for key, amount in amounts.items() if amount and (key[3] != "crew" or amount > 0)}
    )


def prop_of(resource: str, cause: str) -> str | None:
    """The prop that a cell of the ledger is, None for regular cost."""
    if resource == "other":
        return "expedites" if cause in EXPEDITES else None
    if cause == "rework":
        return "rework"
    return cause if resource == "labour" and cause in ("overtime", "crew") else None


def absorbed(
    connection: Connection[Any], question: Question, spend: Spend, window: tuple[int, int]
) -> list[Absorbed]:
    """A row for each line of the question, over its window, beside as long a window before."""
    begin, end = window
    before = replace(question, from_us=2 * begin - end, to_us=begin, period=None)
    units, units_before = _good(connection, question), _good(connection, before)
    hours, hours_before = _paid(connection, question), _paid(connection, before)
    rows = []
    for site in question.sites:
        for name in site.lines:
            line = (site.name, name)
            if not any(machine.line == name for machine in question.machines if machine.site == site.name):
                continue
            amount, parts = whole_and_parts([spend.of(line, prop) for prop in PROPS])
            paid = _each(hours.get(line), units[line])
            paid_before = _each(hours_before.get(line), units_before[line])
            rows.append(
                Absorbed(
                    site=site.name,
                    line=name,
                    amount=amount,
                    **dict(zip(PROPS, parts, strict=True)),
                    good_units=measured(units[line]),
                    good_units_before=measured(units_before[line]),
                    paid_h_per_unit=paid,
                    paid_h_per_unit_before=paid_before,
                    output_held_by_effort=is_held_by_effort(
                        units[line], units_before[line], paid, paid_before
                    ),
                    costs=evidence(question, ("site", "line"), line, path="/v1/costs") + "&by=resource,cause",
                )
            )
    return rows


def is_held_by_effort(
    units: Decimal, units_before: Decimal, paid: Decimal | None, paid_before: Decimal | None
) -> bool:
    """Whether output held while paid hours per good unit rose."""
    if paid is None or paid_before is None or not units_before:
        return False
    return units >= units_before * HELD and paid >= paid_before * ROSE


def _good(connection: Connection[Any], question: Question) -> dict[Line, Decimal]:
    units: dict[Line, Decimal] = defaultdict(Decimal)
    for (site, line, _), good in sides_of(connection, question).counted.items():
        units[site, line] += good
    return units


def _paid(connection: Connection[Any], question: Question) -> dict[Line, Decimal]:
    """Person-hours paid; none where labour is withheld."""
    found: dict[Line, Decimal] = {}
    for (site, line, resource), sum_ in sums_of(
        connection, question.grouped("site", "line", "resource")
    ).items():
        if resource == "labour" and line is not None:
            found[site, line] = sum_.quantity
    return found


def _each(hours: Decimal | None, units: Decimal) -> Decimal | None:
    if hours is None or not units:
        return None
    return measured(CONTEXT.divide(hours, units))
