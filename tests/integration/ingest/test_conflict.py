"""Two runs of one agent id: never mixed, nothing lost, settled by silence or by a person."""

from __future__ import annotations

import psycopg
import pytest

from cloud_api.errors import CloudError
from cloud_api.ingest.intake import Intake
from cloud_api.ingest.replay import choose_run, replay
from shared.control import Want
from tests.integration.ingest.gateway import GOOD, HOUR_US, Gateway, acks, now_us, rows, sample, wants

MINUTE_US = 60_000_000


def pass_time(url: str, minutes: float) -> None:
    """Everything that was heard is so much longer ago."""
    ago = f"interval '{minutes} minutes'"
    with psycopg.connect(url) as connection:
        connection.execute(
            f"update agent_starts set first_at = first_at - {ago}, last_at = last_at - {ago}".encode()
        )
        connection.execute(f"update agents set conflict_since = conflict_since - {ago}".encode())


def values(url: str) -> list[float]:
    return [value for (value,) in rows(url, "select value from samples order by value")]


def conflict(url: str) -> bool:
    return bool(rows(url, "select conflict from agents")[0][0])


@pytest.fixture
def pair(intake: Intake, database: str) -> tuple[Gateway, Gateway]:
    """A holder that has been heard, and a copy of its card that runs on another machine."""
    holder, copy = Gateway(), Gateway()
    intake.take([holder.dictionary(), holder.hello(), holder.batch(1, [sample(GOOD, now_us(), 1.0)])])
    return holder, copy


def test_a_second_installation_is_set_aside_and_acknowledged(
    intake: Intake, database: str, pair: tuple[Gateway, Gateway]
) -> None:
    holder, copy = pair
    message = copy.batch(1, [sample(GOOD, now_us(), 100.0)])
    assert acks(intake.take([message])) == {copy.start.hex(): (1, [])}
    assert acks(intake.take([message])) == {copy.start.hex(): (1, [])}
    assert values(database) == [1.0]
    assert conflict(database)
    assert rows(database, "select reason, times from set_aside") == [("conflict", 1)]
    intake.take([holder.batch(2, [sample(GOOD, now_us(), 2.0)])])
    assert values(database) == [1.0, 2.0]


def test_a_restart_waits_and_loses_nothing(
    intake: Intake, database: str, pair: tuple[Gateway, Gateway]
) -> None:
    holder, _ = pair
    after = holder.again()
    message = after.batch(1, [sample(GOOD, now_us(), 3.0)])
    assert intake.take([after.hello(), message]) == []
    assert values(database) == [1.0]
    pass_time(database, 0.3)
    assert wants(intake.take([after.status(2)])) == [Want()]
    assert acks(intake.take([message])) == {after.start.hex(): (1, [])}
    assert values(database) == [1.0, 3.0]
    assert not conflict(database)
    assert rows(database, "select count(*) from set_aside") == [(0,)]


def test_backlog_that_both_copies_hold_is_stored_once(
    intake: Intake, database: str, pair: tuple[Gateway, Gateway]
) -> None:
    holder, copy = pair
    old, t = b"s" * 16, now_us() - HOUR_US
    backlog = [(seq, [sample(GOOD, t + seq, 10.0 + seq)]) for seq in (1, 2, 3)]
    intake.take([copy.batch(1, [sample(GOOD, now_us(), 100.0)])])
    intake.take([copy.batch(seq, samples, stream=old) for seq, samples in backlog[:2]])
    intake.take([holder.batch(seq, samples, stream=old) for seq, samples in backlog])
    assert values(database) == [1.0, 11.0, 12.0, 13.0]


def test_the_rival_is_stored_once_the_holder_is_silent(
    intake: Intake, database: str, pair: tuple[Gateway, Gateway]
) -> None:
    _, copy = pair
    t = now_us()
    intake.take([copy.batch(1, [sample(GOOD, t - 20 * MINUTE_US, 100.0)])])
    intake.take([copy.batch(2, [sample(GOOD, t - MINUTE_US, 101.0)])])
    replay(intake)
    assert values(database) == [1.0]
    pass_time(database, 6)
    intake.take([copy.batch(3, [sample(GOOD, t, 102.0)])])
    assert not conflict(database)
    replay(intake)
    assert values(database) == [1.0, 100.0, 101.0, 102.0]
    kept = rows(database, "select resolution, resolved_at is not null from set_aside order by seq")
    assert kept == [("stored after all", True)] * 2


def test_what_both_told_of_stays_aside_and_visible(
    intake: Intake, database: str, pair: tuple[Gateway, Gateway]
) -> None:
    holder, copy = pair
    intake.take([copy.batch(1, [sample(GOOD, now_us(), 100.0)])])
    with psycopg.connect(database) as connection:
        connection.execute(
            "update agent_starts set first_at = now() - interval '50 minutes' where start = %s",
            [holder.start],
        )
    t = now_us()
    early = copy.batch(2, [sample(GOOD, t - 30 * MINUTE_US, 101.0)])
    late = copy.batch(3, [sample(GOOD, t - 5 * MINUTE_US, 102.0)])
    with psycopg.connect(database) as connection:
        connection.execute("update agent_starts set last_at = now() where start = %s", [holder.start])
    intake.take([early, late])
    with psycopg.connect(database) as connection:
        connection.execute(
            "update agent_starts set last_at = now() - interval '6 minutes' where start = %s", [holder.start]
        )
    replay(intake)
    assert values(database) == [1.0, 100.0, 102.0]
    kept = rows(database, "select seq, resolution from set_aside where resolved_at is null")
    assert kept == [(2, "another run spoke of the same time")]


def test_a_person_chooses(intake: Intake, database: str, pair: tuple[Gateway, Gateway]) -> None:
    holder, copy = pair
    t = now_us()
    intake.take([copy.batch(1, [sample(GOOD, t - 20 * MINUTE_US, 100.0)])])
    with psycopg.connect(database) as connection:
        told = choose_run(connection, "columbus", "gw-1", copy.start.hex()[:8])
    assert copy.start.hex() in told
    replay(intake)
    assert values(database) == [1.0, 100.0]
    intake.take([holder.batch(2, [sample(GOOD, t, 2.0)]), copy.batch(2, [sample(GOOD, t, 101.0)])])
    assert values(database) == [1.0, 100.0, 101.0]
    assert conflict(database)


@pytest.mark.parametrize(
    ("agent", "start", "words"),
    [("gw-9", "0000", "no such agent"), ("gw-1", "0000", "no one start"), ("gw-1", "", "no one start")],
)
def test_a_choice_of_nobody_is_refused(plain_database: str, agent: str, start: str, words: str) -> None:
    with psycopg.connect(plain_database) as connection:
        connection.execute("insert into sites values ('columbus')")
        connection.execute("insert into agents (site, agent) values ('columbus', 'gw-1')")
        with pytest.raises(CloudError, match=words):
            choose_run(connection, "columbus", agent, start)
