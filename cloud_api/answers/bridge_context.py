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
from cloud_api.answers.bridge_walks import Step, narrowed
from cloud_api.answers.cells import Cell
from cloud_api.answers.explanation import Share, explained_by, share_of
from cloud_api.answers.grouping import Key
from cloud_api.answers.question import Question
from cloud_api.answers.series import Series, series_of
from cloud_api.answers.shapes.verdicts import Persistence
from cloud_api.answers.verdicts import BY, Judged, judged
from cloud_api.answers.verdicts_evidence import was_seasonal
from cloud_api.answers.verdicts_ties import Finer
from cloud_api.interpret.rounding import probability
from shared.units import HOUR_US

ZERO = Decimal(0)


JUDGED = 5
"""Bars whose persistence is told: the largest."""

JUDGED_APART = 12
"""The same where bars are told by group, each judged in its own scope."""

UNJUDGED = frozenset({"order", "shift", "reason"})
"""Groups that have no series of their own: the verdict of the whole would be none of theirs."""

LONGEST = 100 * 24 * HOUR_US
"""Windows beyond this are not searched for reasons hour by hour; their explained shares are null."""


@dataclass(frozen=True, slots=True)
class Context:
    """Verdicts by bar, and explained parts by group and cell, of the window that a bridge ends in."""

    by: tuple[str, ...]
    of_standard: bool
    per_unit: bool
    verdicts: Mapping[Step, Persistence] = field(default_factory=dict)
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
    most = 0 if UNJUDGED & set(question.by) else JUDGED_APART if question.by else JUDGED
    short = question.to_us - question.from_us <= LONGEST
    return Context(
        question.by,
        of_standard,
        per_unit,
        _verdicts(connection, question, _largest(figures, most), of_standard, per_unit, now),
        _shares(connection, question.grouped(*by)) if explained and short else {},
    )


def _shares(connection: Connection[Any], question: Question) -> dict[Key, dict[Cell, Share]]:
    shares: dict[Key, dict[Cell, Share]] = {}
    for key, share in explained_by(connection, question).items():
        shares.setdefault(key[:-2], {})[key[-2], key[-1]] = share
    return shares


def _largest(figures: Told, most: int) -> list[Step]:
    """The largest bars; of the parts of a changeover one, as its course is that of all of it."""
    bars = [step for step in figures.amounts if step[0].cause is not None]
    kept: list[Step] = []
    parted: set[tuple[str | None, Key]] = set()
    for factor, group in sorted(bars, key=lambda step: -abs(figures.amounts[step])):
        if factor.part is not None and (factor.cause, group) in parted:
            continue
        if factor.part is not None:
            parted.add((factor.cause, group))
        kept.append((factor, group))
    return kept[:most]


def _verdicts(
    connection: Connection[Any],
    question: Question,
    bars: list[Step],
    of_standard: bool,
    per_unit: bool,
    now: datetime,
) -> dict[Step, Persistence]:
    """The verdict on all cells of a bar together, at the end of the window, in its own scope: its machine,
    its product, its line, as far as the question tells them apart; of several sites the dearest."""
    if not bars:
        return {}
    names = tuple(name for name in question.by if name in BY and name != "resource")
    by = names or ("site",)
    back = replace(narrowed(question, names, bars).grouped(), from_us=None, period=None)
    scopes = series_of(connection, back, now, by)
    finer = Finer(connection, back, now, by, scopes)
    told: dict[Step, Persistence] = {}
    for factor, group in bars:
        said = dict(zip(question.by, group, strict=True))
        own = tuple(said[name] for name in names)
        for one in scopes:
            if names and one.key != own:
                continue
            found = _judged(one, factor, said, finer, of_standard, per_unit)
            if found is not None:
                new = _persistence(one, found, was_seasonal(connection, back, now, by, found))
                told[factor, group] = _dearer(told.get((factor, group)), new)
    return told


def _judged(
    one: Series, factor: Factor, said: Mapping[str, Any], finer: Finer, of_standard: bool, per_unit: bool
) -> Judged | None:
    cells = tuple(
        cell
        for cell in sorted(one.excess)
        if is_behind(factor, cell, of_standard, per_unit) and said.get("resource", cell[0]) == cell[0]
    )
    return judged(one, cells, finer) if cells else None


def _persistence(one: Series, found: Judged, verdict: str) -> Persistence:
    since, confidence = found.course.since, found.course.confidence
    return Persistence(
        verdict=verdict,  # type: ignore[arg-type]
        since=None if since is None else one.days[since],
        confidence=probability(confidence),
        projected=found.projected,
    )


def _dearer(known: Persistence | None, new: Persistence) -> Persistence:
    if known is None or abs(new.projected or ZERO) > abs(known.projected or ZERO):
        return new
    return known
