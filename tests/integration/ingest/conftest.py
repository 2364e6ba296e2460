"""An intake over a fresh database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloud_api.ingest.intake import Intake
from cloud_api.store.pool import open_pool


@pytest.fixture
def intake(database: str) -> Iterator[Intake]:
    pool = open_pool(database, name="test", size=3)
    yield Intake(pool)
    pool.close()
