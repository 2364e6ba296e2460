"""Who gets which answer: every role at every path, sites, keys on and off loopback, and what is left out."""

from __future__ import annotations

import logging
import re
from decimal import Decimal

import httpx
import pytest

from cloud_api.access.roles import READERS, Area, KeyRole
from cloud_api.api.actions import ACTIONS
from cloud_api.api.endpoints import ENDPOINTS
from cloud_api.pages.contents import PAGES
from tests.integration.api.conftest import Shop
from tests.integration.api.serving import client, served

PATHS = {
    **{f"/v1{endpoint.path}": endpoint.area for endpoint in ENDPOINTS},
    **{page.path: page.area for page in PAGES},
    "/metrics": Area.METRICS,
}
"""Everything that is read, out of the tables that make it: what is added is tested."""

WRITES = {(action.method, f"/v1{action.path}"): action.area for action in ACTIONS}
READ = {200, 400, 404}
"""What who may read gets: an answer, or what is wrong with a question as bare as this."""


def bare(path: str) -> str:
    return re.sub(r"{\w+}", "1", path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", KeyRole)
def test_every_role_at_every_path(shop: Shop, role: KeyRole, path: str) -> None:
    with client(shop.address, shop.keys[role]) as http:
        answer = http.get(bare(path))
    assert answer.status_code in (READ if role in READERS[PATHS[path]] else {403}), answer.text[:500]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_every_role_at_every_path_that_writes(shop: Shop, method: str, path: str) -> None:
    for role in KeyRole:
        if role not in READERS[WRITES[method, path]]:
            with client(shop.address, shop.keys[role]) as http:
                assert http.request(method, bare(path), content=b"{}").status_code == 403
    with client(shop.address) as http:
        assert http.request(method, bare(path), content=b"{}").status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json"])
def test_what_holds_no_figure_is_open(shop: Shop, path: str) -> None:
    with served(shop.url, require_key=True) as address, client(address) as http:
        assert http.get(path).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_all_else_asks_for_a_key_where_one_is_required(shop: Shop, path: str) -> None:
    with served(shop.url, require_key=True) as address, client(address) as http:
        answer = http.get(bare(path))
    if path in {page.path for page in PAGES}:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")
        return
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Basic" in answer.headers["www-authenticate"]


def test_a_spreadsheet_gives_the_key_as_a_password(shop: Shop) -> None:
    answer = httpx.get(f"{shop.address}/v1/costs", auth=("anyone", shop.keys["finance"]))
    assert answer.status_code == 200
    assert httpx.get(f"{shop.address}/v1/costs", auth=("anyone", "plk_wrong")).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"X-Forwarded-For": "10.1.2.3"}, {"Forwarded": "for=10.1.2.3"}]
)
def test_only_this_machine_itself_reads_without_a_key(shop: Shop, headers: dict[str, str]) -> None:
    assert httpx.get(f"{shop.address}/v1/costs", headers=headers).status_code == 401
    headers |= {"Authorization": f"Bearer {shop.keys['finance']}"}
    assert httpx.get(f"{shop.address}/v1/costs", headers=headers).status_code == 200


def test_a_key_of_another_site_sees_nothing_of_this_one(shop: Shop) -> None:
    with client(shop.address, shop.keys["elsewhere"]) as http:
        assert http.get("/v1/costs?by=site").json()["rows"] == []
        assert http.get("/v1/segments").json()["rows"] == []
        assert http.get("/v1/samples").json()["rows"] == []
        refused = http.get("/v1/costs?site=tiny")
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["field"] == "site"
        assert "cut" not in http.get("/").text


def test_the_engineer_sees_no_wages(shop: Shop) -> None:
    with client(shop.address, shop.keys["engineer"]) as http:
        costs = http.get("/v1/costs?by=resource").json(parse_float=Decimal)
        variances = http.get("/v1/variances?by=resource").json(parse_float=Decimal)
        segments = http.get("/v1/segments").json(parse_float=Decimal)
    with client(shop.address, shop.keys["finance"]) as http:
        whole = {
            row["resource"]: row["amount"]
            for row in http.get("/v1/costs?by=resource").json(parse_float=Decimal)["rows"]
        }
    assert costs["withheld"] == variances["withheld"] == segments["withheld"] == ["labour"]
    for answer in (costs, variances):
        assert {row["resource"] for row in answer["rows"]} & {"labour"} == set()
    assert abs(costs["total"] - (sum(whole.values()) - whole["labour"])) <= Decimal("0.0005")
    assert variances["total"]["textbook"]["labour_rate"] == 0
    without = sum(whole.values()) - whole["labour"] - whole["other"]
    assert abs(segments["total"] - without) <= Decimal("0.0005")


def test_the_floor_sees_states_and_counts_but_no_money(shop: Shop) -> None:
    with client(shop.address, shop.keys["floor"]) as http:
        answer = http.get("/v1/segments").json()
        table = http.get("/v1/segments?format=csv").text
    assert answer["total"] is None
    assert answer["currency"] is None
    assert {row["amount"] for row in answer["rows"]} == {None}
    assert sum(row["good"] for row in answer["rows"]) > 0
    column = table.splitlines()[0].split(",").index("amount")
    assert {line.split(",")[column] for line in table.splitlines()[1:]} == {""}


def test_no_key_is_ever_logged(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), client(shop.address, shop.keys["finance"]) as http:
        http.get("/v1/costs")
        http.get("/v1/costs?by=nothing")
        http.get("/nowhere")
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert shop.keys["finance"] not in " ".join(record.getMessage() for record in ours)


def test_answers_stay_with_who_asked(shop: Shop) -> None:
    headers = httpx.get(f"{shop.address}/v1/costs").headers
    assert headers["cache-control"] == "private, no-cache"
    assert httpx.get(shop.address).headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src" not in httpx.get(shop.address).headers["content-security-policy"]
