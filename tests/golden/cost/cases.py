"""Finds the worked cases of this folder and reads what must come out of them.

`expected.csv` holds textbook variances: `measure,resource,causes,variance`, causes are names, or `all but`
names. `cells.csv` holds single cells: `machine,product,resource,cause,actual,allowance,variance`. Currency
is the site's.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).parent
Cell = tuple[str | None, ...]


@dataclass(frozen=True)
class CostCase:
    """One case; the window is [from, to) as the file writes it (RFC 3339) and as aware datetimes."""

    name: str
    plant: Path
    histories: tuple[Path, ...]
    window_text: tuple[str, str]

    @property
    def window(self) -> tuple[datetime, datetime]:
        start, end = self.window_text
        return datetime.fromisoformat(start), datetime.fromisoformat(end)

    def rows(self, name: str) -> list[dict[str, str]]:
        path = self.plant.parent / name
        return read(path) if path.exists() else []

    def measures(self) -> list[tuple[str, str, str, Fraction]]:
        """(measure, resource, causes, variance) of the published figures."""
        return [
            (row["measure"], row["resource"], row["causes"], Fraction(row["variance"]))
            for row in self.rows("expected.csv")
        ]

    def cells(self) -> dict[Cell, tuple[Fraction, Fraction, Fraction]]:
        """(machine, product, resource, cause) to (actual, allowance, variance)."""
        return {
            tuple(row[name] or None for name in ("machine", "product", "resource", "cause")): (
                Fraction(row["actual"]),
                Fraction(row["allowance"]),
                Fraction(row["variance"]),
            )
            for row in self.rows("cells.csv")
        }


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cost_cases() -> list[CostCase]:
    found = []
    for window in sorted(HERE.glob("*/window.csv")):
        (row,) = read(window)
        histories = tuple(sorted(window.parent.glob("history*.csv")))
        found.append(
            CostCase(window.parent.name, window.parent / "plant", histories, (row["from"], row["to"]))
        )
    return found


def measured(cells: Mapping[tuple[str, str], Fraction], resource: str, causes: str) -> Fraction:
    """A textbook variance from {(resource, cause): variance}."""
    names = causes.removeprefix("all but ").split()
    outside = causes.startswith("all but ")
    return sum(
        (amount for (own, cause), amount in cells.items() if own == resource and (cause in names) != outside),
        Fraction(0),
    )
