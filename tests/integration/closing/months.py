"""A machine with two months of a few days each, small enough to know what each thing changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg

from cloud_api.access import keys
from cloud_api.ingest.backfill import backfill
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from cloud_api.work.worker import Worker
from tests.integration.api.serving import client, served

SITE = """\
site: tiny
time_zone: Europe/Berlin
currency: EUR
calendar:
  day_start: "06:00"
  shifts: [{name: D, days: [mon, tue, wed, thu, fri, sat, sun], start: "06:00", end: "14:00"}]
labour: [{from: 2026-01-01, standard: 30, actual: 31, overtime_multiplier: 1.5}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
lines:
  - id: one
    machines: [{id: m1, cost_centre: C1, rate: [{from: 2026-01-01, standard: 100, actual: 100}]}]
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,m1,2026-01-01,36,2,0.02,0,20,400,0.95,0.1
"""
DAYS = ("2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02")
LATE = "2026-01-31"
NOW = datetime(2026, 3, 10, tzinfo=UTC)
HEADER = "time,machine,role,value\n"


def write_plant(folder: Path, **files: str) -> Path:
    """The plant model; other files, or other texts of them, by name without the ending."""
    directory = folder / "tiny"
    directory.mkdir(exist_ok=True)
    texts = {"site.yaml": SITE, "standards.csv": STANDARDS}
    texts |= {f"{name}.{'yaml' if name == 'site' else 'csv'}": text for name, text in files.items()}
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def day(date: str, good: int, base: int) -> str:
    """A day that runs from 6 to 10, is down to 11, and idle; so many good units an hour while running, on top
    of what the counter showed before."""
    rows = [(6, "state", "running"), (6, "product", "P"), (6, "order", "A1"), (6, "good_count", str(base))]
    rows += [(hour, "good_count", str(base + good * (hour - 6))) for hour in range(7, 11)]
    rows += [(10, "state", "down"), (11, "state", "idle"), (14, "state", "idle")]
    return "".join(f"{date}T{hour:02}:00:00+01:00,m1,{role},{value}\n" for hour, role, value in rows)


def history() -> str:
    """Every day but the late one, whose scrap alone is missing."""
    bases = (1000, 1320, 1644, 1972)
    return "".join(day(date, 80 + at, base) for at, (date, base) in enumerate(zip(DAYS, bases, strict=True)))


def late_scrap() -> str:
    """Scrap of a day, that comes late."""
    return f"{LATE}T06:10:00+01:00,m1,scrap_count,5\n{LATE}T08:30:00+01:00,m1,scrap_count,15\n"


def bring(url: str, folder: Path, text: str, name: str = "history") -> None:
    """Backfills samples and interprets them, at the present of the tests."""
    path = folder / f"{name}.csv"
    path.write_text(HEADER + text, encoding="utf-8")
    backfill(url, "tiny", [path])
    work(url)


def load(url: str, directory: Path, *, correction: bool = False) -> None:
    """Loads the plant model and interprets what it touches."""
    with connect(url) as connection:
        load_directory(connection, directory, correction=correction)
    work(url)


def work(url: str) -> None:
    with connect(url, autocommit=True) as connection:
        Worker(url, now=lambda: NOW).drain(connection)


@contextmanager
def finance(url: str) -> Iterator[httpx.Client]:
    """The API with a key of finance."""
    with psycopg.connect(url) as connection:
        key = keys.create(connection, "finance")
    with served(url, now=NOW) as address, client(address, key) as http:
        yield http


def asked(http: httpx.Client, path: str, **parameters: str) -> Any:
    answer = http.get(f"/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json(parse_float=Decimal, parse_int=Decimal)


def by_cause(http: httpx.Client, period: str, **more: str) -> dict[tuple[str, str], Decimal]:
    rows = asked(http, "costs", period=period, by="resource,cause", **more)["rows"]
    return {(row["resource"], row["cause"]): row["amount"] for row in rows}
