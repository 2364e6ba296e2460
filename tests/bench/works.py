"""Verdicts, forecasts, alarms and questions on works and floors drawn at random, unknown to the interpreter.

`WORKS` and `SEED` of the environment say how many, and from which seed."""

from __future__ import annotations

import os
import sys

import numpy as np

from tests.bench.verdicts import line, row
from tests.simulation.floors_asked import CAUSES_OF, asked
from tests.simulation.works_forecast import WORLDS, forecasts
from tests.simulation.works_judged import WITHIN, judged, within
from tests.simulation.works_watched import SINCE, alarms

WORKS = int(os.environ.get("WORKS", "20"))
SEED = int(os.environ.get("SEED", "0"))


def main() -> int:
    seeds = range(SEED, SEED + WORKS)
    found = judged(seeds)
    row("wrong verdicts, causes of 2 sigma or more", 1 - found.right.total() / found.told.total(), None)
    row("shifts of 2 sigma, 12 days in, not found within 2", 1 - found.found / found.shifts, None)
    row("false structural or drift, cells without a cause", found.false / found.quiet, 0.02)
    for story, own in sorted(found.off.items()):
        off, known = np.median(np.abs(np.array(own)), axis=0)
        line(f"  {story}: money off, median (days known: {known:.3f})", f"{off:>9.4f}")
    for world in WORLDS:
        told = forecasts(seeds, world)
        row(
            f"periods outside p10 to p90 (of 0.2), {world}",
            float(np.mean([not one.inside for one in told])),
            None,
        )
        line("  error, median", f"{float(np.median([abs(one.error) for one in told])):>9.4f}")
        line("  half the range, median", f"{float(np.median([one.width for one in told])):>9.4f}")
    for low, high in ((2, 5), (5, 10), (10, 20), (20, 1e6), (1e6, np.inf)):
        own = [one for one in found.money if low <= one[0] <= high]
        share = np.mean([abs(off) <= WITHIN for _, off, _ in own])
        can = within(error for _, _, error in own)
        line(
            f"  {low:g} to {high:g} sigma: {len(own)} causes within 5 % (can be: {can:.3f})", f"{share:>9.4f}"
        )
    watched = alarms(range(SEED, SEED + max(1, WORKS // 2)))
    row("limits crossed in a plant-month", watched.crossings / watched.months, 1.0)
    for size, delays in sorted(watched.delays.items()):
        seen = sorted(delay for delay in delays if delay is not None)
        line(f"shift of {size} sigma seen in {SINCE} observations", f"{len(seen) / len(delays):>9.4f}")
        line("  observations until then, median", f"{seen[len(seen) // 2]:>9}")
    shares = [asked(seed).explained for seed in seeds]
    row("floors with less than 0.8 explained", float(np.mean([share < 0.8 for share in shares])), None)
    line("  explained, mean", f"{float(np.mean(shares)):>9.4f}")
    for world in CAUSES_OF:
        right = float(np.mean([asked(seed, world).precision for seed in seeds]))
        line(f"  of it by the true cause, {world}", f"{right:>9.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
