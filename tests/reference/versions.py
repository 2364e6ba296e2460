"""Dated rows with the moment at which each became known (cost model, 'wrong standard against bad run')."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

ANTE = "ex-ante"
POST = "ex-post"


@dataclass(frozen=True)
class Version:
    """One row: in effect from a site date on, recorded at a moment (its load number and site date)."""

    effective: date
    load: int
    recorded: date
    value: Any


@dataclass
class Versions:
    """All rows of a table by key. `row` finds the one in force; None before the first."""

    rows: dict[Any, list[Version]] = field(default_factory=dict)

    def add(self, key: Any, version: Version) -> None:
        self.rows.setdefault(key, []).append(version)

    def row(self, key: Any, day: date, view: str) -> Any:
        """Cost model: the last row on or before the date applies; before the first there is none.

        Ex-post is the last recorded. Ex-ante: a row recorded after its effective date is ex-post only for the
        days before it was recorded, ex-ante from then on; where nothing was recorded yet on that day, the
        rows that were recorded first stand.
        """
        begun = [version for version in self.rows.get(key, []) if version.effective <= day]
        if view == ANTE and begun:
            known = [version for version in begun if version.recorded <= day]
            first = min(version.load for version in begun)
            begun = known or [version for version in begun if version.load == first]
        if not begun:
            return None
        return max(begun, key=lambda version: (version.effective, version.load)).value
