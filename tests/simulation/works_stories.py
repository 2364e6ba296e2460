"""Causes that are put into drawn works: when each begins, what it does, what it should be called.

Days are working days, counted from 0. A story answers for one day what it adds; by default nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Story:
    """A cause: `kind` as in `KINDS`, on working days from `since` (to `until`, not included, where it
    passes); `size` in the unit of its kind; `label` the weekday, shift or product that it comes with."""

    kind: str
    since: int
    size: float
    until: int | None = None
    label: str = ""

    def on(self, number: int) -> bool:
        """Whether it is there on a working day."""
        return self.since <= number and (self.until is None or number < self.until)

    def stops(self, number: int, day: date, shifts: Sequence[str]) -> Iterator[tuple[str, float, str]]:
        """State, hours and reason of what stops the machine in a shift."""
        if not self.on(number):
            return
        each = self.size / len(shifts)
        if self.kind in ("jam_rise", "jam_spell"):
            yield from (("down", each / 2, "jam") for _ in range(2))
        elif self.kind == "starved":
            yield ("waiting", each, "")
        elif self.kind == "jam_once":
            yield ("down", each, "")
        elif self.kind == "weekday" and f"{day:%a}" == self.label:
            yield ("down", each, "cleaning")

    def slower(self, number: int, product: str) -> float:
        """Factor on the cycle."""
        return 1 + self.size if self.kind == "slow" and self.on(number) else 1.0

    def scrapped(self, number: int, shift: str, product: str) -> float:
        """Share of units that is scrapped besides."""
        if not self.on(number):
            return 0.0
        if self.kind == "wear":
            return self.size * (number - self.since + 1)
        if self.kind == "yield" or (self.kind == "shift" and shift == self.label):
            return self.size
        return self.size if self.kind == "product" and product == self.label else 0.0

    def kwh_share(self, number: int) -> float:
        """Share of a unit's energy that is used besides."""
        return self.size if self.kind == "energy" and self.on(number) else 0.0

    def setup_min(self, number: int) -> float:
        """Minutes that each changeover takes longer."""
        return self.size if self.kind == "setup" and self.on(number) else 0.0

    def crew(self, number: int) -> int:
        """People besides."""
        return int(self.size) if self.kind == "crew" and self.on(number) else 0

    def beyond(self, number: int) -> float:
        """Hours of work beyond the last shift of a day."""
        return self.size if self.kind == "overtime" and self.on(number) else 0.0


KINDS = {
    "jam_rise": ("downtime", "structural"),
    "slow": ("speed_loss", "structural"),
    "yield": ("scrap", "structural"),
    "crew": ("crew", "structural"),
    "energy": ("usage", "structural"),
    "price": ("price", "structural"),
    "setup": ("changeover", "structural"),
    "overtime": ("overtime", "structural"),
    "starved": ("waiting", "temporary"),
    "jam_spell": ("downtime", "temporary"),
    "jam_once": ("downtime", "isolated"),
    "weekday": ("downtime", "recurring"),
    "shift": ("scrap", "recurring"),
    "product": ("scrap", "recurring"),
    "wear": ("scrap", "drift"),
}
"""Cause in the ledger and verdict of each kind of story."""


def drawn_story(kind: str, chance: random.Random, working: int, hours: float, labels: Sequence[str]) -> Story:
    """A story of a kind: `working` days in all, `hours` manned a day; `labels` are what it may come with."""
    late = chance.randint(9, working - 12)
    size = {
        "jam_rise": chance.uniform(0.06, 0.16) * hours,
        "slow": chance.uniform(0.05, 0.2),
        "yield": chance.uniform(0.015, 0.06),
        "crew": 1.0,
        "energy": chance.uniform(0.06, 0.4),
        "price": chance.uniform(0.05, 0.2),
        "setup": chance.uniform(12, 35),
        "overtime": chance.uniform(1.0, 2.0),
        "starved": chance.uniform(0.12, 0.3) * hours,
        "jam_spell": chance.uniform(0.15, 0.3) * hours,
        "jam_once": chance.uniform(0.25, 0.4) * hours,
        "weekday": chance.uniform(0.12, 0.25) * hours,
        "shift": chance.uniform(0.03, 0.07),
        "product": chance.uniform(0.03, 0.07),
        "wear": chance.uniform(0.003, 0.006),
    }[kind]
    if kind in ("starved", "jam_spell"):
        return Story(kind, late, size, until=late + chance.randint(3, 7))
    if kind == "jam_once":
        return Story(kind, late, size, until=late + 1)
    if kind in ("weekday", "shift", "product"):
        return Story(kind, 0, size, label=chance.choice(list(labels)))
    return Story(kind, chance.randint(4, 8) if kind == "wear" else late, size)
