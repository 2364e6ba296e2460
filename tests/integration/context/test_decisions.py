"""Detected decisions through the API: drafted once, confirmed or dismissed by one tap, measured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from cloud_api.answers.places import Atlas
from cloud_api.store.pool import connect
from cloud_api.work.decisions import draft_decisions
from tests.integration.context.conftest import Workshop

Drafted = Callable[[str], list[int]]


@pytest.fixture
def drafted(workshop: Workshop) -> Drafted:
    """Drafts at a time of the shop."""

    def draft_at(moment: str) -> list[int]:
        with connect(workshop.url) as connection:
            site = next(site for site in Atlas().places(connection).sites if site.name == "tiny")
            return draft_decisions(connection, site, datetime.fromisoformat(moment).astimezone(UTC))

    return draft_at


def rows(http: httpx.Client, **asked: str) -> list[dict[str, Any]]:
    answer = http.get("/v1/decisions", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json(parse_float=Decimal)["rows"]
    return found


def test_a_draft_is_made_once_and_goes_on(drafted: Drafted, floor: httpx.Client) -> None:
    first = drafted("2026-03-04T12:00:00+01:00")
    assert len(first) == 2
    assert drafted("2026-03-04T12:10:00+01:00") == []
    assert drafted("2026-03-05T11:00:00+01:00") == [], "the same again within a day goes on"
    scrap, row = sorted(rows(floor), key=lambda row: row["kind"])
    assert scrap["text"].startswith("Went on at 2.4 % scrap")
    assert (row["machine"], row["kind"], row["status"]) == ("pack", "reassigned_labour", "detected")
    assert row["text"].startswith("2 people for ")
    assert row["to"] == "2026-03-05T10:00:00Z"
    assert row["note"] is None
    assert row["measured"] is None
    assert any(one["text"].startswith("2 personas durante ") for one in rows(floor, lang="es"))
    assert floor.get("/v1/notes").json()["rows"] == [], "detected is not known"


def test_one_tap_makes_it_known(workshop: Workshop, drafted: Drafted, floor: httpx.Client) -> None:
    (draft,) = drafted("2026-03-05T12:00:00+01:00")
    body = {"trade_off": "the new one learns", "author": "Ana", "request": "t-9"}
    said = floor.post(f"/v1/decisions/{draft}/confirm", json=body).json()
    note = said["noted"]["note"]
    assert (note["kind"], note["source"], note["machine"]) == ("reassigned_labour", "decision", "pack")
    assert said["noted"]["explains"]["causes"] == ["crew", "downtime", "overtime", "speed_loss"]
    assert said["decision"]["status"] == "confirmed"
    assert floor.post(f"/v1/decisions/{draft}/confirm", json=body).json()["noted"]["note"]["id"] == note["id"]
    assert floor.post(f"/v1/decisions/{draft}/confirm", json={}).status_code == 409
    assert floor.post(f"/v1/decisions/{draft}/dismiss", json={}).status_code == 409
    assert [row["status"] for row in rows(floor)] == ["confirmed"]
    assert drafted("2026-03-05T13:00:00+01:00") == []
    with psycopg.connect(workshop.url) as connection:
        row = connection.execute(
            "select count(*) from audit where action = 'decision confirmed' and audit_id > %s",
            (workshop.audit_from,),
        ).fetchone()
    assert row == (1,)


def test_what_is_dismissed_does_not_come_back(drafted: Drafted, floor: httpx.Client) -> None:
    (draft,) = drafted("2026-03-05T12:00:00+01:00")
    assert floor.post(f"/v1/decisions/{draft}/dismiss", json={"why": "trial"}).json()["noted"] is None
    assert drafted("2026-03-05T14:00:00+01:00") == []
    assert rows(floor) == []
    assert [row["id"] for row in rows(floor, status="dismissed")] == [draft]
    assert floor.post("/v1/decisions/77/dismiss", json={}).status_code == 404


def test_the_effect_is_measured_by_days(floor: httpx.Client, finance: httpx.Client) -> None:
    note = {
        "site": "tiny",
        "kind": "reassigned_labour",
        "machine": "pack",
        "from": "2026-03-04",
        "to": "2026-03-05",
        "expected_effect": "no waiting",
    }
    finance.post("/v1/notes", json=note)
    (row,) = rows(finance)
    assert (row["status"], row["expected_effect"], row["in_force"]) == ("known", "no waiting", False)
    days = {
        (one["day"], one["resource"], one["cause"]): one["variance"]
        for one in finance.get("/v1/variances?machine=pack&by=day,resource,cause").json(parse_float=Decimal)[
            "rows"
        ]
    }
    moved = [("labour", "crew"), ("labour", "overtime")]
    causes = ("speed_loss", "waiting", "downtime")

    def of(day: str) -> Decimal:
        return sum(
            (
                amount
                for (at, resource, cause), amount in days.items()
                if at == day and ((resource, cause) in moved or cause in causes)
            ),
            Decimal(0),
        )

    said = row["measured"]
    assert abs(said["before"] - (of("2026-03-02") + of("2026-03-03")) / 2) < Decimal("0.001")
    assert abs(said["during"] - of("2026-03-04")) < Decimal("0.001")
    assert abs(said["after"] - of("2026-03-05")) < Decimal("0.001")
    assert abs(said["effect"] - (said["during"] - said["before"])) < Decimal("0.001")
    assert rows(floor)[0]["measured"] is None


def test_a_control_that_expired_and_still_runs_is_told(drafted: Drafted, finance: httpx.Client) -> None:
    (draft,) = drafted("2026-03-05T12:00:00+01:00")
    told = {"to": "2026-03-05T07:00:00+01:00"}
    finance.post(f"/v1/decisions/{draft}/confirm", json=told)
    (row,) = rows(finance)
    assert (row["in_force"], row["expired_running"]) == (False, True)
