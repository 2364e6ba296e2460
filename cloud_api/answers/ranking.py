"""Which product, machine, shift or reason is behind a change: the bridge once for each of them.

Shifts are compared only for causes that a shift controls; reasons that reasons.csv calls not controllable are
left out there. No person is a dimension.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from psycopg import Connection

from cloud_api.answers.bridge_base import OPTIONS as BRIDGE_OPTIONS
from cloud_api.answers.bridge_base import base_name, base_question, walk_of
from cloud_api.answers.envelope import envelope
from cloud_api.answers.grouping import Key, evidence
from cloud_api.answers.ledger import sums_of
from cloud_api.answers.options import Option
from cloud_api.answers.paging import one_page
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.ranking import Dimension, RankedDimension, RankedRow, Ranking
from cloud_api.interpret.money import CONTEXT
from cloud_api.interpret.rounding import measured

ZERO = Decimal(0)
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
OF_A_SHIFT = ("scrap", "rework", "speed_loss", "downtime", "changeover", "usage")
"""Causes that a shift controls; crew, overtime, prices and idle time are decided elsewhere."""

OF_A_REASON = ("downtime",)
"""Causes that reasons are given for."""

MEASURES = ("unit_cost", "total_cost")
OPTIONS = (
    Option("measure", "Cost per good unit, or cost.", "word", MEASURES, "unit_cost"),
    Option(
        "base",
        "Where the bridge starts: the flexed standard, or the window before (`previous`, where nothing is "
        "said). A budget knows no shift and no reason.",
        "word",
        ("standard", "previous"),
    ),
    *(option for option in BRIDGE_OPTIONS if option.kind == "time"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """The bridge by one dimension: start and change of each value."""

    dimension: Dimension
    question: Question
    starts: Mapping[str | None, Decimal]
    changes: Mapping[str | None, Decimal]

    @property
    def change(self) -> Decimal:
        """Of all values."""
        return sum(self.changes.values(), ZERO)

    @property
    def leads(self) -> str | None:
        """The value behind most of it."""
        return next(iter(self.ranked), None)

    @property
    def ranked(self) -> list[str | None]:
        """Values, the largest change first."""
        return sorted(self.changes, key=lambda value: (-abs(self.changes[value]), value is None, str(value)))

    @property
    def concentration(self) -> Decimal | None:
        """Share of the largest change in all of them."""
        whole = sum((abs(change) for change in self.changes.values()), ZERO)
        return measured(CONTEXT.divide(abs(self.changes[self.leads]), whole)) if whole else None

    def summary(self) -> RankedDimension:
        """As the answer tells it."""
        causes = self.question.names("cause")
        return RankedDimension(
            dimension=self.dimension,
            change=self.change,
            concentration=self.concentration,
            leads=self.leads,
            causes=None if causes is None else [str(cause) for cause in causes],
        )

    def rows(self) -> list[RankedRow]:
        """A row for each value, the largest change first."""
        whole = self.change
        return [
            RankedRow(
                dimension=self.dimension,
                value=value,
                start=self.starts.get(value, ZERO),
                end=self.starts.get(value, ZERO) + change,
                change=change,
                share=measured(CONTEXT.divide(change, whole)) if whole else None,
                segments=evidence(self.question, (self.dimension,), (value,)),
            )
            for value in self.ranked
            for change in (self.changes[value],)
        ]


def ranking(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Ranking:
    """Contributions by dimension; raises QuestionError where there is no bridge."""
    measure = question.options.get("measure", "unit_cost")
    whole = walk_of(connection, question, base_question(question), measure).figures
    told = []
    for dimension in DIMENSIONS:
        narrow = _narrowed(connection, question, dimension)
        if narrow is not None:
            told.append(_by(connection, narrow, dimension, measure))
    told.sort(key=lambda one: (-(one.concentration or ZERO), DIMENSIONS.index(one.dimension)))
    page, cursor = one_page([row for one in told for row in one.rows()], question)
    return Ranking(
        **envelope(connection, question, now),
        next_cursor=cursor,
        measure=measure,
        base=base_name(question),
        change=whole.end - whole.start,
        dimensions=[one.summary() for one in told],
        rows=page,
    )


def _by(connection: Connection[Any], question: Question, dimension: Dimension, measure: str) -> Told:
    grouped = replace(question, by=(dimension,))
    figures = walk_of(connection, grouped, base_question(grouped), measure).figures
    changes: dict[Key, Decimal] = dict.fromkeys(figures.starts, ZERO)
    for (_, group), amount in figures.amounts.items():
        changes[group] = changes.get(group, ZERO) + amount
    return Told(
        dimension,
        question,
        {group[0]: start for group, start in figures.starts.items()},
        {group[0]: change for group, change in changes.items()},
    )


def _narrowed(connection: Connection[Any], question: Question, dimension: Dimension) -> Question | None:
    """The question with the causes that a dimension may be held to; None where none of them was asked for."""
    if dimension not in ("shift", "reason"):
        return question
    controls = OF_A_SHIFT if dimension == "shift" else OF_A_REASON
    asked = question.names("cause")
    causes = tuple(cause for cause in controls if asked is None or cause in asked)
    if not causes:
        return None
    wanted = {**question.wanted, "cause": causes}
    if dimension == "shift" and "reason" not in wanted and (unheld := _beyond_control(question)):
        wanted["reason"] = tuple(reason for reason in _reasons(connection, question) if reason not in unheld)
    return replace(question, wanted=wanted)


def _beyond_control(question: Question) -> frozenset[str]:
    """Reasons that reasons.csv calls not controllable, as recorded last."""
    last: dict[tuple[str, str | None], tuple[datetime, bool]] = {}
    for site in question.sites:
        for row in site.plant.reasons if site.plant is not None else ():
            key = (row.reason, row.machine)
            if key not in last or row.recorded_at >= last[key][0]:
                last[key] = (row.recorded_at, row.controllable)
    return frozenset(reason for (reason, _), (_, controllable) in last.items() if not controllable)


def _reasons(connection: Connection[Any], question: Question) -> list[str | None]:
    """Reasons that cost something in the window or in its base."""
    base = base_question(question)
    windows = [question] if base is None else [question, base]
    found: set[str | None] = {None}
    for window in windows:
        found |= {reason for (reason,) in sums_of(connection, window.grouped("reason"))}
    return sorted(found, key=lambda reason: (reason is None, str(reason)))
