"""What every answer promises: parts that add up, evidence that sums to its cell, pages, filters, status."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.api.conftest import Shop

WINDOW = "from=2026-03-02&to=2026-03-05"


def get(http: httpx.Client, address: str) -> dict[str, Any]:
    answer = http.get(address)
    assert answer.status_code == 200, answer.text
    return dict(answer.json(parse_float=Decimal))


@pytest.mark.parametrize("path", ["costs", "variances", "segments", "samples", "confidence"])
def test_every_answer_says_how_far_to_trust_it(http: httpx.Client, path: str) -> None:
    answer = get(http, f"/v1/{path}?{WINDOW}")
    assert answer["status"] == "provisional"
    assert answer["confidence"]["grade"] in "ABCD"
    assert answer["computed_through"] == "2026-03-04T17:00:00Z"
    assert answer["pending_hours"] == 0


def test_money_is_a_json_number_with_four_decimals(http: httpx.Client) -> None:
    text = http.get(f"/v1/costs?{WINDOW}&by=cause").text
    assert '"amount":"' not in text
    answer = get(http, f"/v1/costs?{WINDOW}&by=cause")
    assert {-row["amount"].as_tuple().exponent for row in answer["rows"]} == {4}
    assert sum(row["amount"] for row in answer["rows"]) == answer["total"]


@pytest.mark.parametrize(
    "by",
    ["resource,cause", "machine,resource,cause", "product,cause", "order,cause", "shift,cause", "hour,cause",
     "day,cause", "week,cause", "line,cause", "site,cause", "reason,cause"],
)  # fmt: skip
def test_evidence_sums_to_the_row_it_explains(http: httpx.Client, by: str) -> None:
    window = "from=2026-03-03&to=2026-03-04" if "hour" in by else WINDOW
    answer = get(http, f"/v1/costs?{window}&by={by}")
    assert answer["rows"]
    for row in answer["rows"]:
        evidence = get(http, row["segments"])
        charged = get(http, row["segments"].replace("/v1/segments", "/v1/costs") + "&by=resource")
        charges = sum(one["amount"] for one in charged["rows"] if one["resource"] == "other")
        amounts = sum(one["amount"] for one in evidence["rows"])
        assert amounts == evidence["total"]
        assert abs(amounts + charges - row["amount"]) <= Decimal("0.0002"), row


def test_the_total_is_the_same_for_every_grouping(http: httpx.Client) -> None:
    totals = {
        by: get(http, f"/v1/variances?{WINDOW}&by={by}")["total"]
        for by in ("cause", "machine", "machine,resource,cause", "product", "day", "hour", "shift", "reason")
    }
    whole = get(http, f"/v1/variances?{WINDOW}")["total"]
    for by, total in totals.items():
        for name in ("actual", "allowance", "variance", "planning", "operational"):
            assert total[name] == whole[name], (by, name)


def test_identity_b_holds(http: httpx.Client) -> None:
    answer = get(http, f"/v1/variances?{WINDOW}&by=resource,cause")
    total = answer["total"]
    assert total["actual"] == get(http, f"/v1/costs?{WINDOW}")["total"]
    assert sum(row["variance"] for row in answer["rows"]) == total["actual"] - total["allowance"]
    assert answer["good_units"] == 2080 == answer["counted_at"][0]["good_units"]
    assert answer["counted_at"][0]["machine"] == "pack"


def test_textbook_variances_are_sums_of_cells(http: httpx.Client) -> None:
    answer = get(http, f"/v1/variances?{WINDOW}&by=resource,cause")
    cells = {(row["resource"], row["cause"]): row["variance"] for row in answer["rows"]}
    textbook = answer["total"]["textbook"]
    assert abs(textbook["labour_rate"] - cells["labour", "price"]) <= Decimal("0.0001")
    assert abs(textbook["labour_overtime"] - cells["labour", "overtime"]) <= Decimal("0.0001")
    rest = sum(
        amount
        for (resource, cause), amount in cells.items()
        if resource == "labour" and cause not in ("price", "overtime")
    )
    assert abs(textbook["labour_efficiency"] - rest) <= Decimal("0.001")
    assert abs(textbook["capacity_not_used"] - cells["machine", "idle"]) <= Decimal("0.0001")


def test_a_window_may_be_cut_anywhere(http: httpx.Client) -> None:
    cuts = ["2026-03-02T06:00:00%2B01:00", "2026-03-02T09:17:23.5%2B01:00", "2026-03-02T09:17:24%2B01:00",
            "2026-03-03T11:59:59%2B01:00", "2026-03-05T06:00:00%2B01:00"]  # fmt: skip
    for path, value in (("costs", "amount"), ("variances", "actual"), ("variances", "allowance")):
        whole = get(http, f"/v1/{path}?{WINDOW}&by=resource,cause")
        parts: dict[tuple[str, str], Decimal] = {}
        for begin, end in pairwise(cuts):
            for row in get(http, f"/v1/{path}?from={begin}&to={end}&by=resource,cause")["rows"]:
                key = (row["resource"], row["cause"])
                parts[key] = parts.get(key, Decimal(0)) + row[value]
        for row in whole["rows"]:
            assert abs(parts[row["resource"], row["cause"]] - row[value]) <= Decimal("0.001"), row


def test_pages_give_each_segment_once(http: httpx.Client) -> None:
    whole = get(http, f"/v1/segments?{WINDOW}")
    rows: list[dict[str, Any]] = []
    address = f"/v1/segments?{WINDOW}&limit=7"
    cursor = ""
    while cursor is not None:
        page = get(http, address + (f"&cursor={cursor}" if cursor else ""))
        rows += page["rows"]
        cursor = page.get("next_cursor")
    assert rows == whole["rows"]
    assert sum(row["amount"] for row in rows) == whole["total"]


def test_segments_tile_the_time_line_joined_across_hours(http: httpx.Client) -> None:
    rows = get(http, f"/v1/segments?{WINDOW}&machine=cut")["rows"]
    for one, other in pairwise(rows):
        assert one["to"] == other["from"]
    nights = [row for row in rows if row["state"] == "idle" and row["calendar"] == "off"]
    assert [Decimal(row["hours"]) for row in nights] == [12, 12]
    (stop,) = (row for row in rows if row["state"] == "down" and row["from"].startswith("2026-03-02"))
    assert (stop["reason"], stop["from"], stop["to"]) == (
        "jam",
        "2026-03-02T08:00:00Z",
        "2026-03-02T08:40:00Z",
    )


def test_pages_of_samples_give_each_once(http: httpx.Client) -> None:
    whole = get(http, f"/v1/samples?{WINDOW}&machine=cut&signal=good_count")
    rows: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        tail = f"&cursor={cursor}" if cursor else ""
        page = get(http, f"/v1/samples?{WINDOW}&machine=cut&signal=good_count&limit=4{tail}")
        rows += page["rows"]
        cursor = page.get("next_cursor")
    assert rows == whole["rows"]
    assert len(rows) == 27
    assert rows[0]["value"] == 1080
    assert rows[0]["quality"] == "good"


def test_rows_page_without_changing_the_total(http: httpx.Client) -> None:
    whole = get(http, f"/v1/costs?{WINDOW}&by=hour,cause")
    first = get(http, f"/v1/costs?{WINDOW}&by=hour,cause&limit=5")
    second = get(http, f"/v1/costs?{WINDOW}&by=hour,cause&limit=5&cursor={first['next_cursor']}")
    assert first["rows"] + second["rows"] == whole["rows"][:10]
    assert first["total"] == whole["total"]


def test_evidence_keeps_the_site_that_was_asked_for(http: httpx.Client) -> None:
    named = get(http, f"/v1/costs?{WINDOW}&site=tiny&by=cause")["rows"][0]["segments"]
    assert "site=tiny" in named
    grouped = get(http, f"/v1/costs?{WINDOW}&by=site,cause")["rows"][0]["segments"]
    assert grouped.count("site=tiny") == 1


def test_an_empty_filter_asks_for_rows_without_one(http: httpx.Client) -> None:
    by_product = get(http, f"/v1/costs?{WINDOW}&by=product")
    (none,) = (row["amount"] for row in by_product["rows"] if row["product"] is None)
    assert abs(get(http, f"/v1/costs?{WINDOW}&product=")["total"] - none) <= Decimal("0.0001")


def test_a_charge_without_a_machine_is_in_site_totals_only(http: httpx.Client) -> None:
    whole = get(http, f"/v1/costs?{WINDOW}")["total"]
    machines = get(http, f"/v1/costs?{WINDOW}&machine=cut&machine=pack")["total"]
    assert whole - machines == 40
    assert get(http, f"/v1/costs?{WINDOW}&cause=expedite")["total"] == Decimal("250.5")


def test_sums_by_day_equal_the_hourly_rows(http: httpx.Client, shop: Shop) -> None:
    daily = {row["cause"]: row for row in get(http, f"/v1/costs?{WINDOW}&by=cause")["rows"]}
    with psycopg.connect(shop.url) as connection:
        hourly = dict(connection.execute("select cause, sum(amount) from entries group by 1").fetchall())
    assert set(daily) == set(hourly)
    for cause, amount in hourly.items():
        assert abs(daily[cause]["amount"] - amount) <= Decimal("0.0001")


def test_who_asks_for_a_week_gets_its_monday(http: httpx.Client) -> None:
    rows = get(http, f"/v1/costs?{WINDOW}&by=week")["rows"]
    assert [row["week"] for row in rows] == ["2026-03-02"]


def test_the_service_tells_that_it_lives_and_what_it_did(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "alive"}
    assert http.get("/readyz").json() == {"status": "ready"}
    http.get("/v1/costs")
    http.get("/nowhere")
    text = http.get("/metrics").text
    assert 'plantledger_http_requests_total{path="/v1/costs",status="200"}' in text
    assert 'plantledger_http_requests_total{path="other",status="404"}' in text
    assert 'plantledger_pending_machine_hours{site="tiny"} 0' in text
