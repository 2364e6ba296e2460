"""How often verdicts, alarms and ranges are wrong, on drawn series; and how long they take.

`SERIES`, `SEED` and `MILLS` of the environment say how many series, from which seed, and how many mills."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import numpy as np

from cloud_api.interpret.drift import Stake
from cloud_api.interpret.drift_watch import Stream, limits, watch
from cloud_api.interpret.forecast import outlook, range_of
from cloud_api.interpret.persistence import persistence
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.simulation.drawn import judged
from tests.simulation.mill import ENDS, SITE, Injected, Mill

SERIES = int(os.environ.get("SERIES", "1000"))
SEED = int(os.environ.get("SEED", "0"))
MILLS = int(os.environ.get("MILLS", "3"))
DAY_US = 86_400_000_000


def main() -> int:
    errors = judged(range(SEED, SEED + SERIES))
    row("false structural, none or a pulse", errors.false / errors.without, 0.02)
    steps = judged(range(SEED, SEED + SERIES), steps=True)
    row("the same, where pulses are steps of 2 to 8 days", steps.false / steps.without, 0.02)
    row("missed shifts of 2 sigma or more", errors.missed / errors.shifts, 0.05)
    row("found, but dated more than 2 days off", 1 - errors.dated / (errors.shifts - errors.missed), None)
    row("false alarms in a plant-month", false_alarms(10), 1.0)
    row("periods outside p10 to p90 (of 0.2)", outside(400), None)
    for count in (60, 182, 250):
        line(f"verdict on {count} days, others of the same days known", f"{took(count) * 1000:>9.1f} ms")
    mills()
    return 0


def row(name: str, rate: float, bar: float | None) -> None:
    line(name, f"{rate:>9.4f}" + ("" if bar is None else f"  bar {bar}  {rate / bar:>6.2f} x"))


def line(name: str, text: str) -> None:
    sys.stdout.write(f"{name:<56}{text}\n")
    sys.stdout.flush()


def false_alarms(months: int) -> float:
    """Of 60 streams of two observations a day, half with correlation 0.3, t noise; material or not."""
    stake = Stake(per_unit_day=Decimal(1), period_end_us=30 * DAY_US, standard_cost=Decimal(0),
                  amount=Decimal(0), share=Decimal(0))  # fmt: skip
    alarms = 0
    for month in range(months):
        streams = [_stream(SEED + 1000 * month + number, 0.3 * (number % 2)) for number in range(60)]
        for one, limit in zip(streams, limits(streams, 30.0), strict=True):
            alarms += len(watch(one, stake, limit).assessment.history)
    return alarms / months


def _stream(seed: int, memory: float) -> Stream:
    noise = np.random.default_rng(seed).standard_t(5, size=80) / np.sqrt(5 / 3) * np.sqrt(1 - memory**2)
    for at in range(1, 80):
        noise[at] += memory * noise[at - 1]
    times = tuple(at * DAY_US // 2 for at in range(60))
    return Stream(times_us=times, values=tuple((100 + 2 * noise[20:]).tolist()), assumed=(100.0,) * 60)


def outside(runs: int) -> float:
    """Of drawn plants, 40 days known and 20 to come, correlation 0.2."""
    out = 0
    for seed in range(SEED, SEED + runs):
        draw = np.random.default_rng(seed).normal(0, 10, size=60)
        for at in range(1, 60):
            draw[at] += 0.2 * draw[at - 1]
        known = draw[:40]
        found = outlook(known, np.ones(40), np.ones(20), [""] * 60, [])
        reach = range_of(found.expected, [found.deviation])
        out += not reach.p10 <= draw[40:].sum() <= reach.p90
    return out / runs


def took(count: int) -> float:
    """Seconds of one verdict once another series of the same days was judged."""
    chance = np.random.default_rng(count)
    weekdays = [str(at % 5) for at in range(count)]
    series = [(chance.normal(size=count) + 2 * (np.arange(count) > count // 2)).tolist() for _ in range(6)]
    persistence(series[0], weekdays)
    began = time.perf_counter()
    for values in series[1:]:
        persistence(values, weekdays)
    return (time.perf_counter() - began) / 5


def mills() -> None:
    """Mills with eight causes each, through REST."""
    right = found = 0
    off: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder))
        try:
            for seed in range(SEED, SEED + MILLS):
                for url in servers.new_database("plain", servers.template):
                    plant, history, injected = Mill(seed).write(Path(folder) / str(seed))
                    told(url, SITE, plant, [history])
                    with served(url, now=ENDS) as address, client(address) as http:
                        rows = http.get("/v1/verdicts").json()["rows"]
                    by = {(one["machine"], one["cause"]): one for one in rows}
                    for one in injected:
                        right += by[one.machine, one.cause]["verdict"] == one.verdict
                        found += 1
                        off.append(_off(one, by[one.machine, one.cause]))
        finally:
            servers.stop()
    row("wrong verdicts on causes put into mills", 1 - right / found, None)
    row("money off by, median of causes", float(np.median(off)), 0.05)
    row("money off by, worst cause", max(off), 0.05)


def _off(one: Injected, told_: dict[str, object]) -> float:
    return abs(float(str(told_["projected"] or 0)) / one.amount - 1)


if __name__ == "__main__":
    sys.exit(main())
