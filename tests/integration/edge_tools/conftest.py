"""One small OPC UA server for all tests that only look at it: to make one takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.edge_tools.devices import hall, in_thread


@pytest.fixture(scope="session")
def small_hall() -> Iterator[str]:
    """Endpoint of a server without security, with one machine of one further tag."""
    with in_thread(hall(1, 1)) as endpoint:
        yield endpoint
