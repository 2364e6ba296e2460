"""One served shop for all tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.shop import write_history, write_plant


@dataclass(frozen=True, slots=True)
class Shop:
    """Where the shop is served, with what database, and a key of each role."""

    url: str
    address: str
    keys: dict[str, str]


@pytest.fixture(scope="session")
def shop(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop that all tests share: nothing in it is ever changed."""
    yield from new_shop(servers, tmp_path_factory)


def new_shop(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that is served for as long as the caller keeps the iterator."""
    folder = tmp_path_factory.mktemp("shop")
    for url in servers.new_database("plain", servers.template):
        told(url, "tiny", write_plant(folder), [write_history(folder)])
        with psycopg.connect(url) as connection:
            connection.execute("insert into sites (site) values ('elsewhere')")
            made = {role: keys.create(connection, role) for role in ("finance", "engineer", "floor", "it")}
            made["elsewhere"] = keys.create(connection, "finance", ["elsewhere"])
        with served(url) as address:
            yield Shop(url, address, made)


@pytest.fixture
def http(shop: Shop) -> Iterator[httpx.Client]:
    with client(shop.address) as http:
        yield http
