"""Sessions of browsers: opened by a key, closed with it, and forms that only our own pages can send."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from cloud_api.access.limit import Limit
from cloud_api.access.sessions import COOKIE, form_token
from tests.integration.api.conftest import Shop
from tests.integration.api.serving import NOW, client, served


@pytest.fixture
def browser(shop: Shop) -> Iterator[httpx.Client]:
    with served(shop.url, require_key=True) as address, client(address) as http:
        yield http


def login(http: httpx.Client, key: str, next_: str = "") -> httpx.Response:
    return http.post("/login", data={"key": key, "next": next_})


def test_a_page_asks_for_the_key_and_then_shows_itself(shop: Shop, browser: httpx.Client) -> None:
    asked = browser.get("/segments?machine=m-1")
    assert asked.headers["location"] == "/login?next=%2Fsegments%3Fmachine%3Dm-1"
    form = browser.get(asked.headers["location"])
    next_ = re.search(r'name="next" value="([^"]*)"', form.text)
    assert next_ is not None
    opened = login(browser, shop.keys["finance"], next_[1])
    assert (opened.status_code, opened.headers["location"]) == (303, "/segments?machine=m-1")
    said = opened.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    assert browser.get("/").status_code == 200
    assert browser.get("/v1/costs").status_code == 200


def test_a_wrong_key_opens_nothing(browser: httpx.Client) -> None:
    answer = login(browser, "plk_wrong")
    assert answer.status_code == 401
    assert "not known" in answer.text
    assert COOKIE not in browser.cookies
    assert browser.get("/").status_code == 303


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example/", "/\\evil.example", "evil"])
def test_nobody_is_sent_elsewhere(shop: Shop, browser: httpx.Client, next_: str) -> None:
    assert login(browser, shop.keys["finance"], next_).headers["location"] == "/"


def test_logging_out_needs_the_form_of_the_session_and_ends_it(shop: Shop, browser: httpx.Client) -> None:
    login(browser, shop.keys["finance"])
    token = browser.cookies[COOKIE]
    page = browser.get("/").text
    assert f'value="{form_token(token)}"' in page
    browser.post("/logout", data={"token": "forged"})
    browser.cookies.set(COOKIE, token)
    assert browser.get("/").status_code == 200
    browser.post("/logout", data={"token": form_token(token)})
    browser.cookies.set(COOKIE, token)
    assert browser.get("/").status_code == 303


def test_a_session_ends_with_its_key_and_with_its_day(shop: Shop) -> None:
    with psycopg.connect(shop.url) as connection:
        key = keys.create(connection, "finance", name="short")
    with served(shop.url, require_key=True) as address, client(address) as http:
        login(http, key)
        token = http.cookies[COOKIE]
        assert http.get("/").status_code == 200
        later = NOW + dt.timedelta(hours=13)
        with served(shop.url, require_key=True, now=later) as other, client(other) as tomorrow:
            tomorrow.cookies.set(COOKIE, token)
            assert tomorrow.get("/").status_code == 303
        with psycopg.connect(shop.url) as connection:
            found = keys.find(connection, key)
            assert found is not None
            keys.revoke(connection, found.key_id)
        assert http.get("/").status_code == 303


def test_the_token_stands_nowhere_in_the_database(shop: Shop, browser: httpx.Client) -> None:
    login(browser, shop.keys["finance"])
    with psycopg.connect(shop.url) as connection:
        rows = connection.execute("select row_to_json(s)::text from sessions s").fetchall()
    assert rows
    assert not any(browser.cookies[COOKIE] in row for (row,) in rows)


def test_the_audit_cannot_be_edited(shop: Shop) -> None:
    for command in ("update audit set action = 'x'", "delete from audit", "truncate audit"):
        with psycopg.connect(shop.url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(command)


def test_who_asks_too_often_waits(shop: Shop) -> None:
    with served(shop.url, limit=Limit(per_minute=3, clock=lambda: 0.0)) as address, client(address) as http:
        assert [http.get("/v1/periods").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = http.get("/v1/periods")
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) == 20
        assert http.get("/healthz").status_code == 200
        with client(address, shop.keys["finance"]) as other:
            assert other.get("/v1/periods").status_code == 200


def test_an_answer_that_has_not_changed_is_not_sent_again(shop: Shop) -> None:
    with client(shop.address) as http:
        first = http.get("/v1/costs?by=cause")
        again = http.get("/v1/costs?by=cause", headers={"If-None-Match": first.headers["etag"]})
        other = http.get("/v1/costs?by=machine", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200
