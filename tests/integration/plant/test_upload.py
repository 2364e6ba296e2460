"""A plant model sent as a whole: every mistake of every file at once, nothing half applied, what would change
before it does, and what changed between two versions."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import psycopg
import pytest

from cloud_api.access import keys
from cloud_api.errors import CloudError
from cloud_api.plant.load import load_directory
from cloud_api.plant.upload import MOST_BYTES, unpacked, zipped
from cloud_api.store.pool import connect
from tests.conftest import Servers
from tests.integration.api.serving import served
from tests.integration.api.shop import SITE, STANDARDS, write_plant

NEW = "R,cut,2026-01-01,50,2,0.02,0,20,400,0.95,0.1\n"


@dataclass(frozen=True, slots=True)
class Desk:
    url: str
    address: str
    key: str

    def put(self, **body: Any) -> httpx.Response:
        with httpx.Client(base_url=self.address, headers={"Authorization": f"Bearer {self.key}"}) as http:
            return http.put("/v1/plant", json={"site": "tiny", **body}, timeout=60)

    def get(self, path: str) -> Any:
        with httpx.Client(base_url=self.address, headers={"Authorization": f"Bearer {self.key}"}) as http:
            return http.get(f"/v1/{path}", timeout=60).json()

    def versions(self) -> list[int]:
        return [row["version"] for row in self.get("plant/versions")["rows"]]


@pytest.fixture
def desk(servers: Servers, tmp_path: Path) -> Iterator[Desk]:
    for url in servers.new_database("plain", servers.template):
        with connect(url) as connection:
            load_directory(connection, write_plant(tmp_path))
        with psycopg.connect(url) as connection:
            key = keys.create(connection, "finance")
        with served(url) as address:
            yield Desk(url, address, key)


def packed(files: Mapping[str, str]) -> str:
    return base64.b64encode(zipped({name: text.encode() for name, text in files.items()})).decode()


def test_a_zip_is_looked_at_then_loaded_as_a_load_does(desk: Desk) -> None:
    files = {
        "tiny/site.yaml": SITE.replace("standard: 30", "standard: 35"),
        "tiny/standards.csv": STANDARDS + NEW,
    }
    files |= {"__MACOSX/tiny/._site.yaml": "x", "tiny/.DS_Store": "x"}
    looked = desk.put(zip=packed(files), check=True).json()
    assert (looked["version"], looked["added"], looked["changed"]) == (None, 1, 1)
    assert len(desk.versions()) == 1
    changes = {(one["file"], *one["key"]): one for one in looked["changes"]}
    assert changes["standards.csv", "R", "cut", "2026-01-01"]["before"] is None
    wage = next(one for one in looked["changes"] if one["file"] == "site.yaml")
    assert (wage["before"]["standard"], wage["after"]["standard"]) == ("30", "35")
    done = desk.put(zip=packed(files)).json()
    assert done["version"] is not None
    assert done["changes"] == looked["changes"]
    assert len(desk.versions()) == 2
    assert desk.put(zip=packed(files)).json()["version"] is None, "the same again is nothing new"


def test_some_tables_are_added_in_one_version(desk: Desk) -> None:
    files = {"bill.csv": "product,machine,material,from,quantity\nR,cut,steel,2026-01-01,2\n"}
    files |= {"standards.csv": STANDARDS.splitlines()[0] + "\n" + NEW}
    done = desk.put(files=files).json()
    assert (done["added"], done["ended"]) == (2, 0)
    assert len(desk.versions()) == 2
    assert len(desk.get("plant/standards")["rows"]) == 5, "rows that are not named stay"


def test_every_mistake_of_every_file_is_told_and_nothing_done(desk: Desk) -> None:
    files = {
        "standards.csv": STANDARDS
        + "R,cutt,2026-01-01,50,2,0.02,0,20,400,0.95,0.1\n"
        + NEW.replace("50", "-5"),
        "bill.csv": "product,machine,material,from,quantity\nX,cut,steel,2026-13-01,2\n",
        "bils.csv": "x\n",
    }
    for more in ({}, {"site.yaml": SITE}):
        refused = desk.put(files={**files, **more})
        assert refused.status_code == 400
        fields = [one["field"] for one in refused.json()["errors"]]
        assert {"standards.csv:6", "standards.csv:7", "bill.csv:2", "bils.csv:1"} <= set(fields)
        assert any("did you mean 'cut'" in one["message"] for one in refused.json()["errors"])
    assert len(desk.versions()) == 1


def test_what_cannot_be_one_is_refused(desk: Desk) -> None:
    other = SITE.replace("site: tiny", "site: lyon")
    for body, said in (
        ({}, "either `files` or `zip`"),
        ({"files": {}}, "no file of a plant model"),
        ({"files": {"site.yaml": other, "standards.csv": STANDARDS}}, "this is the site 'lyon'"),
        ({"zip": base64.b64encode(b"no zip").decode()}, "no zip that can be read"),
        ({"zip": packed({"a/site.yaml": SITE, "b/site.yaml": SITE})}, "stands twice"),
    ):
        refused = desk.put(**body)
        assert refused.status_code == 400, body
        assert said in refused.text


def test_a_zip_that_swells_is_stopped() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("standards.csv", b"\0" * (MOST_BYTES + 1))
    with pytest.raises(CloudError, match="too much"):
        unpacked(out.getvalue())


def test_what_changed_between_two_versions(desk: Desk) -> None:
    desk.put(files={"standards.csv": STANDARDS.replace("P,cut,2026-01-01,36", "P,cut,2026-01-01,38")})
    desk.put(files={"standards.csv": STANDARDS.splitlines()[0] + "\n" + NEW})
    last, middle, first = desk.versions()
    (row,) = desk.get("plant/differences")["rows"]
    assert (row["key"], row["before"]) == (["R", "cut", "2026-01-01"], None)
    told = desk.get(f"plant/differences?older={first}&newer={middle}")
    (row,) = told["rows"]
    assert (row["before"]["ideal_cycle_s"], row["after"]["ideal_cycle_s"]) == ("36", "38")
    assert len(desk.get(f"plant/differences?older={first}&newer={last}")["rows"]) == 2
    for wrong in ("older=9999", f"older={last}&newer={first}", "newer=x"):
        assert "errors" in desk.get(f"plant/differences?{wrong}")
    with psycopg.connect(desk.url) as connection:
        engineer = keys.create(connection, "engineer")
    with httpx.Client(base_url=desk.address, headers={"Authorization": f"Bearer {engineer}"}) as http:
        assert http.put("/v1/plant", json={"files": {"standards.csv": STANDARDS}}).status_code == 403
        whole = http.get(f"/v1/plant/differences?newer={first}").json()
    assert whole["withheld"] == ["labour"]
    assert not any("overtime_multiplier" in str(one) for one in whole["rows"])


def shown(cell: Any) -> Any:
    """What a spreadsheet writes into a CSV for a cell: what it shows."""
    if isinstance(cell.value, dt.datetime) and cell.number_format == "yyyy-mm-dd":
        return cell.value.date()
    return cell.value


def test_a_table_goes_to_excel_and_back(desk: Desk) -> None:
    with httpx.Client(base_url=desk.address, headers={"Authorization": f"Bearer {desk.key}"}) as http:
        for table in ("charges", "standards"):
            book = http.get(f"/v1/plant/{table}", params={"site": "tiny", "format": "xlsx"}, timeout=60)
            out = io.StringIO()
            sheet = openpyxl.load_workbook(io.BytesIO(book.content))["answer"]
            csv.writer(out).writerows([shown(cell) for cell in row] for row in sheet.iter_rows())
            sent = {"site": "tiny", "csv": out.getvalue(), "check": True}
            told = http.put(f"/v1/plant/{table}", json=sent, timeout=60)
            assert told.status_code == 200, told.text
            done = told.json()
            assert (done["added"], done["changed"], done["ended"]) == (0, 0, 0), done
            assert done["unchanged"] == sheet.max_row - 1


def test_the_page_previews_and_records(desk: Desk) -> None:
    with httpx.Client(base_url=desk.address, timeout=60) as http:
        http.post("/login", data={"key": desk.key})
        page = http.get("/plant?table=standards").text
        assert "P,cut,2026-01-01,36" in page, "the table can be edited where it is"
        token = re.search(r'name="token" value="(\w+)"', page)
        assert token
        files = [("files", ("standards.csv", STANDARDS + NEW)), ("files", ("site.yaml", SITE))]
        sent = {"token": token[1], "site": "tiny"}
        assert http.post("/plant/files", files=files, data={"site": "tiny"}).status_code == 403
        shown = http.post("/plant/files", files=files, data=sent)
        assert "1 new, 0 changed, 0 gone" in shown.text
        assert len(desk.versions()) == 1
        (zip_,) = re.findall(r'name="zip" value="([^"]+)"', shown.text)
        done = http.post("/plant/files", data={**sent, "zip": zip_, "apply": "yes"})
        assert done.status_code == 303
        assert len(desk.versions()) == 2
        assert "1 rows added" in http.get(done.headers["location"]).text
        assert "1 row differs" in http.get("/plant/differences").text
        wrong = http.post("/plant/files", files=[("files", ("standards.csv", "product\n"))], data=sent)
        assert wrong.status_code == 400
        assert "standards.csv:1" in wrong.text
