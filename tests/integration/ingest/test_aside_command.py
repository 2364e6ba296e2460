"""Messages set aside, as a person sees them."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from cloud_api.errors import CloudError
from cloud_api.ingest.aside_command import list_aside, show_aside
from cloud_api.ingest.intake import Intake
from tests.integration.ingest.gateway import GOOD, Gateway, now_us, sample


def test_what_is_set_aside_can_be_listed_and_looked_at(intake: Intake, database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as connection:
        assert list_aside(connection) == "nothing is set aside"
    gateway, copy = Gateway(), Gateway()
    bad = gateway.batch(1, [sample(99, now_us(), 1.0)])
    intake.take([gateway.dictionary(), bad, copy.batch(1, [sample(GOOD, now_us(), 1.0)])])
    with psycopg.connect(database) as connection:
        listed = list_aside(connection)
        assert listed.splitlines()[-1] == "1 conflict, 1 unusable"
        assert "a sample names signal 99 of 3" in listed
        assert list_aside(connection, "elsewhere") == "nothing is set aside"
        number = int(listed.splitlines()[2].split()[0])
        shown = show_aside(connection, number, tmp_path / "message")
        assert f"stream {gateway.start.hex()} seq 1" in shown
        assert (tmp_path / "message").read_bytes() == bad.payload
        with pytest.raises(CloudError, match="no message of that number"):
            show_aside(connection, 10**9)
        with pytest.raises(CloudError, match="cannot write"):
            show_aside(connection, number, tmp_path / "absent" / "message")
