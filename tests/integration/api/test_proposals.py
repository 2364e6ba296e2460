"""The standards proposal pack: what it says a change would do is what the change does; nothing half done."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from cloud_api.access import keys
from cloud_api.answers.shapes.proposals import StandardRow
from cloud_api.pages import proposals as page
from cloud_api.pages import words
from cloud_api.plant.load import load_directory
from cloud_api.plant.tables import STANDARDS
from cloud_api.store.pool import connect
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.worn import ENDS, FIRST, SCRAP_FROM, SITE, SLOW_FROM, write_worn

CYCLE, SCRAP = "worn:cycle:saw:P", "worn:scrap:saw:P"


@dataclass(frozen=True, slots=True)
class Worn:
    url: str
    plant: Path
    http: httpx.Client
    second: httpx.Client
    engineer: httpx.Client

    def get(self, path: str, **parameters: str) -> Any:
        answer = self.http.get(f"/v1/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json(parse_float=Decimal)

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        answer = self.http.post(f"/v1/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json(parse_float=Decimal)

    def versions(self) -> int:
        return len(self.get("plant/versions")["rows"])


@pytest.fixture(scope="module")
def interpreted(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database that holds the line, for others to begin with."""
    plant, history = write_worn(tmp_path_factory.mktemp("worn"))
    for url in servers.new_database("plain", servers.template):
        told(url, SITE, plant, [history])
        yield str(conninfo_to_dict(url)["dbname"])


def worn_at(servers: Servers, folder: Path, template: str, *, four_eyes: bool = False) -> Iterator[Worn]:
    plant, _ = write_worn(folder, four_eyes=four_eyes)
    for url in servers.new_database("plain", template):
        if four_eyes:
            with connect(url) as connection:
                load_directory(connection, plant)
        with psycopg.connect(url) as connection:
            made = [keys.create(connection, role) for role in ("finance", "finance", "engineer")]
        with (
            served(url, now=ENDS) as address,
            client(address, made[0]) as http,
            client(address, made[1]) as second,
            client(address, made[2]) as engineer,
        ):
            yield Worn(url, plant, http, second, engineer)


@pytest.fixture(scope="module")
def worn(servers: Servers, tmp_path_factory: pytest.TempPathFactory, interpreted: str) -> Iterator[Worn]:
    """Nothing in it is ever changed."""
    yield from worn_at(servers, tmp_path_factory.mktemp("worn"), interpreted)


@pytest.fixture
def changing(servers: Servers, tmp_path: Path, interpreted: str) -> Iterator[Worn]:
    yield from worn_at(servers, tmp_path, interpreted)


@pytest.fixture
def with_four_eyes(servers: Servers, tmp_path: Path, interpreted: str) -> Iterator[Worn]:
    yield from worn_at(servers, tmp_path, interpreted, four_eyes=True)


def test_the_pack_names_what_is_broken_with_its_evidence(worn: Worn) -> None:
    pack = worn.get("proposals")
    rows = {row["id"]: row for row in pack["rows"]}
    assert set(rows) == {CYCLE, SCRAP}
    cycle = rows[CYCLE]
    assert cycle["from"] == (FIRST + timedelta(days=SLOW_FROM)).isoformat()
    assert abs(cycle["value"] / (36 * Decimal("1.12")) - 1) < Decimal("0.01")
    assert cycle["low"] < cycle["value"] < cycle["high"]
    assert cycle["observations"] == 30
    assert cycle["column"] == "ideal_cycle_s"
    assert worn.http.get(cycle["segments"]).json()["rows"]
    assert abs((FIRST + timedelta(days=SCRAP_FROM)).toordinal() - _ordinal(rows[SCRAP]["from"])) <= 1


def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()


def test_before_is_the_variance_as_it_is_and_the_rows_add_up(worn: Worn) -> None:
    pack = worn.get("proposals", period="2026-03")
    assert pack["before"] == worn.get("variances", period="2026-03")["total"]
    for name in ("planning", "variance"):
        change = pack["after"][name] - pack["before"][name]
        assert sum(row[name] for row in pack["rows"]) == change
    assert pack["after"]["actual"] == pack["before"]["actual"]
    assert pack["after"]["variance"] == pack["before"]["variance"]
    assert pack["after"]["planning"] - pack["before"]["planning"] > 100
    assert all(row["planning"] > 0 for row in pack["rows"])


def test_the_open_period_is_looked_at_where_none_is_named(worn: Worn) -> None:
    assert worn.get("proposals")["before"] == worn.get("variances", period="2026-04")["total"]


