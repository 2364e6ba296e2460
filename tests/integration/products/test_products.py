"""True cost of the mill's products, computed by hand.

Eight hours of cut at 90 + 2 x 30 and of pack at 60 + 30 are 1920. A took 271 minutes of both, B 209; pack
waited half an hour for cut, 30 of machine that no product bears and 15 of labour that A does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from tests.integration.api.serving import client
from tests.integration.products.conftest import Mill

A, B = Decimal(1054), Decimal(836)


def asked(http: httpx.Client, **question: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    answer = http.get("/v1/products", params=question)
    assert answer.status_code == 200, answer.text
    body = answer.json(parse_float=Decimal)
    return body, {row["product"]: row for row in body["rows"]}


def each(amount: Decimal, units: int) -> Decimal:
    return (amount / units).quantize(Decimal("0.0001"))


def test_cost_is_what_a_product_took_and_the_rest_stands_apart(http: httpx.Client) -> None:
    body, rows = asked(http)
    assert body["total"] == 1920
    assert {name: row["actual_cost"] for name, row in rows.items()} == {"A": A, "B": B}
    (waiting,) = body["unused_capacity"]
    assert (waiting["machine"], waiting["cause"]) == ("pack", "waiting")
    assert (waiting["hours"], waiting["amount"]) == (Decimal("0.5"), 30)
    assert body["idle_labour"] == body["unassigned"] == []
    assert http.get(waiting["segments"]).json()["total"] == 30


def test_four_unit_costs_stand_side_by_side(http: httpx.Client) -> None:
    _, rows = asked(http)
    assert rows["A"]["standard_unit_cost"] == Decimal("2.25")
    assert rows["B"]["standard_unit_cost"] == Decimal("2.625")
    assert rows["A"]["actual_unit_cost"] == rows["A"]["normalised_unit_cost"] == each(A, 345)
    assert rows["B"]["actual_unit_cost"] == each(B, 216)
    # All 1920 spread on standard run hours: 345 x 66 s of A, 216 x 75 s of B.
    hours = 345 * 66 + 216 * 75
    assert rows["A"]["averaged_unit_cost"] == each(Decimal(1920) * 66 / hours, 1)
    assert rows["B"]["averaged_unit_cost"] == each(Decimal(1920) * 75 / hours, 1)
    assert rows["A"]["margin"] == 345 * 4 - A
    assert rows["B"]["margin"] == 216 * 3 - B
    assert rows["B"]["unit_margin"] == each(216 * 3 - B, 216)


def test_the_burden_is_all_that_was_not_production(http: httpx.Client) -> None:
    _, rows = asked(http)
    assert rows["A"]["burden"] == {
        "downtime": 75,
        "waiting": 15,
        "speed_loss": A - 345 * Decimal("2.25") - 90,
    }
    assert rows["B"]["burden"] == {"changeover": 80, "speed_loss": B - 216 * Decimal("2.625") - 80}
    assert rows["B"]["disruption"]["changeovers"] == 2
    assert rows["B"]["disruption"]["planned_changeovers"] is None
    assert rows["B"]["disruption"]["late_h"] == Decimal("17.741667")
    assert rows["A"]["variability"]["orders"] == 1
    assert rows["A"]["variability"]["unit_cost_cv"] is None
    # An alarm and an override; 5 minutes of 30 an hour for each.
    supervision = rows["A"]["supervision"]
    assert (supervision["alarms"], supervision["overrides"], supervision["short_stops"]) == (1, 1, 0)
    assert (supervision["amount"], supervision["assumed"]) == (5, True)
    assert rows["B"]["supervision"]["interventions"] == 1


def test_a_filter_by_product_changes_no_figure(http: httpx.Client) -> None:
    body, rows = asked(http)
    narrowed, one = asked(http, product="B")
    assert one == {"B": rows["B"]}
    assert narrowed["total"] == body["total"]


def test_without_wages_all_of_it_is_without_labour(mill: Mill) -> None:
    with client(mill.address, mill.keys["engineer"]) as http:
        body, rows = asked(http)
    assert body["total"] == 8 * 150
    assert rows["B"]["actual_cost"] == 209 * 150 / Decimal(60)
    assert rows["B"]["supervision"]["amount"] is None
