"""A scripted day: everything that can be written is written once, over the API and by the pages, and the
audit knows of each who did it, when, and what stood there before and after."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from cloud_api.access import keys
from cloud_api.api.actions import ACTIONS
from cloud_api.pages.contents import FORMS
from cloud_api.plant.load_command import load
from cloud_api.plant.tables import TABLES
from cloud_api.store.pool import connect
from cloud_api.work.webhook import Reach
from cloud_api.work.worker import Worker
from tests.conftest import Servers
from tests.integration.access.twins import NOW, OWN, build
from tests.integration.api.serving import served, told
from tests.integration.api.worn import ENDS, write_worn

LATER = datetime(2026, 4, 10, tzinfo=UTC)
"""When March is over."""
CYCLE, SCRAP = "worn:cycle:saw:P", "worn:scrap:saw:P"


@dataclass(frozen=True, slots=True)
class Day:
    """Programs of finance and of the floor at the twins, at NOW and later, and at the worn line."""

    finance: httpx.Client
    floor: httpx.Client
    later: httpx.Client
    worn: httpx.Client
    urls: tuple[str, str]

    def id(self, path: str, **asked: str) -> int:
        """The first of its line, or the first with a status."""
        given = {"site": "home", **({} if path == "decisions" else asked)}
        found = self.floor.get(f"/v1/{path}", params=given).json()["rows"]
        status = asked.get("status")
        own = [one for one in found if one["line"] == OWN and status in (None, one.get("status"))]
        return int(own[0]["id"])


@pytest.fixture
def day(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    for url in servers.new_database("plain", servers.template):
        build(url, tmp_path_factory.mktemp("twins"))
        with psycopg.connect(url) as connection:
            finance, floor = (keys.create(connection, role, ["home"]) for role in ("finance", "floor"))
        for other in servers.new_database("plain", servers.template):
            plant, history = write_worn(tmp_path_factory.mktemp("worn"))
            told(other, "worn", plant, [history])
            with psycopg.connect(other) as connection:
                third = keys.create(connection, "finance")
            with (
                served(url, now=NOW, webhooks=Reach.LOOPBACK) as now,
                served(url, now=LATER) as later,
                served(other, now=ENDS) as worn,
                program(now, finance) as one,
                program(now, floor) as two,
                program(later, finance) as three,
                program(worn, third) as four,
            ):
                yield Day(one, two, three, four, (url, other))


def program(address: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=60)


Step = Callable[[Day], httpx.Response]


def rows(table: str) -> Step:
    """A row of a table said otherwise, or added."""
    own = {"product": "saw-p", "machine": "saw"}
    said: dict[str, dict[str, Any]] = {
        "standards": {**own, "from": "2026-03-04", "ideal_cycle_s": 37, "scrap_rate": 0, "rework_rate": 0,
                      "changeover_min": 5, "lot_size": 50, "availability": 1, "energy_kwh": 0, "crew": 1},
        "bill": {**own, "material": "glue", "from": "2026-03-04", "quantity": 1},
        "prices": {"material": "glue", "from": "2026-03-04", "standard": 1},
        "products": {"product": "saw-p", "from": "2026-03-04", "sales_price": 18},
        "budget": {"month": "2026-04-01", **own, "good_units": 1, "unit_cost": 2},
        "orders": {"order": "new", **own, "planned_start": "2026-03-05T06:00:00Z",
                   "planned_end": "2026-03-05T07:00:00Z", "quantity": 5},
        "quality": {"time": "2026-03-04T08:00:00Z", **own, "order": "", "units": 1, "disposition": "scrap",
                    "reason": "crack"},
        "maintenance": {"start": "2026-03-04T08:00:00Z", "end": "", "machine": "saw", "kind": "repair",
                        "cost": 5, "in_rate": True},
        "changeovers": {"machine": "saw", "from_product": "saw-p", "to_product": "saw-p",
                        "from": "2026-03-04", "minutes": 4},
        "charges": {"time": "2026-03-04T08:00:00Z", "machine": "saw", "product": "", "order": "",
                    "cause": "expedite", "amount": 9},
        "reasons": {"reason": "jam", "machine": "", "category": "", "owner": "production",
                    "controllable": True},
        "sales": {"date": "2026-03-04", "product": "saw-p", "units": 1, "revenue": 18},
        "actuals": {"month": "2026-03-01", "cost_centre": "saw-cc", "resource": "machine", "amount": 5,
                    "hours": 1},
        "confirmations": {"time": "2026-03-04T08:00:00Z", "order": "saw-o", "machine": "saw", "good": 1,
                          "scrap": 0},
    }  # fmt: skip
    return lambda day: day.finance.put(f"/v1/plant/{table}", json={"site": "home", "rows": [said[table]]})


def site_yaml(day: Day) -> httpx.Response:
    document = day.finance.get("/v1/plant/site?site=home").json()["document"]
    document["materiality"] = {"amount": 2, "share": 0.00001}
    return day.finance.put("/v1/plant/site", json={"site": "home", "document": document})


def whole(day: Day) -> httpx.Response:
    files = {"reasons.csv": "reason,machine,category,owner,controllable\nfuse,,,maintenance,yes\n"}
    return day.finance.put("/v1/plant", json={"site": "home", "files": files})


def period(step: str) -> Step:
    return lambda day: day.later.post(f"/v1/periods/2026-03/{step}", json={"site": "home"})


def close(day: Day) -> httpx.Response:
    with connect(day.urls[0], autocommit=True) as connection:
        Worker(day.urls[0], now=lambda: LATER).drain(connection)
    return period("close")(day)


NOTE = {"site": "home", "kind": "fix", "text": "guide replaced", "machine": "saw"}
HOOK = {"site": "home", "url": "http://127.0.0.1:9/"}
APPROVED = {"proposals": [{"id": SCRAP}]}


def post(who: str, path: str, body: Any) -> Step:
    return lambda day: getattr(day, who).post(f"/v1/{path}", json=body)


def of(path: str, act: str, body: Any, **asked: str) -> Step:
    """What the floor does to the first of its line."""
    return lambda day: day.floor.post(f"/v1/{path}/{day.id(path, **asked)}/{act}", json=body)


DAY: dict[tuple[str, str], Step] = {
    ("POST", "/notes"): post("floor", "notes", NOTE),
    ("PATCH", "/notes/{id}"): lambda day: day.floor.patch(f"/v1/notes/{day.id('notes')}", json={"text": "n"}),
    ("POST", "/notes/{id}/withdraw"): of("notes", "withdraw", {"why": "it was the other"}),
    ("POST", "/questions/{id}/answer"): of("questions", "answer", {"answer": "jam"}),
    ("POST", "/questions/{id}/undo"): of("questions", "undo", {"what": "answer"}, status="answered"),
    ("POST", "/decisions/{id}/confirm"): of("decisions", "confirm", {}, status="detected"),
    ("POST", "/decisions/{id}/dismiss"): of("decisions", "dismiss", {"why": "trial"}, status="detected"),
    **{("PUT", f"/plant/{table.name}"): rows(table.name) for table in TABLES},
    ("PUT", "/plant/site"): site_yaml,
    ("PUT", "/plant"): whole,
    ("POST", "/assumptions/{id}/accept"): post("worn", f"assumptions/{CYCLE}/accept", {}),
    ("POST", "/proposals/approve"): post("worn", "proposals/approve", APPROVED),
    ("POST", "/alerts"): post("finance", "alerts", HOOK),
    ("POST", "/alerts/{id}/test"): post("finance", "alerts/1/test", {}),
    ("DELETE", "/alerts/{id}"): lambda day: day.finance.request("DELETE", "/v1/alerts/1", json={}),
    ("POST", "/keys"): post("worn", "keys", {"role": "it"}),
    ("POST", "/keys/{id}/revoke"): post("worn", "keys/2/revoke", {}),
    ("POST", "/periods/{id}/lock"): period("lock"),
    ("POST", "/periods/{id}/unlock"): period("unlock"),
    ("POST", "/periods/{id}/close"): close,
}
CHANGES_NOTHING = {("POST", "/whatif"), ("POST", "/proposals/simulate")}
OF_ITSELF = {("POST", "/alerts/{id}/test")}
"""What sends something and leaves nothing otherwise than it was."""


def audits(day: Day) -> list[tuple[Any, ...]]:
    found = []
    for url in day.urls:
        with psycopg.connect(url) as connection:
            found += connection.execute(
                "select audit_id, at, key_id, subject, action, detail from audit order by audit_id"
            ).fetchall()
    return found


def named(detail: Any, name: str) -> bool:
    """Whether something in a detail has the name."""
    if isinstance(detail, dict):
        return name in detail or any(named(one, name) for one in detail.values())
    return isinstance(detail, list) and any(named(one, name) for one in detail)


def leaves_no_line(day: Day) -> None:
    """What changes nothing, or is refused, is not in the audit."""
    before = audits(day)
    assert day.worn.post("/v1/proposals/simulate", json={}).status_code == 200
    body = {"from": "2026-03-02", "to": "2026-03-30", "machine": "box", "product": "P", "cycle_s": 29}
    assert day.worn.post("/v1/whatif", json=body).status_code == 200
    refused = day.finance.put("/v1/plant/bill", json={"site": "home", "rows": [{"product": "nothing"}]})
    assert refused.status_code == 400
    assert audits(day) == before


def test_the_day_holds_everything_that_can_be_written() -> None:
    written = {(action.method, action.path) for action in ACTIONS}
    assert set(DAY) | CHANGES_NOTHING == written, "a new action has its step in this day"
    api = {re.sub(r"{\w+}", "", action.path) for action in ACTIONS}
    pages = {"/alerts/{id}/end": "/alerts/", "/plant": "/plant", "/plant/files": "/plant"}
    for form in FORMS:
        assert pages.get(form.path, re.sub(r"{\w+}", "", form.path)) in api, (
            f"{form.path} does what no path of the API does"
        )


def test_the_audit_knows_who_when_before_and_after(day: Day) -> None:
    leaves_no_line(day)
    for what, step in DAY.items():
        before = audits(day)
        answer = step(day)
        assert answer.status_code in (200, 201), (what, answer.text)
        new = [row for row in audits(day) if row not in before]
        assert new, f"{what} left no line in the audit"
        for _, at, key, _, action, detail in new:
            assert at is not None
            assert key is not None, action
            if what not in OF_ITSELF:
                assert named(detail, "before"), (action, detail)
                assert named(detail, "after"), (action, detail)


def test_a_load_of_the_command_line_is_in_the_audit(plain_database: str, tmp_path: Path) -> None:
    plant, _ = write_worn(tmp_path)
    assert load(plain_database, plant, say=lambda _: None, complain=lambda _: None) == 0
    with psycopg.connect(plain_database) as connection:
        ((action, detail),) = connection.execute("select action, detail from audit").fetchall()
    assert action == "plant model loaded"
    assert named(detail, "before")
    assert {one["kind"] for one in detail["changes"]} >= {"standards", "bill", "labour"}