def test_unit_cost_and_price_list(worn: Worn) -> None:
    pack = worn.get("proposals")
    rows = {row["id"]: row for row in pack["rows"]}
    (price,) = pack["prices"]

    # A cycle of c s and a scrap rate of s: c / 3600 x 150 x 1/(1-s) + 0.5 x 0.2 x 1/(1-s) + 3 / (1-s); a box
    # besides: 30 s at 90 an hour, 0.1 kWh.
    def unit(cycle: Decimal, scrap: Decimal) -> Decimal:
        return (cycle / 3600 * 150 + Decimal("0.1") + 3) / (1 - scrap) + Decimal("0.77")

    before = unit(Decimal(36), Decimal("0.02"))
    after = unit(rows[CYCLE]["value"], rows[SCRAP]["value"])
    assert abs(price["unit_cost_before"] - before) < Decimal("0.0001")
    assert abs(price["unit_cost_after"] - after) < Decimal("0.0001")
    assert price["machines"] == ["saw", "box"]
    assert price["margin_after"] == price["sales_price"] - price["unit_cost_after"]
    kept = price["same_margin_price"]
    share = (kept - price["unit_cost_after"]) / kept
    assert abs(share - price["margin_share_before"]) < Decimal("0.0001")
    floor = Decimal("3.1") / (1 - rows[SCRAP]["value"]) + Decimal("0.02")
    assert abs(price["price_floor_after"] - floor) < Decimal("0.0001")
    changes = sum(row["unit_cost_change"] for row in pack["rows"])
    assert abs(changes - (price["unit_cost_after"] - price["unit_cost_before"])) <= Decimal("0.0002")


def test_simulating_changes_nothing_and_takes_other_numbers(worn: Worn) -> None:
    before = worn.get("plant/standards"), worn.versions()
    body = {"proposals": [{"id": CYCLE, "value": 40, "from": "2026-03-10"}], "period": "2026-03"}
    pack = worn.post("proposals/simulate", body)
    (row,) = pack["rows"]
    assert (row["value"], row["from"]) == (40, "2026-03-10")
    assert [(one["from"], one["ideal_cycle_s"], one["scrap_rate"]) for one in pack["standards"]] == [
        ("2026-03-10", 40, Decimal("0.02"))
    ]
    assert (worn.get("plant/standards"), worn.versions()) == before


def test_what_is_simulated_is_what_comes_of_it(changing: Worn) -> None:
    window = {"from": "2026-03-02", "to": "2026-04-21"}
    pack = changing.get("proposals", **window)
    wishes = [{"id": row["id"], "value": str(row["value"]), "from": row["from"]} for row in pack["rows"]]
    done = changing.post("proposals/approve", {"proposals": wishes})
    assert (done["waits_for_second_person"], len(done["rows"])) == (False, 2)
    assert {row["id"]: row["before"] for row in done["rows"]} == {CYCLE: 36, SCRAP: Decimal("0.02")}
    assert changing.get("variances", **window)["total"] == pack["after"]
    again = changing.get("proposals", **window)
    assert again["rows"] == []
    assert again["before"] == again["after"] == pack["after"]
    cards = [row for row in changing.get("plant/standards")["rows"] if row["machine"] == "saw"]
    assert len(cards) == 1 + len(pack["standards"])
    with psycopg.connect(changing.url) as connection:
        (detail,) = (
            connection.execute("select detail from audit where action = 'standards approved'").fetchone()
            or ()
        )
    assert {one["id"]: Decimal(one["after"]) for one in detail["proposals"]} == {
        row["id"]: row["value"] for row in pack["rows"]
    }
    assert {one["before"] for one in detail["proposals"]} == {"36", "0.02"}


