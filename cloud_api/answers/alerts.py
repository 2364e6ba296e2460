"""Webhooks and what they were told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from cloud_api.answers.question import Question
from cloud_api.answers.shapes.alerts import Alerts, Delivery, Hook, Raised, clock
from cloud_api.store.statements import statement

MONEY = frozenset({"broken_assumption", "unexplained_cost"})
"""Kinds that tell amounts."""
LAST_DELIVERIES = 100


def alerts(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Alerts:
    """Webhooks of the sites, what is raised, and what was sent last."""
    sites = {"sites": [site.name for site in question.sites]}
    hooks = [_hook(*row) for row in connection.execute(statement("alerts.hooks"), sites)]
    raised = [
        Raised(id=event, site=site, kind=kind, subject=subject, detail=detail, raised_at=at)
        for event, site, kind, subject, detail, at in connection.execute(
            statement("alerts.open_events"), sites
        )
        if sees_money or kind not in MONEY
    ]
    named = {"hooks": [hook.id for hook in hooks], "limit": LAST_DELIVERIES}
    sent = [
        Delivery(
            id=delivery,
            hook=hook,
            due_at=due,
            attempts=attempts,
            tried_at=tried,
            delivered_at=delivered,
            gave_up_at=gave_up,
            answer=answer,
            events=events or [],
        )
        for delivery, hook, due, attempts, tried, delivered, gave_up, answer, events in connection.execute(
            statement("alerts.deliveries"), named
        )
    ]
    return Alerts(rows=hooks, raised=raised, deliveries=sent)


def _hook(
    hook: int, site: str, url: str, kinds: list[str], start: Any, end: Any, digest: Any, made: datetime
) -> Hook:
    return Hook(
        id=hook,
        site=site,
        url=url,
        kinds=kinds,
        quiet_from=clock(start),
        quiet_to=clock(end),
        digest=digest,
        created_at=made,
    )
