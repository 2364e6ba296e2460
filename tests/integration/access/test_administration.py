"""Keys and webhooks on their pages and paths: shown once, ended at once, nothing beyond one's own."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from cloud_api.work.webhook import Reach
from tests.conftest import Servers
from tests.integration.api.serving import client, served
from tests.integration.api.shop import write_plant

ROLES = ("finance", "it", "engineer", "floor")


@dataclass(frozen=True, slots=True)
class Office:
    url: str
    address: str
    keys: dict[str, str]

    def as_(self, role: str) -> httpx.Client:
        """A program with the key of a role; close it."""
        return httpx.Client(
            base_url=self.address, headers={"Authorization": f"Bearer {self.keys[role]}"}, timeout=60
        )

    @contextmanager
    def browser(self, role: str) -> Iterator[tuple[httpx.Client, str]]:
        """A browser that is logged in, and the token of its forms."""
        with httpx.Client(base_url=self.address, timeout=60) as http:
            assert http.post("/login", data={"key": self.keys[role]}).status_code == 303
            found = re.search(r'name="token" value="(\w+)"', http.get("/keys").text)
            assert found
            yield http, found[1]


@pytest.fixture
def office(servers: Servers, tmp_path: Path) -> Iterator[Office]:
    for url in servers.new_database("plain", servers.template):
        with connect(url) as connection:
            load_directory(connection, write_plant(tmp_path))
        with psycopg.connect(url) as connection:
            connection.execute("insert into sites (site) values ('elsewhere')")
            made = {role: keys.create(connection, role) for role in ROLES}
            made["bound"] = keys.create(connection, "finance", ["tiny"])
        with served(url, require_key=True, webhooks=Reach.PRIVATE) as address:
            yield Office(url, address, made)


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    got: list[bytes] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_key_is_made_shown_once_used_and_ended_on_the_page(office: Office) -> None:
    with office.browser("it") as (http, token):
        form = {"role": "floor", "name": "tablet <1>", "line tiny|one": "yes"}
        assert http.post("/keys", data=form).status_code == 403, "no form of ours"
        shown = http.post("/keys", data={**form, "token": token})
        assert shown.headers["cache-control"] == "no-store"
        (key,) = re.findall(r"plk_[\w-]+", shown.text)
        page = http.get("/keys").text
        assert key not in page
        assert "tablet &lt;1&gt;" in page
        assert "tiny: one" in page
        with client(office.address, key) as tablet:
            assert tablet.get("/v1/now").status_code == 200
            number = max(row["id"] for row in http.get("/v1/keys").json()["rows"])
            done = http.post(f"/keys/{number}/revoke", data={"token": token})
            assert done.headers["location"] == f"/keys?ended={number}"
            assert tablet.get("/v1/now").status_code == 401
        assert f"Key {number} is revoked" in http.get(done.headers["location"]).text
    with psycopg.connect(office.url) as connection:
        said = connection.execute("select action, key_id, detail from audit order by audit_id").fetchall()
        everything = str(connection.execute("select audit::text, keys::text from audit, keys").fetchall())
    assert [row[0] for row in said[-2:]] == ["key created", "key revoked"]
    assert said[-2][2]["after"]["lines"] == ["one"]
    assert key not in everything


def test_nobody_makes_a_key_that_opens_more_than_their_own(office: Office) -> None:
    with office.as_("it") as it, office.as_("bound") as bound:
        for http, body, field in (
            (it, {"role": "finance"}, "role"),
            (it, {"role": "engineer", "sites": ["tiny"]}, "role"),
            (bound, {"role": "finance"}, "sites"),
            (bound, {"role": "floor", "sites": ["elsewhere"]}, "sites"),
            (it, {"role": "floor", "sites": ["nowhere"], "lines": ["one"]}, "sites"),
            (it, {"role": "floor", "sites": ["tiny"], "lines": ["two"]}, "lines"),
            (it, {"role": "floor", "lines": ["one"]}, "lines"),
            (it, {"role": "it", "sites": ["tiny"], "lines": ["one"]}, "lines"),
            (it, {"role": "boss"}, "role"),
        ):
            told = http.post("/v1/keys", json=body)
            assert told.status_code == 400, body
            assert field in [one["field"] for one in told.json()["errors"]]
        assert bound.post("/v1/keys", json={"role": "finance", "sites": ["tiny"]}).status_code == 201
        assert it.post("/v1/keys", json={"role": "it"}).status_code == 201
    for role in ("engineer", "floor"):
        with office.as_(role) as http:
            assert http.get("/v1/keys").status_code == 403
            assert http.post("/v1/keys", json={"role": "floor"}).status_code == 403


def test_nobody_ends_a_key_that_opens_more_than_their_own(office: Office) -> None:
    with office.as_("finance") as http:
        number = {row["role"]: row["id"] for row in http.get("/v1/keys").json()["rows"] if not row["sites"]}
        made = http.post("/v1/keys", json={"role": "floor", "sites": ["elsewhere"]})
        assert made.status_code == 201
        (abroad,) = (row["id"] for row in http.get("/v1/keys?site=elsewhere").json()["rows"] if row["sites"])
    with office.as_("bound") as http:
        assert http.post(f"/v1/keys/{number['it']}/revoke", json={}).status_code == 409
        assert http.post(f"/v1/keys/{abroad}/revoke", json={}).status_code == 404
        assert "elsewhere" not in http.get("/v1/keys").text
    with office.as_("it") as http:
        assert http.post(f"/v1/keys/{number['finance']}/revoke", json={}).status_code == 409
        assert http.post("/v1/keys/999/revoke", json={}).status_code == 404
        assert http.post(f"/v1/keys/{number['floor']}/revoke", json={}).status_code == 200
        assert http.post(f"/v1/keys/{number['floor']}/revoke", json={}).status_code == 409


def test_a_webhook_is_kept_tested_and_ended_on_the_page(
    office: Office, receiver: tuple[str, list[bytes]]
) -> None:
    url, got = receiver
    with office.browser("finance") as (http, token):
        form = {"url": url, "site": "tiny", "kind silent_agent": "yes", "digest": "hour"}
        form |= {"quiet_from": "22:00", "quiet_to": "06:00"}
        assert http.post("/alerts", data=form).status_code == 403
        shown = http.post("/alerts", data={**form, "token": token})
        (secret,) = re.findall(r'<code class="secret">([^<]+)', shown.text)
        page = http.get("/alerts?site=tiny").text
        assert secret not in page
        assert "22:00 to 06:00" in page
        assert "gathered, every hour" in page
        done = http.post("/alerts/1/test", data={"token": token, "site": "tiny"})
        assert done.headers["location"] == "/alerts?site=tiny&tried=1"
        assert b'"kind":"test"' in got[0]
        page = http.get(done.headers["location"]).text
        assert "204 No Content" in page
        assert "delivered" in page
        number = next(row["id"] for row in http.get("/v1/keys").json()["rows"] if row["role"] == "finance")
        with office.as_("finance") as program:
            assert program.post("/v1/keys/999/revoke", json={}).status_code == 404
            assert program.post(f"/v1/keys/{number}/revoke", json={}).json()["webhooks"] == [1]
        assert http.get("/alerts").status_code == 303, "the session ended with its key"
    with office.browser("it") as (http, token):
        assert http.post("/alerts/1/end", data={"token": token}).status_code == 303
        assert "None at tiny" in http.get("/alerts?site=tiny").text


def test_who_reads_no_money_is_told_of_none(office: Office) -> None:
    with office.browser("it") as (http, token):
        assert "unexplained_cost" not in http.get("/alerts").text
        form = {"url": "https://8.8.8.8/x", "site": "tiny", "kind unexplained_cost": "yes", "token": token}
        refused = http.post("/alerts", data=form)
        assert refused.status_code == 400
        assert "is told no amounts" in refused.text
        for wrong in ({"kind nothing": "yes"}, {}, {"kind silent_agent": "yes", "digest": "year"}):
            form = {"url": "https://8.8.8.8/x", "site": "tiny", "token": token, **wrong}
            assert http.post("/alerts", data=form).status_code == 400


def test_login_of_it_leads_to_what_it_may_open(office: Office) -> None:
    with httpx.Client(base_url=office.address, follow_redirects=True, timeout=60) as http:
        page = http.post("/login", data={"key": office.keys["it"]})
    assert page.status_code == 200
    assert page.url.path == "/keys"
    assert re.findall(r'<a href="(/\w*)"', page.text.partition("<main")[0]) == ["/alerts", "/keys", "/docs"]
