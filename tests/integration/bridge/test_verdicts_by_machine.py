"""A bar that is told by machine has the verdict of its machine: what one did for good, another did once."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.api.serving import client, served, told

SITE = """\
site: pair
time_zone: UTC
currency: EUR
calendar:
  shifts: [{name: D, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}]
labour: [{from: 2026-01-01, standard: 30, actual: 30}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
materiality: {amount: 50, share: 0.01}
lines:
  - {id: left, machines: [{id: worn, rate: [{from: 2026-01-01, standard: 70, actual: 70}]}]}
  - {id: right, machines: [{id: sound, rate: [{from: 2026-01-01, standard: 70, actual: 70}]}]}
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,worn,2026-01-01,60,1,0,0,0,,0.95,0
P,sound,2026-01-01,60,1,0,0,0,,0.95,0
"""
DAYS, WORN_FROM, BROKEN = 25, 12, 17
WORN_MIN, LOST_MIN = 60, 240
HOUR = 100
"""Of the machine and its one worker."""
MONDAY = datetime(2026, 3, 2, 6, tzinfo=UTC)


def day_of(number: int) -> datetime:
    """The start of a working day."""
    return MONDAY + timedelta(days=number + 2 * (number // 5))


def write(folder: Path) -> tuple[Path, Path]:
    """Plant and history: `worn` stands an hour more a day from one day on, `sound` four hours on one day."""
    plant = folder / "pair"
    plant.mkdir()
    (plant / "site.yaml").write_text(SITE, encoding="utf-8")
    (plant / "standards.csv").write_text(STANDARDS, encoding="utf-8")
    draw = random.Random(9)
    rows: list[tuple[str, ...]] = [("time", "machine", "role", "value")]
    for machine in ("worn", "sound"):
        good = 0
        for number in range(DAYS):
            more = WORN_MIN if number >= WORN_FROM else 0
            if machine == "sound":
                more = LOST_MIN if number == BROKEN else 0
            down = 20 + draw.randint(-6, 6) + more
            made = good + 480 - down
            for minute, role, value in (
                (0, "product", "P"),
                (0, "state", "running"),
                (0, "good_count", good),
                (60, "state", "down"),
                (60 + down, "state", "running"),
                (479, "good_count", made),
                (480, "state", "idle"),
            ):
                rows.append(
                    ((day_of(number) + timedelta(minutes=minute)).isoformat(), machine, role, str(value))
                )
            good = made
    history = folder / "history.csv"
    with history.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return plant, history


def test_bars_by_machine_have_the_verdicts_of_their_machines(plain_database: str, tmp_path: Path) -> None:
    plant, history = write(tmp_path)
    told(plain_database, "pair", plant, [history])
    window = {"from": "2026-03-16", "to": "2026-04-04"}
    with served(plain_database) as address, client(address) as http:
        bridge = http.get("/v1/bridge", params={**window, "base": "standard", "by": "machine"}).json()
        asked = {**window, "by": "machine", "cause": "downtime"}
        rows = http.get("/v1/verdicts", params=asked).json()["rows"]
    verdicts = {row["machine"]: (row["verdict"], row["since"]) for row in rows}
    bars = {
        bar["machine"]: (bar["persistence"]["verdict"], bar["persistence"]["since"])
        for bar in bridge["bars"]
        if bar["factor"] == "downtime"
    }
    assert bars == verdicts
    assert bars["worn"] == ("structural", f"{day_of(WORN_FROM):%Y-%m-%d}")
    assert bars["sound"] == ("isolated", f"{day_of(BROKEN):%Y-%m-%d}")
    assert f"the verdict on downtime (worn) is structural since {bars['worn'][1]}" in bridge["statement"]
    so_far = {row["machine"]: row["so_far"] for row in rows}
    stood_h = {"worn": (DAYS - WORN_FROM) * WORN_MIN / 60, "sound": LOST_MIN / 60}
    for machine, hours in stood_h.items():
        assert so_far[machine] == pytest.approx(hours * HOUR, rel=0.1)
