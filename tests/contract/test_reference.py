"""The stored ledger against the independent reference: every entry of random plants, hour by hour."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import psycopg
import pytest

from cloud_api.ingest.backfill import backfill
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from cloud_api.work import turn
from cloud_api.work.recompute_command import run as recompute
from cloud_api.work.worker import Worker
from tests.reference import Result, compute
from tests.reference.plants import MadePlant, make_plant

GRAIN = ("hour", "machine", "product", "order", "shift", "reason", "resource", "cause")
PRECISION = Fraction(1, 10**9)
"""Entries keep 12 decimals; an hour's cell is the sum of a few."""
Key = tuple[str | None, ...]


def told(url: str, made: MadePlant) -> None:
    """Load, backfill, interpret."""
    with connect(url) as connection:
        load_directory(connection, made.directory)
    backfill(url, made.site, list(made.histories))
    interpreted(url)


def interpreted(url: str) -> None:
    with connect(url, autocommit=True) as connection:
        Worker(url).drain(connection)


def stored(url: str) -> dict[Key, Fraction]:
    query = (
        "select to_char(hour at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS+00:00'), machine, product, "
        "order_id, shift, reason, resource, cause, amount from entries left join machines using (machine_id)"
    )
    with psycopg.connect(url) as connection:
        rows = connection.execute(query.encode()).fetchall()
    return summed((tuple(row[:-1]), Fraction(Decimal(row[-1]))) for row in rows)


def summed(cells: Iterable[tuple[Key, Fraction]]) -> dict[Key, Fraction]:
    """Cells by key, with the reason of stops alone: what a reason says beside a stop is nobody's cause."""
    sums: dict[Key, Fraction] = {}
    for key, amount in cells:
        stop = key[-1] == "downtime"
        cell = key if stop else (*key[:5], None, *key[6:])
        sums[cell] = sums.get(cell, Fraction(0)) + amount
    return sums


def differing(result: Result, found: dict[Key, Fraction]) -> list[str]:
    expected = summed(result.costs(GRAIN).items())
    lines = []
    for key in sorted({*expected, *found}, key=str):
        ours, theirs = expected.get(key, Fraction(0)), found.get(key, Fraction(0))
        if abs(ours - theirs) > PRECISION:
            lines.append(f"{key}: reference {float(ours):.9f}, stored {float(theirs):.9f}")
    return lines


@pytest.mark.parametrize("seed", range(6))
def test_every_stored_entry_is_what_the_reference_computes(
    plain_database: str, tmp_path: Path, seed: int
) -> None:
    made = make_plant(seed, tmp_path)
    told(plain_database, made)
    result = compute(made.directory, made.histories, *made.window)
    assert differing(result, stored(plain_database)) == []
    printed: list[str] = []
    assert recompute(plain_database, prove_=True, say=printed.append, complain=printed.append) == 0, printed


@pytest.mark.parametrize("seed", [3, 8])
def test_halves_in_reversed_order_with_duplicates_give_the_same(
    database: str, tmp_path: Path, seed: int
) -> None:
    made = make_plant(seed, tmp_path)
    with connect(database) as connection:
        load_directory(connection, made.directory)
    rows: list[str] = []
    for file in made.histories:
        header, *lines = file.read_text(encoding="utf-8").splitlines()
        rows += lines
    rows.sort()
    half = len(rows) // 2
    for number, part in enumerate((rows[half:] + rows[half::20], rows[:half], rows[::20])):
        path = tmp_path / f"part-{number}.csv"
        path.write_text("\n".join([header, *part]) + "\n", encoding="utf-8")
        backfill(database, made.site, [path])
        interpreted(database)
    result = compute(made.directory, made.histories, *made.window)
    assert differing(result, stored(database)) == []


@pytest.mark.parametrize("seed", [2, 9])
def test_the_smallest_pieces_of_work_give_the_same(
    plain_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(turn, "MOST_SAMPLES", 3)
    monkeypatch.setattr(turn, "SPARE_HOURS", 1)
    made = make_plant(seed, tmp_path, days=2)
    told(plain_database, made)
    result = compute(made.directory, made.histories, *made.window)
    assert differing(result, stored(plain_database)) == []
    printed: list[str] = []
    assert recompute(plain_database, prove_=True, say=printed.append, complain=printed.append) == 0, printed


@pytest.mark.parametrize("seed", [4, 10])
def test_the_same_samples_sent_live_give_the_same(plain_database: str, tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path)
    told(plain_database, made)
    from_files = stored(plain_database)
    with psycopg.connect(plain_database) as connection:
        for statement in AS_IF_LIVE:
            connection.execute(statement.encode())
    assert stored(plain_database).keys() <= {key for key in from_files if key[-2] == "other"}
    interpreted(plain_database)
    assert stored(plain_database) == from_files
    result = compute(made.directory, made.histories, *made.window)
    assert differing(result, stored(plain_database)) == []


AS_IF_LIVE = (
    "insert into agents (site, agent) select site, 'gw-1' from sites",
    "insert into sources (agent_id, source) select agent_id, machine from agents, machines",
    "update series s set source_id = o.source_id from sources o, machines m "
    "where m.machine_id = s.machine_id and o.source = m.machine",
    "update samples set origin = 0",
    "insert into coverage (source_id, hour, spans) "
    "select o.source_id, h, tstzmultirange(tstzrange(greatest(h, p.first_sample), "
    "least(h + interval '1 hour', p.last_sample), '[]')) "
    "from machine_spans p join machines m using (machine_id) join sources o on o.source = m.machine, "
    "generate_series(date_trunc('hour', p.first_sample), p.last_sample, '1 hour') h",
    "update machine_spans set last_mark = last_sample",
    "delete from segments",
    "delete from outputs",
    "delete from entries where resource <> 'other'",
    "delete from carry",
    "insert into marks (machine_id, hour) select machine_id, h from machine_spans, "
    "generate_series(date_trunc('hour', first_sample), last_sample, '1 hour') h",
)
"""Turns rows of files into rows of agents that scanned well all the time, with all still to compute."""
