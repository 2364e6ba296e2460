"""The interpreter at work: two at once, live hours before history, a lost database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from cloud_api.store.pool import connect
from cloud_api.work.turn import Turns
from cloud_api.work.worker import Worker
from tests.integration.work.small_plant import interpret, ledger, load, pending, plant, send

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
PATIENCE_S = 60


def many_hours(hours: int, begin: datetime = BEGIN) -> str:
    """A machine that runs, stops and changes over, every hour a little differently."""
    lines = [f"{begin.isoformat()},m1,product,P", f"{begin.isoformat()},m1,state,running"]
    good = 0
    for hour in range(hours):
        at = begin + timedelta(hours=hour)
        for minute in range(0, 60, 10):
            good += 7 + (hour + minute) % 5
            lines.append(f"{(at + timedelta(minutes=minute, seconds=5)).isoformat()},m1,good_count,{good}")
        if hour % 3 == 1:
            lines.append(f"{(at + timedelta(minutes=40)).isoformat()},m1,state,down")
            lines.append(f"{(at + timedelta(minutes=75)).isoformat()},m1,reason,jam")
            lines.append(f"{(at + timedelta(minutes=80)).isoformat()},m1,state,running")
            lines.append(f"{(at + timedelta(minutes=80)).isoformat()},m1,reason,")
        if hour % 7 == 5:
            lines.append(f"{(at + timedelta(minutes=50)).isoformat()},m1,state,changeover")
            lines.append(f"{(at + timedelta(minutes=100)).isoformat()},m1,product,{'PQ'[hour % 2]}")
            lines.append(f"{(at + timedelta(minutes=100)).isoformat()},m1,state,running")
    return "".join(line + "\n" for line in lines)


@contextmanager
def working(url: str, workers: int, now: datetime) -> Iterator[list[Worker]]:
    """Workers in threads of their own, each with a connection of its own."""
    stop = threading.Event()
    each = [Worker(url, now=lambda: now) for _ in range(workers)]
    threads = [threading.Thread(target=worker.run, args=[stop]) for worker in each]
    for thread in threads:
        thread.start()
    try:
        yield each
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def wait_until(done: object, url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done(url):  # type: ignore[operator]
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


def nothing_pending(url: str) -> bool:
    return pending(url) == 0


@pytest.fixture
def site(plain_database: str, tmp_path: Path) -> str:
    load(plain_database, plant(tmp_path))
    return plain_database


def alone(servers: object, tmp_path: Path, text: str) -> dict[str, list[tuple[object, ...]]]:
    """What one interpretation of everything at once writes, in a database of its own."""
    databases = servers.new_database("plain", servers.template)  # type: ignore[attr-defined]
    url = next(databases)
    folder = tmp_path / "alone"
    folder.mkdir()
    load(url, plant(folder))
    send(url, folder, text)
    interpret(url)
    found = ledger(url)
    databases.close()
    return found


def test_two_at_once_write_what_one_writes(site: str, servers: object, tmp_path: Path) -> None:
    text = many_hours(60)
    lines = text.splitlines(keepends=True)
    with working(site, 2, BEGIN + timedelta(hours=30)):
        for part in (lines[::3], lines[1::3], lines[2::3]):
            send(site, tmp_path, "".join(part))
        wait_until(nothing_pending, site)
    assert without_versions(ledger(site)) == without_versions(alone(servers, tmp_path, text))


def without_versions(tables: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Row ids of the plant model are equal in equal databases, so nothing is left out but order."""
    return {name: sorted(rows, key=repr) for name, rows in tables.items()}


def test_reversed_halves_and_duplicates_give_the_same(site: str, servers: object, tmp_path: Path) -> None:
    text = many_hours(40)
    lines = text.splitlines(keepends=True)
    half = len(lines) // 2
    for part in (lines[half:], lines[:half], lines[::20]):
        send(site, tmp_path, "".join(part))
        interpret(site)
    assert ledger(site) == alone(servers, tmp_path, text)


def test_a_machine_that_another_session_holds_is_left_alone(site: str, tmp_path: Path) -> None:
    send(site, tmp_path, many_hours(3))
    with psycopg.connect(site, autocommit=True) as other:
        other.execute("select pg_advisory_lock(hashtext('plantledger interpret'), machine_id) from machines")
        interpret(site)
        assert pending(site) > 0
        assert ledger(site)["segments"] == []
    interpret(site)
    assert pending(site) == 0


def test_a_live_hour_is_shown_while_history_waits(site: str, tmp_path: Path) -> None:
    now = BEGIN + timedelta(hours=200, minutes=30)
    send(site, tmp_path, many_hours(200))
    live = f"{(now - timedelta(minutes=5)).isoformat()},m1,state,down\n{now.isoformat()},m1,state,down\n"
    send(site, tmp_path, live)
    worker = Worker(site, now=lambda: now)
    with connect(site, autocommit=True) as connection:
        worker.live_turns(Turns(connection), threading.Event())
        shown = connection.execute("select starts_at, state from segments order by starts_at").fetchall()
        assert shown[-1] == (now - timedelta(minutes=5), "down")
        assert pending(site) > 200
        worker.drain(connection)
    assert pending(site) == 0
    with psycopg.connect(site) as connection:
        tiles = connection.execute("select starts_at, ends_at from segments order by starts_at").fetchall()
    assert tiles[0][0] == BEGIN
    assert tiles[-1][1] == now
    assert all(one[1] == other[0] for one, other in pairwise(tiles))


def test_marks_of_a_site_without_a_plant_model_wait(plain_database: str, tmp_path: Path) -> None:
    with psycopg.connect(plain_database) as connection:
        connection.execute("insert into sites (site) values ('tiny')")
    send(plain_database, tmp_path, many_hours(2))
    interpret(plain_database)
    assert pending(plain_database) > 0
    load(plain_database, plant(tmp_path))
    interpret(plain_database)
    assert pending(plain_database) == 0
    assert ledger(plain_database)["entries"]


def test_a_lost_connection_is_taken_up_again(site: str, tmp_path: Path) -> None:
    with working(site, 1, BEGIN + timedelta(hours=30)):
        send(site, tmp_path, many_hours(3))
        wait_until(nothing_pending, site)
        with psycopg.connect(site, autocommit=True) as connection:
            ended = connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'plantledger interpret' and datname = current_database()"
            ).fetchall()
        assert ended == [(True,)]
        send(site, tmp_path, many_hours(6))
        wait_until(nothing_pending, site)


def test_a_machine_that_cannot_be_interpreted_keeps_its_marks_and_rests(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    send(site, tmp_path, many_hours(3))
    before = pending(site)

    def broken(*_: object) -> None:
        raise ValueError("a fault in the figures")

    with monkeypatch.context() as patch:
        patch.setattr("cloud_api.work.passes.interpret", broken)
        with working(site, 1, BEGIN + timedelta(hours=30)):
            wait_until(lambda _: "cannot be interpreted, its marks stay" in caplog.text, site)
    assert pending(site) == before
    assert caplog.text.count("a fault in the figures") < 20
    interpret(site)
    assert pending(site) == 0
