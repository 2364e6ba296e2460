"""A line of two machines over seven weeks, an order a day. From one day on the saw runs slower than its
standard, from another it scraps more; the box runs as it should."""

from __future__ import annotations

import csv
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

SITE = "worn"
FIRST = date(2026, 3, 2)
DAYS = 50
SLOW_FROM, SCRAP_FROM = 20, 24
"""Days, counted from 0."""
ENDS = datetime(2026, 4, 21, 18, tzinfo=UTC)
MODEL = """\
site: worn
time_zone: UTC
currency: EUR
calendar:
  shifts: [{name: D, days: [mon, tue, wed, thu, fri, sat, sun], start: "06:00", end: "14:00"}]
labour: [{from: 2026-01-01, standard: 30, actual: 30}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
materiality: {amount: 50, share: 0.01}
four_eyes: FOUR
lines:
  - id: one
    machines:
      - {id: saw, rate: [{from: 2026-01-01, standard: 90, actual: 90}]}
      - {id: box, rate: [{from: 2026-01-01, standard: 60, actual: 60}]}
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,saw,2026-01-01,36,2,0.02,0,0,,1,0.5
P,box,2026-01-01,30,1,0,0,0,,1,0.1
"""
BILL = "product,machine,material,from,quantity\nP,saw,steel,2026-01-01,2\n"
PRICES = "material,from,standard,actual\nsteel,2026-01-01,1.5,1.5\n"
PRODUCTS = "product,from,sales_price\nP,2026-01-01,9\n"


def write_worn(folder: Path, *, four_eyes: bool = False) -> tuple[Path, Path]:
    """Plant model and history."""
    plant = folder / SITE
    plant.mkdir(parents=True)
    texts = {"site.yaml": MODEL.replace("FOUR", "true" if four_eyes else "false")}
    texts |= {"standards.csv": STANDARDS, "bill.csv": BILL, "prices.csv": PRICES, "products.csv": PRODUCTS}
    for name, text in texts.items():
        (plant / name).write_text(text, encoding="utf-8")
    history = folder / "history.csv"
    with history.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("time", "machine", "role", "value"))
        table.writerows(_rows("saw", SLOW_FROM, SCRAP_FROM))
        table.writerows(_rows("box", DAYS, DAYS))
    return plant, history


def _rows(machine: str, slow_from: int, scrap_from: int) -> list[tuple[str, str, str, str]]:
    chance = random.Random(machine)
    good, scrap = 1000, 100
    rows = []
    for number in range(DAYS):
        at = datetime.combine(FIRST + timedelta(days=number), datetime.min.time(), UTC) + timedelta(hours=6)
        cycle = (36 if machine == "saw" else 30) * chance.gauss(1, 0.01)
        cycle *= 1.12 if number >= slow_from else 1
        share = 0 if machine == "box" else 0.07 if number >= scrap_from else 0.02
        said = {"state": "running", "product": "P", "order": f"{machine}{number}", "crew": "2"}
        if machine == "box":
            said["crew"] = "1"
        rows += [(at.isoformat(), machine, role, value) for role, value in said.items()]
        rows += [(at.isoformat(), machine, "good_count", str(good))] if number == 0 else []
        rows += [(at.isoformat(), machine, "scrap_count", str(scrap))] if number == 0 else []
        for hour in range(1, 8):
            made = round(3600 / cycle)
            bad = sum(chance.random() < share for _ in range(made))
            good, scrap = good + made - bad, scrap + bad
            then = (at + timedelta(hours=hour)).isoformat()
            rows += [(then, machine, "good_count", str(good)), (then, machine, "scrap_count", str(scrap))]
        rows.append(((at + timedelta(hours=7, minutes=1)).isoformat(), machine, "state", "idle"))
    return rows
