"""What is raised: conditions that stand now, each once until it is over; and the loop that tells webhooks."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event
from typing import Any

from psycopg import Connection, OperationalError

from cloud_api.answers.agents import agents
from cloud_api.answers.assumptions import assumptions
from cloud_api.answers.confidence import confidence
from cloud_api.answers.costs import costs
from cloud_api.answers.places import Atlas, Site
from cloud_api.answers.question import Question
from cloud_api.errors import CloudError
from cloud_api.store import pool
from cloud_api.store.rows import as_json
from cloud_api.store.statements import statement
from cloud_api.store.times import to_us
from cloud_api.work.deliveries import gathered_until, send_one, zone_of
from cloud_api.work.webhook import Reach
from cloud_api.work.worker import utc_now

SILENT_AFTER = dt.timedelta(minutes=5)
LEAST_COVERAGE = Decimal("0.90")
WINDOW = dt.timedelta(hours=24)
"""Cost without a cause, and coverage, are looked at over so long a time."""
SOON_S, SLOW_S, POLL_S = 30.0, 600.0, 2.0
"""Pauses between two looks at what changes soon, and at assumptions; between two looks for what to send."""

log = logging.getLogger("plantledger.alerts")


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that stands: what (kind) of whom (subject), and what a reader should know of it."""

    site: str
    kind: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)


Look = Callable[[Connection[Any], Site, dt.datetime], Iterator[Condition]]
"""Conditions of a site that stand now."""


def soon(connection: Connection[Any], site: Site, now: dt.datetime) -> Iterator[Condition]:
    """Agents that fell silent, cost without a cause, coverage that is low: over the last day."""
    whole = Question(sites=(site,))
    for agent in agents(connection, whole, True, now).rows:
        if agent.heard_at is not None and (not agent.online or now - agent.heard_at > SILENT_AFTER):
            detail = {"since": agent.heard_at, "page": "/trust", "buffer_depth": agent.buffer_depth}
            yield Condition(site.name, "silent_agent", agent.id, detail)
    if site.book is None:
        return
    last = Question(sites=(site,), from_us=to_us(now - WINDOW), to_us=to_us(now))
    material = site.book.plant.materiality_amount
    if material:
        rows = costs(connection, last.grouped("machine", "cause"), True, now).rows
        for row in rows:
            if row.cause == "unexplained" and row.amount >= material:
                detail = {"amount": str(row.amount), "currency": site.currency, "hours": 24}
                detail["page"] = row.segments.removeprefix("/v1")
                yield Condition(site.name, "unexplained_cost", str(row.machine), detail)
    trusted = confidence(connection, last, True, now)
    if trusted.coverage is not None and trusted.coverage < LEAST_COVERAGE:
        yield Condition(
            site.name, "low_coverage", site.name, {"coverage": str(trusted.coverage), "page": "/trust"}
        )


def slow(connection: Connection[Any], site: Site, now: dt.datetime) -> Iterator[Condition]:
    """Assumptions that are broken."""
    if site.book is None:
        return
    for row in assumptions(connection, Question(sites=(site,)), True, now).rows:
        if row.status == "broken":
            subject = " ".join(str(part) for part in (row.assumption, row.product, row.machine) if part)
            detail = {
                "assumed": str(row.assumed),
                "observed": str(row.observed),
                "since": row.since,
                "cost_per_day": str(row.cost_per_day),
                "page": "/assumptions",
            }
            yield Condition(site.name, "broken_assumption", subject, detail)


KINDS: dict[Look, list[str]] = {
    soon: ["silent_agent", "unexplained_cost", "low_coverage"],
    slow: ["broken_assumption"],
}


