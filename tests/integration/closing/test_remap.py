"""`cloud-api remap`: raw values get the words of a corrected map, where periods are open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from tests.contract.cli_cloud.process import run
from tests.integration.closing.months import finance
from tests.integration.work.live_agent import LiveAgent
from tests.integration.work.small_plant import interpret, load, plant

BEGIN = datetime(2026, 1, 31, 22, tzinfo=UTC)


def address(conninfo: str) -> str:
    info = psycopg.conninfo.conninfo_to_dict(conninfo)
    return f"postgresql://{info['user']}:{info['password']}@{info['host']}:{info['port']}/{info['dbname']}"


def states(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select state from segments order by starts_at").fetchall()
    return [row[0] for row in rows]


def test_a_corrected_map_changes_what_is_open(plain_database: str, tmp_path: Path) -> None:
    url = plain_database
    load(url, plant(tmp_path))
    agent = LiveAgent(url, ("m1",))
    try:
        for hour, raw in enumerate((1, 3, 3, 7)):
            state = {1: "running", 3: "unknown", 7: "unknown"}[raw]
            agent.send(BEGIN + timedelta(hours=hour), {"state": state, "product": "P", "good_count": 1.0})
        agent.send(BEGIN + timedelta(hours=4, minutes=1), {})
    finally:
        agent.close()
    with psycopg.connect(url) as connection:
        connection.execute(
            "update samples set raw = (array[1, 3, 3, 7])[1 + extract(hour from time - %s)::int] "
            "where text in ('running', 'unknown')",
            (BEGIN,),
        )
    interpret(url)
    assert states(url) == ["running", "unknown", "unknown", "unknown", "unknown"]
    with finance(url) as http:
        assert http.post("/v1/periods/2026-01/lock", json={}).status_code == 200

    words = tmp_path / "states.csv"
    words.write_text("value,word\n1,running\n3,changeover\n", encoding="utf-8")
    options = ("--machine", "m1", "--signal", "state", "--from", "2026-01-01")
    done = run("remap", *options, str(words), DATABASE_URL=address(url))
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 samples changed, 1 hours to compute again" in done.stdout
    assert "1 raw values are not in the map; 2 samples of locked and closed periods stay" in done.stdout
    interpret(url)
    assert states(url) == ["running", "unknown", "changeover", "unknown", "unknown"]
    with psycopg.connect(url) as connection:
        detail = connection.execute("select detail from audit where action = 'signal remapped'").fetchone()
    assert detail is not None
    assert detail[0]["map"] == {"1": "running", "3": "changeover"}

    unknown = run(
        "remap", "--machine", "m1", "--signal", "x", *options[4:], str(words), DATABASE_URL=address(url)
    )
    assert unknown.returncode == 1
    assert "no agent sent 'x' of 'm1'" in unknown.stderr
    words.write_text("1,running\n1,idle\n2\n", encoding="utf-8")
    refused = run("remap", *options, str(words), DATABASE_URL=address(url))
    assert refused.returncode == 1
    assert "line 2 names 1 again; line 3 has not two cells" in refused.stderr
