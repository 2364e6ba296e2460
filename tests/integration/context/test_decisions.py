"""Detected decisions through the API: drafted once, confirmed or dismissed by one tap, measured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest

from cloud_api.answers.places import Atlas
from cloud_api.ingest.backfill import backfill
from cloud_api.store.pool import connect
from cloud_api.work.decisions import draft_decisions, draft_past
from cloud_api.work.worker import Worker
from tests.integration.context.conftest import Workshop

Drafted = Callable[[str], list[int]]
LATER = "2026-03-30T12:00:00+02:00"


@pytest.fixture
def drafted(workshop: Workshop) -> Drafted:
    """Drafts at a time of the shop."""

    def draft_at(moment: str) -> list[int]:
        with connect(workshop.url) as connection:
            site = next(site for site in Atlas().places(connection).sites if site.name == "tiny")
            return draft_decisions(connection, site, datetime.fromisoformat(moment).astimezone(UTC))

    return draft_at


@pytest.fixture
def looked_back(workshop: Workshop) -> Drafted:
    """Drafts what is due of the past, at a time of the shop."""

    def draft_at(moment: str) -> list[int]:
        with connect(workshop.url) as connection:
            site = next(site for site in Atlas().places(connection).sites if site.name == "tiny")
            return draft_past(connection, site, datetime.fromisoformat(moment).astimezone(UTC))

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


@pytest.mark.usefixtures("alone")
def test_history_that_was_loaded_later_is_drafted_as_it_would_have_been(
    workshop: Workshop, drafted: Drafted, looked_back: Drafted
) -> None:
    """The history of the shop came as files, weeks later: nothing of it is of the last day any more."""
    assert drafted(LATER) == []
    made = looked_back(LATER)
    found = in_store(workshop)
    assert [row.id for row in found] == made
    assert {row.machine for row in found} == {"pack"}
    assert sorted(row.kind for row in found) == ["accepted_lower_yield"] * 2 + ["reassigned_labour"]
    assert {row.begin.date() for row in found} == {date(2026, 3, 2)}
    for _ in range(20):
        assert looked_back(LATER) == [], "looked at once"
    assert due(workshop) == []
    assert drafted("2026-03-05T12:00:00+01:00") == [], "the same as live"
    assert in_store(workshop) == found


@pytest.mark.usefixtures("alone")
def test_late_data_is_looked_at_from_where_it_begins(
    workshop: Workshop, looked_back: Drafted, tmp_path: Path
) -> None:
    while due(workshop):
        looked_back(LATER)
    known = {row.id for row in in_store(workshop)}
    late = tmp_path / "late.csv"
    late.write_text(
        "time,machine,role,value\n2026-03-03T19:00:00+01:00,cut,state,running\n"
        "2026-03-03T20:00:00+01:00,cut,state,idle\n"
    )
    backfill(workshop.url, "tiny", [late])
    with connect(workshop.url, autocommit=True) as connection:
        Worker(workshop.url, now=lambda: datetime.fromisoformat(LATER)).drain(connection)
    assert {machine for machine, _ in due(workshop)} == {"cut"}
    assert min(since for _, since in due(workshop)) >= datetime(2026, 3, 3, 17, tzinfo=UTC)
    (made,) = looked_back(LATER)
    (row,) = (row for row in in_store(workshop) if row.id not in known)
    assert (row.id, row.kind, row.begin) == (made, "overtime", datetime(2026, 3, 3, 18, tzinfo=UTC))


@pytest.mark.usefixtures("alone")
def test_what_nobody_remembers_or_could_confirm_is_not_drafted(
    workshop: Workshop, looked_back: Drafted
) -> None:
    assert looked_back("2026-06-30T12:00:00+02:00") == [], "more than 92 days ago"
    assert all(since > datetime(2026, 3, 30, tzinfo=UTC) for _, since in due(workshop))


@pytest.mark.usefixtures("alone")
def test_a_locked_period_gets_no_drafts(workshop: Workshop, looked_back: Drafted) -> None:
    with psycopg.connect(workshop.url) as connection:
        connection.execute(
            "insert into periods (site, period, starts_at, ends_at, status, first_day, end_day, "
            "plant_version, locked_at) "
            "select 'tiny', '2026-03', '2026-03-01T05:00Z', '2026-04-01T04:00Z', 'locked', "
            "'2026-03-01', '2026-04-01', max(version), now() from plant_versions"
        )
    assert looked_back("2026-04-02T12:00:00+02:00") == []


class Stored(NamedTuple):
    """A draft as it is stored; what is served is as known in the shop's own days."""

    id: int
    machine: str
    kind: str
    begin: datetime
    end: datetime


def in_store(workshop: Workshop) -> list[Stored]:
    with psycopg.connect(workshop.url) as connection:
        rows = connection.execute(
            "select decision_id, machine, kind, starts_at, ends_at "
            "from decisions join machines using (machine_id) order by decision_id"
        )
        return [Stored(*row) for row in rows]


def due(workshop: Workshop) -> list[tuple[str, datetime]]:
    """What is due of the past, by machine."""
    with psycopg.connect(workshop.url) as connection:
        rows = connection.execute("select machine, since from decisions_due join machines using (machine_id)")
        return [(machine, since) for machine, since in rows]
