"""Reads history files (`time,machine,role,value[,quality]`) and settles what the machines said.

A sample is (instant in microseconds UTC, value text, quality). One sample a signal and instant remains.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .tables import Plant, text_or_none

GOOD, UNCERTAIN, BAD = "good", "uncertain", "bad"
RANK = {BAD: 0, UNCERTAIN: 1, GOOD: 2}
STATES = ("running", "down", "changeover", "waiting", "idle", "planned_stop", "unknown")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sample:
    at: int
    value: str
    quality: str

    @property
    def trusted(self) -> bool:
        """Cost model, signals: uncertain values are used; a bad sample ends trust."""
        return self.quality != BAD


@dataclass
class MachineHistory:
    """Signals of one machine by role (`material:ITEM` for material), each in order of time."""

    signals: dict[str, list[Sample]] = field(default_factory=dict)
    contradictions: int = 0
    strange_states: Counter[str] = field(default_factory=Counter)

    def of(self, role: str) -> list[Sample]:
        return self.signals.get(role, [])

    @property
    def first(self) -> int:
        return min(samples[0].at for samples in self.signals.values())

    @property
    def watermark(self) -> int:
        """Cost model, segments: a time line runs from the first sample to the latest sample."""
        return max(samples[-1].at for samples in self.signals.values())

    @property
    def materials(self) -> list[str]:
        return sorted(role.split(":", 1)[1] for role in self.signals if role.startswith("material:"))


def read_histories(files: Iterable[Path], plant: Plant) -> dict[str, MachineHistory]:
    """Samples of every machine of the plant that the files name, in any order of files and rows."""
    told: dict[str, dict[str, dict[int, list[Sample]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for path in files:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                if row["machine"] in plant.machines:
                    role = role_of(row["role"], row["machine"], plant)
                    sample = sample_of(row, plant)
                    told[row["machine"]][role][sample.at].append(sample)
    return {machine: settled(roles) for machine, roles in told.items()}


def role_of(role: str, machine: str, plant: Plant) -> str:
    """Cost model, signals: `material` alone where the machine's bills name exactly one item."""
    if role != "material":
        return role
    items = plant.billed_items(machine)
    if len(items) != 1:
        raise ValueError(f"material without an item: {machine}: its bills name {len(items)} items, say which")
    return f"material:{items[0]}"


def sample_of(row: dict[str, str], plant: Plant) -> Sample:
    quality = text_or_none(row.get("quality")) or GOOD
    if quality not in RANK:
        raise ValueError(f"quality is {quality}: {row}: say good, uncertain or bad")
    return Sample(plant.clock.instant(row["time"]), (row["value"] or "").strip(), quality)


def settled(roles: dict[str, dict[int, list[Sample]]]) -> MachineHistory:
    """Cost model, signals: equal samples are one; else better quality wins, then the greater value as text,
    reported; never order of arrival."""
    history = MachineHistory()
    for role, instants in roles.items():
        history.signals[role] = []
        for at in sorted(instants):
            candidates = set(instants[at])
            history.contradictions += len(candidates) > 1
            best = max(candidates, key=lambda sample: (RANK[sample.quality], sample.value))
            history.signals[role].append(best)
            if role == "state" and best.trusted and best.value not in STATES:
                history.strange_states[best.value] += 1
    return history


@dataclass(frozen=True)
class Step:
    """From this instant on the signal has this value; None is none."""

    at: int
    value: str | None


def state_steps(samples: list[Sample]) -> list[Step]:
    """Cost model: a bad sample makes the state unknown; states in files are the seven words, others
    unknown."""
    return [
        Step(sample.at, sample.value if sample.trusted and sample.value in STATES else UNKNOWN)
        for sample in samples
    ]


def text_steps(samples: list[Sample]) -> list[Step]:
    """Product, order and reason. Cost model: a bad sample makes them none; an empty value of good quality
    means none."""
    return [Step(sample.at, (sample.value or None) if sample.trusted else None) for sample in samples]


def crew_steps(samples: list[Sample]) -> list[Step]:
    """Cost model: crew keeps its last trusted value through bad samples."""
    return [Step(sample.at, sample.value or None) for sample in samples if sample.trusted]


def last_known_steps(samples: list[Sample]) -> list[Step]:
    """Cost model: 'last trusted product' skips empty values."""
    return [Step(sample.at, sample.value) for sample in samples if sample.trusted and sample.value]
