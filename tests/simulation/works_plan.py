"""What is put into drawn works, machine by machine, and what it cost in the end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from tests.simulation.works import Injected, Machine, Works, write_history
from tests.simulation.works_course import Course, Row, Truth
from tests.simulation.works_stories import KINDS, WEEKDAYS, Story, drawn_story

MEANT = 0.85
"""What finance takes a cycle to be, against what it is."""


@dataclass(slots=True)
class Plan:
    """The stories of one seed; the last machine has none."""

    works: Works
    stories: dict[str, list[Story]] = field(default_factory=dict)
    wrong: dict[tuple[str, str], float] = field(default_factory=dict)
    truths: dict[str, Truth] = field(default_factory=dict)

    @classmethod
    def drawn(cls, works: Works, quiet: bool = False, held_back: int = 0) -> Plan:
        """Stories for all machines but the last; none at all where it is `quiet`. On the last working days,
        `held_back`, nothing begins, and what goes on by then goes on."""
        plan, chance = cls(works), random.Random(f"plan {works.seed}")
        kinds = list(KINDS)
        chance.shuffle(kinds)
        for machine in works.machines:
            plan.stories[machine.name] = []
        for machine in [] if quiet else works.machines[:-1]:
            plan._take(machine, kinds, chance, held_back)
        dearer = [one for own in plan.stories.values() for one in own if one.kind == "price"]
        for machine in works.machines:
            if dearer and machine.products[0].bill and dearer[0] not in plan.stories[machine.name]:
                plan.stories[machine.name].append(dearer[0])
        return plan

    def _take(self, machine: Machine, kinds: list[str], chance: random.Random, held_back: int) -> None:
        """Gives a machine the next two kinds that fit it and each other; kinds go round."""
        own = self.stories[machine.name]
        working = self.works.working_days()
        working = working[: len(working) - held_back]
        for kind in list(kinds):
            labels = self._labels(machine, kind, working)
            causes = {KINDS[one.kind][0] for one in own}
            if len(own) == 2 or KINDS[kind][0] in causes or not labels:
                continue
            kinds.remove(kind)
            kinds.append(kind)
            own.append(drawn_story(kind, chance, len(working), self._hours(), labels))
        if {one.kind for one in own}.isdisjoint({"slow"}) and not self.wrong and chance.random() < 0.4:
            self.wrong = {
                (machine.name, product.name): round(product.cycle_s * MEANT, 2)
                for product in machine.products
            }

    def _hours(self) -> float:
        windows = self.works.windows()
        whole = sum((one.end - one.begin).total_seconds() for one in windows) / 3600
        return whole / len({one.day for one in windows})

    def _labels(self, machine: Machine, kind: str, working: list[date]) -> list[str]:
        """What a story of a kind may come with on a machine; empty where it does not fit."""
        if kind == "shift":
            found = sorted({one.shift for one in self.works.windows()})
            return found if len(found) > 1 else []
        if kind == "product":
            return [one.name for one in machine.products] if len(machine.products) > 1 else []
        if kind == "overtime" and self.works.pattern not in ("two", "six"):
            return []
        if kind == "price" and (
            not machine.products[0].bill
            or any(one.kind == "price" for own in self.stories.values() for one in own)
        ):
            return []
        days = {f"{day:%a}" for day in working}
        return [day for day in WEEKDAYS if day in days]

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Writes plant model and history; the truth of each machine is known then."""
        plant = self.works.write_model(folder, self.wrong)
        dear = [one for own in self.stories.values() for one in own if one.kind == "price"]
        if dear:
            self.works.write_prices(plant, self.works.working_days()[dear[0].since], 1 + dear[0].size)
        rows: list[Row] = []
        for machine in self.works.machines:
            course = Course(self.works, machine, self.stories[machine.name])
            rows += course.live()
            self.truths[machine.name] = course.truth
        return plant, write_history(folder / f"{self.works.site}.csv", rows)

    def injected(self) -> Iterator[Injected]:
        """What was put in, with its money."""
        days = self.works.working_days()
        for name, own in self.stories.items():
            for story in own:
                cause, verdict = KINDS[story.kind]
                daily = self.truths[name].booked.get(story.kind, {})
                since = min(daily, default=days[story.since])
                yield Injected(name, story.kind, cause, verdict, since, sum(daily.values()), dict(daily))

    def sigmas(self, one: Injected) -> float:
        """Size of what was put in, by day, in standard deviations of what its cause costs besides."""
        truth, days = self.truths[one.machine], self.works.working_days()
        whole = truth.by_cause.get(one.cause, {})
        rest = np.array([whole.get(day, 0.0) - one.daily.get(day, 0.0) for day in days])
        if one.cause not in truth.by_cause or not one.daily:
            return float("inf")
        return float(np.mean(list(one.daily.values())) / max(rest.std(), 1e-9))

    def oracle(self, one: Injected) -> float:
        """What one would reckon it cost who knew its days and nothing else: the cause's cost on them, beyond
        that of the other days, over what really was put in."""
        truth, days = self.truths[one.machine], self.works.working_days()
        whole = truth.by_cause.get(one.cause, {})
        without = [whole.get(day, 0.0) for day in days if day not in one.daily]
        inside = sum(whole.get(day, 0.0) for day in one.daily)
        if one.cause not in truth.by_cause or not without:
            return 1.0
        return (inside - len(one.daily) * float(np.mean(without))) / one.amount
