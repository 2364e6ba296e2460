"""Assumptions watched on drawn works into which nothing was put: how often the limits of a whole plant, set
as they are live, are crossed without a cause, and how soon a shift is seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
from msgspec.structs import replace

from cloud_api.answers.assumptions_streams import Row, Seen, Watched, watched
from cloud_api.interpret.drift import Stake
from cloud_api.interpret.drift_watch import limits, watch
from tests.simulation.works_judged import lived
from tests.simulation.works_plan import Plan

DAYS = 91
DAY_US = 86_400_000_000
SINCE = 15
"""Observations that a shift is given to be seen in."""
STAKE = Stake(
    per_unit_day=Decimal(1),
    period_end_us=4 * DAYS * DAY_US,
    standard_cost=Decimal(0),
    amount=Decimal(0),
    share=Decimal(0),
)
"""Everything is material: what is counted is crossings, of which `broken` is a part."""


@dataclass(slots=True)
class Alarms:
    """Plant-months watched, crossings in them, and by size of a shift, in standard deviations of the
    observations, how many observations it took (None: more than `SINCE`)."""

    months: float = 0.0
    crossings: int = 0
    delays: dict[int, list[int | None]] = field(default_factory=lambda: defaultdict(list))


def alarms(seeds: Iterable[int], sizes: Iterable[int] = (2, 3)) -> Alarms:
    """Watches works of 13 weeks each; standards are what the 13 weeks before were on average."""
    told, sizes = Alarms(), tuple(sizes)
    for seed in seeds:
        streams = _streams(lived(seed, quiet=True, days=2 * DAYS))
        told.months += DAYS / 30
        heights = limits([one.stream for one in streams], DAYS)
        for one, limit in zip(streams, heights, strict=True):
            told.crossings += len(watch(one.stream, STAKE, limit).assessment.history)
            for size in sizes:
                told.delays[size].append(_delay(one, limit, size))
    return told


def _delay(one: Watched, limit: float, size: int) -> int | None:
    """Observations until a shift of the worse sign, put into the last ones, is seen."""
    values = np.array(one.stream.values)
    onset = len(values) - SINCE
    side = -1 if one.kind.name == "availability" else 1
    values[max(0, onset) :] += side * size * values.std()
    spells = watch(replace(one.stream, values=tuple(values.tolist())), STAKE, limit).assessment.history
    seen = [spell.alarm for spell in spells if spell.alarm >= onset and spell.side == side]
    return seen[0] - onset + 1 if seen else None


def _streams(plan: Plan) -> list[Watched]:
    first = plan.works.first
    half = first + timedelta(days=DAYS)
    found: list[Watched] = []
    for machine in plan.works.machines:
        rows: dict[str, list[Row]] = defaultdict(list)
        before: dict[str, Seen] = defaultdict(Seen)
        for place, ((day, product, _), seen) in enumerate(plan.truths[machine.name].orders.items()):
            if day < half:
                before[product].add(Seen(**seen))
            else:
                at = (day - first).days * DAY_US + place * 1_000_000
                rows[product].append(Row(machine.name, product, day, day, at, Seen(**seen)))
        for product, own in rows.items():
            site: Any = None
            found += watched(site, _book(before[product]), own, half)
    return found


def _book(seen: Seen) -> Any:
    """A plant model whose only standard is what was seen."""
    standard = SimpleNamespace(
        ideal_cycle_s=seen.run_h * 3600 / max(1.0, seen.passes),
        scrap_rate=seen.scrap / max(1.0, seen.good + seen.scrap),
        rework_rate=0,
        availability=seen.run_h / (seen.run_h + seen.down_h),
        crew=None,
        changeover_min=seen.changeover_h * 60 / max(1.0, seen.changeovers),
        energy_kwh=seen.metered_kwh / max(1.0, seen.metered),
    )
    return SimpleNamespace(standard=lambda *_: standard)
