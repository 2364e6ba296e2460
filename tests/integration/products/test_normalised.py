"""What was isolated is not in the normalised cost: one breakdown of four hours in weeks of steady days."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.api.serving import client, served, told

SITE = """\
site: mint
time_zone: UTC
currency: EUR
calendar:
  shifts: [{name: D, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}]
labour: [{from: 2026-01-01, standard: 30, actual: 30}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
lines:
  - id: one
    machines: [{id: m1, rate: [{from: 2026-01-01, standard: 70, actual: 70}]}]
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,m1,2026-01-01,60,1,0,0,0,,0.95,0
"""
DAYS, BROKEN, LOST_MIN = 25, 14, 240
HOUR = 100


def write(folder: Path) -> tuple[Path, Path, int]:
    """Plant, history, and the minutes that the machine stood down in all."""
    plant = folder / "mint"
    plant.mkdir()
    (plant / "site.yaml").write_text(SITE, encoding="utf-8")
    (plant / "standards.csv").write_text(STANDARDS, encoding="utf-8")
    draw = random.Random(4)
    rows: list[tuple[str, ...]] = [("time", "machine", "role", "value")]
    good = stood = 0
    for number in range(DAYS):
        start = datetime(2026, 3, 2, 6, tzinfo=UTC) + timedelta(days=number + 2 * (number // 5))
        down = 20 + draw.randint(-6, 6) + (LOST_MIN if number == BROKEN else 0)
        stood += down

        def say(minute: int, role: str, value: object, start: datetime = start) -> None:
            rows.append(((start + timedelta(minutes=minute)).isoformat(), "m1", role, str(value)))

        say(0, "product", "P")
        say(0, "state", "running")
        say(0, "good_count", good)
        say(60, "state", "down")
        say(60 + down, "state", "running")
        good += 480 - down
        say(479, "good_count", good)
        say(480, "state", "idle")
    history = folder / "history.csv"
    with history.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return plant, history, stood


def test_an_isolated_breakdown_is_set_aside(plain_database: str, tmp_path: Path) -> None:
    plant, history, stood = write(tmp_path)
    told(plain_database, "mint", plant, [history])
    with served(plain_database) as address, client(address) as http:
        window = {"from": "2026-03-02", "to": "2026-04-04"}
        (row,) = http.get("/v1/products", params=window).json(parse_float=Decimal)["rows"]
        before = {"from": "2026-03-02", "to": "2026-03-19"}
        (steady,) = http.get("/v1/products", params=before).json(parse_float=Decimal)["rows"]
    assert float(row["burden"]["downtime"]) == pytest.approx(stood / 60 * HOUR)
    assert list(row["set_aside"]) == ["downtime"]
    assert float(row["set_aside"]["downtime"]) == pytest.approx(LOST_MIN / 60 * HOUR, rel=0.15)
    worth = (row["actual_cost"] - row["set_aside"]["downtime"]) / row["good_units"]
    assert row["normalised_unit_cost"] == worth.quantize(Decimal("0.0001"))
    assert steady["set_aside"] == {}
    assert steady["normalised_unit_cost"] == steady["actual_unit_cost"]
