"""A served shop of each test's own: what people say changes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.shop import write_history, write_plant

NOW = datetime(2026, 3, 4, 20, 0, tzinfo=UTC)
"""The present of the shop: the evening of its last day."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """A database with a shop in it, its address, and a key of each role."""

    url: str
    address: str
    keys: dict[str, str]

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
        told(url, "tiny", write_plant(folder), [write_history(folder)])
        with psycopg.connect(url) as connection:
            name = connection.info.dbname
        yield name


@pytest.fixture
def workshop(servers: Servers, filled: str) -> Iterator[Workshop]:
    for url in servers.new_database("plain", filled):
        with psycopg.connect(url) as connection:
            connection.execute("insert into sites (site) values ('elsewhere')")
            made = {role: keys.create(connection, role) for role in ("finance", "engineer", "floor", "it")}
            made["elsewhere"] = keys.create(connection, "finance", ["elsewhere"])
        with served(url, now=NOW) as address:
            yield Workshop(url, address, made)


@pytest.fixture
def floor(workshop: Workshop) -> Iterator[httpx.Client]:
    with workshop.as_("floor") as http:
        yield http


@pytest.fixture
def finance(workshop: Workshop) -> Iterator[httpx.Client]:
    with workshop.as_("finance") as http:
        yield http


def text_file(folder: Path, name: str, text: str) -> Path:
    """A file with a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


__all__ = ["NOW", "Workshop", "client", "text_file"]
