"""Deliveries to webhooks: gathered, held in quiet hours, tried again ever later, given up in the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from psycopg import Connection

from cloud_api.store.statements import statement
from cloud_api.work.webhook import Answer, Reach, post

FIRST_RETRY = dt.timedelta(minutes=1)
LONGEST_RETRY = dt.timedelta(hours=6)
GIVE_UP_AFTER = 16
"""Attempts: some three days."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours of a hook by the wall clock of its site; `start` and `end` None: none."""

    start: dt.time | None
    end: dt.time | None

    def over_at(self, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """The next instant at which something may be sent: now, or the end of the quiet hours."""
        if self.start is None or self.end is None or self.start == self.end:
            return now
        local = now.astimezone(zone)
        wall = local.time().replace(tzinfo=None)
        crosses = self.start > self.end
        started, ended = wall >= self.start, wall >= self.end
        if not (started or not ended if crosses else started and not ended):
            return now
        day = local.date() + dt.timedelta(days=1 if crosses and wall >= self.start else 0)
        return dt.datetime.combine(day, self.end, zone).astimezone(dt.UTC)


def gathered_until(digest: str, now: dt.datetime, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """When what is raised now is sent: at once, at the next full hour, at 07:00 by the clock of the site."""
    if digest == "hour":
        return now.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
    if digest == "day":
        today = now.astimezone(zone).date()
        days = (today, today + dt.timedelta(days=1))
        sevens = [dt.datetime.combine(day, dt.time(7), zone).astimezone(dt.UTC) for day in days]
        return next(seven for seven in sevens if seven > now)
    return now


def retry_after(attempts: int) -> dt.timedelta:
    """The pause after so many attempts that failed: doubled each time, up to six hours."""
    return min(LONGEST_RETRY, FIRST_RETRY * (1 << min(attempts - 1, 20)))


def send_one(
    connection: Connection[Any], now: dt.datetime, reach: Reach, delivery_id: int | None = None
) -> Answer | None:
    """Sends the next delivery that is due (or the one named, whatever the hour); None where there is none.

    It is held from others while it is on its way. One that is named, a test, is tried once. Where a receiver
    does not take it, what else is due for it waits a minute too, so that others are not held up by it.
    Takes a transaction of its own."""
    with connection.transaction():
        due = connection.execute(statement("alerts.due"), {"now": now, "delivery_id": delivery_id}).fetchone()
        if due is None:
            return None
        delivery, attempts, _, hook, site, url, secret, start, end = due
        free = Quiet(start, end).over_at(now, zone_of(connection, site))
        if delivery_id is None and free > now:
            connection.execute(statement("alerts.postpone"), {"delivery_id": delivery, "due_at": free})
            return Answer(False, "quiet hours")
        events = connection.execute(statement("alerts.events_of"), {"delivery_id": delivery})
        body = _body(delivery, site, events.fetchall())
        answer = post(url, secret, delivery, int(now.timestamp()), body, reach)
        last = delivery_id is not None or attempts + 1 >= GIVE_UP_AFTER
        given_up = not answer.delivered and last
        connection.execute(
            statement("alerts.tried"),
            {
                "delivery_id": delivery,
                "now": now,
                "answer": answer.said,
                "due_at": now + retry_after(attempts + 1),
                "delivered_at": now if answer.delivered else None,
                "gave_up_at": now if given_up else None,
            },
        )
        if not answer.delivered:
            held = {"hook_id": hook, "delivery_id": delivery, "due_at": now + FIRST_RETRY}
            connection.execute(statement("alerts.hold"), held)
        return answer


def zone_of(connection: Connection[Any], site: str) -> ZoneInfo:
    """The time zone of a site; UTC without a plant model."""
    row = connection.execute(statement("alerts.zone"), {"site": site}).fetchone()
    return ZoneInfo(row[0] if row else "UTC")


def _body(delivery: int, site: str, events: Sequence[Any]) -> bytes:
    told = [
        {
            "id": event,
            "kind": kind,
            "subject": subject,
            "detail": detail,
            "raised_at": raised,
            "cleared_at": cleared,
        }
        for event, kind, subject, detail, raised, cleared in events
    ]
    return msgspec.json.encode({"delivery": delivery, "site": site, "events": told})
