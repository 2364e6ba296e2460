"""A cloud behind the broker of the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.edge_delivery.brokers import BrokerProcess
from tests.integration.edge_delivery.cloud import FakeCloud


@pytest.fixture
def cloud(broker: BrokerProcess) -> Iterator[FakeCloud]:
    fake = FakeCloud(broker.port)
    yield fake
    fake.close()
