"""Accepting a better standard: the proposal of a broken assumption becomes a row of the standards.

It is effective from the onset and recorded now: from now on it is the standard, and for the days before it
is the ex-post one, which parts planning from operational. What a closed or locked period keeps stays."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from msgspec.structs import asdict

from cloud_api.acts.actor import Actor, Conflict, Missing
from cloud_api.answers.assumptions import found, named
from cloud_api.answers.assumptions_streams import KINDS
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.answers.shapes.assumptions import Acceptance, Accepted, AssumptionRow
from cloud_api.errors import CloudError
from cloud_api.interpret.plant import Standard
from cloud_api.plant.places import PlantRefused
from cloud_api.plant.put import put_rows

CARD = (
    "ideal_cycle_s",
    "crew",
    "scrap_rate",
    "rework_rate",
    "changeover_min",
    "lot_size",
    "availability",
    "energy_kwh",
    "planned_stop",
    "waiting",
    "idle_kw",
)
COLUMNS = {kind.name: kind.column for kind in KINDS}


def accept(actor: Actor, body: Acceptance) -> Accepted:
    """Records a better standard. Raises Missing for an id that names no assumption of a standard, Conflict
    where nothing is proposed and no value is given, QuestionError for a value that cannot be one."""
    row = _row(actor)
    column = COLUMNS[row.assumption]
    value = body.value
    if value is None and row.proposed is not None:
        value = row.proposed.value
    from_ = body.from_ or row.since
    if value is None or from_ is None:
        raise Conflict(
            f"nothing is proposed for {row.id}: it holds, or there are fewer than 20 observations since its "
            "onset; give `value` and `from` to record a standard all the same"
        )
    standard = _standard(actor, row, from_)
    before: Decimal = getattr(standard, column) or Decimal(0)
    said = {name: number for name, number in asdict(standard).items() if name in CARD}
    said |= {"product": row.product, "machine": row.machine, "from": from_.isoformat(), column: value}
    author = f"key {actor.principal.key_id}" if actor.principal.key_id is not None else "the service"
    try:
        loaded = put_rows(actor.connection, row.site, "standards", [said], author=author)
    except (PlantRefused, CloudError) as error:
        raise QuestionError([Mistake("value", str(error))]) from error
    actor.audit(
        "assumption accepted",
        row.site,
        assumption=row.id,
        before=str(before),
        after=str(value),
        effective=from_.isoformat(),
        version=loaded.version,
    )
    return Accepted(
        id=row.id,
        machine=str(row.machine),
        product=str(row.product),
        column=column,
        before=before,
        after=value,
        from_=from_,
        version=loaded.version,
    )


def _row(actor: Actor) -> AssumptionRow:
    id_ = actor.path["id"]
    sites = tuple(site for site in actor.places.sites if id_.startswith(f"{site.name}:"))
    row = named(found(actor.connection, Question(sites=sites), actor.now), id_) if sites else None
    if row is None:
        raise Missing(f"there is no assumption {id_!r}; /v1/assumptions lists them")
    if row.assumption not in COLUMNS:
        raise Missing(f"{id_!r} is no assumption of a standard: change it where it is kept")
    return row


def _standard(actor: Actor, row: AssumptionRow, date: dt.date) -> Standard:
    site = actor.site(row.site)
    standard = None
    if site.book is not None:
        standard = site.book.standard(str(row.machine), row.product, date, "post")
    if standard is None:
        raise Conflict(f"there is no standard of {row.product} on {row.machine} on {date}")
    return standard
