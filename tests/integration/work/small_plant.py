"""A plant small enough to be computed by hand, and its day."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import psycopg

from cloud_api.ingest.backfill import backfill
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from cloud_api.work.worker import Worker

SITE = """\
site: tiny
time_zone: UTC
currency: EUR
calendar:
  shifts: [{name: D, days: [mon, tue, wed, thu, fri, sat, sun], start: "08:00", end: "16:00"}]
labour: [{from: 2026-01-01, standard: 30, actual: 30, overtime_multiplier: 1.5}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
lines:
  - id: one
    machines: [{id: m1, cost_centre: C1, rate: [{from: 2026-01-01, standard: 100, actual: 100}]}]
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,m1,2026-01-01,36,2,0,0,0,,1,0.1
"""
HISTORY = """\
2026-03-02T08:00:00Z,m1,state,running
2026-03-02T08:00:00Z,m1,product,P
2026-03-02T08:00:00Z,m1,good_count,1000
2026-03-02T08:00:00Z,m1,energy,500
2026-03-02T08:30:00Z,m1,good_count,1090
2026-03-02T08:30:00Z,m1,energy,510
2026-03-02T09:00:00Z,m1,state,down
2026-03-02T09:10:00Z,m1,reason,jam
2026-03-02T09:30:00Z,m1,state,running
2026-03-02T09:30:00Z,m1,reason,
2026-03-02T09:45:00Z,m1,good_count,1150
2026-03-02T10:00:00Z,m1,state,idle
2026-03-02T12:00:00Z,m1,state,idle
"""
HEADER = "time,machine,role,value\n"

# By hand: hours x 100 for the machine, hours x 2 people x 30 for labour, kWh x 0.2 for energy.
# 90 units in the first hour of running are 0.9 h, 60 in the half hour of running are 0.6 h; 150 units may
# take 15 kWh and took 10.
EXPECTED = {
    ("machine", "production"): Decimal(150),
    ("machine", "speed_loss"): Decimal(0),
    ("machine", "downtime"): Decimal(50),
    ("machine", "idle"): Decimal(200),
    ("labour", "production"): Decimal(90),
    ("labour", "speed_loss"): Decimal(0),
    ("labour", "downtime"): Decimal(30),
    ("labour", "idle"): Decimal(120),
    ("energy", "production"): Decimal(3),
    ("energy", "usage"): Decimal(-1),
}


def plant(folder: Path) -> Path:
    directory = folder / "tiny"
    directory.mkdir()
    (directory / "site.yaml").write_text(SITE, encoding="utf-8")
    (directory / "standards.csv").write_text(STANDARDS, encoding="utf-8")
    return directory


def load(url: str, directory: Path) -> None:
    with connect(url) as connection:
        load_directory(connection, directory)


def send(url: str, folder: Path, text: str) -> None:
    path = folder / "history.csv"
    path.write_text(HEADER + text, encoding="utf-8")
    backfill(url, "tiny", [path])


def interpret(url: str) -> None:
    with connect(url, autocommit=True) as connection:
        Worker(url).drain(connection)


def totals(url: str) -> dict[tuple[str, str], Decimal]:
    query = "select resource, cause, sum(amount) from entries group by 1, 2"
    with psycopg.connect(url) as connection:
        return {(resource, cause): amount for resource, cause, amount in connection.execute(query.encode())}


def ledger(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Everything the interpretation wrote, without the order in which it did."""
    tables = ("segments", "entries", "outputs", "hour_facts", "carry")
    with psycopg.connect(url) as connection:
        return {
            table: sorted(connection.execute(f"select * from {table}".encode()).fetchall(), key=repr)
            for table in tables
        }


def pending(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("select count(*) from marks").fetchone()
        return int(found[0]) if found else 0
