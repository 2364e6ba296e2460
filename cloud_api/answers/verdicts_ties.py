"""What recurs with a product or a shift: found on observations of a day and product, or a day and shift.

Shifts are compared only for causes that a shift controls. Cost beyond what the standard allows is held
against the standard cost of what was made, so that a product with a dearer standard is no loss.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace
from psycopg import Connection

from cloud_api.answers.courses import kept_tie
from cloud_api.answers.question import Question
from cloud_api.answers.series import Cause, Key, Series, series_of
from cloud_api.interpret.seasons import MOST, OCCURRENCES, Tie

OF_A_SHIFT = frozenset({"scrap", "rework", "downtime", "changeover", "usage", "crew"})
"""Not speed loss: units seen late even it out in the next segment, which may be the next shift's."""
OF_A_PRODUCT = OF_A_SHIFT - {"crew"} | {"waiting", "speed_loss"}
NOTHING = 1e-6
"""Share of the standard cost of a unit below which a cause cost nothing: a day on which nothing happened
stands above others only by what the standard allows them."""
MOST_MACHINES = {"product": 12, "shift": 6}
"""Machines of a question beyond which these finer observations are left out: name a line or a machine."""


class Finer:
    """Series of a question by product and by shift besides its scopes; read when first needed."""

    def __init__(
        self,
        connection: Connection[Any],
        question: Question,
        now: dt.datetime,
        by: Sequence[str],
        scopes: Sequence[Series],
    ) -> None:
        self.connection, self.question, self.now, self.by = connection, question, now, tuple(by)
        self.few = len(question.machines)
        self.scopes = scopes
        self._known: dict[str, dict[Key, list[Series]]] = {}

    def ties(self, one: Series, cells: tuple[Cause, ...]) -> list[Tie]:
        """Ties of some cells of a scope to a product or a shift, told in its days."""
        causes = {cause for _, cause in cells}
        kinds = [kind for kind, own in (("product", OF_A_PRODUCT), ("shift", OF_A_SHIFT)) if causes <= own]
        found = [self._tie(kind, one, cells) for kind in kinds if kind not in self.by]
        return [tie for tie in found if tie is not None]

    def _tie(self, kind: str, one: Series, cells: tuple[Cause, ...]) -> Tie | None:
        parts = self._parts(kind).get(one.key, [])
        if len(parts) < 2:
            return None
        values = np.concatenate([part.excess_of(cells) / part.worth for part in parts])
        labels = [str(part.key[-1]) for part in parts for _ in part.days]
        tie = kept_tie(values, kind, labels)
        if tie is None:
            return None
        (own,) = (part for part in parts if str(part.key[-1]) == tie.label)
        begin = labels.index(tie.label)
        places = {day: at for at, day in enumerate(one.days)}
        unit = float(one.worth.sum() / one.units.sum())
        shares = {day: float(worth) for day, worth in zip(own.days, own.worth, strict=True)}
        added = [
            tie.size * unit * shares.get(day, 0.0) / float(worth)
            for day, worth in zip(one.days, one.worth, strict=True)
        ]
        stood_out = [at - begin for at in tie.occurrences]
        cost = own.unit_cost(cells)
        happened = [at for at in stood_out if abs(float(cost[at])) > NOTHING * unit]
        occurrences = [places[own.days[at]] for at in happened if own.days[at] in places]
        if len(happened) < max(OCCURRENCES, MOST * len(own.days)) or not occurrences:
            return None
        return replace(
            tie,
            size=tie.size * unit,
            error=tie.error * unit,
            places=tuple(places[day] for day in own.days if day in places),
            occurrences=tuple(sorted(occurrences)),
            added=tuple(added),
        )

    def _parts(self, kind: str) -> dict[Key, list[Series]]:
        if kind not in self._known:
            parts: dict[Key, list[Series]] = defaultdict(list)
            if self.few <= MOST_MACHINES[kind] and self.scopes:
                for part in series_of(self.connection, self.question, self.now, (*self.by, kind)):
                    if part.key[-1] is not None:
                        parts[part.key[:-1]].append(part)
            self._known[kind] = parts
        return self._known[kind]
