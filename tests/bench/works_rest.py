"""Money and verdicts of causes put into drawn works, through plant model, backfill and REST.

`WORKS` and `SEED` of the environment say how many, and from which seed."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.verdicts import line
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.simulation.works import Works
from tests.simulation.works_judged import LEAST_SIGMAS, WITHIN
from tests.simulation.works_plan import Plan

WORKS = int(os.environ.get("WORKS", "2"))
SEED = int(os.environ.get("SEED", "0"))


@dataclass(frozen=True, slots=True)
class Judged:
    """A cause: its size in standard deviations of a day, whether its verdict was right, and how far off its
    money was (1: not told)."""

    sigmas: float
    right: bool
    off: float


def main() -> int:
    found: list[Judged] = []
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder))
        try:
            for seed in range(SEED, SEED + WORKS):
                for url in servers.new_database("plain", servers.template):
                    found += judged(url, seed, Path(folder) / str(seed))
        finally:
            servers.stop()
    for low, high in ((2, 5), (5, 10), (10, 1e6), (1e6, np.inf), (2, np.inf)):
        own = [one for one in found if low <= one.sigmas <= high]
        if own:
            right = np.mean([one.right for one in own])
            within = np.mean([one.off <= WITHIN for one in own])
            off = np.median([one.off for one in own])
            name = f"{low:g} to {high:g} sigma: {len(own)} causes, verdict right"
            line(name, f"{right:>9.4f}  money within 5 % {within:.4f}, off in the median {off:.4f}")
    return 0


def judged(url: str, seed: int, folder: Path) -> Iterator[Judged]:
    """The causes of the works of a seed, as REST tells them."""
    plan = Plan.drawn(Works(seed))
    plant, history = plan.write(folder)
    told(url, plan.works.site, plant, [history])
    with served(url, now=plan.works.present) as address, client(address) as http:
        rows = http.get("/v1/verdicts?limit=500").json()["rows"]
    by: dict[tuple[str, str], dict[str, Any]] = {(one["machine"], one["cause"]): one for one in rows}
    for one in plan.injected():
        row, sigmas = by.get((one.machine, one.cause), {}), plan.sigmas(one)
        if sigmas >= LEAST_SIGMAS:
            off = abs(float(row.get("projected") or 0) / one.amount - 1)
            yield Judged(sigmas, row.get("verdict") == one.verdict, off)


if __name__ == "__main__":
    sys.exit(main())
