"""Stops that come once in a while are tied to no product, however much more the standard allows another."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.api.serving import client, served, told

SITE = """\
site: rare
time_zone: UTC
currency: EUR
calendar:
  shifts: [{name: D, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}]
labour: [{from: 2026-01-01, standard: 30, actual: 30}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
lines:
  - {id: one, machines: [{id: m1, rate: [{from: 2026-01-01, standard: 70, actual: 70}]}]}
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,m1,2026-01-01,60,1,0,0,0,,0.971,0
Q,m1,2026-01-01,120,1,0,0,0,,0.9702,0
R,m1,2026-01-01,60,1,0,0,0,,0.97,0
"""
DAYS = 25
STOPS = {2: "P", 5: "Q", 9: "R", 13: "Q", 16: "P", 20: "R", 22: "Q"}
"""Of a quarter of an hour: the day and the product that it fell on."""
MINUTES = {"P": (0, 160, 1), "Q": (160, 320, 2), "R": (320, 480, 1)}
"""First minute of the day, end, minutes a unit."""


def write(folder: Path) -> tuple[Path, Path]:
    plant = folder / "rare"
    plant.mkdir()
    (plant / "site.yaml").write_text(SITE, encoding="utf-8")
    (plant / "standards.csv").write_text(STANDARDS, encoding="utf-8")
    rows: list[tuple[str, ...]] = [("time", "machine", "role", "value")]
    good = 0
    for number in range(DAYS):
        start = datetime(2026, 3, 2, 6, tzinfo=UTC) + timedelta(days=number + 2 * (number // 5))

        def say(minute: float, role: str, value: object, start: datetime = start) -> None:
            rows.append(((start + timedelta(minutes=minute)).isoformat(), "m1", role, str(value)))

        for product, (first, end, pace) in MINUTES.items():
            say(first, "product", product)
            say(first, "state", "running")
            say(first, "good_count", good)
            down = 15 if STOPS.get(number) == product else 0
            if down:
                say(first + 60, "state", "down")
                say(first + 60 + down, "state", "running")
            good += (end - first - down) // pace
            say(end - 0.5, "good_count", good)
        say(480, "state", "idle")
    history = folder / "history.csv"
    with history.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return plant, history


def test_days_without_a_stop_are_not_tied_to_a_product(plain_database: str, tmp_path: Path) -> None:
    plant, history = write(tmp_path)
    told(plain_database, "rare", plant, [history])
    with served(plain_database) as address, client(address) as http:
        rows = http.get("/v1/verdicts", params={"cause": "downtime", "to": "2026-04-04"}).json()["rows"]
    assert [row["verdict"] for row in rows] == ["steady"]
