"""A small shop with everything that an answer can be asked for: two machines in a row, two products, a
changeover, a stop with a reason, scrap, overtime, a charge and a meter."""

from __future__ import annotations

import csv
from pathlib import Path

SITE = """\
site: tiny
time_zone: Europe/Berlin
currency: EUR
calendar:
  day_start: "06:00"
  shifts:
    - {name: early, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}
    - {name: late, days: [mon, tue, wed, thu, fri], start: "14:00", end: "18:00", overtime: true}
labour: [{from: 2026-01-01, standard: 30, actual: 31, overtime_multiplier: 1.5}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.25}]
lines:
  - id: one
    machines:
      - {id: cut, cost_centre: C1, rate: [{from: 2026-01-01, standard: 100, actual: 103}]}
      - {id: pack, cost_centre: C2, rate: [{from: 2026-01-01, standard: 60, actual: 60}]}
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,cut,2026-01-01,36,2,0.02,0,20,400,0.95,0.1
P,pack,2026-01-01,30,1,0,0,10,400,0.98,0.05
=Q,cut,2026-01-01,40,2,0.02,0,20,200,0.95,0.1
=Q,pack,2026-01-01,30,1,0,0,10,200,0.98,0.05
"""
CHARGES = """\
time,machine,product,order,cause,amount,text
2026-03-02T10:15:00+01:00,cut,P,A1,expedite,250.50,courier
2026-03-03T10:00:00+01:00,,,,unexplained,40,unknown bill
"""
MACHINES = ("cut", "pack")
DAYS = (2, 3, 4)


def write_plant(folder: Path) -> Path:
    """The plant model, as a directory to load."""
    directory = folder / "tiny"
    directory.mkdir()
    for name, text in (("site.yaml", SITE), ("standards.csv", STANDARDS), ("charges.csv", CHARGES)):
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def write_history(folder: Path) -> Path:
    """Three days of both machines."""
    path = folder / "history.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("time", "machine", "role", "value"))
        for machine in MACHINES:
            table.writerows(_machine(machine))
    return path


def _machine(machine: str) -> list[tuple[str, str, str, str]]:
    rows: list[tuple[str, str, str, str]] = []
    good, scrap, kwh = 1000, 50, 700

    def say(day: int, clock: str, **roles: str) -> None:
        rows.extend(
            (f"2026-03-{day:02}T{clock}+01:00", machine, role, value) for role, value in roles.items()
        )

    for day in DAYS:
        say(day, "06:00:00", state="running", product="P", order="A1", crew="2")
        for hour in range(6, 15):
            good, scrap, kwh = good + 80, scrap + 2, kwh + 10
            counts = {"good_count": str(good), "scrap_count": str(scrap), "energy": str(kwh)}
            say(day, f"{hour:02}:30:00", **counts)
        say(day, "09:00:00", state="down")
        say(day, "09:05:00", reason="jam")
        say(day, "09:40:00", state="running", reason="")
        say(day, "12:00:00", state="changeover")
        say(day, "12:25:00", state="running", product="=Q", order="B2")
        say(day, "15:00:00", state="idle")
    say(DAYS[-1], "18:00:00", state="idle")
    return sorted(rows)
