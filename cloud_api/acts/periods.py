"""Locking, unlocking and closing fiscal periods.

A locked period keeps its plant model and refuses notes; late data still enters. A closed period is frozen
for good: its entries stay as they are, and what comes later is an adjustment of the open period.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.types.json import Jsonb

from cloud_api.acts.actor import Actor, Conflict, Missing
from cloud_api.acts.approval import agreed, name_of
from cloud_api.answers.places import Period, Site
from cloud_api.answers.question import Mistake, QuestionError
from cloud_api.answers.shapes.periods import PeriodChange, PeriodChanged
from cloud_api.store import plant
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us


@dataclass(frozen=True, slots=True)
class _Held:
    """A period whose row is held for this transaction."""

    site: Site
    period: Period
    status: str
    version: int | None

    @property
    def days(self) -> tuple[date, date]:
        return self.site.day_of(self.period.from_us), self.site.day_of(self.period.to_us)


def lock(actor: Actor, body: PeriodChange) -> PeriodChanged:
    """Locks a period with the plant model as it counts now. Raises Missing, Conflict."""
    held = _hold(actor, body.site)
    if held.status == "closed":
        raise Conflict(f"the period {held.period.name} is closed, which is more than locked")
    if held.status == "locked":
        return _told(held, "locked", held.version)
    if held.period.from_us >= to_us(actor.now):
        raise Conflict(f"the period {held.period.name} has not begun")
    version = _latest(actor, held)
    actor.connection.execute(
        statement("periods.lock"),
        {**_named(held), "now": actor.now, "key": name_of(actor), "version": version},
    )
    said = {"period": held.period.name, "plant_version": version}
    actor.audit("period locked", held.site.name, **said, before=held.status, after="locked")
    return _told(held, "locked", version)


def unlock(actor: Actor, body: PeriodChange) -> PeriodChanged:
    """Opens a locked period again. Raises Missing, and Conflict where it is closed."""
    held = _hold(actor, body.site)
    if held.status == "closed":
        raise Conflict(
            f"the period {held.period.name} is closed for good; what is late for it becomes an adjustment"
        )
    if held.status == "locked":
        actor.connection.execute(statement("periods.unlock"), _named(held))
        said = {"period": held.period.name, "plant_version": held.version}
        actor.audit("period unlocked", held.site.name, **said, before="locked", after="provisional")
    return _told(held, "provisional", None)


def close(actor: Actor, body: PeriodChange) -> PeriodChanged:
    """Freezes a period that is over and computed. With four eyes, the second person's request closes it.

    Raises Missing, and Conflict where it is closed, not over, or hours of it wait to be computed."""
    held = _hold(actor, body.site)
    _refuse_early(actor, held)
    asked = {"period": held.period.name}
    if not agreed(actor, held.site, "period close", held.period.name, asked):
        return _told(held, "locked" if held.status == "locked" else "provisional", held.version, True)
    version = held.version if held.status == "locked" else _latest(actor, held)
    _wait_for_interpreters(actor, held.site)
    waiting = _one(actor, "periods.waiting", {"site": held.site.name, "ends_at": from_us(held.period.to_us)})[
        0
    ]
    if waiting:
        raise Conflict(f"{waiting} machine-hours before its end wait to be computed; close it when they are")
    frozen = _frozen(actor, held)
    actor.connection.execute(
        statement("periods.close"),
        {
            **_named(held),
            "now": actor.now,
            "key": name_of(actor),
            "version": version,
            "frozen": Jsonb(frozen),
        },
    )
    actor.audit(
        "period closed",
        held.site.name,
        period=held.period.name,
        plant_version=version,
        total=frozen["total"],
        before=held.status,
        after="closed",
    )
    return _told(held, "closed", version)


def _hold(actor: Actor, name: str | None) -> _Held:
    site = _site(actor, name)
    wanted = actor.path["id"]
    period = next((period for period in site.periods if period.name == wanted), None)
    if period is None:
        raise Missing(f"{wanted!r} is no period of {site.name}; see /v1/periods")
    first, end = site.day_of(period.from_us), site.day_of(period.to_us)
    at = {
        "site": site.name,
        "period": period.name,
        "starts_at": from_us(period.from_us),
        "ends_at": from_us(period.to_us),
        "first_day": first,
        "end_day": end,
    }
    plant.lock_site(actor.connection, site.name)
    row = actor.connection.execute(statement("periods.hold"), at).fetchone()
    if row is None:
        return _Held(site, period, "closed", None)
    return _Held(site, period, row[0], row[2])


def _site(actor: Actor, name: str | None) -> Site:
    """The site named, or the only one that has a plant model."""
    modelled = [site for site in actor.places.sites if site.book is not None]
    site = modelled[0] if name is None and len(modelled) == 1 else actor.site(name)
    if site.book is None:
        raise QuestionError([Mistake("site", f"{site.name!r} has no plant model; load one first")])
    return site


def _refuse_early(actor: Actor, held: _Held) -> None:
    if held.status == "closed":
        raise Conflict(f"the period {held.period.name} is closed already")
    if held.period.to_us > to_us(actor.now):
        ends = from_us(held.period.to_us).isoformat()
        raise Conflict(f"the period {held.period.name} is not over; it ends at {ends}")


def _wait_for_interpreters(actor: Actor, site: Site) -> None:
    """No turn of an interpreter that began before the close may write after it."""
    for machine in sorted(site.machines, key=lambda machine: machine.machine_id):
        actor.connection.execute(
            statement("periods.wait_for_interpreter"), {"machine_id": machine.machine_id}
        )


def _latest(actor: Actor, held: _Held) -> int:
    version = plant.latest_version(actor.connection, held.site.name)
    assert version is not None
    return version


def _frozen(actor: Actor, held: _Held) -> dict[str, Any]:
    """What was known at the close: sums of the frozen entries, batches received, data of each machine.

    For a replay also the instant by the clock that dates what is received, the latest plant model, and how
    far each machine was interpreted."""
    first, end = held.days
    at = {"site": held.site.name, "first_day": first, "end_day": end}
    totals = actor.connection.execute(statement("periods.totals"), at).fetchall()
    streams = actor.connection.execute(statement("periods.received"), at).fetchall()
    spans = plant.spans(actor.connection, held.site.name)
    through = actor.connection.execute(statement("replay.computed"), at).fetchall()
    return {
        "known": _one(actor, "replay.now", {})[0].isoformat(),
        "plant_latest": _latest(actor, held),
        "through": {machine: until.isoformat() for machine, until in through},
        "total": str(sum(amount for _, _, amount, _ in totals)),
        "entries": sum(count for *_, count in totals),
        "amounts": [[resource, cause, str(amount)] for resource, cause, amount, _ in totals],
        "batches": [[agent, stream, ranges] for agent, stream, ranges in streams],
        "machines": {span.machine: span.watermark.isoformat() for span in spans},
    }


def _named(held: _Held) -> dict[str, str]:
    return {"site": held.site.name, "period": held.period.name}


def _told(held: _Held, status: Any, version: int | None, waits: bool = False) -> PeriodChanged:
    return PeriodChanged(
        id=held.period.name,
        site=held.site.name,
        from_=from_us(held.period.from_us),
        to=from_us(held.period.to_us),
        status=status,
        plant_version=version,
        waits_for_second_person=waits,
    )


def _one(actor: Actor, what: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = actor.connection.execute(statement(what), parameters).fetchone()
    assert row is not None
    return row
