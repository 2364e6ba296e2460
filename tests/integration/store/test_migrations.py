"""Migrations: forward only, whole or not at all, one migrator at a time, and one schema at the end."""

from __future__ import annotations

import threading

import psycopg
import pytest

from cloud_api.errors import CloudError
from cloud_api.store import migrations
from cloud_api.store.migrations import migrate

SCHEMA = """
select 'column', format('%s.%s', table_name, column_name),
       format('%s %s %s %s', udt_name, is_nullable, coalesce(column_default, ''), collation_name)
from information_schema.columns where table_schema = 'public'
union all
select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
union all
select 'constraint', format('%s %s', conrelid::regclass, conname), pg_get_constraintdef(oid)
from pg_constraint where connamespace = 'public'::regnamespace
union all
select 'function', oid::regprocedure::text, prosrc from pg_proc
where pronamespace = 'public'::regnamespace
  and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
order by 1, 2, 3
"""


def schema(url: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(url) as connection:
        return connection.execute(SCHEMA.encode()).fetchall()


def test_a_second_run_applies_nothing(empty_database: str) -> None:
    assert migrate(empty_database) == [migration.name for migration in migrations.migrations()]
    assert migrate(empty_database) == []


def test_a_database_migrated_step_by_step_equals_a_fresh_one(empty_database: str, database: str) -> None:
    for migration in migrations.migrations():
        assert migrate(empty_database, through=migration.number) == [migration.name]
    stepwise, fresh = schema(empty_database), schema(database)
    assert stepwise == fresh


def test_migrators_at_once_apply_each_file_once(empty_database: str) -> None:
    applied: list[str] = []
    threads = [threading.Thread(target=lambda: applied.extend(migrate(empty_database))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(applied) == [migration.name for migration in migrations.migrations()]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    good = migrations.migrations()
    bad = migrations.Migration(9999, "9999_bad.sql", "create table half (x int); select 1 / 0")
    monkeypatch.setattr(migrations, "migrations", lambda: (*good, bad))


def test_a_migration_that_fails_leaves_nothing(plain_database: str, broken: None) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(plain_database)
    with psycopg.connect(plain_database) as connection:
        assert connection.execute("select to_regclass('half')").fetchone() == (None,)


def test_a_changed_file_is_refused(plain_database: str) -> None:
    with psycopg.connect(plain_database) as connection:
        connection.execute("update schema_migrations set checksum = 'x' where number = 1")
    with pytest.raises(CloudError, match="has changed since"):
        migrate(plain_database)


def test_a_newer_database_is_refused(plain_database: str) -> None:
    with psycopg.connect(plain_database) as connection:
        connection.execute("insert into schema_migrations values (9998, '9998_later.sql', 'x')")
    with pytest.raises(CloudError, match="newer program: 9998_later"):
        migrate(plain_database)
