"""Some days of one machine, drawn at random: states, units, energy, material, products, orders, crew,
reasons.

Samples are (instant in microseconds UTC, role, value text, quality text). Every fault of real data is in
here: bad and uncertain samples, empty values, same-time duplicates, rollovers, resets, corrections, units
seen late.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from .clock import MINUTE_US, SECOND_US

SampleRow = tuple[int, str, str, str]
NEXT = {
    "running": (
        ("down", 5), ("changeover", 4), ("waiting", 4), ("idle", 2), ("planned_stop", 1), ("Fault 7", 1),
    ),
    "down": (("running", 7), ("waiting", 1), ("changeover", 1), ("idle", 1)),
    "changeover": (("running", 6), ("down", 2), ("idle", 1), ("waiting", 1), ("Fault 7", 1)),
    "waiting": (("running", 6), ("down", 1), ("idle", 1)),
    "idle": (("running", 4), ("changeover", 4), ("planned_stop", 1)),
    "planned_stop": (("running", 3), ("idle", 2), ("changeover", 1)),
    "Fault 7": (("running", 3), ("changeover", 1), ("idle", 1)),
}  # fmt: skip
MINUTES = {
    "running": (10, 170), "down": (3, 45), "changeover": (4, 50), "waiting": (2, 30), "idle": (20, 240),
    "planned_stop": (15, 60), "Fault 7": (1, 15),
}  # fmt: skip
REASONS = ("jam", "no power", "guard open", "other")


@dataclass
class Counter:
    """A counter of a PLC: shows its total after every fault that it has."""

    draw: random.Random
    role: str
    declared: dict[str, Any] | None
    whole: bool
    value: float = 0.0
    top: int = 0

    def shown(self) -> str:
        return str(int(self.value)) if self.whole else f"{self.value:.3f}"

    def add(self, amount: float) -> None:
        self.value += amount
        if self.top and self.value >= self.top:
            self.value -= self.top
        if self.draw.random() < 0.004:
            self.value = float(self.draw.randint(0, 3))
        elif not self.top and self.draw.random() < 0.006:
            self.value = max(0.0, self.value - self.draw.randint(1, 9))


def counter_of(draw: random.Random, role: str, whole: bool) -> Counter:
    """Declared as rollover, reset or correction, or not at all, near a rollover at 2^16 or far from it."""
    kind = draw.choice(("rollover", "reset", "correction", "width", "plain", "plain"))
    if kind == "rollover":
        top = draw.choice((1000, 10_000))
        declared = {"fall": "rollover", "rollover": top}
        return Counter(draw, role, declared, whole, float(draw.randint(0, top - 1)), top)
    if kind in ("reset", "correction"):
        return Counter(draw, role, {"fall": kind}, whole, float(draw.randint(0, 400)))
    if kind == "width" and whole:
        return Counter(draw, role, None, whole, float(draw.randint(64_000, 65_500)), 2**16)
    return Counter(draw, role, None, whole, float(draw.randint(0, 5000)))


@dataclass
class MachineScript:
    """What one machine has and does. Drawn once; `history_of` plays it."""

    draw: random.Random
    products: tuple[str, ...]
    materials: tuple[str, ...]
    start: int
    end: int
    counters: dict[str, Counter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        draw = self.draw
        self.start += draw.randint(0, 5 * 3600) * SECOND_US + draw.choice((0, 250_000, 1))
        self.end -= draw.randint(0, 3 * 3600) * SECOND_US
        roles = [draw.choice(("good_count", "good_count", "total_count"))]
        roles += [role for role in ("scrap_count", "rework_count") if draw.random() < 0.7]
        self.has_crew = draw.random() < 0.6
        self.has_order = draw.random() < 0.8
        self.has_reason = draw.random() < 0.8
        metered = [f"material:{item}" for item in self.materials if draw.random() < 0.35]
        fine = (["energy"] if draw.random() < 0.6 else []) + metered
        for role in roles + fine:
            self.counters[role] = counter_of(draw, role, whole=role in roles)

    @property
    def declared(self) -> dict[str, Any]:
        return {role: counter.declared for role, counter in self.counters.items() if counter.declared}


class Player:
    """Plays a script into samples, without their faults of transmission."""

    def __init__(self, script: MachineScript) -> None:
        self.script, self.draw = script, script.draw
        self.rows: list[SampleRow] = []
        self.at = script.start
        self.product = self.draw.choice(script.products)
        self.job = 1

    def say(self, at: int, role: str, value: str) -> None:
        if at < self.script.end:
            self.rows.append((at, role, value, ""))

    def play(self) -> list[SampleRow]:
        self.begin()
        state = self.draw.choice(("running", "idle", "changeover"))
        while self.at < self.script.end:
            length = self.draw.randint(*MINUTES[state]) * MINUTE_US + self.draw.randint(0, 59_999) * 1000
            self.say(self.at, "state", state)
            self.during(state, self.at, self.at + length)
            self.at += length
            words, weights = zip(*NEXT[state], strict=True)
            state = self.draw.choices(words, weights)[0]
        for role in self.script.counters:
            self.rows.append((self.script.end, role, self.script.counters[role].shown(), ""))
        return self.rows

    def begin(self) -> None:
        for role, counter in self.script.counters.items():
            self.say(self.at, role, counter.shown())
        self.say(self.at, "product", self.product)
        if self.script.has_order:
            self.say(self.at, "order", f"O{self.job}")
        if self.script.has_crew and self.draw.random() < 0.8:
            self.say(self.at, "crew", "2")
        if self.draw.random() < 0.3:
            self.at += self.draw.randint(1, 20) * MINUTE_US  # the state comes later: unknown until then

    def during(self, state: str, start: int, end: int) -> None:
        self.count(state, start, end)
        if state == "changeover" or (state == "running" and self.draw.random() < 0.15):
            self.next_job(self.draw.randint(start, end - 1))
        if state == "down" and self.script.has_reason:
            self.explain(start, end)
        if state == "idle" and self.draw.random() < 0.3:
            self.say(start, "product", "")
            self.say(end - 1, "product", self.product)
        if self.script.has_crew and self.draw.random() < 0.2:
            value = self.draw.choice(("0", "1", "2", "3", "1.5", ""))
            self.say(self.draw.randint(start, end - 1), "crew", value)

    def next_job(self, at: int) -> None:
        self.product = self.draw.choice(self.script.products)
        self.job += 1
        self.say(at, "product", self.product)
        if self.script.has_order:
            self.say(at, "order", f"O{self.job}")
        for counter in self.script.counters.values():
            if counter.whole and counter.declared is None and self.draw.random() < 0.4:
                counter.value = float(self.draw.randint(0, 2))
                self.say(at, counter.role, counter.shown())

    def count(self, state: str, start: int, end: int) -> None:
        """Counter samples every few minutes while running, now and then elsewhere."""
        at = start if self.draw.random() < 0.3 else start + self.draw.randint(1, 400) * SECOND_US
        while at < end:
            pace = 1.0 if state == "running" else 0.06
            for role, counter in self.script.counters.items():
                if self.draw.random() < (0.9 if state == "running" else 0.25):
                    step = self.step(role) * pace
                    counter.add(round(step) if counter.whole else step)
                    self.say(at, role, counter.shown())
            at += self.draw.randint(120, 900) * SECOND_US

    def step(self, role: str) -> float:
        if role in ("good_count", "total_count"):
            return self.draw.uniform(0, 40)
        return self.draw.uniform(0, 3) if role.endswith("_count") else self.draw.uniform(0, 20)

    def explain(self, start: int, end: int) -> None:
        """Reasons during the stop, several of them, in the minute after it, too late, or none; cleared
        later."""
        kind = self.draw.choice(("during", "two", "after", "late", "none", "during"))
        if kind in ("during", "two"):
            first = self.draw.randint(start, end - 1)
            self.say(first, "reason", self.draw.choice(REASONS))
            if kind == "two":
                self.say(self.draw.randint(first, end - 1), "reason", self.draw.choice(REASONS))
            self.say(end, "reason", "")
        elif kind in ("after", "late"):
            delay = self.draw.randint(1, 55) if kind == "after" else self.draw.randint(65, 110)
            told = end + delay * SECOND_US
            self.say(told, "reason", self.draw.choice(REASONS))
            self.say(told + 1 * SECOND_US, "reason", "")


def history_of(script: MachineScript) -> list[SampleRow]:
    """All samples of a script with the faults of transmission, in no order."""
    draw = script.draw
    rows = Player(script).play()
    spoilt = list(rows)
    for index in range(len(spoilt)):
        if draw.random() < 0.03:
            at, role, value, _ = spoilt[index]
            spoilt[index] = (at, role, value, "uncertain")
    spoilt += losses(draw, rows, script)
    spoilt += duplicates(draw, rows)
    spoilt += strangers(draw, script)
    return spoilt


def losses(draw: random.Random, rows: list[SampleRow], script: MachineScript) -> list[SampleRow]:
    """Bad samples, most of them mended by a full read of the signal some minutes later."""
    found: list[SampleRow] = []
    for role in sorted({row[1] for row in rows}):
        own = sorted(row for row in rows if row[1] == role)
        for _ in range(draw.randint(0, 3)):
            at, _, value, _ = draw.choice(own)
            lost = at + draw.randint(1, 90 * 60) * SECOND_US + 77
            if lost >= script.end:
                continue
            found.append((lost, role, draw.choice(("", value)), "bad"))
            back = lost + draw.randint(1, 30) * MINUTE_US
            before = [row for row in own if row[0] <= back]
            if draw.random() < 0.8 and back < script.end:
                found.append((back, role, before[-1][2], draw.choice(("", "good", "uncertain"))))
    return found


def duplicates(draw: random.Random, rows: list[SampleRow]) -> list[SampleRow]:
    """The same sample again, and contradictions at the same time: worse quality, or another value."""
    found: list[SampleRow] = []
    for row in draw.sample(rows, min(len(rows), 12)):
        at, role, value, quality = row
        kind = draw.choice(("equal", "worse", "other"))
        if kind == "equal":
            found.append((at, role, value, quality))
        elif kind == "worse":
            found.append((at, role, "idle" if role == "state" else value, draw.choice(("uncertain", "bad"))))
        elif role == "state":
            found.append((at, role, draw.choice(("idle", "waiting")), quality))
        elif role.endswith("_count"):
            found.append((at, role, str(max(int(value) - draw.choice((0, 1)), 0)), quality))
    return found


def strangers(draw: random.Random, script: MachineScript) -> list[SampleRow]:
    """Signals beside the cost model, and empty values."""
    found: list[SampleRow] = []
    for _ in range(draw.randint(0, 2)):
        at = draw.randint(script.start, script.end - 1)
        found.append((at, "measure:oil_temp", "41.5", ""))
    if draw.random() < 0.3:
        at = draw.randint(script.start, script.end - 1)
        found.append((at, "state", "", ""))
        found.append((at + 5 * MINUTE_US, "state", "running", ""))
    return [row for row in found if row[0] < script.end]
