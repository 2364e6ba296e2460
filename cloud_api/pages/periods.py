"""The page of fiscal periods: what is final, what came too late, and the forms that lock and close."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cloud_api.access.roles import Area, may_read
from cloud_api.acts import periods as acts
from cloud_api.acts.actor import Actor
from cloud_api.answers.periods import periods
from cloud_api.answers.shapes.periods import PeriodChange, PeriodRow
from cloud_api.pages import words
from cloud_api.pages.asking import Asking, address


def fiscal_periods(asking: Asking) -> dict[str, Any]:
    """What the template shows: the periods of the site, newest first."""
    site = asking.site
    rows: list[PeriodRow] = []
    if site is not None:
        question = asking.question([("site", site.name)])
        rows = periods(asking.connection, question, asking.principal.sees_money, asking.now).rows
    closed = [row for row in rows if row.status == "closed"]
    late = [row for row in closed if row.adjustments]
    return {
        "place": "" if site is None else f"{site.name}, {site.time_zone}",
        "currency": site.currency if site else None,
        "zone": site.time_zone if site else "UTC",
        "site": site.name if site else "",
        "closed": closed[-1] if closed else None,
        "before": _left_open(rows),
        "adjusted": sum((row.adjusted or Decimal(0) for row in late), Decimal(0)),
        "late": late,
        "rows": [_row(asking, row) for row in reversed(rows)],
        "may": asking.principal.is_known and may_read(asking.principal.role, Area.PERIODS_CLOSED),
    }


def _left_open(rows: list[PeriodRow]) -> PeriodRow | None:
    """The last period that is open though one after it is closed."""
    last = max((index for index, row in enumerate(rows) if row.status == "closed"), default=0)
    return next((row for row in reversed(rows[:last]) if row.status != "closed"), None)


def _row(asking: Asking, row: PeriodRow) -> dict[str, Any]:
    site = asking.site
    zone = site.time_zone if site else "UTC"
    over = row.to <= asking.now
    steps = {"provisional": ["lock", "close"], "locked": ["unlock", "close"], "closed": []}[row.status]
    return {
        "id": row.id,
        "from_": words.clock(row.from_, zone),
        "to": words.clock(row.to, zone),
        "status": row.status,
        "adjusted": row.adjusted,
        "booked": row.booked,
        "pending": row.pending_hours,
        "by": row.by,
        "since": None if row.since is None else words.clock(row.since, zone),
        "version": row.plant_version,
        "asks": row.waits_for_second_person,
        "steps": [step for step in steps if step != "close" or over],
        "figures": address("/", [("site", row.site), ("period", row.id)]),
        "event": address(
            "/v1/costs",
            [("site", row.site), ("period", row.id), ("by", "resource,cause"), ("basis", "event")],
        ),
        "adjustments": [
            {
                "machine": one.machine or "site",
                "resource": one.resource,
                "cause": words.cause(one.cause),
                "amount": one.amount,
                "booked": ", ".join(filter(None, (one.booked_in, words.day(one.booked_on)))),
            }
            for one in row.adjustments
        ],
    }


def lock(actor: Actor, fields: Mapping[str, str]) -> str:
    """The form that locks a period."""
    return _done(acts.lock, actor, fields)


def unlock(actor: Actor, fields: Mapping[str, str]) -> str:
    """The form that opens a locked period again."""
    return _done(acts.unlock, actor, fields)


def close(actor: Actor, fields: Mapping[str, str]) -> str:
    """The form that closes a period for good."""
    return _done(acts.close, actor, fields)


def _done(act: Any, actor: Actor, fields: Mapping[str, str]) -> str:
    site = fields.get("site") or None
    act(actor, PeriodChange(site=site))
    return address("/periods", [("site", site)] if site else [])
