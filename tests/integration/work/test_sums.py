"""Sums by production day: the database keeps them equal to the rows, whatever comes and goes."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from cloud_api.store.migrations import migrate
from tests.integration.work.small_plant import HISTORY, interpret, load, plant, send

LATE = """\
2026-03-02T08:10:00Z,m1,good_count,9000
2026-03-02T08:20:00Z,m1,state,down
"""
ENTRIES = "site, machine_id, production_day, product, order_id, shift, reason, resource, cause, unit"
DAYS = "site, machine_id, production_day, product, order_id, resource, cause, unit"
OUTPUTS = "site, machine_id, production_day, effective, product, order_id, made_product, made_order, shift"
BUSY = "state in ('running', 'changeover')"
TIMES = (
    "state = 'running'",
    f"state <> 'unknown' and (calendar = 'scheduled' or {BUSY})",
    "state in ('waiting', 'idle') and calendar = 'scheduled'",
)
PAIRS = {
    f"select {ENTRIES}, amount, quantity, size, entries from entry_parts where entries <> 0": (
        f"select {ENTRIES}, sum(amount), coalesce(sum(quantity), 0), sum(abs(amount)), count(*) "
        f"from entries group by {ENTRIES}"
    ),
    f"select {DAYS}, amount, quantity, entries from entry_days where entries <> 0": (
        f"select {DAYS}, sum(amount), coalesce(sum(quantity), 0), count(*) from entries group by {DAYS}"
    ),
    f"select {OUTPUTS}, good, scrap, rework, run_us, present_us, slack_us, crew_us, outputs from output_days "
    "where outputs <> 0": (
        f"select {OUTPUTS}, sum(good), sum(scrap), sum(rework), "
        + "".join(f"sum(case when {when} then duration_us else 0 end)::bigint, " for when in TIMES)
        + f"sum(case when calendar = 'scheduled' or paid or {BUSY} then crew * duration_us else 0 end), "
        f"count(*) from outputs group by {OUTPUTS}"
    ),
}


def assert_sums_equal_rows(url: str) -> None:
    with psycopg.connect(url) as connection:
        for sums, rows in PAIRS.items():
            kept = sorted(map(str, connection.execute(sums.encode()).fetchall()))
            assert kept == sorted(map(str, connection.execute(rows.encode()).fetchall()))
            assert kept


def test_sums_follow_the_rows_that_come_and_go(plain_database: str, tmp_path: Path) -> None:
    load(plain_database, plant(tmp_path))
    send(plain_database, tmp_path, HISTORY)
    interpret(plain_database)
    assert_sums_equal_rows(plain_database)
    send(plain_database, tmp_path, LATE)
    interpret(plain_database)
    assert_sums_equal_rows(plain_database)


@pytest.mark.parametrize("before", [18, 22])
def test_rows_from_before_the_sums_are_in_them(empty_database: str, before: int) -> None:
    migrate(empty_database, through=before)
    with psycopg.connect(empty_database) as connection:
        for command in BEFORE:
            connection.execute(command.encode())
    migrate(empty_database)
    assert_sums_equal_rows(empty_database)


BEFORE = (
    "insert into sites (site) values ('old')",
    "insert into machines (site, machine) values ('old', 'm')",
    "insert into entries select 'old', machine_id, hour, '2026-03-02', 'P', 'O', 'A', null, null, 'machine', "
    "cause, null, amount, 0.5, 'h', 90, 1, 1, false from machines, "
    "(values ('2026-03-02T08:00Z'::timestamptz, 'production', 10.5), ('2026-03-02T09:00Z', 'production', 2), "
    "('2026-03-02T09:00Z', 'speed_loss', -1)) as e (hour, cause, amount)",
    "insert into outputs select 'old', machine_id, hour, '2026-03-02', '2026-03-02', state, 'P', 'O', 'P', "
    "'O', null, 'A', 'scheduled', false, false, 2, 1800000000, 0, 0, 10, 1, 0, 0, false, '[]', '[]', false, "
    "1, 1 from machines, (values ('2026-03-02T08:00Z'::timestamptz, 'running'), "
    "('2026-03-02T09:00Z', 'running'), ('2026-03-02T09:00Z', 'waiting')) as o (hour, state)",
)
