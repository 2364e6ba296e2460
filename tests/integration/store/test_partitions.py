"""Week partitions of plain PostgreSQL: made on demand, by several at once, beside readers that stay."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import psycopg

from cloud_api.store.statements import statement

START = datetime(2019, 12, 25, 13, tzinfo=UTC)


def ensure(url: str, times: list[datetime]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement("samples.ensure_partitions"), {"times": times})


def names(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select inhrelid::regclass::text from pg_inherits "
            "where inhparent = 'samples'::regclass order by 1"
        )
        return [name for (name,) in rows.fetchall()]


def test_weeks_begin_on_monday_utc(plain_database: str) -> None:
    sunday = datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)
    ensure(plain_database, [sunday, sunday + timedelta(microseconds=1), sunday])
    assert names(plain_database) == ["samples_20260223", "samples_20260302"]


def test_several_make_the_same_weeks_at_once(plain_database: str) -> None:
    weeks = [START + timedelta(weeks=week) for week in range(12)]
    failures: list[BaseException] = []
    ready = threading.Barrier(4)

    def work() -> None:
        try:
            ready.wait(20)
            for week in weeks:
                ensure(plain_database, [week])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(names(plain_database)) == 12


def test_a_reader_that_stays_holds_nobody_up(plain_database: str) -> None:
    ensure(plain_database, [START])
    with psycopg.connect(plain_database) as reader, psycopg.connect(plain_database) as writer:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert reader.execute("select count(*) from samples").fetchone() == (0,)
        row = "insert into samples values (%s, 1, 1, null, null, null, null, 0, 0, now())"
        writer.execute(row, [START])
        with psycopg.connect(plain_database, options="-c lock_timeout=5s") as maker:
            maker.execute(statement("samples.ensure_partitions"), {"times": [START + timedelta(weeks=5)]})
            maker.execute(row, [START + timedelta(weeks=5)])
        writer.commit()
        assert reader.execute("select count(*) from samples").fetchone() == (0,)
    with psycopg.connect(plain_database) as reader:
        assert reader.execute("select count(*) from samples").fetchone() == (2,)


def test_a_hypertable_makes_its_own(database: str) -> None:
    ensure(database, [START])
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into samples values (%s, 1, 1, null, null, null, null, 0, 0, now())", [START]
        )
        layout = connection.execute("select samples, chunk from layout").fetchone()
        assert layout is not None
        assert layout[1] == timedelta(days=7)
