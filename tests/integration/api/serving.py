"""The API as a client meets it: a real server on a free port, over a real database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import uvicorn

from cloud_api.access.gate import Gate
from cloud_api.access.issuer import Issuer
from cloud_api.access.limit import Limit
from cloud_api.api import create_app
from cloud_api.ingest.backfill import backfill
from cloud_api.pages import mount
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect, open_pool
from cloud_api.work.webhook import Reach
from cloud_api.work.worker import Worker

NOW = datetime(2026, 12, 1, tzinfo=UTC)
"""The present of the served API: after everything that the tests tell of."""


@contextmanager
def served(
    url: str,
    *,
    require_key: bool = False,
    now: datetime = NOW,
    issuer: Issuer | None = None,
    limit: Limit | None = None,
    webhooks: Reach = Reach.PUBLIC,
) -> Iterator[str]:
    """Serves a database; gives the address."""
    pool = open_pool(url, name="api test", size=4)
    gate = Gate(require_key, issuer, lambda: now)
    app = create_app(pool, gate, clock=lambda: now, limit=limit, webhooks=webhooks)
    mount(app, pool, gate, clock=lambda: now, webhooks=webhooks)
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="api under test")
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            if time.monotonic() > deadline:
                raise TimeoutError("the server did not start")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        pool.close()


@contextmanager
def client(address: str, key: str | None = None) -> Iterator[httpx.Client]:
    """A client of a served API, with a key or without."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as http:
        yield http


def told(url: str, site: str, plant: Path, histories: list[Path]) -> None:
    """Loads a plant, brings its histories in and interprets them."""
    with connect(url) as connection:
        load_directory(connection, plant)
    backfill(url, site, histories)
    with connect(url, autocommit=True) as connection:
        Worker(url).drain(connection)
