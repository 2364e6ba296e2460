"""A served shop of each test's own: what people say changes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.shop import write_history, write_plant

NOW = datetime(2026, 3, 5, 13, 0, tzinfo=UTC)
"""The present of the shop: the end of the early shift of its last day."""

STOPS = {
    "cut": (
        ("07:00:00", "07:02:00"),
        ("08:00:00", "08:02:30"),
        ("09:00:00", "09:20:00"),
        ("11:00:00", "11:01:00"),
    ),
    "pack": (("10:00:00", "10:15:00"),),
}
"""Stops of the last day for which nobody gave a reason, at the site."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """A database with a shop in it, its address, and a key of each role."""

    url: str
    address: str
    keys: dict[str, str]
    audit_from: int = 0
    """The audit of the test begins after this line."""

    def as_(self, role: str) -> httpx.Client:
        """A client with the key of a role; close it."""
        return httpx.Client(
            base_url=self.address, headers={"Authorization": f"Bearer {self.keys[role]}"}, timeout=30
        )


@pytest.fixture(scope="session")
def filled(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with the shop's days in it, to copy."""
    folder = tmp_path_factory.mktemp("workshop")
    for url in servers.new_database("plain", servers.template):
        told(url, "tiny", write_plant(folder), [write_history(folder), write_last_day(folder)])
        with psycopg.connect(url) as connection:
            name = connection.info.dbname
        yield name


def _opened(url: str) -> Iterator[Workshop]:
    with psycopg.connect(url) as connection:
        connection.execute("insert into sites (site) values ('elsewhere')")
        made = {role: keys.create(connection, role) for role in ("finance", "engineer", "floor", "it")}
        made["elsewhere"] = keys.create(connection, "finance", ["elsewhere"])
    with served(url, now=NOW) as address:
        yield Workshop(url, address, made)


@pytest.fixture(scope="session")
def shared(servers: Servers, filled: str) -> Iterator[Workshop]:
    """One served shop for the tests that change nothing but what people said."""
    for url in servers.new_database("plain", filled):
        yield from _opened(url)


@pytest.fixture
def alone() -> None:
    """A test that uses it has a shop of its own, and may change it as it likes."""


@pytest.fixture
def workshop(request: pytest.FixtureRequest, servers: Servers, filled: str) -> Iterator[Workshop]:
    """The shop before anybody said anything."""
    if "alone" in request.fixturenames:
        for url in servers.new_database("plain", filled):
            yield from _opened(url)
        return
    yield from _said_nothing(request.getfixturevalue("shared"))


def _said_nothing(shop: Workshop) -> Iterator[Workshop]:
    with psycopg.connect(shop.url) as connection:
        for table in ("questions", "decisions", "notes"):
            connection.execute(f"delete from {table}".encode())
        row = connection.execute("select coalesce(max(audit_id), 0) from audit").fetchone()
    assert row is not None
    yield replace(shop, audit_from=row[0])


@pytest.fixture
def floor(workshop: Workshop) -> Iterator[httpx.Client]:
    with workshop.as_("floor") as http:
        yield http


@pytest.fixture
def finance(workshop: Workshop) -> Iterator[httpx.Client]:
    with workshop.as_("finance") as http:
        yield http


def write_last_day(folder: Path) -> Path:
    """5 March until noon: both machines run, and stop without a reason."""
    rows = []
    for machine, stops in STOPS.items():
        rows.append(("06:00:00", machine, "state", "running"))
        rows += [("06:00:00", machine, "product", "P"), ("06:00:00", machine, "order", "A2")]
        rows += [("06:00:00", machine, "crew", "2"), ("12:00:00", machine, "state", "running")]
        for begin, end in stops:
            rows += [(begin, machine, "state", "down"), (end, machine, "state", "running")]
        for hour in range(6, 12):
            good = 3000 + 80 * hour
            rows.append((f"{hour:02}:30:00", machine, "good_count", str(good)))
    text = "".join(f"2026-03-05T{clock}+01:00,{','.join(said)}\n" for clock, *said in sorted(rows))
    return text_file(folder, "last_day.csv", f"time,machine,role,value\n{text}")


def text_file(folder: Path, name: str, text: str) -> Path:
    """A file with a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


__all__ = ["NOW", "Workshop", "client", "text_file"]
