"""Several processes interpret a backlog: together they do what one does, and they end when they are asked."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest

from cloud_api.work import crew
from cloud_api.work.crew import Crew, relieve
from tests.integration.work.small_plant import (
    EXPECTED,
    HISTORY,
    interpret,
    load,
    pending,
    plant,
    send,
    totals,
)


@pytest.fixture
def told(plain_database: str, tmp_path: Path) -> str:
    """A database with a history that nobody has interpreted yet."""
    load(plain_database, plant(tmp_path))
    send(plain_database, tmp_path, HISTORY)
    return plain_database


def test_two_processes_serve_every_mark_once(told: str) -> None:
    with Crew(told) as two:
        two.begin([(), ()])
        two.wait()
        assert not two.is_busy()
    interpret(told)
    assert totals(told) == EXPECTED


def test_a_process_takes_the_machines_that_it_is_given(told: str) -> None:
    with Crew(told) as one:
        one.begin([[-1]])
        one.wait()
        assert pending(told) > 0
        one.begin([_machines(told)])
        one.wait()
    assert pending(told) == 0
    assert totals(told) == EXPECTED


def test_what_is_asked_to_end_leaves_nothing_half_done(told: str) -> None:
    with Crew(told) as one:
        one.begin([()])
    assert not one.is_busy()
    interpret(told)
    assert totals(told) == EXPECTED


def test_a_backlog_that_is_worth_it_is_relieved(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "LOOK_S", 0.05)
    stop = Event()
    thread = Thread(target=relieve, args=[told, 1, stop])
    thread.start()
    try:
        assert not stop.wait(0.3)
        assert pending(told) > 0, "a short backlog is left to the interpreter"
        monkeypatch.setattr(crew, "WORTH_HOURS", 1)
        deadline = time.monotonic() + 60
        while pending(told) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()
    assert totals(told) == EXPECTED


def _machines(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select machine_id from machines")]
