"""Plain PostgreSQL and TimescaleDB give equal answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.shop import write_history, write_plant

ADDRESSES = (
    "/v1/costs?site=tiny&by=resource,cause,product,day",
    "/v1/variances?site=tiny&by=machine,resource,cause",
    "/v1/segments?site=tiny",
    "/v1/samples?site=tiny&limit=100000",
    "/v1/confidence?site=tiny",
)


def answers(http: httpx.Client) -> list[Any]:
    """What may not differ: all but when a row was received."""
    found = [http.get(address).json() for address in ADDRESSES]
    for row in found[3]["rows"]:
        del row["received_at"]
    return found


@pytest.mark.needs("timescaledb")
def test_timescaledb_gives_the_same_answers(http: httpx.Client, servers: Servers, tmp_path: Path) -> None:
    for url in servers.new_database("timescaledb", servers.template):
        told(url, "tiny", write_plant(tmp_path), [write_history(tmp_path)])
        with served(url) as address, client(address) as other:
            theirs = answers(other)
    for address, there, here in zip(ADDRESSES, theirs, answers(http), strict=True):
        assert there == here, address
