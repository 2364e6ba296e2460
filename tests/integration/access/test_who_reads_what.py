"""Role, path, site and line: what an answer holds for whom. Money is looked for by comparing twins: who may
not know it gets the same bytes of two plants that differ in money alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import openpyxl
import psycopg
import pyarrow.parquet as pq
import pytest

from cloud_api.access import keys
from cloud_api.access.roles import READERS, KeyRole
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.endpoints import ENDPOINTS
from cloud_api.pages.contents import PAGES
from tests.conftest import Servers
from tests.integration.access.twins import ABROAD, MARKS, NOW, OTHER, OWN, build
from tests.integration.api.serving import client, served

FORMATS = ("json", "csv", "xlsx", "parquet")
VARIANTS = {"plain": {}, "dear": {"money": 7, "wages": 7}, "paid": {"wages": 7}}
READERS_OF = {
    "floor": ("floor", ["home"], []),
    "bound": ("floor", ["home"], [OWN]),
    "it": ("it", [], []),
    "engineer": ("engineer", [], []),
    "abroad": ("finance", ["yysite"], []),
}
_MOMENT = re.compile(
    rb'"(recorded|received|created|asked|gone)_at":"[^"]*"|Log out|name="token" value="\w*"|"token":"\w*"'
)


@dataclass(frozen=True, slots=True)
class Twin:
    url: str
    http: dict[str, httpx.Client]


def opened(servers: Servers, folder: Path, **money: int) -> Iterator[Twin]:
    for url in servers.new_database("plain", servers.template):
        build(url, folder, **money)
        with psycopg.connect(url) as connection:
            made = {
                name: keys.create(connection, role, sites, lines=lines)
                for name, (role, sites, lines) in READERS_OF.items()
            }
            made["finance"] = keys.create(connection, "finance")
        with served(url, now=NOW, require_key=True) as address:
            clients = {name: client(address, key) for name, key in made.items()}
            http = {name: one.__enter__() for name, one in clients.items()}
            for line, kind in ((OWN, "cause"), (OTHER, "cause")):
                body = {
                    "site": "home",
                    "line": line,
                    "kind": kind,
                    "text": f"{line} text",
                    "author": f"{line} Ana",
                }
                assert http["floor"].post("/v1/notes", json=body).status_code == 201
            without_place = {"kind": "fix", "text": "a new guide"}
            assert http["bound"].post("/v1/notes", json=without_place).status_code == 201
            yield Twin(url, http)
            for one in clients.values():
                one.__exit__(None, None, None)


@pytest.fixture(scope="module")
def twins(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Twin]]:
    made = {name: opened(servers, tmp_path_factory.mktemp(name), **money) for name, money in VARIANTS.items()}
    yield {name: next(one) for name, one in made.items()}
    for one in made.values():
        assert next(one, None) is None


def asked(endpoint: Endpoint, format_: str, **more: str) -> str:
    given = {"format": format_, **more}
    if "site" in endpoint.parameters:
        given.setdefault("site", "home")
    if endpoint.by:
        given["by"] = ",".join(name for name in ("machine", "cause", "day") if name in endpoint.by)
    if "from" in endpoint.parameters:
        given |= {"from": "2026-03-02", "to": "2026-03-05"}
    return f"/v1{endpoint.path}?{httpx.QueryParams(given)}"


def content(answer: httpx.Response) -> bytes:
    """What an answer tells, whatever its format, its headers besides."""
    kind = answer.headers["content-type"]
    told = answer.content
    if "spreadsheet" in kind:
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        told = repr([[list(row) for row in sheet.values] for sheet in book]).encode()
    elif "parquet" in kind:
        table = pq.read_table(io.BytesIO(answer.content))
        told = repr((table.to_pydict(), table.schema.metadata)).encode()
    said = sorted((name, value) for name, value in answer.headers.items() if name.startswith("plantledger"))
    return _MOMENT.sub(b"", told) + repr(said).encode()


OF_THE_CLOCK = "/keys"
"""What tells when keys were made and used, so that no two are alike; it has no figure."""


def open_to(role: str) -> list[Endpoint]:
    return [
        endpoint
        for endpoint in ENDPOINTS
        if KeyRole(role) in READERS[endpoint.area] and endpoint.path != OF_THE_CLOCK
    ]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("reader", ["floor", "it"])
def test_no_answer_depends_on_money(twins: dict[str, Twin], reader: str, format_: str) -> None:
    for endpoint in open_to(READERS_OF[reader][0]):
        plain, dear = (twins[name].http[reader].get(asked(endpoint, format_)) for name in ("plain", "dear"))
        assert plain.status_code == 200, plain.text
        assert content(plain) == content(dear), endpoint.path
        if b"recorded_at" not in plain.content:
            assert plain.headers["etag"] == dear.headers["etag"], endpoint.path


def test_the_twins_do_differ_for_those_who_may_know(twins: dict[str, Twin]) -> None:
    for name in ("dear", "paid"):
        plain, other = (
            twins[one].http["finance"].get("/v1/costs").json()["total"] for one in ("plain", name)
        )
        assert plain != other
    questions = twins["plain"].http["floor"].get("/v1/questions?site=home").json()["rows"]
    assert questions, "something is asked, so that an amount could stand there"


def test_no_answer_to_an_engineer_depends_on_wages(twins: dict[str, Twin]) -> None:
    differ = []
    for endpoint in open_to("engineer"):
        plain, paid = (
            twins[name].http["engineer"].get(asked(endpoint, "json")) for name in ("plain", "paid")
        )
        if content(plain) != content(paid):
            differ.append((endpoint.path, _first(plain.text, paid.text)))
    assert differ == []


def _first(one: str, other: str) -> tuple[str, str]:
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)
    return one[max(0, at - 90) : at + 20], other[max(0, at - 90) : at + 20]


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.area != "page" and page.path != OF_THE_CLOCK],
    ids=lambda page: page.path,
)
def test_no_page_of_the_floor_depends_on_money(twins: dict[str, Twin], page: object) -> None:
    path = getattr(page, "path").replace("{line}", OWN)  # noqa: B009
    for reader in ("floor", "bound", "it"):
        plain, dear = (twins[name].http[reader].get(f"{path}?site=home") for name in ("plain", "dear"))
        assert plain.status_code == dear.status_code
        assert _MOMENT.sub(b"", plain.content) == _MOMENT.sub(b"", dear.content)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.path)
def test_nothing_of_another_line_or_site_is_told(twins: dict[str, Twin], endpoint: Endpoint) -> None:
    """Role x path x site x line: by name, by default and by each filter, in every format."""
    http = twins["plain"].http
    if KeyRole.FLOOR in READERS[endpoint.area]:
        for format_ in FORMATS:
            answer = http["bound"].get(asked(endpoint, format_))
            assert answer.status_code == 200, answer.text
            told = content(answer)
            assert not re.search(rb"zz|yy", told), (endpoint.path, told[:300])
        for name, value in (("line", OTHER), ("machine", "zzpress"), ("site", "yysite"), ("line", "")):
            if name in endpoint.parameters:
                refused = http["bound"].get(asked(endpoint, "json", **{name: value}))
                assert refused.status_code == 400
                assert refused.json()["errors"][0]["field"] == name
    elif endpoint.path != "/alerts":
        assert http["bound"].get(asked(endpoint, "json")).status_code == 403
    if "site" in endpoint.parameters and KeyRole.FINANCE in READERS[endpoint.area]:
        assert http["abroad"].get(asked(endpoint, "json")).status_code == 400
        own = http["abroad"].get(asked(endpoint, "json", site="yysite"))
        assert not re.search(rb"zz|saw|home", content(own)), endpoint.path


def test_the_other_line_does_have_something_to_tell(twins: dict[str, Twin]) -> None:
    for path in ("segments", "kpis?by=machine", "orders", "notes", "questions", "decisions", "now"):
        assert MARKS["line"] in twins["plain"].http["floor"].get(f"/v1/{path}").text, path


def test_what_a_bound_key_may_not_touch_is_not_there(twins: dict[str, Twin]) -> None:
    twin = twins["plain"]
    http, other = twin.http["bound"], twin.http["floor"]
    for path, act, body in (
        ("questions", "answer", {"answer": "dont_know"}),
        ("questions", "undo", {"what": "answer"}),
        ("decisions", "confirm", {}),
        ("decisions", "dismiss", {}),
        ("notes", "withdraw", {"why": "x"}),
    ):
        row = next(row for row in other.get(f"/v1/{path}").json()["rows"] if row["line"] == OTHER)
        assert http.post(f"/v1/{path}/{row['id']}/{act}", json=body).status_code == 404, path
    note = next(row for row in other.get("/v1/notes").json()["rows"] if row["line"] == OTHER)
    assert http.patch(f"/v1/notes/{note['id']}", json={"text": "mine now"}).status_code == 404
    for place in ({"machine": "zzpress"}, {"line": OTHER}, {"site": "yysite"}):
        assert http.post("/v1/notes", json={"kind": "fix", **place}).status_code == 400


def test_a_note_of_a_bound_key_is_one_of_its_line(twins: dict[str, Twin]) -> None:
    for row in twins["plain"].http["finance"].get("/v1/notes?q=guide").json()["rows"]:
        assert row["line"] == OWN


def test_authors_are_told_on_their_own_line_alone(twins: dict[str, Twin]) -> None:
    http = twins["plain"].http
    assert f"{OWN} Ana" in http["bound"].get("/v1/notes").text
    for reader in ("bound", "finance", "engineer"):
        assert f"{OTHER} Ana" not in http[reader].get("/v1/notes").text


def test_floor_pages_of_a_bound_key(twins: dict[str, Twin]) -> None:
    http = twins["plain"].http["bound"]
    assert http.get(f"/floor/{OWN}").status_code == 200
    for path in (f"/floor/{OTHER}", f"/floor/{ABROAD}"):
        assert http.get(path).status_code == 400
    shown = http.get("/floor").text + http.get(f"/floor/{OWN}").text
    assert not re.search("zz|yy", shown)
