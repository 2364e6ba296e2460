"""Live data: shown within seconds while history is computed, and a loss of connection that lasts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from cloud_api.store.pool import connect
from cloud_api.store.statements import statement
from cloud_api.work.worker import Worker
from tests.integration.work.live_agent import BAD, LiveAgent
from tests.integration.work.small_plant import interpret, load, pending, plant, send
from tests.integration.work.test_worker import many_hours, working

SHOWN_WITHIN_S = 5.0


@pytest.fixture
def site(plain_database: str, tmp_path: Path) -> str:
    load(plain_database, plant(tmp_path))
    return plain_database


@pytest.fixture
def agent(site: str) -> Iterator[LiveAgent]:
    agent = LiveAgent(site, ("m1",))
    yield agent
    agent.close()


def shown(url: str, at: datetime, state: str) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute("select from segments where starts_at = %s and state = %s", (at, state))
        return found.fetchone() is not None


def test_a_change_of_state_is_shown_within_seconds_while_history_is_computed(
    site: str, agent: LiveAgent, tmp_path: Path
) -> None:
    begin = datetime.now(UTC) - timedelta(hours=1500)
    send(site, tmp_path, many_hours(1400, begin.replace(minute=0, second=0, microsecond=0)))
    at = datetime.now(UTC)
    agent.send(at, {"state": "running", "product": "P", "good_count": 1.0})
    late: list[float] = []
    waiting: list[int] = []
    with working(site, 1, at + timedelta(minutes=1)):
        for turn in range(8):
            at += timedelta(seconds=2)
            state = ("down", "running")[turn % 2]
            agent.send(at, {"state": state, "good_count": float(turn)})
            sent = time.monotonic()
            agent.send(at + timedelta(seconds=1), {})
            while not shown(site, at, state):
                assert time.monotonic() - sent < 10 * SHOWN_WITHIN_S
                time.sleep(0.02)
            late.append(time.monotonic() - sent)
            waiting.append(pending(site))
    assert waiting[0] > 0
    assert max(late) < SHOWN_WITHIN_S


def test_a_loss_that_lasts_is_unknown_up_to_now_and_ends_with_the_agent(site: str, agent: LiveAgent) -> None:
    begin = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
    now = begin + timedelta(hours=2)
    agent.send(begin, {"state": "running", "product": "P", "good_count": 1.0})
    agent.send(begin + timedelta(minutes=10), {"good_count": 5.0})
    lost = begin + timedelta(minutes=10)
    agent.send(lost, {"state": None, "product": None, "good_count": None}, quality=BAD, scan=False)
    with connect(site, autocommit=True) as connection:
        connection.execute(statement("work.mark_silent"), {"now": now})
        Worker(site, now=lambda: now).drain(connection)
    assert tiles(site) == [
        (begin, lost, "running"),
        (lost, datetime(2026, 3, 2, 9, tzinfo=UTC), "unknown"),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC), "unknown"),
        (datetime(2026, 3, 2, 10, tzinfo=UTC), now, "unknown"),
    ]
    with psycopg.connect(site) as connection:
        connection.execute(
            "update agents set online = false, heard_at = %s", (begin + timedelta(minutes=30),)
        )
        connection.execute("insert into marks (machine_id, hour) select machine_id, hour from carry")
    with connect(site, autocommit=True) as connection:
        Worker(site, now=lambda: now).drain(connection)
    assert tiles(site) == [(begin, lost, "running"), (lost, begin + timedelta(minutes=30), "unknown")]
    assert pending(site) == 0


def test_scan_marks_that_end_leave_nothing_after_them(site: str, agent: LiveAgent) -> None:
    begin = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
    agent.send(begin, {"state": "running", "product": "P", "good_count": 1.0})
    agent.send(begin + timedelta(minutes=5), {})
    interpret(site)
    assert tiles(site) == [(begin, begin + timedelta(minutes=5), "running")]


def tiles(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute("select starts_at, ends_at, state from segments order by 1").fetchall()
