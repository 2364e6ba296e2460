"""Questions to the floor through the API: raised by the ledger, answered once, told what they explained."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from cloud_api.answers.explanation import explained_by, share_of
from cloud_api.answers.places import Atlas
from cloud_api.answers.question import read
from cloud_api.api import parameters
from cloud_api.store.pool import connect
from cloud_api.work.questions import raise_questions
from cloud_api.work.worker import Worker
from tests.integration.context.conftest import NOW, Workshop

Raise = Callable[..., list[int]]


def at(clock: str) -> datetime:
    """A time of 5 March at the site."""
    seconds = "" if clock.count(":") == 2 else ":00"
    return datetime.fromisoformat(f"2026-03-05T{clock}{seconds}+01:00").astimezone(UTC)


@pytest.fixture
def raised(workshop: Workshop) -> Raise:
    """Raises questions at times of the last day."""

    def raise_at(*clocks: str) -> list[int]:
        with connect(workshop.url) as connection:
            site = next(site for site in Atlas().places(connection).sites if site.name == "tiny")
            return [one for clock in clocks for one in raise_questions(connection, site, at(clock))]

    return raise_at


def rows(http: httpx.Client, **asked: str) -> list[dict[str, Any]]:
    answer = http.get("/v1/questions", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json(parse_float=Decimal)["rows"]
    return found


def answered(http: httpx.Client, question: int, answer: str, **more: Any) -> dict[str, Any]:
    told = http.post(f"/v1/questions/{question}/answer", json={"answer": answer, **more})
    assert told.status_code == 200, told.text
    said: dict[str, Any] = told.json(parse_float=Decimal)
    return said


def downtime(url: str) -> dict[tuple[Any, ...], Decimal | None]:
    """Explained share of downtime of the last day by machine and hour."""
    with connect(url) as connection:
        given = [("from", "2026-03-05"), ("to", "2026-03-06"), ("cause", "downtime"), ("resource", "machine")]
        question = read(given, Atlas().places(connection), allowed=parameters.ANSWER, by=parameters.GROUPS)
        found = explained_by(connection, question.grouped("machine", "hour"))
    return {(key[0], key[1].hour): share_of([share]) for key, share in found.items()}


def test_the_dearest_is_asked_first_and_none_twice(raised: Raise, floor: httpx.Client) -> None:
    assert raised("06:30", "08:30") == []
    assert len(raised("09:25", "09:30")) == 1
    assert len(raised("12:05", "12:30")) == 1
    assert len(raised("13:30", "13:59", "15:00")) == 1
    found = rows(floor, line="one")
    assert [(row["machine"], row["from"], row["spans"]) for row in found] == [
        ("cut", "2026-03-05T08:00:00Z", 1),
        ("pack", "2026-03-05T09:00:00Z", 1),
        ("cut", "2026-03-05T07:00:00Z", 3),
    ]
    assert {row["amount"] for row in found} == {None}
    assert found[0]["question"] == "cut stopped at 09:00 for 20 min. Why?"
    assert [choice["answer"] for choice in found[0]["choices"]] == ["jam", "other", "dont_know"]


def test_finance_sees_what_they_are_worth_and_spanish_is_spoken(raised: Raise, finance: httpx.Client) -> None:
    raised("09:25", "13:30")
    found = rows(finance, lang="es")
    assert [row["amount"] for row in found] == sorted((row["amount"] for row in found), reverse=True)
    assert found[0]["amount"] == Decimal("53.3333"), "20 min x (100 + 2 x 30)"
    assert found[0]["question"] == "cut paró a las 09:00 durante 20 min. ¿Por qué?"
    assert found[0]["choices"][-1]["word"] == "No lo sé"


def test_an_answer_explains_its_stop_and_tells_so(
    workshop: Workshop, raised: Raise, floor: httpx.Client
) -> None:
    (question,) = raised("09:25")
    before = downtime(workshop.url)
    assert set(before.values()) == {0}
    said = answered(floor, question, "guide pin", author="Ana")
    assert said["explains"]["said"] == "Explains 1 stop, 20 min of cut."
    assert said["explains"]["amount"] is None
    assert (said["note"]["kind"], said["note"]["text"], said["note"]["author"]) == (
        "cause",
        "guide pin",
        "Ana",
    )
    after = downtime(workshop.url)
    assert {key for key in before if before[key] != after[key]} == {("cut", 8)}
    assert after["cut", 8] == 1
    assert rows(floor) == []
    assert rows(floor, status="answered")[0]["answer"] == "guide pin"
    raised("13:30")
    offered = [choice["answer"] for choice in rows(floor, machine="cut")[0]["choices"]]
    assert offered == ["jam", "guide pin", "other", "dont_know"], "what was said once need not be typed again"
    assert floor.post(f"/v1/questions/{question}/answer", json={"answer": "jam"}).status_code == 409


def test_later_stops_like_it_are_explained_and_not_asked(
    workshop: Workshop, raised: Raise, floor: httpx.Client
) -> None:
    raised("09:25", "10:30", "12:05")
    assert [one["spans"] for one in rows(floor)] == [1, 1], "the long stops, by three quarters of the shift"
    raised("13:20")
    short = next(one for one in rows(floor) if one["spans"] == 3)
    said = answered(floor, short["id"], "part stuck")
    assert short["question"] == "cut stopped 3 times, each below 5 min, 6 min in all, one at 08:00. Why?"
    assert [one["from"] for one in said["like"]] == ["2026-03-05T06:00:00Z", "2026-03-05T10:00:00Z"]
    assert said["explains"]["said"] == "Explains 3 stops, 6 min of cut."
    assert "every stop below 5 min" in said["question"]["rule"]
    whole = downtime(workshop.url)
    assert [whole["cut", hour] for hour in (6, 7, 8, 10)] == [1, 1, 0, 1]
    undone = floor.post(f"/v1/questions/{short['id']}/undo", json={"what": "like"}).json()
    assert undone["like"] == []
    assert [downtime(workshop.url)["cut", hour] for hour in (6, 7, 8, 10)] == [0, 1, 0, 0]
    raised("13:30")
    assert downtime(workshop.url)["cut", 6] == 0, "what was undone stays undone"
    floor.post(f"/v1/questions/{short['id']}/undo", json={"what": "answer"})
    assert set(downtime(workshop.url).values()) == {0}
    assert short["id"] in {one["id"] for one in rows(floor)}


def test_what_comes_after_an_answer_is_like_it_too(
    workshop: Workshop, raised: Raise, floor: httpx.Client
) -> None:
    with psycopg.connect(workshop.url) as connection:
        raised("09:25", "10:30", "12:05", "13:20")
        short = next(one for one in rows(floor) if one["spans"] == 3)
        answered(floor, short["id"], "part stuck", like=False)
        assert downtime(workshop.url)["cut", 6] == 0
        connection.execute(
            "update questions set like_until = starts_at + interval '12 hours' where question_id = %s",
            (short["id"],),
        )
    assert raised("13:40") == []
    assert [downtime(workshop.url)["cut", hour] for hour in (6, 7, 10)] == [1, 1, 1]


def test_a_stop_that_still_lasts_is_not_taken_for_a_short_one(
    workshop: Workshop, raised: Raise, floor: httpx.Client
) -> None:
    raised("09:25", "10:30", "12:05", "13:20")
    short = next(one for one in rows(floor) if one["spans"] == 3)
    answered(floor, short["id"], "part stuck", like=False)
    with psycopg.connect(workshop.url) as connection:
        connection.execute(
            "update questions set like_until = starts_at + interval '12 hours', asked_at = starts_at"
        )
    raised("11:00:30")
    notes = floor.get("/v1/notes?machine=cut&from=2026-03-05T11:00:00%2B01:00").json()["rows"]
    assert notes == [], "the stop from 11:00 on lasts"
    raised("13:40")
    notes = floor.get("/v1/notes?machine=cut&from=2026-03-05T11:00:00%2B01:00").json()["rows"]
    assert [note["source"] for note in notes] == ["like"]


def test_dont_know_is_a_full_answer(workshop: Workshop, raised: Raise, floor: httpx.Client) -> None:
    (question,) = raised("09:25")
    said = answered(floor, question, "dont_know", lang="es")
    assert said["note"] is None
    assert said["explains"]["said"] == "Guardado. Todavía no explica ningún coste."
    assert set(downtime(workshop.url).values()) == {0}
    raised("10:00", "12:30", "13:30", "13:50")
    assert question not in {row["id"] for row in rows(floor)}
    assert answered(floor, rows(floor)[0]["id"], "other")["note"] is None
    told = answered(floor, rows(floor)[0]["id"], "other", text="cleaned the chute")
    assert told["note"]["text"] == "cleaned the chute"


@pytest.mark.usefixtures("alone")
def test_none_while_the_machine_is_down(raised: Raise, floor: httpx.Client, workshop: Workshop) -> None:
    raised("09:25")
    assert raised("10:05", "10:14") == [], "the other one is down"
    with psycopg.connect(workshop.url) as connection:
        connection.execute("update segments set state = 'down' where starts_at >= '2026-03-05T10:00Z'")
    assert rows(floor) == []
    assert {row["status"] for row in rows(floor, status="all")} == {"held"}


def test_gone_after_a_day(raised: Raise, workshop: Workshop, floor: httpx.Client) -> None:
    (question,) = raised("09:25")
    with psycopg.connect(workshop.url) as connection:
        connection.execute("update questions set gone_at = %s", (NOW - timedelta(seconds=1),))
    assert rows(floor) == []
    assert rows(floor, status="gone")[0]["id"] == question
    assert floor.post(f"/v1/questions/{question}/answer", json={"answer": "jam"}).status_code == 409


def test_what_is_sent_twice_is_answered_once(raised: Raise, floor: httpx.Client) -> None:
    (question,) = raised("09:25")
    first = answered(floor, question, "jam", request="t-1")
    again = answered(floor, question, "jam", request="t-1")
    assert first["note"] == again["note"]
    assert len(floor.get("/v1/notes").json()["rows"]) == 1
    assert (
        floor.post(f"/v1/questions/{question}/answer", json={"answer": "", "request": "t-2"}).status_code
        == 409
    )
    assert floor.post("/v1/questions/99999/answer", json={"answer": "jam"}).status_code == 404


@pytest.mark.usefixtures("alone")
def test_a_backlog_on_its_way_is_waited_for(workshop: Workshop, raised: Raise) -> None:
    with psycopg.connect(workshop.url) as connection:
        connection.execute(
            "insert into marks (machine_id, hour) select machine_id, '2026-03-05T05:00Z' from machines"
        )
    assert raised("09:25") == []
    with psycopg.connect(workshop.url) as connection:
        connection.execute("delete from marks")
        connection.execute(
            "update segments set state = 'unknown', reason = 'in transit' "
            "where starts_at >= '2026-03-05T06:00Z' and ends_at <= '2026-03-05T06:02Z'"
        )
    assert raised("09:25") == []


@pytest.mark.usefixtures("alone")
def test_a_plant_may_show_the_floor_what_it_is_worth(
    workshop: Workshop, raised: Raise, floor: httpx.Client
) -> None:
    raised("09:25")
    with psycopg.connect(workshop.url) as connection:
        connection.execute(
            "update plant_rows set body = body || '{\"floor\": {\"shows_money\": true}}' where kind = 'site'"
        )
        connection.execute("insert into plant_versions (site, digest) values ('tiny', 'x')")
    assert rows(floor)[0]["amount"] == Decimal("53.3333")


def test_the_worker_asks_by_itself(workshop: Workshop, floor: httpx.Client) -> None:
    worker = Worker(workshop.url, now=lambda: at("09:25"))
    with connect(workshop.url, autocommit=True) as connection:
        worker.ask_once(connection)
        worker.ask_once(connection)
    assert len(rows(floor)) == 1
