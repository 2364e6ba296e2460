"""What is known of a bar besides its amount: whether it will stay, and how much of it is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.bridge_factors import Factor
from cloud_api.answers.bridge_links import resources_of
from cloud_api.answers.cells import Cell
from cloud_api.answers.explanation import Share, explained_by, share_of
from cloud_api.answers.grouping import Key
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.verdicts import Persistence
from cloud_api.answers.verdicts import verdicts_by_cause

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Context:
    """Verdicts by cell, and explained parts by group and cell, of the window that a bridge ends in."""

    by: tuple[str, ...]
    of_standard: bool
    per_unit: bool
    verdicts: Mapping[Cell, Persistence] = field(default_factory=dict)
    shares: Mapping[Key, Share] = field(default_factory=dict)

    def persistence(self, factor: Factor) -> Persistence | None:
        """The verdict on the cell of a factor that costs most by period end, with what all of them do."""
        found = [one for cell, one in self.verdicts.items() if self._holds(factor, cell)]
        if not found:
            return None
        lead = max(found, key=lambda one: abs(one.projected or ZERO))
        known = [one.projected for one in found if one.projected is not None]
        return Persistence(
            verdict=lead.verdict,
            since=lead.since,
            confidence=lead.confidence,
            projected=sum(known, ZERO) if known else None,
        )

    def explained(self, factor: Factor, group: Key) -> Decimal | None:
        """The part of a bar's cost in the window that reasons and notes explain; None of nothing."""
        said = dict(zip(self.by, group, strict=True))
        names = tuple(name for name in self.by if name not in ("resource", "cause"))
        own = tuple(said[name] for name in names)
        return share_of(
            share
            for key, share in self.shares.items()
            if key[:-2] == own
            and self._holds(factor, (key[-2], key[-1]))
            and said.get("resource", key[-2]) == key[-2]
        )

    def _holds(self, factor: Factor, cell: Cell) -> bool:
        if factor.cause is None or not factor.holds(*cell):
            return False
        resources = resources_of(factor, self.of_standard, self.per_unit)
        return resources is None or cell[0] in resources


def context_of(
    connection: Connection[Any], question: Question, of_standard: bool, per_unit: bool, now: datetime
) -> Context:
    """What is known of the bars of a question."""
    plain = question.grouped()
    by = tuple(name for name in question.by if name not in ("resource", "cause"))
    return Context(
        question.by,
        of_standard,
        per_unit,
        verdicts_by_cause(connection, plain, now),
        explained_by(connection, question.grouped(*by)),
    )
