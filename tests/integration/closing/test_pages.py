"""The pages of trust, periods and the plant model: what they show, and what their forms do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from tests.integration.api.serving import served
from tests.integration.closing.months import NOW, STANDARDS, bring, history, load, write_plant
from tests.integration.closing.test_rest_of_the_plant import ACTUALS, CONFIRMATIONS, QUALITY


@pytest.fixture
def browser(plain_database: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """Somebody of finance who has logged in."""
    files = {"actuals": ACTUALS, "confirmations": CONFIRMATIONS, "quality": QUALITY}
    load(plain_database, write_plant(tmp_path, **files))
    bring(plain_database, tmp_path, history())
    with psycopg.connect(plain_database) as connection:
        key = keys.create(connection, "finance")
    with (
        served(plain_database, now=NOW) as address,
        httpx.Client(base_url=address, follow_redirects=True, timeout=60) as http,
    ):
        assert http.post("/login", data={"key": key, "next": "/periods"}).status_code == 200
        yield http


def sent(http: httpx.Client, path: str, page: str, **fields: str) -> httpx.Response:
    token = re.search(r'name="token" value="([^"]+)"', http.get(page).text)
    assert token is not None
    return http.post(path, data={"token": token[1], "site": "tiny", **fields})


def test_periods_are_locked_and_closed_by_forms(browser: httpx.Client) -> None:
    assert "No period is closed yet" in browser.get("/periods").text
    assert "unlock" in sent(browser, "/periods/2026-01/lock", "/periods").text
    done = sent(browser, "/periods/2026-01/close", "/periods")
    assert (done.status_code, done.url.path) == (200, "/periods")
    assert "Closed up to <span>2026-01</span>; nothing came late" in done.text
    assert sent(browser, "/periods/2026-01/close", "/periods").status_code == 409
    assert browser.post("/periods/2026-02/lock", data={"token": "stolen", "site": "tiny"}).status_code == 403


def test_the_plant_model_is_checked_and_changed(browser: httpx.Client) -> None:
    assert "crack" in browser.get("/plant?table=quality").text
    faster = STANDARDS.replace(",36,", ",30,")
    checked = sent(browser, "/plant", "/plant", table="standards", text=faster, check="yes")
    assert "no mistake found; it would be 0 rows added, 1 changed" in checked.text
    changed = sent(browser, "/plant", "/plant", table="standards", text=faster)
    assert re.search(r"version \d+: 0 rows added, 1 changed, 0 ended, 1 machines", changed.text)
    wrong = sent(browser, "/plant", "/plant", table="standards", text=faster.replace("m1", "m9"))
    assert wrong.status_code == 400
    assert "standards.csv:2" in wrong.text
    assert browser.get("/plant?table=nonsense").status_code == 400


def test_trust_tells_what_is_missing_and_how_it_reconciles(browser: httpx.Client) -> None:
    page = browser.get("/trust?period=2026-01").text
    for words in ("of stop time has no reason", "capacity not scheduled", "The ERP", "On hold: 18 of P"):
        assert words in page
