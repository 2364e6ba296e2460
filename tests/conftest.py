"""Fixtures that every test may use: a fresh, migrated database in some 50 ms, on each kind of server."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from cloud_api.store.binaries import find
from cloud_api.store.cluster import Cluster, new_password
from cloud_api.store.ground import account, cluster_folder, within_reach
from cloud_api.store.migrations import migrate

pytest_plugins = ["tests.needs"]

SERVERS = [
    pytest.param("plain", id="plain"),
    pytest.param("timescaledb", id="timescaledb", marks=pytest.mark.needs("timescaledb")),
]


class Servers:
    """A server of each kind, started when first asked for, with a migrated template database in it.

    The server of PLANTLEDGER_TEST_TIMESCALE_URL needs timescaledb.max_background_workers=0, or its
    workers hold the template.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster: Cluster | None = None
        self.template = f"template_{secrets.token_hex(6)}"
        self._urls: dict[str, str] = {}

    def url(self, kind: str) -> str:
        """URL of the server of a kind, for someone who may create databases."""
        if kind not in self._urls:
            url = os.environ["PLANTLEDGER_TEST_TIMESCALE_URL"] if kind == "timescaledb" else self._plain()
            execute(url, f"create database {self.template}")
            migrate(make_conninfo(url, dbname=self.template))
            execute(url, f"alter database {self.template} allow_connections false")
            self._urls[kind] = url
        return self._urls[kind]

    def new_database(self, kind: str, template: str) -> Iterator[str]:
        """A database of its own for as long as the caller keeps the iterator."""
        url, name = self.url(kind), f"test_{secrets.token_hex(6)}"
        execute(url, f"create database {name} template {template} strategy file_copy")
        try:
            yield make_conninfo(url, dbname=name)
        finally:
            execute(url, f"drop database {name} with (force)")

    def stop(self) -> None:
        """Leaves nothing behind, on a server that stays either."""
        if "timescaledb" in self._urls:
            execute(self._urls["timescaledb"], f"drop database {self.template} with (force)")
        if self.cluster is not None:
            self.cluster.remove()

    def _plain(self) -> str:
        who = account()
        binaries = within_reach(find(timescaledb=False), who)
        place = cluster_folder(self.folder, who)
        hurry = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        self.cluster = Cluster(binaries, who, place, new_password(), self.folder / "database.log", hurry)
        self.cluster.create()
        self.cluster.start()
        return self.cluster.url


def execute(url: str, command: str) -> None:
    """One command, outside any transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(command.encode())


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The database servers of this run."""
    servers = Servers(tmp_path_factory.mktemp("servers"))
    yield servers
    servers.stop()


@pytest.fixture(params=SERVERS)
def server_kind(request: pytest.FixtureRequest) -> str:
    """`plain` or `timescaledb`; a test that asks for a database runs on both."""
    return str(request.param)


@pytest.fixture
def database(server_kind: str, servers: Servers) -> Iterator[str]:
    """URL of a fresh database at the newest schema; runs on plain PostgreSQL and on TimescaleDB."""
    yield from servers.new_database(server_kind, servers.template)


@pytest.fixture
def plain_database(servers: Servers) -> Iterator[str]:
    """As `database`, on plain PostgreSQL only: for tests in which the kind of server cannot matter."""
    yield from servers.new_database("plain", servers.template)


@pytest.fixture
def empty_database(server_kind: str, servers: Servers) -> Iterator[str]:
    """URL of a fresh database without any schema."""
    yield from servers.new_database(server_kind, "template0")
