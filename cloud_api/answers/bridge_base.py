"""From what a bridge starts: the window before, another window, the standard or the budget."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from psycopg import Connection

from cloud_api.answers.bridge_budget import budget_of, budgeted_revenue
from cloud_api.answers.bridge_rounding import Told, rounded
from cloud_api.answers.bridge_sales import add_sales
from cloud_api.answers.bridge_sides import REVENUE, UNUSED, Makes, Side, makes_of, side_of
from cloud_api.answers.bridge_walks import (
    LISTED,
    STANDARD,
    Budgeted,
    Standing,
    Walk,
    between,
    from_budget,
    from_standard,
)
from cloud_api.answers.cells import Sheet, sheet_of
from cloud_api.answers.grouping import Key
from cloud_api.answers.memory import remembered
from cloud_api.answers.options import Option
from cloud_api.answers.places import Site
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.answers.standing import data_spans
from cloud_api.store.times import to_us

MEASURES = ("unit_cost", "total_cost", "margin")
BASES = ("standard", "budget", "previous")
OPTIONS = (
    Option("measure", "What moved.", "word", MEASURES, "unit_cost"),
    Option(
        "base",
        "Where the bridge starts: the flexed standard, the budget, or the window before (as many fiscal "
        "periods, production days, or as long a time). `previous` where nothing is said.",
        "word",
        BASES,
    ),
    Option("base_from", "Start of another window as the base, with base_to.", "time", example="2026-02-02"),
    Option("base_to", "Its end, exclusive.", "time", example="2026-02-09"),
)
ENOUGH = Decimal("0.5")
"""Share of a base window that must have data, for the comparison to say something."""
_OF_WHOLE_PRODUCTS = ("resource", "cause", "reason")
_MAKES = ("site", "line", "product")


def base_question(question: Question) -> Question | None:
    """The question of the base where that is a window: the one named, or the one before. None for standard
    and budget. Raises QuestionError for a window that is not whole."""
    mistakes = [
        Mistake(name, "is missing; a bridge ends in a window: give from and to, or period")
        for name, value in (("from", question.from_us), ("to", question.to_us))
        if value is None
    ]
    begin, end = question.instant("base_from"), question.instant("base_to")
    if (begin is None) != (end is None):
        lacks = "base_to" if end is None else "base_from"
        mistakes.append(Mistake(lacks, "is missing; give base_from and base_to together"))
    if begin is not None and end is not None:
        if begin >= end:
            mistakes.append(Mistake("base_to", "is not after `base_from`; it is exclusive"))
        if "base" in question.options:
            mistakes.append(Mistake("base", "is given beside base_from and base_to; give either"))
    if mistakes:
        raise QuestionError(mistakes)
    if begin is not None and end is not None:
        return replace(question, from_us=begin, to_us=end, period=None)
    if base_name(question) != "previous":
        return None
    begin, end = _before(question)
    return replace(question, from_us=begin, to_us=end, period=None)


def base_name(question: Question) -> str:
    """standard, budget, previous, or window where base_from and base_to are named."""
    if question.instant("base_from") is not None:
        return "window"
    return question.options.get("base", "previous")


def _before(question: Question) -> tuple[int, int]:
    """As many fiscal periods before, where the window is whole ones; else as many production days; else as
    long a time."""
    begin, end = question.from_us, question.to_us
    assert begin is not None
    assert end is not None
    site = next((site for site in question.sites if site.book is not None), None)
    if site is None:
        return 2 * begin - end, begin
    touched = [
        at for at, period in enumerate(site.periods) if begin <= period.from_us and period.to_us <= end
    ]
    if touched and site.periods[touched[0]].from_us == begin and site.periods[touched[-1]].to_us == end:
        first = touched[0] - len(touched)
        if first >= 0 and site.periods[touched[0] - 1].to_us == begin:
            return site.periods[first].from_us, begin
    first_day, end_day = _day_at(site, begin), _day_at(site, end)
    if first_day is not None and end_day is not None:
        return site.day_start_us(first_day - (end_day - first_day)), begin
    return 2 * begin - end, begin


def data_share(connection: Connection[Any], base: Question | None) -> Decimal | None:
    """The share of a base window that lies between the first and the last data; None for no window."""
    if base is None or base.from_us is None or base.to_us is None:
        return None
    ids = [machine.machine_id for machine in base.machines]
    spans = [(to_us(first), to_us(last)) for first, last in data_spans(connection, ids)]
    if not spans:
        return Decimal(0)
    begin = max(base.from_us, min(first for first, _ in spans))
    end = min(base.to_us, max(last for _, last in spans))
    return Decimal(max(0, end - begin)) / (base.to_us - base.from_us)


def telling_base(connection: Connection[Any], question: Question) -> str:
    """The base that tells most where none is named: the window before, else the standard where most of that
    window has no data. Raises QuestionError for a window that is not whole."""
    share = data_share(connection, base_question(question.with_options({"base": "previous"})))
    return "standard" if share is not None and share < ENOUGH else "previous"


def _day_at(site: Site, us: int) -> dt.date | None:
    day = site.day_of(us)
    return day if site.day_start_us(day) == us else None


@dataclass(frozen=True, slots=True)
class Walked:
    """The walk of a question, what its window made and cost, and the same of its base; where a standard
    stands between, the sheet of variances by machine and product. `figures`: the walk rounded."""

    walk: Walk
    figures: Told
    end: Side
    start: Side | None = None
    sheet: Sheet | None = None


def walk_of(connection: Connection[Any], question: Question, base: Question | None, measure: str) -> Walked:
    """The walk of a question. Raises QuestionError where a side has no figure."""
    return _walk_of(connection, question, base, base_name(question), measure)


@remembered
def _walk_of(
    connection: Connection[Any], question: Question, base: Question | None, name: str, measure: str
) -> Walked:
    if measure == "margin":
        _refuse_parts(question)
    end = side_of(connection, question, measure, base)
    per_unit = measure == "unit_cost"
    if per_unit and not end.volume:
        raise QuestionError([Mistake("measure", "has no unit cost: the window made no good unit")])
    if base is not None:
        start = side_of(connection, base, measure, question)
        if per_unit and not start.volume:
            raise QuestionError([Mistake("base", "has no unit cost: the base window made no good unit")])
        walk = between(start, end, question.by, per_unit)
        if measure == "margin":
            walk = walk.turned()
            add_sales(connection, walk, question, end, (base, start), None)
        return Walked(walk, rounded(walk), end, start)
    sheet = sheet_of(connection, question.grouped("site", "line", "machine", "product"))
    if name == "standard":
        in_groups = _in_groups(connection, question, sheet, question.by)
        walk = from_standard(in_groups, question.by, end.volume, per_unit)
        for (_, group), amount in _listed(end).items():
            walk.stand(group, Fraction(amount), Fraction(amount))
    else:
        in_groups = _in_groups(connection, question, sheet, (*_MAKES, *question.by))
        walk = _budget_walk(question, in_groups, end, measure)
    if measure == "margin":
        walk = walk.turned()
        add_sales(connection, walk, question, end, None, sheet)
    return Walked(walk, rounded(walk), end, None, sheet)


def _in_groups(connection: Connection[Any], question: Question, sheet: Sheet, by: tuple[str, ...]) -> Sheet:
    """The sheet that tells these groups apart: the one that is read already, where it does."""
    told = {"resource", "cause", *sheet.by}
    return sheet if set(by) <= told else sheet_of(connection, question.grouped(*dict.fromkeys(by)))


def _budget_walk(question: Question, sheet: Sheet, end: Side, measure: str) -> Walk:
    per_unit = measure == "unit_cost"
    planned = budget_of(question, question.by)
    if per_unit and not sum(planned.units.values()):
        raise QuestionError([Mistake("base", "has no unit cost: the budget has no good units")])
    budgets: list[tuple[Budgeted, Standing]] = [
        (planned, Standing(STANDARD, _allowed(sheet, question.by, per_unit)))
    ]
    if measure == "margin":
        revenue = budgeted_revenue(question, question.by)
        budgets.append((revenue, Standing(LISTED, _listed(end))))
    return from_budget(tuple(budgets), sheet, end.units, question.by, per_unit)


def _refuse_parts(question: Question) -> None:
    asked = [name for name in _OF_WHOLE_PRODUCTS if question.names(name) is not None]
    if asked:
        message = "is no part of a margin; leave it out, or ask measure=total_cost"
        raise QuestionError([Mistake(name, message) for name in asked])


def _allowed(sheet: Sheet, by: tuple[str, ...], per_unit: bool) -> dict[tuple[Makes | None, Key], Decimal]:
    """Standard cost of what was made, by product and group."""
    costs: dict[tuple[Makes | None, Key], Decimal] = {}
    for (key, cell), variance in sheet.cells.items():
        if per_unit and cell in UNUSED:
            continue
        said = {**dict(zip(sheet.by, key, strict=True)), "resource": cell[0], "cause": cell[1]}
        where = (makes_of(sheet.by, key), tuple(said[name] for name in by))
        costs[where] = costs.get(where, Decimal(0)) + variance.allowance
    return costs


def _listed(side: Side) -> dict[tuple[Makes | None, Key], Decimal]:
    """Output at list price, a negative cost, by product and group."""
    return {
        (makes, group): amount
        for (makes, cell), groups in side.costs.items()
        if cell == REVENUE
        for group, amount in groups.items()
    }
