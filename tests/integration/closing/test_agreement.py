"""A random plant whose month is closed before a part of its rows has come: what was frozen stays, and where
things belong every cell is that of the reference, which was fed all rows at once."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cloud_api.access import keys
from cloud_api.ingest.backfill import backfill
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from cloud_api.work.recompute_command import run
from cloud_api.work.worker import Worker
from tests.integration.api.serving import client, served
from tests.reference import agreement, compute
from tests.reference.clock import SiteClock
from tests.reference.plants import MadePlant, make_plant
from tests.reference.workshop import write_csv

NOW = datetime(2026, 6, 10, tzinfo=UTC)
BY = ("machine", "product", "shift", "resource", "cause", "day")
LATE = 0.12


class Event(agreement.Api):
    """Asks on basis event."""

    def body(self, path: str, **query: str) -> dict[str, Any]:
        return super().body(path, basis="event", **query)


def halves(made: MadePlant, folder: Path) -> tuple[Path, Path]:
    """All rows but some of March, and those."""
    clock, draw = SiteClock("Europe/Berlin"), random.Random(made.seed)
    end = clock.instant("2026-04-01T06:00:00")
    parts: tuple[list[list[str]], list[list[str]]] = ([], [])
    for history in made.histories:
        with history.open(encoding="utf-8", newline="") as file:
            for row in list(csv.reader(file))[1:]:
                parts[clock.instant(row[0]) < end and draw.random() < LATE].append(row)
    for name, rows in zip(("first", "late"), parts, strict=True):
        write_csv(folder / f"{name}.csv", ("time", "machine", "role", "value", "quality"), rows)
    return folder / "first.csv", folder / "late.csv"


def bring(url: str, site: str, history: Path) -> None:
    backfill(url, site, [history])
    with connect(url, autocommit=True) as connection:
        Worker(url, now=lambda: NOW).drain(connection)


@pytest.mark.parametrize("seed", [3])
def test_late_rows_of_a_closed_month(plain_database: str, tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path, days=5)
    first, late = halves(made, tmp_path)
    with connect(plain_database) as connection:
        load_directory(connection, made.directory)
    bring(plain_database, made.site, first)
    with psycopg.connect(plain_database) as connection:
        key = keys.create(connection, "finance")
    asked = {"period": "2026-03", "by": "machine"}
    paths = ("/v1/costs", "/v1/variances", "/v1/kpis")
    with served(plain_database, now=NOW) as address, client(address, key) as http:
        assert http.post("/v1/periods/2026-03/close", json={}).json()["status"] == "closed"
        frozen = [http.get(path, params=asked).json()["rows"] for path in paths]
        bring(plain_database, made.site, late)
        assert [http.get(path, params=asked).json()["rows"] for path in paths] == frozen
        result = compute(made.directory, made.histories, *made.window)
        api = Event(http, result, made.site)
        assert agreement.costs(api, BY) + agreement.variances(api, BY) + agreement.output(api) == []
    lines: list[str] = []
    assert run(plain_database, prove_=True, say=lines.append, complain=lines.append) == 0, lines
    assert any("equal the replay" in line for line in lines)
