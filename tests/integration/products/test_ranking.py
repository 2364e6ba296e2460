"""Which machine, product, shift or reason is behind a change of the mill: the second half of its day against
the first."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

HALVES = {
    "from": "2026-03-02T10:00:00Z",
    "to": "2026-03-02T14:00:00Z",
    "base_from": "2026-03-02T06:00:00Z",
    "base_to": "2026-03-02T10:00:00Z",
    "measure": "total_cost",
}


def asked(http: httpx.Client, **more: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    answer = http.get("/v1/ranking", params={**HALVES, **more})
    assert answer.status_code == 200, answer.text
    body = answer.json(parse_float=Decimal)
    return body, {row["dimension"]: row for row in body["dimensions"]}


def test_rows_of_a_dimension_add_up_to_its_change(http: httpx.Client) -> None:
    body, dimensions = asked(http)
    bridge = http.get("/v1/bridge", params=HALVES).json(parse_float=Decimal)
    assert body["change"] == bridge["change"] == 0
    assert dimensions["product"]["change"] == dimensions["machine"]["change"] == body["change"]
    for name, dimension in dimensions.items():
        rows = [row for row in body["rows"] if row["dimension"] == name]
        assert sum(row["change"] for row in rows) == dimension["change"]
        assert rows[0]["value"] == dimension["leads"]
        assert [abs(row["change"]) for row in rows] == sorted(
            (abs(row["change"]) for row in rows), reverse=True
        )


def test_products_changed_places(http: httpx.Client) -> None:
    body, _ = asked(http)
    change = {row["value"]: row["change"] for row in body["rows"] if row["dimension"] == "product"}
    # At 240 an hour A took four hours before, 31 minutes after.
    assert change["A"] == 240 * Decimal(31) / 60 - 960
    assert change["B"] == 836


def test_a_stop_is_laid_at_its_reason(http: httpx.Client) -> None:
    body, dimensions = asked(http, cause="downtime")
    rows = {row["value"]: row for row in body["rows"] if row["dimension"] == "reason"}
    assert rows["jam"]["change"] == -75
    assert rows["jam"]["share"] == 1
    assert dimensions["reason"]["causes"] == ["downtime"]
    behind = http.get("/v1/segments", params={"cause": "downtime", "reason": "jam"}).json(parse_float=Decimal)
    assert behind["total"] == 75


def test_shifts_are_compared_only_for_what_they_control(http: httpx.Client) -> None:
    _, dimensions = asked(http)
    assert set(dimensions["shift"]["causes"]) == {
        "scrap", "rework", "speed_loss", "downtime", "changeover", "usage",
    }  # fmt: skip
    _, dimensions = asked(http, cause="waiting")
    assert set(dimensions) == {"product", "machine"}
    refused = http.get("/v1/ranking", params={**HALVES, "base": "budget"})
    assert refused.status_code == 400
