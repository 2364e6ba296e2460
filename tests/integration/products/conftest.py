"""The mill, served once for all tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.products.mill import write_history, write_plant


@dataclass(frozen=True, slots=True)
class Mill:
    """Where the mill is served, and keys of roles."""

    address: str
    keys: dict[str, str]


@pytest.fixture(scope="session")
def mill(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    folder = tmp_path_factory.mktemp("mill")
    for url in servers.new_database("plain", servers.template):
        told(url, "mill", write_plant(folder), [write_history(folder)])
        with psycopg.connect(url) as connection:
            made = {role: keys.create(connection, role) for role in ("engineer", "floor")}
        with served(url) as address:
            yield Mill(address, made)


@pytest.fixture
def http(mill: Mill) -> Iterator[httpx.Client]:
    with client(mill.address) as http:
        yield http
