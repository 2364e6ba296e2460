"""The plant model through the API: read, sent back, changed, refused with every mistake, agreed by two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from tests.integration.api.serving import client, served
from tests.integration.closing.months import NOW, SITE, STANDARDS, finance, load, write_plant

PRICES = "material,from,standard,actual\nsteel,2026-01-01,2,2\n"
ACTUALS = "month,cost_centre,resource,amount,hours\n2026-01,C1,labour,5000,160\n2026-01,C1,machine,9000,160\n"


@pytest.fixture
def url(plain_database: str, tmp_path: Path) -> str:
    load(plain_database, write_plant(tmp_path, prices=PRICES, actuals=ACTUALS))
    return plain_database


@pytest.fixture
def engineer(url: str) -> Iterator[httpx.Client]:
    with psycopg.connect(url) as connection:
        key = keys.create(connection, "engineer")
    with served(url, now=NOW) as address, client(address, key) as http:
        yield http


def test_site_yaml_goes_out_and_comes_back_as_it_was(url: str) -> None:
    with finance(url) as http:
        told = http.get("/v1/plant/site").json()
        assert told["document"]["labour"][0]["actual"] == "31"
        same = http.put("/v1/plant/site", json={"document": told["document"]}).json()
        assert (same["version"], same["changed"], same["added"]) == (None, 0, 0)
        dearer = SITE.replace("standard: 30", "standard: 33")
        assert http.put("/v1/plant/site", json={"text": dearer, "check": True}).json()["version"] is None
        assert http.put("/v1/plant/site", json={"text": dearer}).json()["changed"] == 1
        assert http.get("/v1/plant/versions").json()["rows"][0]["added"] == 1


def test_an_engineer_neither_reads_nor_changes_wages(url: str, engineer: httpx.Client) -> None:
    told = engineer.get("/v1/plant/site").json()
    assert (told["withheld"], "labour" in told["document"]) == (["labour"], False)
    told["document"]["calendar"]["day_start"] = "05:00"
    assert engineer.put("/v1/plant/site", json={"document": told["document"]}).json()["changed"] == 1
    assert engineer.put("/v1/plant/standards", json={"rows": []}).status_code == 403
    assert [row["resource"] for row in engineer.get("/v1/plant/actuals").json()["rows"]] == ["machine"]
    with finance(url) as http:
        assert http.get("/v1/plant/site").json()["document"]["labour"][0]["standard"] == "30"
        assert len(http.get("/v1/plant/actuals").json()["rows"]) == 2


def test_rows_are_changed_and_the_audit_says_before_and_after(url: str) -> None:
    with finance(url) as http:
        row = http.get("/v1/plant/standards").json()["rows"][0]
        assert (row["product"], row["from"], row["ideal_cycle_s"]) == ("P", "2026-01-01", 36)
        done = http.put("/v1/plant/standards", json={"rows": [row | {"ideal_cycle_s": 30}]}).json()
        assert (done["changed"], done["unchanged"]) == (1, 0)
        read = http.get("/v1/plant/standards?format=csv").text
        assert http.put("/v1/plant/standards", json={"csv": read}).json()["version"] is None
        for elsewhere in ({"rows": [row | {"site": "mars"}]}, {"csv": read.replace("tiny,", "mars,")}):
            refused = http.put("/v1/plant/standards", json=elsewhere)
            assert "site: 'mars' is not 'tiny'" in refused.json()["errors"][0]["message"]
        faster = STANDARDS.replace(",36,", ",28,")
        assert http.put("/v1/plant/standards", json={"csv": faster}).json()["changed"] == 1
        assert http.get("/v1/plant/standards").json()["rows"][0]["ideal_cycle_s"] == 28
        assert (
            http.get("/v1/plant/standards?format=csv")
            .text.splitlines()[1]
            .startswith("tiny,P,m1,2026-01-01,28")
        )
    with psycopg.connect(url) as connection:
        rows = connection.execute("select detail from audit where action = 'plant model changed'").fetchall()
    assert [
        (detail["changes"][0]["before"]["ideal_cycle_s"], detail["changes"][0]["after"]["ideal_cycle_s"])
        for (detail,) in rows
    ] == [("36", "30"), ("30", "28")]


def test_every_mistake_at_once_each_with_its_place(url: str) -> None:
    rows = [
        {"product": "P", "machine": "m2", "from": "2026-02-31"},
        {"product": "P", "machine": "m1", "from": "2026-02-01", "cycle": 3},
    ]
    with finance(url) as http:
        refused = http.put("/v1/plant/standards", json={"rows": rows})
        assert refused.status_code == 400
        said = [(wrong["field"], wrong["message"].partition(":")[0]) for wrong in refused.json()["errors"]]
        assert ("rows[0]", "machine") in said
        assert ("rows[0]", "from") in said
        assert ("rows[1]", "'cycle' is not a column of standards") in said
        refused = http.put("/v1/plant/prices", json={"csv": "material,from,standard\nsteel,2026-13-01,x\n"})
        assert {wrong["field"] for wrong in refused.json()["errors"]} == {"prices.csv:2"}
        refused = http.put("/v1/plant/site", json={"text": "site: other\nzone: x\n"})
        assert len(refused.json()["errors"]) > 2
        assert len(http.get("/v1/plant/versions").json()["rows"]) == 1


def test_a_standard_needs_four_eyes(url: str, tmp_path: Path) -> None:
    load(url, write_plant(tmp_path, site=f"{SITE}four_eyes: true\n"))
    wish = {"csv": STANDARDS.replace(",36,", ",30,")}
    with finance(url) as one, finance(url) as other:
        assert one.put("/v1/plant/standards", json=wish).json()["waits_for_second_person"]
        assert other.put("/v1/plant/standards", json=wish).json()["changed"] == 1
        assert not one.put("/v1/plant/reasons", json={"rows": [{"reason": "jam"}]}).json()[
            "waits_for_second_person"
        ]
