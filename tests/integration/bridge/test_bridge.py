"""Bridges of the little shop: they close at every level, whatever they start from, and their evidence too."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import httpx
import pytest

from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.shop import write_history, write_plant

BUDGET = """\
month,product,machine,good_units,unit_cost,resource,fixed_amount,sales_price
2026-03,P,cut,18600,5.5,machine,310,
2026-03,P,cut,18600,2.1,labour,,
2026-03,P,pack,18600,1.4,machine,,21
2026-03,P,pack,18600,0.9,labour,,
2026-03,R,pack,3100,2.25,machine,,9
"""
PRODUCTS = "product,from,sales_price\nP,2026-01-01,20\n=Q,2026-01-01,22\n=Q,2026-03-04,23\nR,2026-01-01,9\n"
SALES = "date,product,units,revenue\n2026-03-03,P,500,9900\n2026-03-04,=Q,100,2400\n"
REASONS = "reason,machine,category,owner,controllable\njam,,mechanical,tool room,true\n"
DAY = {"from": "2026-03-04", "to": "2026-03-05"}
BASES = ({"base": "standard"}, {"base": "budget"}, {"base": "previous"},
         {"base_from": "2026-03-02T10:00:00+01:00", "base_to": "2026-03-02T13:20:00+01:00"})  # fmt: skip
DRILLS = (
    "",
    "line,machine",
    "product,order",
    "shift",
    "resource,cause",
    "reason",
    "machine,product,resource,cause",
)


@pytest.fixture(scope="module")
def http(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("bridge")
    plant = write_plant(folder)
    tables = {"budget": BUDGET, "products": PRODUCTS, "sales": SALES, "reasons": REASONS}
    for name, text in tables.items():
        (plant / f"{name}.csv").write_text(text, encoding="utf-8")
    for url in servers.new_database("plain", servers.template):
        told(url, "tiny", plant, [write_history(folder)])
        with served(url) as address, client(address) as http:
            yield http


def ask(http: httpx.Client, path: str, **parameters: str) -> dict[str, Any]:
    answer = http.get(f"/v1/{path}", params=parameters or None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
    return found


def by_factor(bridge: dict[str, Any]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for bar in bridge["bars"]:
        sums[bar["factor"]] = sums.get(bar["factor"], Decimal(0)) + bar["amount"]
    return {factor: amount for factor, amount in sums.items() if amount}


@pytest.mark.parametrize(
    ("base", "measure"), list(product(BASES, ("unit_cost", "total_cost", "margin"))), ids=str
)
def test_it_closes_at_every_level_and_so_does_its_evidence(
    http: httpx.Client, base: dict[str, str], measure: str
) -> None:
    whole = ask(http, "bridge", measure=measure, **base, **DAY)
    for by in DRILLS:
        bridge = ask(http, "bridge", measure=measure, by=by, **base, **DAY)
        assert (bridge["start"], bridge["end"]) == (whole["start"], whole["end"])
        assert bridge["start"] + sum(bar["amount"] for bar in bridge["bars"]) == bridge["end"]
        assert by_factor(bridge) == by_factor(whole)
        for bar in bridge["bars"]:
            assert sum(row["amount"] for row in bar["evidence"]) == bar["amount"]
        if by:
            names = by.split(",")
            for group in bridge["groups"]:
                own = [bar for bar in bridge["bars"] if all(bar[name] == group[name] for name in names)]
                assert group["start"] + sum(bar["amount"] for bar in own) == group["end"]
            for end in ("start", "end"):
                assert sum(group[end] for group in bridge["groups"]) == bridge[end]


@pytest.mark.parametrize("dimension", ["line", "machine", "product", "order", "shift", "reason"])
def test_groups_are_those_of_the_costs_of_both_windows(http: httpx.Client, dimension: str) -> None:
    bridge = ask(http, "bridge", measure="total_cost", base="previous", by=dimension, **DAY)
    before = {"from": "2026-03-03", "to": DAY["from"]}
    for field, window in (("start", before), ("end", DAY)):
        found = {group[dimension]: group[field] for group in bridge["groups"] if group[field]}
        rows = ask(http, "costs", by=dimension, **window)["rows"]
        costs = {row[dimension]: row["amount"] for row in rows if row["amount"]}
        assert found.keys() == costs.keys()
        assert all(abs(found[group] - cost) <= Decimal("0.0002") for group, cost in costs.items())


def test_the_standard_bridge_is_made_of_the_variances(http: httpx.Client) -> None:
    bridge = ask(http, "bridge", base="standard", measure="total_cost", **DAY)
    variances = ask(http, "variances", by="resource,cause", **DAY)
    assert bridge["start"] == variances["total"]["allowance"]
    assert bridge["end"] == variances["total"]["actual"] == ask(http, "costs", by="cause", **DAY)["total"]
    bars = {bar["factor"]: bar for bar in bridge["bars"]}
    crew = next(row for row in variances["rows"] if row["cause"] == "crew")
    assert bars["crew"]["amount"] == crew["variance"]
    parts = variances["total"]["parts"]
    for name in ("lot_size", "duration"):
        assert abs(bars[name]["amount"] - parts[name]) <= Decimal("0.0001")
    assert bars["lot_size"]["owner"] == "planning"


def test_unit_cost_leaves_unused_capacity_aside(http: httpx.Client) -> None:
    bridge = ask(http, "bridge", base="standard", **DAY)
    costs = {(row["resource"], row["cause"]): row["amount"]
             for row in ask(http, "costs", by="resource,cause", **DAY)["rows"]}  # fmt: skip
    unused = sum(
        amount for cell, amount in costs.items() if cell in {("machine", "idle"), ("machine", "waiting")}
    )
    assert sum(row["end"] for row in bridge["aside"]) == unused
    units = ask(http, "variances", **DAY)["good_units"]
    assert bridge["end"] == round((sum(costs.values()) - unused) / units, 4)
    assert bridge["good_units"]["end"] == units


def test_a_stop_is_its_own_evidence_and_its_reason_has_an_owner(http: httpx.Client) -> None:
    bridge = ask(http, "bridge", base="standard", measure="total_cost", **DAY)
    (bar,) = [bar for bar in bridge["bars"] if bar["factor"] == "downtime"]
    assert bar["owner"] == "tool room"
    stop = bar["evidence"][0]
    assert (stop["kind"], stop["machine"], stop["reason"], stop["state"]) == ("segment", "cut", "jam", "down")
    assert (stop["from"], stop["to"]) == ("2026-03-04T08:00:00Z", "2026-03-04T08:40:00Z")
    for row in bar["evidence"]:
        if row["kind"] == "segment":
            assert row["amount"] == row["cost"] == ask(http, row["rows"].removeprefix("/v1/"))["total"]


def test_spans_of_both_windows_stand_behind_a_change(http: httpx.Client) -> None:
    half = {"from": "2026-03-03T06:00:00+01:00", "to": "2026-03-03T11:00:00+01:00"}
    base = {"base_from": "2026-03-02T08:00:00+01:00", "base_to": "2026-03-02T12:00:00+01:00"}
    bridge = ask(http, "bridge", measure="total_cost", **half, **base)
    (bar,) = [bar for bar in bridge["bars"] if bar["factor"] == "downtime"]
    assert {row["window"] for row in bar["evidence"] if row["kind"] == "segment"} == {"end", "start"}
    for row in bar["evidence"]:
        if row["kind"] == "segment":
            assert row["cost"] == ask(http, row["rows"].removeprefix("/v1/"))["total"]


def test_spans_of_its_own_order_stand_behind_each_of_the_largest_bars(http: httpx.Client) -> None:
    bridge = ask(http, "bridge", base="standard", measure="total_cost", by="order", **DAY)
    shown = set()
    for bar in bridge["bars"]:
        for row in bar["evidence"]:
            if row["kind"] == "segment":
                behind = ask(http, row["rows"].removeprefix("/v1/"))
                assert behind["total"] == row["cost"]
                assert {each["order"] for each in behind["rows"]} == {bar["order"]}
                shown.add(bar["order"])
    assert len(shown) > 1


def test_sales_add_their_price_and_the_change_of_stock(http: httpx.Client) -> None:
    bridge = ask(http, "bridge", base="standard", measure="margin", **DAY)
    bars = {bar["factor"]: bar["amount"] for bar in bridge["bars"]}
    assert bars["sales_price"] == 2400 - 100 * 23
    made = {row["product"]: row for row in ask(http, "variances", by="product", **DAY)["rows"]}
    units = {"P": 480, "=Q": 240}
    listed = {"P": 20, "=Q": 23}
    unsold = sum(units[name] * listed[name] - made[name]["allowance"] for name in units)
    sold = 100 * (23 - made["=Q"]["allowance"] / units["=Q"])
    assert abs(bars["stock"] - (sold - unsold)) < Decimal("0.001")


def test_a_table_has_a_row_for_each_bar(http: httpx.Client) -> None:
    asked = {**DAY, "base": "standard", "measure": "total_cost"}
    bars = ask(http, "bridge", **asked)["bars"]
    rows = list(csv.DictReader(http.get("/v1/bridge", params={**asked, "format": "csv"}).text.splitlines()))
    assert [(row["factor"], Decimal(row["amount"])) for row in rows] == [
        (bar["factor"], bar["amount"]) for bar in bars
    ]


def test_a_filter_leaves_only_its_own_bars(http: httpx.Client) -> None:
    bridge = ask(http, "bridge", base="standard", by="resource", resource="machine", **DAY)
    assert {bar["resource"] for bar in bridge["bars"]} == {"machine"}


@pytest.mark.parametrize("base", BASES, ids=str)
@pytest.mark.parametrize("measure", ["unit_cost", "total_cost", "margin"])
def test_each_number_of_the_statement_is_the_sum_of_its_rows(
    http: httpx.Client, base: dict[str, str], measure: str
) -> None:
    bridge = ask(http, "bridge", measure=measure, **base, **DAY)
    assert 1 <= bridge["statement"].count(". ") + 1 <= 3, bridge["statement"]
    for link in bridge["statement_links"]:
        assert link["text"] in bridge["statement"]
        rows = ask(http, link["address"].removeprefix("/v1/"))[link["rows"]]
        own = [row for row in rows if link["factor"] in (None, row.get("factor"))]
        found = sum(row[link["field"]] for row in own)
        assert abs(found) == abs(link["amount"]), link
    numbers = re.findall(r"EUR [\d,.]*\d", bridge["statement"])
    assert len(numbers) == len(bridge["statement_links"])


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "2026-03-04"}, "to"),
        ({**DAY, "base_from": "2026-03-02"}, "base_to"),
        ({**DAY, "base_from": "2026-03-02", "base_to": "2026-03-02"}, "base_to"),
        ({**DAY, "base": "standard", "base_from": "2026-03-02", "base_to": "2026-03-03"}, "base"),
        ({**DAY, "base": "forecast"}, "base"),
        ({**DAY, "measure": "margin", "cause": "scrap"}, "cause"),
        ({**DAY, "base": "budget", "shift": "early"}, "shift"),
        ({**DAY, "base": "previous", "product": "nothing"}, "measure"),
        ({"from": "2026-02-04", "to": "2026-02-05", "base": "budget"}, "measure"),
        ({"from": "2026-03-02", "to": "2026-03-03"}, "base"),
        ({**DAY, "by": "day"}, "by"),
    ],
)
def test_what_cannot_be_asked_is_told_by_field(http: httpx.Client, asked: dict[str, str], field: str) -> None:
    answer = http.get("/v1/bridge", params=asked)
    assert answer.status_code == 400, answer.text
    assert field in [one["field"] for one in answer.json()["errors"]]
