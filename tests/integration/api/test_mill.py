"""Eight causes that were put into five weeks of a mill come out through REST: named, dated, priced; what
finance assumed of them is found to be broken, and a better standard can be accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.simulation.mill import ENDS, SITE, Injected, Mill

pytestmark = pytest.mark.timeout(300)
"""The mill is loaded, backfilled and interpreted before the first test."""

BROKEN = {"cycle:m1", "scrap:m2", "availability:m2", "changeover:m3", "crew:m4"}
"""Assumptions that what was put in breaks, and what may be said of the energy of m3: it may be too cheap."""


@dataclass(frozen=True, slots=True)
class Served:
    http: httpx.Client
    mill: Mill
    injected: list[Injected]

    def rows(self, path: str) -> list[dict[str, Any]]:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return list(answer.json(parse_float=Decimal)["rows"])


@pytest.fixture(scope="module")
def mill(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    mill = Mill(seed=3)
    plant, history, injected = mill.write(tmp_path_factory.mktemp("mill"))
    for url in servers.new_database("plain", servers.template):
        told(url, SITE, plant, [history])
        with psycopg.connect(url) as connection:
            key = keys.create(connection, "finance")
        with served(url, now=ENDS) as address, client(address, key) as http:
            yield Served(http, mill, injected)


def test_each_cause_is_named_dated_and_priced(mill: Served) -> None:
    rows = {(row["machine"], row["cause"]): row for row in mill.rows("/v1/verdicts?measure=unit_cost")}
    working = {day: at for at, day in enumerate(day.isoformat() for day in mill.mill.days)}
    assert len(mill.injected) == 8
    for one in mill.injected:
        row = rows[one.machine, one.cause]
        assert row["verdict"] == one.verdict, one
        assert abs(working[row["since"]] - working[one.since.isoformat()]) <= 2, one
        off = float(row["projected"]) / one.amount - 1
        assert abs(off) <= 0.05, one
        assert row["effect"] == "worse"
        assert row["confidence"] > Decimal("0.9")
        # One large stop is priced by itself, to the cent.
        assert one.cause != "downtime" or one.verdict != "isolated" or abs(off) < 0.0005, one
    assert rows["m2", "downtime"]["tied_to"] == "weekday Mon"


def test_machines_without_a_story_have_no_lasting_change_for_the_worse(mill: Served) -> None:
    put_in = {(one.machine, one.cause) for one in mill.injected}
    false = [
        row
        for row in mill.rows("/v1/verdicts?measure=unit_cost")
        if row["verdict"] in ("structural", "drift")
        and row["effect"] == "worse"
        and (row["machine"], row["cause"]) not in put_in
        and row["cause"] != "idle"
    ]
    assert false == []


@pytest.mark.parametrize(
    ("measure", "machine", "verdict"),
    [("cycle", "m1", "structural"), ("yield", "m2", "drift"), ("cycle", "m4", "steady")],
)
def test_other_measures_move_too(mill: Served, measure: str, machine: str, verdict: str) -> None:
    (row,) = mill.rows(f"/v1/verdicts?measure={measure}&machine={machine}")
    assert row["verdict"] == verdict
    assert row["cause"] is None
    assert row["effect"] in (None, "worse")


def test_a_verdict_opens_to_its_segments(mill: Served) -> None:
    (row,) = (row for row in mill.rows("/v1/verdicts?machine=m1") if row["cause"] == "downtime")
    (stop,) = (one for one in mill.rows(row["segments"]) if Decimal(one["hours"]) == 3)
    assert stop["from"].startswith(row["since"])


def test_what_was_put_in_breaks_its_assumption_and_nothing_else(mill: Served) -> None:
    rows = {":".join(row["id"].split(":")[1:3]): row for row in mill.rows("/v1/assumptions")}
    broken = {name for name, row in rows.items() if row["status"] == "broken"}
    assert broken >= {"cycle:m1", "crew:m4", "changeover:m3"}
    assert rows["scrap:m2"]["status"] != "holding"
    assert len(broken - BROKEN) <= 1
    assert rows["energy:m3"]["status"] in ("watch", "broken")
    assert rows["cycle:m2"]["status"] != "broken"
    crew = rows["crew:m4"]
    assert (crew["assumed"], crew["observed"]) == (2, 3)
    assert crew["since"] == mill.mill.days[mill.mill.crew_from].isoformat()
    assert crew["cost_per_day"] > 0


def test_the_sums_of_a_stream_are_told(mill: Served) -> None:
    (row,) = mill.rows("/v1/assumptions?assumption=crew&machine=m4&series=yes")
    assert len(row["series"]) == row["observations"]
    assert max(point["high"] for point in row["series"]) > row["sigma"] * row["limit"]


def test_an_accepted_standard_is_recorded_and_parts_planning_from_the_floor(mill: Served) -> None:
    day = mill.mill.days[0]
    where = f"machine=m2&product=P&from={day}&to=2026-05-01&by=machine"
    before = mill.http.get(f"/v1/variances?{where}").json(parse_float=Decimal)["total"]
    answer = mill.http.post(
        "/v1/assumptions/mill:cycle:m2:P/accept", json={"value": 36.4, "from": day.isoformat()}
    )
    assert answer.status_code == 200, answer.text
    said = answer.json(parse_float=Decimal)
    assert (said["column"], said["after"], said["from"]) == (
        "ideal_cycle_s",
        Decimal("36.4"),
        day.isoformat(),
    )
    after = mill.http.get(f"/v1/variances?{where}").json(parse_float=Decimal)["total"]
    assert after["variance"] == before["variance"]
    assert after["planning"] > 100
    (row,) = mill.rows("/v1/assumptions?assumption=cycle&machine=m2")
    assert row["assumed"] == Decimal("36.4")
    assert row["status"] != "broken"


def test_what_cannot_be_accepted_says_why(mill: Served) -> None:
    for path, status in (
        ("mill:cycle:m9:P", 404),
        ("mill:wage:l1", 404),
        ("mill:scrap:m1:P", 409),
    ):
        answer = mill.http.post(f"/v1/assumptions/{path}/accept", json={})
        assert answer.status_code == status, answer.text
    answer = mill.http.post(
        "/v1/assumptions/mill:scrap:m1:P/accept", json={"value": -3, "from": "2026-04-01"}
    )
    assert answer.status_code == 400, answer.text


def test_a_forecast_begins_with_what_was_spent(mill: Served) -> None:
    answer = mill.http.get("/v1/forecast").json(parse_float=Decimal)
    assert (answer["period"], answer["working_days_left"]) == ("2026-04", 0)
    spent = mill.http.get("/v1/costs?period=2026-04").json(parse_float=Decimal)["total"]
    assert answer["actual_to_date"] == spent
    assert sum(row["projected"] for row in answer["by_cause"]) == answer["projected"]
    assert answer["p10"] <= answer["projected"] <= answer["p90"]


def test_a_longer_forecast_follows_each_verdict(mill: Served) -> None:
    answer = mill.http.get("/v1/forecast?horizon=quarter&machine=m4").json(parse_float=Decimal)
    assert answer["period"] == "2026-04 to 2026-06"
    rows = {row["cause"]: row for row in answer["by_cause"]}
    days = answer["working_days_left"]
    assert days == 43
    crew = next(one for one in mill.injected if one.cause == "crew")
    per_day = crew.amount / (len(mill.mill.days) - mill.mill.crew_from)
    assert abs(float(rows["crew"]["to_come"]) / (per_day * float(days)) - 1) < 0.1
    assert rows["crew"]["rule"] == "stays at its new level"
    assert abs(float(rows["waiting"]["to_come"])) < 50
    assert answer["p10"] < answer["projected"] < answer["p90"]
    assert answer["output"]["lines"][0]["constraint"] == "m4"
    assert answer["budget"] is None


def test_the_pages_say_it_in_words(mill: Served) -> None:
    page = mill.http.get("/assumptions")
    assert page.status_code == 200
    assert "broken" in page.text
    assert 'class="drift"' in page.text
    page = mill.http.get("/forecast?horizon=quarter")
    assert page.status_code == 200
    assert "2026-04 to 2026-06 ends at" in page.text
    assert "stays at its new level" in page.text
    assert mill.http.get("/forecast?horizon=decade").status_code == 400


@pytest.mark.parametrize("measure", ["unit_cost", "total_cost"])
@pytest.mark.parametrize("base", ["previous", "standard", "window"])
def test_every_number_of_a_statement_leads_to_rows_that_sum_to_it(
    mill: Served, base: str, measure: str
) -> None:
    """Over the last week: each link of the statement, and each span of the evidence."""
    days = [day.isoformat() for day in mill.mill.days]
    asked = {"from": days[-5], "to": (mill.mill.days[-1] + timedelta(days=1)).isoformat(), "measure": measure}
    asked |= {"base_from": days[0], "base_to": days[10]} if base == "window" else {"base": base}
    bridge = mill.http.get("/v1/bridge", params=asked).json(parse_float=Decimal, parse_int=Decimal)
    assert bridge["start"] + sum(bar["amount"] for bar in bridge["bars"]) == bridge["end"]
    assert len(bridge["statement_links"]) >= 3
    for link in bridge["statement_links"]:
        assert link["text"] in bridge["statement"]
        rows = mill.http.get(link["address"]).json(parse_float=Decimal, parse_int=Decimal)[link["rows"]]
        own = [row for row in rows if link["factor"] in (None, row.get("factor"))]
        assert abs(sum(row[link["field"]] for row in own)) == abs(link["amount"]), link
    for bar in bridge["bars"]:
        assert sum(row["amount"] for row in bar["evidence"]) == bar["amount"]
    dearest = max(bridge["bars"], key=lambda bar: abs(bar["amount"]) if bar["cause"] else 0)
    for row in dearest["evidence"]:
        if row["kind"] == "segment":
            told = mill.http.get(row["rows"]).json(parse_float=Decimal, parse_int=Decimal)
            assert row["cost"] == told["total"] == sum(one["amount"] for one in told["rows"])
