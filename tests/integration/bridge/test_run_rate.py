"""What a change costs: on short days too, and to the end of the period by how often the product is made."""

from __future__ import annotations

import csv
import random
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from tests.integration.api.serving import client, served, told

SITE = """\
site: shop
time_zone: UTC
currency: EUR
calendar:
  shifts:
    - {name: D, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}
    - {name: S, days: [sat], start: "06:00", end: "08:00"}
labour: [{from: 2026-01-01, standard: 30, actual: 30}, {from: 2026-04-01, standard: 30, actual: 33}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
lines:
  - {id: lathes, machines: [{id: lathe, rate: [{from: 2026-01-01, standard: 70, actual: 70}]}]}
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
often,lathe,2026-01-01,60,1,0.01,0,0,,1,0
seldom,lathe,2026-01-01,60,1,0.01,0,0,,1,0
"""
FIRST, LAST, END_OF_PERIOD = date(2026, 3, 2), date(2026, 4, 23), date(2026, 4, 30)
WORSE_FROM, DEARER_FROM = date(2026, 3, 31), date(2026, 4, 1)
SELDOM = (1, 3)
"""Tuesday and Thursday."""
LEFT_SELDOM = 2
"""Of the days of April after the last one known, those on which `seldom` is usually made."""
SATURDAY, MINUTES = 5, (480, 480, 480, 480, 480, 120)


def write(folder: Path, until: date) -> tuple[Path, Path]:
    """Plant and history: `seldom` is made on two days of a week, and loses more from one day on. On Saturdays
    the shift is too short to be told anything on."""
    plant = folder / "shop"
    plant.mkdir()
    (plant / "site.yaml").write_text(SITE, encoding="utf-8")
    (plant / "standards.csv").write_text(STANDARDS, encoding="utf-8")
    draw = random.Random(4)
    rows: list[tuple[str, ...]] = [("time", "machine", "role", "value")]
    good = scrap = 0
    day = FIRST
    while day <= until:
        if day.weekday() <= SATURDAY:
            minutes = MINUTES[day.weekday()]
            seldom = day.weekday() in SELDOM
            lost = draw.randint(3, 6) + (36 if seldom and day >= WORSE_FROM else 0)
            begin = datetime.combine(day, time(6), UTC)
            first = [("product", "seldom" if seldom else "often"), ("state", "running")]
            first += [("good_count", str(good)), ("scrap_count", str(scrap))]
            good, scrap = good + minutes - lost, scrap + lost
            last = [("good_count", str(good)), ("scrap_count", str(scrap))]
            rows += [(begin.isoformat(), "lathe", *each) for each in first]
            rows += [((begin + timedelta(minutes=minutes - 1)).isoformat(), "lathe", *each) for each in last]
            rows.append(((begin + timedelta(minutes=minutes)).isoformat(), "lathe", "state", "idle"))
        day += timedelta(days=1)
    history = folder / "history.csv"
    with history.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return plant, history


def test_a_product_that_is_made_on_two_days_of_five_is_told_at_that_rate(
    plain_database: str, tmp_path: Path
) -> None:
    plant, history = write(tmp_path, LAST)
    told(plain_database, "shop", plant, [history])
    asked = {"by": "machine,product", "product": "seldom", "cause": "scrap"}
    with served(plain_database) as address, client(address) as http:
        answer = http.get("/v1/verdicts", params=asked).json()
        (row,) = (one for one in answer["rows"] if one["cause"] == "scrap")
        window = {"product": "seldom", "from": f"{WORSE_FROM}", "to": f"{LAST + timedelta(days=1)}"}
        past = http.get("/v1/variances", params={**window, "by": "day"}).json()
    assert (row["verdict"], row["since"]) == ("structural", f"{WORSE_FROM}")
    days = len({each["day"] for each in past["rows"]})
    a_day = row["size"] * float(past["good_units"]) / days
    assert float(row["projected"]) == pytest.approx(a_day * (days + LEFT_SELDOM), rel=0.02)


def test_days_that_are_too_short_to_tell_anything_on_cost_as_well(
    plain_database: str, tmp_path: Path
) -> None:
    plant, history = write(tmp_path, END_OF_PERIOD)
    told(plain_database, "shop", plant, [history])
    with served(plain_database) as address, client(address) as http:
        rows = http.get("/v1/verdicts", params={"cause": "price"}).json()["rows"]
        costs = http.get("/v1/costs", params={"cause": "price"}).json()
    (row,) = (one for one in rows if one["cause"] == "price")
    assert (row["verdict"], row["since"]) == ("structural", f"{DEARER_FROM}")
    assert float(row["projected"]) == pytest.approx(float(costs["total"]), rel=0.005)
