"""What is known of a bar besides its amount: whether it will stay, and how much of it is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.bridge_factors import Factor
from cloud_api.answers.bridge_links import resources_of
from cloud_api.answers.bridge_rounding import Told
from cloud_api.answers.cells import Cell
from cloud_api.answers.explanation import Share, explained_by, share_of
from cloud_api.answers.grouping import Key
from cloud_api.answers.question import Question
from cloud_api.answers.series import series_of
from cloud_api.answers.shapes.verdicts import Persistence
from cloud_api.answers.verdicts import judged
from cloud_api.answers.verdicts_evidence import was_seasonal
from cloud_api.answers.verdicts_ties import Finer
from shared.units import HOUR_US

ZERO = Decimal(0)


JUDGED = 5
"""Bars whose persistence is told: the largest."""

LONGEST = 100 * 24 * HOUR_US
"""Windows beyond this are not searched for reasons hour by hour; their explained shares are null."""


@dataclass(frozen=True, slots=True)
class Context:
    """Verdicts by factor, and explained parts by group and cell, of the window that a bridge ends in."""

    by: tuple[str, ...]
    of_standard: bool
    per_unit: bool
    verdicts: Mapping[Factor, Persistence] = field(default_factory=dict)
    shares: Mapping[Key, Mapping[Cell, Share]] = field(default_factory=dict)

    def explained(self, factor: Factor, group: Key) -> Decimal | None:
        """The part of a bar's cost in the window that reasons and notes explain; None of nothing."""
        if not self.shares:
            return None
        said = dict(zip(self.by, group, strict=True))
        names = tuple(name for name in self.by if name not in ("resource", "cause"))
        own = tuple(said[name] for name in names)
        return share_of(
            share
            for cell, share in self.shares.get(own, {}).items()
            if is_behind(factor, cell, self.of_standard, self.per_unit)
            and said.get("resource", cell[0]) == cell[0]
        )


def is_behind(factor: Factor, cell: Cell, of_standard: bool, per_unit: bool) -> bool:
    """Whether entries of a cell stand behind a bar."""
    if factor.cause is None or not factor.holds(*cell):
        return False
    resources = resources_of(factor, of_standard, per_unit)
    return resources is None or cell[0] in resources


def context_of(
    connection: Connection[Any],
    question: Question,
    figures: Told,
    of_standard: bool,
    per_unit: bool,
    explained: bool,
    now: datetime,
) -> Context:
    """What is known of the bars of a question; with how far they are explained, or without."""
    by = tuple(name for name in question.by if name not in ("resource", "cause"))
    assert question.from_us is not None
    assert question.to_us is not None
    short = question.to_us - question.from_us <= LONGEST
    return Context(
        question.by,
        of_standard,
        per_unit,
        _verdicts(connection, question, _largest(figures), of_standard, per_unit, now),
        _shares(connection, question.grouped(*by)) if explained and short else {},
    )


def _shares(connection: Connection[Any], question: Question) -> dict[Key, dict[Cell, Share]]:
    shares: dict[Key, dict[Cell, Share]] = {}
    for key, share in explained_by(connection, question).items():
        shares.setdefault(key[:-2], {})[key[-2], key[-1]] = share
    return shares


def _largest(figures: Told) -> list[Factor]:
    wholes: dict[Factor, Decimal] = {}
    for step, amount in figures.amounts.items():
        if step[0].cause is not None:
            wholes[step[0]] = wholes.get(step[0], ZERO) + amount
    return sorted(wholes, key=lambda factor: -abs(wholes[factor]))[:JUDGED]


def _verdicts(
    connection: Connection[Any],
    question: Question,
    factors: list[Factor],
    of_standard: bool,
    per_unit: bool,
    now: datetime,
) -> dict[Factor, Persistence]:
    """The verdict on all cells of a bar together, at the end of the window; of several sites the dearest."""
    back = replace(question.grouped(), from_us=None, period=None)
    scopes = series_of(connection, back, now, ("site",)) if factors else []
    finer = Finer(connection, back, now, ("site",), scopes)
    told: dict[Factor, Persistence] = {}
    for one in scopes:
        for factor in factors:
            cells = tuple(
                cell for cell in sorted(one.excess) if is_behind(factor, cell, of_standard, per_unit)
            )
            found = judged(one, cells, finer) if cells else None
            if found is None:
                continue
            since, confidence = found.course.since, found.course.confidence
            new = Persistence(
                verdict=was_seasonal(connection, back, now, ("site",), found),  # type: ignore[arg-type]
                since=None if since is None else one.days[since],
                confidence=Decimal(repr(min(1.0, max(0.0, confidence)))).quantize(Decimal("0.0001")),
                projected=found.projected,
            )
            if factor not in told or abs(new.projected or ZERO) > abs(told[factor].projected or ZERO):
                told[factor] = new
    return told
