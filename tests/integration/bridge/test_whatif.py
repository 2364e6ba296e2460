"""What-if on the little shop: what stays is the ledger's own, what moves adds up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.shop import write_history, write_plant

WINDOW = {"from": "2026-03-02", "to": "2026-03-05"}
CASE = {**WINDOW, "machine": "cut", "product": "P"}
PRODUCTS = "product,from,sales_price\nP,2026-01-01,20\n=Q,2026-01-01,22\n"


@pytest.fixture(scope="module")
def http(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("whatif")
    plant = write_plant(folder)
    (plant / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    for url in servers.new_database("plain", servers.template):
        told(url, "tiny", plant, [write_history(folder)])
        with psycopg.connect(url) as connection:
            key = keys.create(connection, "finance")
        with served(url) as address, client(address, key) as http:
            yield http


def exact(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
    return found


def tried(http: httpx.Client, **numbers: str) -> dict[str, Any]:
    return exact(http.get("/v1/whatif", params={**CASE, **numbers}))


def test_as_it_is_it_is_the_ledger(http: httpx.Client) -> None:
    answer = tried(http)
    assert answer["now"] == answer["then"]
    assert (answer["yearly"], answer["yearly_value"]) == ([], 0)
    costs = exact(http.get("/v1/costs", params={**WINDOW, "product": "P", "by": "machine,resource,cause"}))
    kept = {
        (row["machine"], row["resource"], row["cause"]): row["amount"]
        for row in costs["rows"]
        if (row["resource"], row["cause"]) != ("machine", "waiting")
    }
    assert {(row["machine"], row["resource"], row["cause"]): row["now"] for row in answer["rows"]} == kept
    unit_cost = sum(kept.values()) / answer["good_units"]
    assert abs(answer["now"]["unit_cost"] - unit_cost) <= Decimal("0.0001")


def test_a_faster_cycle_lowers_unit_cost_by_what_its_rows_lose(http: httpx.Client) -> None:
    answer = tried(http, cycle_s="18", investment="1000")
    lost = sum(row["now"] - row["then"] for row in answer["rows"])
    assert lost > 0
    fell = answer["now"]["unit_cost"] - answer["then"]["unit_cost"]
    assert abs(fell - lost / answer["good_units"]) <= Decimal("0.0002")
    assert {row["machine"] for row in answer["rows"] if row["now"] != row["then"]} == {"cut"}
    assert sum(item["amount"] for item in answer["yearly"]) == answer["yearly_value"]


def test_each_of_several_changes_is_told_whatever_their_order(http: httpx.Client) -> None:
    both = {"cycle_s": "18", "yield": "0.99", "crew": "1", "price": "21"}
    answer = tried(http, **both)
    parts = {row["change"]: row for row in answer["changes"]}
    assert set(parts) == set(both)
    change = answer["then"]["unit_cost"] - answer["now"]["unit_cost"]
    assert sum(row["unit_cost"] for row in parts.values()) == change
    assert sum(row["yearly_value"] for row in parts.values()) == answer["yearly_value"]
    assert parts["price"]["unit_cost"] == 0
    alone = tried(http, cycle_s="18")
    fell = alone["then"]["unit_cost"] - alone["now"]["unit_cost"]
    last = change - sum(
        row["then"]["unit_cost"] - row["now"]["unit_cost"]
        for row in [tried(http, **{name: value for name, value in both.items() if name != "cycle_s"})]
    )
    assert min(fell, last) < parts["cycle_s"]["unit_cost"] < max(fell, last), "the mean of all orders"
    assert tried(http)["changes"] == []


def test_a_price_is_worth_its_units_a_year(http: httpx.Client) -> None:
    answer = tried(http, price="21", investment="10000", years="1", rate="0")
    (item,) = answer["yearly"]
    assert item["item"] == "price"
    assert abs(item["amount"] - answer["good_units"] * 365 / 3) <= Decimal("0.0001")
    assert answer["net_present_value"] == answer["yearly_value"] - 10000
    assert abs(answer["payback_years"] - 10000 / answer["yearly_value"]) < Decimal("0.000001")


def test_a_body_is_answered_like_an_address(http: httpx.Client) -> None:
    body = {**CASE, "cycle_s": 18, "yield": 0.99}
    assert exact(http.post("/v1/whatif", json=body)) == tried(http, cycle_s="18", **{"yield": "0.99"})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"machine": "none"}, "machine"),
        ({"product": "none"}, "product"),
        ({"yield": 1.5}, "yield"),
        ({"cycle_s": 0}, "cycle_s"),
        ({"years": 2.5, "investment": 5}, "years"),
        ({"relief_h": -1}, "relief_h"),
        ({"from": "2026-03-09", "to": "2026-03-10"}, "product"),
        ({"speed": 3}, "speed"),
    ],
)
def test_what_cannot_be_tried_is_told_by_field(http: httpx.Client, wrong: dict[str, Any], field: str) -> None:
    answer = http.post("/v1/whatif", json={**CASE, **wrong})
    assert answer.status_code == 400, answer.text
    assert field in [one["field"] for one in answer.json()["errors"]]
