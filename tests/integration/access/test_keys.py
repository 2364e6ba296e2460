"""Keys in the database: hashed, shown once, bound, revocable, and every change in the audit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from cloud_api.access import keys, sessions
from cloud_api.access.gate import Caller, Gate, Refused
from cloud_api.access.key_command import create_key, list_keys, revoke_key
from cloud_api.access.roles import Area, KeyRole
from cloud_api.errors import CloudError
from cloud_api.plant.load import load_directory
from tests.integration.api.shop import write_plant

LOCAL = Caller(None, "127.0.0.1", "127.0.0.1:8000", False)


def with_key(text: str) -> Caller:
    return Caller(f"Bearer {text}", "10.0.0.9", "plant.example", False)


@pytest.fixture
def connection(plain_database: str) -> Iterator[Connection]:
    with psycopg.connect(plain_database, autocommit=True) as connection:
        connection.execute("insert into sites (site) values ('columbus'), ('lyon')")
        yield connection


def test_the_key_is_the_last_word_and_only_its_hash_is_kept(connection: Connection) -> None:
    told = create_key(connection, "finance", ["columbus"], name="excel")
    key = told.split()[-1]
    assert key.startswith("plk_")
    assert len(key) > 40
    everything = connection.execute("select keys::text || audit::text from keys, audit").fetchall()
    assert everything
    assert key not in str(everything)
    assert keys.digest(key).hex() in str(everything)


def test_a_key_opens_with_its_role_and_sites(connection: Connection) -> None:
    key = keys.create(connection, "engineer", ["columbus"])
    principal = Gate(require_key=True).admit(connection, with_key(key), Area.COSTS)
    assert principal.role is KeyRole.ENGINEER
    assert principal.sites == {"columbus"}
    assert principal.withheld == {"labour"}


def test_a_key_opens_nothing_beyond_its_role(connection: Connection) -> None:
    key = keys.create(connection, "floor")
    with pytest.raises(Refused) as refused:
        Gate(require_key=True).admit(connection, with_key(key), Area.COSTS)
    assert refused.value.status == 403


def test_a_revoked_key_opens_nothing(connection: Connection) -> None:
    key = keys.create(connection, "finance")
    (number,) = connection.execute("select key_id from keys").fetchone() or ()
    assert revoke_key(connection, number) == f"key {number} is revoked"
    with pytest.raises(Refused) as refused:
        Gate(require_key=False).admit(connection, with_key(key), Area.COSTS)
    assert refused.value.status == 401
    with pytest.raises(CloudError, match="no living key"):
        revoke_key(connection, number)
    actions = connection.execute("select action from audit order by audit_id").fetchall()
    assert actions == [("key created",), ("key revoked",)]


def test_an_unknown_key_is_refused_even_where_none_is_needed(connection: Connection) -> None:
    with pytest.raises(Refused):
        Gate(require_key=False).admit(
            connection, Caller("Bearer plk_no", "127.0.0.1", "localhost", False), Area.COSTS
        )


def test_loopback_reads_as_finance_unless_a_key_is_required(connection: Connection) -> None:
    assert Gate(require_key=False).admit(connection, LOCAL, Area.VARIANCES).role is KeyRole.FINANCE
    with pytest.raises(Refused):
        Gate(require_key=True).admit(connection, LOCAL, Area.VARIANCES)


def test_last_use_is_noted(connection: Connection) -> None:
    key = keys.create(connection, "it")
    assert "-" in list_keys(connection).splitlines()[1]
    keys.find(connection, key)
    (used,) = connection.execute("select last_used_at from keys").fetchone() or ()
    assert used is not None
    assert f"{used:%Y-%m-%d}" in list_keys(connection)
    assert key not in list_keys(connection)


def test_a_key_of_the_floor_may_be_bound_to_a_line(connection: Connection, tmp_path: Path) -> None:
    load_directory(connection, write_plant(tmp_path))
    told = create_key(connection, "floor", ["tiny"], ["one"])
    assert told.startswith("key for role floor, site tiny, line one;")
    gate = Gate(require_key=True)
    principal = gate.admit(connection, with_key(told.split()[-1]), Area.QUESTIONS)
    assert principal.lines == {"one"}
    found = keys.find(connection, told.split()[-1])
    assert found is not None
    token, _ = sessions.open_session(connection, found, datetime.now(UTC))
    caller = Caller(None, "10.0.0.9", "plant.example", False, session=token)
    assert gate.admit(connection, caller, Area.QUESTIONS).lines == {"one"}
    assert "tiny: one" in list_keys(connection)
    for role, sites, lines, what in (
        ("finance", ["tiny"], ["one"], "only a key of the floor"),
        ("floor", [], ["one"], "one of one site"),
        ("floor", ["tiny", "lyon"], ["one"], "one of one site"),
        ("floor", ["tiny"], ["two"], "no such line"),
        ("floor", ["lyon"], ["one"], "no such line"),
    ):
        with pytest.raises(CloudError, match=what):
            create_key(connection, role, sites, lines)


@pytest.mark.parametrize(
    ("role", "sites", "what"), [("boss", [], "no such role"), ("it", ["oslo"], "no such site")]
)
def test_what_is_not_known_makes_no_key(
    connection: Connection, role: str, sites: list[str], what: str
) -> None:
    with pytest.raises(CloudError, match=what):
        create_key(connection, role, sites)
    assert connection.execute("select count(*) from keys").fetchone() == (0,)
