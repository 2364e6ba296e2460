"""Notes through the API: kept, found, corrected, withdrawn; who may, what a locked period refuses."""

from __future__ import annotations

import concurrent.futures
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from cloud_api.answers.explanation import explained_by, explained_share, share_of
from cloud_api.answers.notes import notes_over
from cloud_api.answers.places import Atlas
from cloud_api.answers.question import Question, read
from cloud_api.api import parameters
from cloud_api.store.pool import connect
from cloud_api.store.times import to_us
from tests.integration.context.conftest import NOW, Workshop

NOTE = {
    "site": "tiny",
    "kind": "workaround",
    "text": "Feeding by hand; guide pin worn",
    "machine": "cut",
    "from": "2026-03-02T12:25:00+01:00",
    "to": "2026-03-02T14:00:00+01:00",
    "trade_off": "slower, no scrap",
    "author": "Ana",
}


def kept(http: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = http.post("/v1/notes", json={**NOTE, **changes})
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json(parse_float=Decimal)
    return said


def shares(url: str, **asked: str) -> dict[tuple[str, ...], Decimal | None]:
    """Explained share of every cell of every machine."""
    with connect(url) as connection:
        question = _question(connection, **asked)
        found = explained_by(connection, question.grouped("machine"))
    return {key: share_of([share]) for key, share in found.items()}


def _question(connection: Any, **asked: str) -> Question:
    given = [(name.rstrip("_"), value) for name, value in asked.items()]
    return read(given, Atlas().places(connection), allowed=parameters.ANSWER, by=parameters.GROUPS)


def test_a_note_is_kept_and_found_by_place_time_and_words(floor: httpx.Client) -> None:
    note = kept(floor)["note"]
    assert note["from"] == "2026-03-02T11:25:00Z"
    assert (note["line"], note["source"], note["author"]) == ("one", "person", "Ana")
    for found in (
        "",
        "?q=guide+pin",
        "?q=GUI",
        "?machine=cut",
        "?line=one",
        "?kind=workaround",
        "?q=scrap",
        "?from=2026-03-02&to=2026-03-03",
    ):
        assert [row["id"] for row in floor.get(f"/v1/notes{found}").json()["rows"]] == [note["id"]], found
    for empty in ("?q=guide+bush", "?machine=pack", "?kind=fix", "?q=Ana", "?from=2026-03-03", "?product=P"):
        assert floor.get(f"/v1/notes{empty}").json()["rows"] == [], empty


def test_every_mistake_of_a_note_is_told(floor: httpx.Client) -> None:
    body = {
        "site": "tiny",
        "kind": "work around",
        "machine": "cutt",
        "line": "two",
        "from": "noon",
        "to": "2026-03-02",
        "colour": 1,
    }
    answer = floor.post("/v1/notes", json=body)
    assert answer.status_code == 400
    assert {one["field"] for one in answer.json()["errors"]} == {"colour", "kind", "machine", "line", "from"}
    answer = floor.post("/v1/notes", json={name: body[name] for name in body if name != "colour"})
    assert {one["field"] for one in answer.json()["errors"]} == {"kind", "machine", "line", "from"}
    for change in (
        {"from": "2026-03-02T14:00:00+01:00"},
        {"text": "x" * 4001},
        {"text": "\0"},
        {"kind": "other", "text": " "},
    ):
        assert floor.post("/v1/notes", json={**NOTE, **change}).status_code == 400, change
    assert floor.get("/v1/notes").json()["rows"] == []


def test_the_idempotency_key_of_a_request_is_its_id(floor: httpx.Client) -> None:
    headers = {"Idempotency-Key": "tablet-1:18"}
    ids = {floor.post("/v1/notes", json=NOTE, headers=headers).json()["note"]["id"] for _ in range(2)}
    assert len(ids) == 1


def test_what_is_sent_twice_is_kept_once(workshop: Workshop) -> None:
    def send(_: int) -> int:
        with workshop.as_("floor") as http:
            return int(kept(http, request="tablet-1:17")["note"]["id"])

    with concurrent.futures.ThreadPoolExecutor(4) as hands:
        ids = set(hands.map(send, range(8)))
    assert len(ids) == 1
    with psycopg.connect(workshop.url) as connection:
        row = connection.execute(
            "select count(*) from audit where action = 'note added' and audit_id > %s", (workshop.audit_from,)
        ).fetchone()
    assert row == (1,)


def test_correcting_and_withdrawing_keep_what_was_said(workshop: Workshop, floor: httpx.Client) -> None:
    note = kept(floor)["note"]
    path = f"/v1/notes/{note['id']}"
    changed = floor.patch(path, json={"text": "Feeding by hand", "trade_off": None}).json()["note"]
    assert (changed["text"], changed["trade_off"], changed["author"]) == ("Feeding by hand", None, "Ana")
    assert changed["from"] == note["from"]
    assert floor.post(f"{path}/withdraw", json={"why": "other press"}).json()["explains"]["spans"] == 0
    assert floor.get("/v1/notes").json()["rows"] == []
    assert floor.get("/v1/notes?withdrawn=yes").json()["rows"][0]["withdrawn_at"] is not None
    assert floor.patch(path, json={"text": "again"}).status_code == 409
    assert floor.patch("/v1/notes/999", json={}).status_code == 404
    assert floor.patch("/v1/notes/1e3", json={}).status_code == 404
    with psycopg.connect(workshop.url) as connection:
        rows = connection.execute(
            "select action, detail from audit where action like 'note%%' and audit_id > %s order by audit_id",
            (workshop.audit_from,),
        )
        lines = rows.fetchall()
    assert [action for action, _ in lines] == ["note added", "note corrected", "notes withdrawn"]
    assert lines[1][1]["before"]["text"] == NOTE["text"]
    assert lines[1][1]["after"]["text"] == "Feeding by hand"
    assert lines[2][1]["why"] == "other press"


def test_an_author_is_told_to_the_own_line_only(
    workshop: Workshop, floor: httpx.Client, finance: httpx.Client
) -> None:
    kept(floor)
    kept(floor, text="released", released=True)
    named = {row["text"]: row["author"] for row in floor.get("/v1/notes?line=one").json()["rows"]}
    assert named == {NOTE["text"]: "Ana", "released": "Ana"}
    for http in (finance, floor):
        named = {row["text"]: row["author"] for row in http.get("/v1/notes").json()["rows"]}
        assert named == {NOTE["text"]: None, "released": "Ana"}
    assert {row["author"] for row in finance.get("/v1/notes?line=one").json()["rows"]} == {None, "Ana"}
    assert finance.get("/v1/notes?author=Ana").status_code == 400


def test_who_may_write_and_where(workshop: Workshop) -> None:
    for role, status in (
        ("finance", 201),
        ("floor", 201),
        ("engineer", 403),
        ("it", 403),
        ("elsewhere", 400),
    ):
        with workshop.as_(role) as http:
            assert http.post("/v1/notes", json=NOTE).status_code == status, role
    with workshop.as_("elsewhere") as http:
        assert http.get("/v1/notes").json()["rows"] == []
        assert http.patch("/v1/notes/1", json={"text": "mine"}).status_code == 404
    assert httpx.post(f"{workshop.address}/v1/notes", json=NOTE).status_code == 401


@pytest.mark.usefixtures("alone")
def test_a_locked_period_stays_as_it_is(workshop: Workshop, floor: httpx.Client) -> None:
    note = kept(floor)["note"]
    with psycopg.connect(workshop.url) as connection:
        connection.execute(
            "insert into periods (site, period, starts_at, ends_at, status, first_day, end_day, "
            "plant_version, locked_at) "
            "select 'tiny', '2026-03', '2026-03-01T05:00Z', '2026-04-01T04:00Z', 'locked', "
            "'2026-03-01', '2026-04-01', max(version), now() from plant_versions"
        )
    path = f"/v1/notes/{note['id']}"
    for refused in (
        floor.post("/v1/notes", json=NOTE),
        floor.patch(path, json={"text": "later"}),
        floor.patch(path, json={"from": "2026-04-02", "to": None}),
        floor.post(f"{path}/withdraw", json={}),
    ):
        assert refused.status_code == 409
        assert "2026-03 is locked" in refused.json()["detail"]
    assert floor.post("/v1/notes", json={**NOTE, "from": "2026-04-02", "to": None}).status_code == 201


def test_a_note_explains_exactly_the_cells_that_it_names_and_can_move(
    workshop: Workshop, floor: httpx.Client
) -> None:
    before = shares(workshop.url, from_="2026-03-02", to="2026-03-05")
    other_days = shares(workshop.url, from_="2026-03-03", to="2026-03-05")
    assert before["cut", "machine", "downtime"] == 1, "the stops have a reason"
    said = kept(floor)
    after = shares(workshop.url, from_="2026-03-02", to="2026-03-05")
    moved = {key for key in before if before[key] != after[key]}
    assert moved == {
        ("cut", resource, cause)
        for resource, cause in (
            ("machine", "speed_loss"),
            ("labour", "speed_loss"),
            ("machine", "scrap"),
            ("labour", "scrap"),
            ("energy", "scrap"),
            ("energy", "usage"),
        )
    }
    assert said["explains"]["hours"] == Decimal("1.583333")
    assert said["explains"]["spans"] == 1
    assert said["explains"]["amount"] is None
    assert shares(workshop.url, from_="2026-03-03", to="2026-03-05") == other_days
    floor.post(f"/v1/notes/{said['note']['id']}/withdraw", json={})
    assert shares(workshop.url, from_="2026-03-02", to="2026-03-05") == before


def test_a_note_that_covers_all_explains_all(workshop: Workshop, finance: httpx.Client) -> None:
    kept(finance, **{"from": "2026-03-02", "to": "2026-03-05", "machine": None, "line": "one"})
    with connect(workshop.url) as connection:
        asked = {"from_": "2026-03-02", "to": "2026-03-05", "cause": "speed_loss"}
        assert explained_share(connection, _question(connection, **asked)) == 1
        assert explained_share(connection, _question(connection, **{**asked, "cause": "changeover"})) == 0
        assert explained_share(connection, _question(connection, **{**asked, "cause": "production"})) is None


def test_a_note_without_an_end_explains_its_production_day(workshop: Workshop, finance: httpx.Client) -> None:
    said = kept(finance, **{"from": "2026-03-03T06:00:00+01:00", "to": None})
    assert said["note"]["to"] is None
    assert said["note"]["explains_to"] == "2026-03-04T05:00:00Z"
    with connect(workshop.url) as connection:
        days = explained_by(
            connection, _question(connection, machine="cut", cause="speed_loss").grouped("day")
        )
        site = Atlas().places(connection).sites[1]
        over = notes_over(connection, site, "cut", to_us(NOW) - 12 * 3_600_000_000, to_us(NOW))
        noon = to_us(NOW.replace(day=3, hour=12))
        assert [note.id for note in notes_over(connection, site, "cut", noon, noon + 1)] == [
            said["note"]["id"]
        ]
        assert notes_over(connection, site, "pack", noon, noon + 1) == []
    assert over == []
    told = {key[0].day: share_of([share]) for key, share in days.items() if key[1] == "machine"}
    assert told == {2: 0, 3: 1, 4: 0, 5: 0}


def test_the_sum_of_the_parts_is_the_ledger(workshop: Workshop, finance: httpx.Client) -> None:
    kept(finance)
    answer = finance.get("/v1/costs?by=cause").json(parse_float=Decimal)
    silent = {"production", "price", "planned_stop", "idle"}
    whole = sum(row["amount"] for row in answer["rows"] if row["cause"] not in silent)
    with connect(workshop.url) as connection:
        found = explained_by(connection, _question(connection, site="tiny").grouped("machine"))
    assert abs(sum(share.amount for share in found.values()) - whole) < Decimal("0.01")
