"""Files end, and an agent begins much later: what lies between is believed for a shift, then not known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psycopg

from tests.integration.api.serving import client, served
from tests.integration.work.live_agent import LiveAgent
from tests.integration.work.small_plant import HISTORY, interpret, load, plant, send

LIVE = datetime(2026, 3, 4, 8, tzinfo=UTC)


def states(url: str) -> list[tuple[str, str | None, str]]:
    """Each state with its reason and begin, where state or reason changes."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select state, reason, starts_at at time zone 'UTC' from segments order by starts_at"
        ).fetchall()
    found: list[tuple[str, str | None, str]] = []
    for state, reason, at in rows:
        if not found or found[-1][:2] != (state, reason):
            found.append((state, reason, f"{at:%d %H:%M}"))
    return found


def test_nobody_knows_what_happened_between(plain_database: str, tmp_path: Path) -> None:
    url = plain_database
    load(url, plant(tmp_path))
    send(url, tmp_path, HISTORY)
    interpret(url)
    agent = LiveAgent(url, ("m1",))
    try:
        agent.send(LIVE, {"state": "running", "product": "P", "good_count": 5.0})
        agent.send(LIVE.replace(minute=10), {})
    finally:
        agent.close()
    interpret(url)
    assert states(url)[-3:] == [
        ("idle", None, "02 10:00"),
        ("unknown", "no data", "02 20:00"),
        ("running", None, "04 08:00"),
    ]
    with served(url) as address, client(address) as http:
        found = http.get("/v1/confidence").json()["confidence"]["findings"]
    assert [one["detail"] for one in found if one["kind"] == "silence"] == [
        "no data since 2026-03-02T12:00Z until 2026-03-04T08:00Z"
    ]
    send(url, tmp_path, "2026-03-03T06:00:00Z,m1,state,planned_stop\n")
    interpret(url)
    assert states(url)[-4:] == [
        ("idle", None, "02 10:00"),
        ("planned_stop", None, "03 06:00"),
        ("unknown", "no data", "03 14:00"),
        ("running", None, "04 08:00"),
    ]
