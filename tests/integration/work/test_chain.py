"""Load, backfill, interpret: the totals of a plant that was computed by hand, in whatever order it came."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import psycopg

from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from tests.integration.work.small_plant import (
    EXPECTED,
    HISTORY,
    STANDARDS,
    interpret,
    ledger,
    load,
    pending,
    plant,
    send,
    totals,
)


def test_the_totals_are_those_computed_by_hand(database: str, tmp_path: Path) -> None:
    load(database, plant(tmp_path))
    send(database, tmp_path, HISTORY)
    interpret(database)
    assert totals(database) == EXPECTED
    assert pending(database) == 0
    with psycopg.connect(database) as connection:
        segments = connection.execute(
            "select starts_at, ends_at, state, product, reason, good from segments order by starts_at"
        ).fetchall()
    day = [
        datetime(2026, 3, 2, *at, tzinfo=UTC) for at in ((8, 0), (9, 0), (9, 30), (10, 0), (11, 0), (12, 0))
    ]
    assert [segment[:2] for segment in segments] == list(pairwise(day))
    assert [segment[2:] for segment in segments] == [
        ("running", "P", None, 90),
        ("down", "P", "jam", 0),
        ("running", "P", None, 60),
        ("idle", None, None, 0),
        ("idle", None, None, 0),
    ]


def test_doing_it_all_again_changes_nothing(plain_database: str, tmp_path: Path) -> None:
    directory = plant(tmp_path)
    load(plain_database, directory)
    send(plain_database, tmp_path, HISTORY)
    interpret(plain_database)
    before = ledger(plain_database)
    load(plain_database, directory)
    send(plain_database, tmp_path, HISTORY)
    assert pending(plain_database) == 0
    interpret(plain_database)
    assert ledger(plain_database) == before


def test_parts_may_come_backwards_and_overlap(plain_database: str, tmp_path: Path) -> None:
    load(plain_database, plant(tmp_path))
    lines = HISTORY.splitlines(keepends=True)
    for part in (lines[7:], lines[3:9], lines[:5], lines[2:4]):
        send(plain_database, tmp_path, "".join(part))
        interpret(plain_database)
    assert totals(plain_database) == EXPECTED
    assert pending(plain_database) == 0


def test_a_corrected_standard_moves_the_figures_and_leaves_no_mark(
    plain_database: str, tmp_path: Path
) -> None:
    directory = plant(tmp_path)
    load(plain_database, directory)
    send(plain_database, tmp_path, HISTORY)
    interpret(plain_database)
    (directory / "standards.csv").write_text(STANDARDS.replace(",36,2", ",18,2"), encoding="utf-8")
    with connect(plain_database) as connection:
        load_directory(connection, directory, correction=True)
    assert pending(plain_database) > 0
    interpret(plain_database)
    assert totals(plain_database)[("machine", "production")] == 75
    assert totals(plain_database)[("machine", "speed_loss")] == 75
    assert sum(totals(plain_database).values()) == sum(EXPECTED.values())
