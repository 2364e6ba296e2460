"""A mill small enough to be computed by hand: two machines in a row, two products, three orders, one morning.

Both machines run order O1 of A from 06:00 to 10:31 at 15 units in ten minutes (23 times, 345 units), change
over to O2 of B for 20 minutes, and run at 12 units in ten minutes to 14:00 (18 times, 216 units). Cut is down
from 08:00 to 08:30, in which pack waits and nothing is counted. O3 is planned for the next day.
Cut is overridden to 110 % from 09:00 to 10:00; pack raises an alarm at 07:00 and at 12:00.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

SITE = """\
site: mill
time_zone: UTC
currency: EUR
calendar:
  shifts: [{name: D, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}]
labour: [{from: 2026-01-01, standard: 30, actual: 30, overtime_multiplier: 1.5}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
lines:
  - id: one
    machines:
      - {id: cut, cost_centre: C1, rate: [{from: 2026-01-01, standard: 90, actual: 90}]}
      - {id: pack, cost_centre: C2, rate: [{from: 2026-01-01, standard: 60, actual: 60}]}
"""
TABLES = {
    "standards.csv": """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
A,cut,2026-01-01,36,2,0,0,0,,1,0
A,pack,2026-01-01,30,1,0,0,0,,1,0
B,cut,2026-01-01,45,2,0,0,0,,1,0
B,pack,2026-01-01,30,1,0,0,0,,1,0
""",
    "products.csv": "product,from,sales_price\nA,2026-01-01,4\nB,2026-01-01,3\n",
    "orders.csv": """\
order,product,machine,planned_start,planned_end,quantity
O1,A,pack,2026-03-02T06:00:00Z,2026-03-02T10:00:00Z,300
O2,B,pack,2026-03-02T10:00:00Z,2026-03-02T14:00:00Z,324
O3,A,cut,2026-03-03T08:00:00Z,2026-03-03T10:00:00Z,200
""",
}
DAY = datetime(2026, 3, 2, tzinfo=UTC)
HISTORY = ("time", "machine", "role", "value")
Row = tuple[str, str, str, str]


def write_plant(folder: Path) -> Path:
    """The plant model, as a directory to load."""
    directory = folder / "mill"
    directory.mkdir()
    for name, text in {"site.yaml": SITE, **TABLES}.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def write_history(folder: Path) -> Path:
    """The morning of both machines."""
    path = folder / "history.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(HISTORY)
        table.writerows(row for machine in ("cut", "pack") for row in _morning(machine))
    return path


def _morning(machine: str) -> list[Row]:
    rows: list[Row] = []

    def say(clock: str, **roles: str) -> None:
        hours, minutes = clock.split(":")
        at = DAY + timedelta(hours=int(hours), minutes=int(minutes))
        rows.extend((at.isoformat(), machine, role, value) for role, value in roles.items())

    say("6:00", state="running", product="A", order="O1", good_count="0")
    good = 0
    for minute in (*range(370, 480, 10), *range(520, 631, 10)):
        good += 15
        say(f"{minute // 60}:{minute % 60}", good_count=str(good))
    say("8:00", state="down" if machine == "cut" else "waiting", reason="jam" if machine == "cut" else "")
    say("8:30", state="running", reason="")
    say("10:31", state="changeover", product="B", order="O2")
    say("10:51", state="running")
    for minute in range(660, 840, 10):
        good += 12
        say(f"{minute // 60}:{minute % 60}", good_count=str(good))
    say("14:00", state="idle", product="", order="")
    if machine == "cut":
        say("6:00", speed_override="100")
        say("9:00", speed_override="110")
        say("10:00", speed_override="100")
    else:
        for clock, alarm in (("7:00", "1"), ("7:05", "0"), ("12:00", "1"), ("12:01", "1"), ("12:02", "0")):
            say(clock, alarm=alarm)
    return sorted(rows)
