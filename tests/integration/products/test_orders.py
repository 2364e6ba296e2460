"""Orders of the mill, computed by hand.

A unit of A may cost 36 s x (90 + 2 x 30) / h at cut and 30 s x (60 + 30) / h at pack: 1.50 + 0.75. O1 took
both machines from 06:00 to 10:31: 271 min x (90 + 60 + 60 + 30) / h = 1084. O2 took them from 10:31 on: 836.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.integration.api.serving import client
from tests.integration.products.conftest import Mill

MONEY = ("standard_cost", "actual_to_date", "variance", "estimate_at_completion", "margin", "planned_margin")


def orders(http: httpx.Client, **asked: str) -> dict[str, dict[str, Any]]:
    answer = http.get("/v1/orders", params=asked)
    assert answer.status_code == 200, answer.text
    return {row["order"]: row for row in answer.json(parse_float=Decimal)["rows"]}


def test_an_order_that_is_done(http: httpx.Client) -> None:
    row = orders(http)["O1"]
    assert [str(row[name]) for name in MONEY] == [
        "776.2500", "1084.0000", "307.7500", "1084.0000", "116.0000", "525.0000",
    ]  # fmt: skip
    assert (row["state"], row["good"], row["planned"], row["machine"]) == ("done", 345, 300, "pack")
    # The counter tells the 300th unit at 10:00, in the segment that runs from then to 10:31.
    assert row["completion"] == "2026-03-02T10:00:00Z"
    assert (row["forecast"], row["late_h"]) == (False, 0)


def test_an_order_that_loses_money_says_so_before_it_is_done(http: httpx.Client) -> None:
    row = orders(http)["O2"]
    assert (row["state"], row["good"], row["planned"]) == ("begun", 216, 324)
    # 836 + 108 x 836 / 216; the list price of 324 units is 972.
    assert row["estimate_at_completion"] == Decimal(1254)
    assert row["margin"] == Decimal(-282)
    assert row["planned_margin"] == 324 * (3 - Decimal("2.625"))
    # 209 min for 216 units: 104.5 min for the rest, from 06:00 of the next day on.
    assert (row["completion"], row["forecast"]) == ("2026-03-03T07:44:30Z", True)
    assert row["late_h"] == Decimal("17.741667")


def test_an_order_to_come_stands_at_standard(http: httpx.Client) -> None:
    row = orders(http)["O3"]
    assert (row["state"], row["good"], row["actual_to_date"]) == ("planned", 0, 0)
    assert (row["estimate_at_completion"], row["margin"]) == (450, 350)
    assert (row["completion"], row["late_h"]) == ("2026-03-03T10:00:00Z", 0)


def test_the_window_chooses_orders_and_its_end_bounds_them(http: httpx.Client) -> None:
    assert list(orders(http, **{"from": "2026-03-02", "to": "2026-03-03"})) == ["O1", "O2"]
    early = orders(http, to="2026-03-02T08:00:00Z")
    assert list(early) == ["O1"]
    assert (early["O1"]["good"], early["O1"]["actual_to_date"]) == (165, 480)
    later = orders(http, **{"from": "2026-03-02T13:00:00Z", "to": "2026-03-02T13:30:00Z"})
    assert list(later) == ["O2"]
    assert later["O2"]["actual_to_date"] == 836 - 120
    assert list(orders(http, product="A")) == ["O1", "O3"]
    assert list(orders(http, order="O2")) == ["O2"]


def test_the_cost_of_an_order_is_that_of_its_entries(http: httpx.Client) -> None:
    costs = http.get("/v1/costs?by=order").json(parse_float=Decimal)["rows"]
    told = {row["order"]: row["amount"] for row in costs}
    for name, row in orders(http).items():
        assert row["actual_to_date"] == told.get(name, 0)
        behind = http.get(row["segments"]).json(parse_float=Decimal)
        assert behind["total"] == row["actual_to_date"]
        variances = http.get(row["variances"]).json(parse_float=Decimal)
        assert variances["total"]["allowance"] == row["standard_cost"]


@pytest.mark.parametrize("role", ["floor", "engineer"])
def test_who_may_not_see_it_gets_no_money_of_wages(mill: Mill, role: str) -> None:
    with client(mill.address, mill.keys[role]) as http:
        row = orders(http)["O1"]
    assert row["good"] == 345
    if role == "floor":
        assert {row[name] for name in (*MONEY, "sales_price")} == {None}
    else:
        assert row["actual_to_date"] == Decimal("677.5")
        assert row["standard_cost"] == 345 * (Decimal("0.9") + Decimal("0.5"))


def test_key_figures_of_a_product_leave_idle_time_out(http: httpx.Client) -> None:
    rows = http.get("/v1/kpis?by=machine,product").json(parse_float=Decimal)["rows"]
    told = {(row["machine"], row["product"]): row for row in rows}
    cut = told["cut", "A"]
    assert cut["planned_busy_h"] == Decimal("4.516667")
    assert cut["availability"] == Decimal("0.889299")
    assert cut["effectiveness"] == (Decimal(345 * 36) / (241 * 60)).quantize(Decimal("0.000001"))
    assert told["pack", "B"]["setup_rate"] == (Decimal(20) / 209).quantize(Decimal("0.000001"))
    whole = http.get("/v1/kpis").json(parse_float=Decimal)["rows"]
    assert sum(row["good"] for row in rows) == whole[0]["good"] == 2 * (345 + 216)
    days = http.get("/v1/kpis?by=day,period").json(parse_float=Decimal)["rows"]
    assert [(row["day"], row["period"]) for row in days] == [(date(2026, 3, 2).isoformat(), "2026-03")]