def keep(
    connection: Connection[Any],
    site: str,
    kinds: Sequence[str],
    conditions: Sequence[Condition],
    now: dt.datetime,
) -> int:
    """Raises what is new, ends what is over, and puts what was raised into deliveries; gives how many were
    raised. The caller's transaction commits it."""
    connection.execute(
        statement("alerts.clear"),
        {
            "site": site,
            "kinds": list(kinds),
            "now": now,
            "standing_kinds": [one.kind for one in conditions],
            "standing_subjects": [one.subject for one in conditions],
        },
    )
    hooks = connection.execute(statement("alerts.hooks"), {"sites": [site]}).fetchall()
    zone = zone_of(connection, site)
    raised = 0
    for one in conditions:
        about = {"site": site, "kind": one.kind, "subject": one.subject, "now": now}
        detail = as_json(one.detail)
        row = connection.execute(statement("alerts.raise"), {**about, "detail": detail}).fetchone()
        if row is None:
            continue
        raised += 1
        for hook_id, _, _, hook_kinds, _, _, digest, _ in hooks:
            if one.kind in hook_kinds:
                deliver(connection, hook_id, row[0], digest, now, zone)
    return raised


def deliver(
    connection: Connection[Any],
    hook_id: int,
    event_id: int,
    digest: str,
    now: dt.datetime,
    zone: dt.tzinfo = dt.UTC,
) -> int:
    """Puts an event into a delivery of a hook, once; gives the delivery."""
    about = {"hook_id": hook_id, "event_id": event_id}
    found = connection.execute(statement("alerts.delivery_of"), about).fetchone()
    if found is not None:
        return int(found[0])
    if digest != "none":
        found = connection.execute(statement("alerts.gathering"), {"hook_id": hook_id, "now": now}).fetchone()
    if found is None:
        due = {"hook_id": hook_id, "due_at": gathered_until(digest, now, zone)}
        found = connection.execute(statement("alerts.add_delivery"), due).fetchone()
    assert found is not None
    delivery_id = int(found[0])
    connection.execute(statement("alerts.add_event"), {**about, "delivery_id": delivery_id})
    return delivery_id


@dataclass
class Alerting:
    """Looks for conditions and sends what they raise, until it is told to stop. Several may run at once: one
    looks, and a delivery is sent by one."""

    url: str
    reach: Reach = Reach.PUBLIC
    now: Callable[[], dt.datetime] = utc_now
    _atlas: Atlas = field(default_factory=Atlas)

    def run(self, stop: Event) -> None:
        """Works until ``stop`` is set; a database that is away is waited for."""
        while not stop.is_set():
            try:
                with pool.connect(self.url, name="alerts", autocommit=True) as connection:
                    self._work(connection, stop)
            except (OperationalError, CloudError) as error:
                log.warning("the database cannot be used, alerts wait: %s", str(error).strip())
                stop.wait(POLL_S)

    def look(self, connection: Connection[Any], of: Look) -> int:
        """One look at conditions of a pace (`soon` or `slow`) at every site with a hook; gives how many were
        raised."""
        raised = 0
        with pool.snapshot(connection):
            claimed = connection.execute(statement("alerts.claim")).fetchone()
            if not (claimed and claimed[0]):
                return 0
            places = self._atlas.places(connection)
            for site in places.sites:
                if connection.execute(statement("alerts.hooks"), {"sites": [site.name]}).fetchone():
                    now = self.now()
                    raised += keep(connection, site.name, KINDS[of], list(of(connection, site, now)), now)
        return raised

    def send(self, connection: Connection[Any]) -> int:
        """Sends all that is due; gives how many attempts were made."""
        attempts = 0
        while send_one(connection, self.now(), self.reach) is not None:
            attempts += 1
        return attempts

    def _work(self, connection: Connection[Any], stop: Event) -> None:
        due = {soon: 0.0, slow: 0.0}
        pauses = {soon: SOON_S, slow: SLOW_S}
        while not stop.is_set():
            for of in due:
                if time.monotonic() >= due[of]:
                    due[of] = time.monotonic() + pauses[of]
                    self._look_safely(connection, of)
            self.send(connection)
            stop.wait(POLL_S)

    def _look_safely(self, connection: Connection[Any], of: Look) -> None:
        try:
            self.look(connection, of)
        except OperationalError:
            raise
        except Exception as error:
            log.exception("conditions cannot be looked at: %s", error)
