"""What coverage was when a period was closed, whatever is received later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.rows import TupleRow

from cloud_api.store.statements import statement
from cloud_api.store.times import to_us

HOUR = datetime(2026, 1, 31, 9, tzinfo=UTC)
OPEN = datetime(2026, 3, 1, 9, tzinfo=UTC)


def cover(connection: psycopg.Connection[TupleRow], hour: datetime, first: int, last: int) -> None:
    """Scan marks of minutes [first, last] of an hour arrive."""
    minutes = [hour + timedelta(minutes=minute) for minute in (first, last)]
    at = {"sources": [1], "hours": [hour], "firsts": minutes[:1], "lasts": minutes[1:]}
    connection.execute(statement("samples.cover"), at)


def covered(
    connection: psycopg.Connection[TupleRow], known: datetime, hour: datetime
) -> list[tuple[int, int]]:
    """Minutes of an hour that were covered at an instant."""
    at = {"sources": [1], "from": hour, "to": hour, "known": known}
    rows = connection.execute(statement("replay.coverage"), at)
    return [((a - to_us(hour)) // 60_000_000, (b - to_us(hour)) // 60_000_000) for _, a, b in rows]


def test_coverage_that_came_after_a_close_is_told_apart(plain_database: str) -> None:
    with psycopg.connect(plain_database, autocommit=True) as connection:
        connection.execute("insert into sites (site) values ('tiny')")
        connection.execute("insert into agents (site, agent) values ('tiny', 'gw')")
        connection.execute("insert into sources (agent_id, source) values (1, 'plc')")
        cover(connection, HOUR, 0, 10)
        connection.execute(
            "with v as (insert into plant_versions (site, digest) values ('tiny', 'x') returning version) "
            "insert into periods (site, period, starts_at, ends_at, first_day, end_day, status, closed_at, "
            "plant_version, frozen) select 'tiny', '2026-01', '2026-01-01', '2026-02-01', '2026-01-01', "
            "'2026-02-01', 'closed', now(), version, '{}' from v"
        )
        found = connection.execute("select clock_timestamp()").fetchone()
        assert found is not None
        closed = found[0]
        cover(connection, HOUR, 20, 30)
        cover(connection, HOUR, 40, 50)
        cover(connection, HOUR + timedelta(hours=1), 0, 5)
        cover(connection, OPEN, 0, 5)
        assert covered(connection, closed, HOUR) == [(0, 10)]
        assert covered(connection, closed, HOUR + timedelta(hours=1)) == [(-60, -50)]  # the hour before
        assert covered(connection, datetime(2200, 1, 1, tzinfo=UTC), HOUR) == [(0, 10), (20, 30), (40, 50)]
        kept = connection.execute("select count(*) from coverage_before where hour = %s", (OPEN,)).fetchone()
        assert kept == (0,)
