"""Keys, session tokens, form tokens and secrets of webhooks: in no log, whatever comes of the request, and in
no line of the audit."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from cloud_api.access.sessions import COOKIE
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from tests.integration.api.serving import served
from tests.integration.api.shop import write_plant


def test_no_secret_is_in_a_log_or_in_the_audit(
    plain_database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(plain_database) as connection:
        load_directory(connection, write_plant(tmp_path))
    with psycopg.connect(plain_database) as connection:
        key = keys.create(connection, "finance")
    secrets = [key]

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with (
        caplog.at_level(logging.DEBUG),
        served(plain_database) as address,
        httpx.Client(base_url=address, timeout=60) as http,
    ):
        bearer = {"Authorization": f"Bearer {key}"}
        for path in ("/v1/costs", "/v1/nowhere", f"/v1/costs?key={key}", f"/v1/costs?site={key}", f"/{key}"):
            http.get(path, headers=bearer)
            http.get(path, auth=("anyone", key))
        http.post("/v1/notes", headers=bearer, content=f'{{"kind": "{key}"')
        http.post("/login", data={"key": f"{key}x"})
        http.post("/login", data={"key": key})
        secrets.append(http.cookies[COOKIE])
        token = re.search(r'name="token" value="(\w+)"', http.get("/keys").text)
        assert token
        secrets.append(token[1])
        made = http.post("/keys", data={"role": "it", "token": token[1]}).text
        secrets += re.findall(r"plk_[\w-]+", made)
        hook = {"url": "https://8.8.8.8/", "site": "tiny", "kind silent_agent": "yes", "token": token[1]}
        secrets += re.findall(r'<code class="secret">([^<]+)', http.post("/alerts", data=hook).text)
        assert len(secrets) == 5
        http.post("/logout", data={"token": token[1]})
        monkeypatch.setattr("cloud_api.api.app.read", broken)
        assert http.get("/v1/costs", headers=bearer).status_code == 500
    ours = [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
    formatter = logging.Formatter()
    said = " ".join(formatter.format(one) for one in ours)
    assert "answer failed" in said, "the fault is in the log"
    with psycopg.connect(plain_database) as connection:
        said += str(connection.execute("select audit::text from audit").fetchall())
    for secret in secrets:
        assert secret not in said