def test_the_file_is_one_that_a_load_takes(changing: Worn) -> None:
    window = {"from": "2026-03-02", "to": "2026-04-21"}
    pack = changing.get("proposals", **window)
    answer = changing.http.get("/v1/proposals/standards.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="standards.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == [column.name for column in STANDARDS.columns]
    assert list(rows[0]) == [field.rstrip("_") for field in StandardRow.__struct_fields__]
    (changing.plant / "standards.csv").write_text(answer.text, encoding="utf-8")
    with connect(changing.url) as connection:
        assert load_directory(connection, changing.plant).added == len(rows) == 2
    assert changing.get("variances", **window)["total"] == pack["after"]


def test_a_second_person_approves_where_the_site_wants_it(with_four_eyes: Worn) -> None:
    worn = with_four_eyes
    worn.post("proposals/approve", {"proposals": [{"id": CYCLE}]})
    again = worn.post("proposals/approve", {"proposals": [{"id": CYCLE}]})
    assert again["waits_for_second_person"]
    assert worn.versions() == 2
    (waiting,) = worn.get("proposals")["waiting"]
    assert waiting["proposals"][0]["id"] == CYCLE
    (wish,) = waiting["proposals"]
    other = worn.second.post(f"/v1/assumptions/{CYCLE}/accept", json={"value": 44})
    assert other.json()["waits_for_second_person"], "another number is another wish"
    agreed = worn.second.post(
        "/v1/proposals/approve",
        json={"proposals": [{**wish, "value": str(wish["value"])}]},
    )
    assert agreed.json()["version"] is not None
    assert worn.versions() == 3
    assert [one["proposals"][0]["value"] for one in worn.get("proposals")["waiting"]] == [44]
    with psycopg.connect(worn.url) as connection:
        said = [row[0] for row in connection.execute("select action from audit order by audit_id")]
    assert said[-4:] == [
        "standards approval asked for",
        "standards approval asked for",
        "standards approval approved",
        "standards approved",
    ]


@pytest.mark.parametrize(
    ("proposals", "fields"),
    [
        ([], ["proposals"]),
        ([{"id": "worn:cycle:saw:Q"}, {"id": "worn:crew:saw:P"}], ["proposals[0].id", "proposals[1].value"]),
        ([{"id": CYCLE}, {"id": CYCLE}], ["proposals[1].id"]),
        ([{"id": SCRAP, "value": 3}, {"id": CYCLE, "value": -1}], ["proposals[0].value"] * 1),
        ([{"id": CYCLE, "value": "x"}], ["proposals"]),
    ],
)
def test_every_mistake_is_told_and_nothing_done(worn: Worn, proposals: Any, fields: list[str]) -> None:
    told = worn.post("proposals/approve", {"proposals": proposals}, 400)
    assert [one["field"] for one in told["errors"]][: len(fields)] == fields
    assert worn.versions() == 1


def test_an_engineer_reads_the_pack_without_wages_and_approves_nothing(worn: Worn) -> None:
    pack = worn.engineer.get("/v1/proposals").json(parse_float=Decimal)
    assert pack["withheld"] == ["labour"]
    (price,) = pack["prices"]
    assert (price["margin_before"], price["same_margin_price"]) == (None, None)
    # 36 s at 90 an hour without the 2 x 30 of labour, and the box at 60.
    expected = (Decimal("0.9") + Decimal("3.1")) / Decimal("0.98") + Decimal("0.52")
    assert abs(price["unit_cost_before"] - expected) < Decimal("0.0001")
    refused = worn.engineer.post("/v1/proposals/approve", json={"proposals": [{"id": CYCLE}]})
    assert refused.status_code == 403


def test_only_what_is_named_is_in_the_pack(worn: Worn) -> None:
    assert [row["id"] for row in worn.get("proposals", id=SCRAP)["rows"]] == [SCRAP]
    assert [row["id"] for row in worn.get("proposals", assumption="cycle")["rows"]] == [CYCLE]
    assert worn.get("proposals", machine="box")["rows"] == []
    assert len(worn.http.get(f"/v1/proposals/standards.csv?id={CYCLE}").text.splitlines()) == 2
    assert worn.http.get("/v1/proposals?id=nothing").status_code == 400


def test_the_page_simulates_and_approves(with_four_eyes: Worn) -> None:
    worn = with_four_eyes
    shown = worn.http.get("/proposals")
    assert "2 better standards" in shown.text
    one = {f"take {CYCLE}": "yes", f"value {CYCLE}": "41", f"from {CYCLE}": "2026-03-25", "period": "2026-03"}
    tried = worn.http.get("/proposals", params=one)
    assert "1 better standard" in tried.text
    assert f'name="take {SCRAP}" value="yes">' in tried.text, "what is not taken can be ticked again"
    pack = worn.post(
        "proposals/simulate",
        {"proposals": [{"id": CYCLE, "value": 41, "from": "2026-03-25"}], "period": "2026-03"},
    )
    assert words.signed(pack["after"]["planning"]) in tried.text
    assert (
        worn.http.get("/proposals", params={f"take {CYCLE}": "yes", f"value {CYCLE}": "x"}).status_code == 400
    )
    assert 'href="/proposals' in worn.http.get("/assumptions").text


def test_of_many_the_dearest_are_ticked_and_the_next_stand_below(
    worn: Worn, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [row["id"] for row in worn.get("proposals")["rows"]]
    monkeypatch.setattr(page, "DEAREST", 1)
    shown = worn.http.get("/proposals").text
    boxes = dict(re.findall(r'name="take ([^"]+)" value="yes"( checked)?', shown))
    assert boxes == {broken[0]: " checked", **dict.fromkeys(broken[1:], "")}
    assert len(broken) > 1
    assert f"{len(broken)} are broken; these are the dearest" in shown
    monkeypatch.setattr(page, "LEFT", 0)
    assert f"{len(broken) - 1} more are broken" in worn.http.get("/proposals").text


def test_only_a_form_of_the_page_approves(servers: Servers, with_four_eyes: Worn) -> None:
    worn = with_four_eyes
    with psycopg.connect(worn.url) as connection:
        pair = [keys.create(connection, "finance") for _ in range(2)]
    fields = {f"take {CYCLE}": "yes", f"value {CYCLE}": "41", f"from {CYCLE}": "2026-03-25"}
    for number, key in enumerate(pair):
        with httpx.Client(base_url=worn.http.base_url) as browser:
            browser.post("/login", data={"key": key})
            token = re.search(r'name="token" value="(\w+)"', browser.get("/proposals").text)
            assert token
            assert browser.post("/proposals/approve", data=fields).status_code == 403
            done = browser.post("/proposals/approve", data={**fields, "token": token[1]})
            assert done.status_code == 303
            assert ("done=waits" in done.headers["location"]) is (number == 0)
            assert browser.get(done.headers["location"]).status_code == 200
    assert any(row["ideal_cycle_s"] == 41 for row in worn.get("plant/standards")["rows"])
