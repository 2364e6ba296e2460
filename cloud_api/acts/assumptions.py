"""Accepting better standards: proposals of broken assumptions become rows of the standards.

They are effective from their onset and recorded now: from now on they are the standards, and for the days
before they are the ex-post ones, which part planning from operational. What a closed or locked period keeps
stays. Where site.yaml says `four_eyes: true`, a second person asks for the very same."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import to_builtins

from cloud_api.acts.actor import Actor, Conflict, Missing
from cloud_api.acts.approval import agreed, name_of
from cloud_api.acts.plant import only_checked
from cloud_api.answers.places import Site
from cloud_api.answers.proposals import ACTION, TAKES, chosen, one_site, pack, watched
from cloud_api.answers.proposals_effects import COLUMNS, Chosen, standard_row
from cloud_api.answers.question import Mistake, Question, QuestionError, read
from cloud_api.answers.shapes.assumptions import Acceptance, Accepted
from cloud_api.answers.shapes.proposals import (
    Approval,
    Approved,
    ProposalPack,
    Recorded,
    Simulation,
    Wish,
)
from cloud_api.errors import CloudError
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.standards_proposed import recorded
from cloud_api.plant.load import Loaded
from cloud_api.plant.places import PlantRefused
from cloud_api.plant.put import put_rows


def simulate(actor: Actor, body: Simulation) -> ProposalPack:
    """What some proposals would change; nothing is kept. Raises QuestionError."""
    named = {"from": body.from_, "to": body.to, "period": body.period, "site": body.site}
    given = [(name, value) for name, value in named.items() if value is not None]
    question = read(given, actor.places, allowed=TAKES, withheld=actor.principal.withheld)
    return pack(actor.connection, question, actor.now, body.proposals or None)


def approve(actor: Actor, body: Approval) -> Approved:
    """Records some proposals as standards, all or none. Raises QuestionError with every mistake."""
    if not body.proposals:
        raise QuestionError([Mistake("proposals", "names none; name those to approve, as in /v1/proposals")])
    given = [] if body.site is None else [("site", body.site)]
    site = one_site(read(given, actor.places, allowed=TAKES))
    known = watched(actor.connection, site, actor.now)
    taken = chosen(known, Question(sites=(site,)), site, body.proposals)
    version, waits = _record(actor, site, taken)
    return Approved(
        site=site.name,
        version=version,
        waits_for_second_person=waits,
        rows=[_recorded(site, one) for one in taken],
    )


def accept(actor: Actor, body: Acceptance) -> Accepted:
    """Records one proposal. Raises Missing for an id that names no assumption of a standard, Conflict where
    nothing is proposed and no value is given, QuestionError for a value that cannot be one."""
    id_ = actor.path["id"]
    site = next((one for one in actor.places.sites if id_.startswith(f"{one.name}:")), None)
    kind = id_.split(":")[1] if id_.count(":") else ""
    if site is None or site.book is None:
        raise Missing(f"there is no assumption {id_!r}; /v1/assumptions lists them")
    if kind not in COLUMNS:
        raise Missing(f"{id_!r} is no assumption of a standard: change it where it is kept")
    wish = Wish(id=id_, value=body.value, from_=body.from_)
    try:
        known = watched(actor.connection, site, actor.now)
        (one,) = chosen(known, Question(sites=(site,)), site, [wish])
    except QuestionError as error:
        mistake = error.mistakes[0]
        if mistake.field.endswith(".id"):
            raise Missing(f"there is no assumption {id_!r}; /v1/assumptions lists them") from None
        raise Conflict(f"{id_}: {mistake.message}") from None
    version, waits = _record(actor, site, [one])
    said = _recorded(site, one)
    return Accepted(
        id=said.id,
        machine=said.machine,
        product=said.product,
        column=said.column,
        before=said.before,
        after=said.after,
        from_=said.from_,
        version=version,
        waits_for_second_person=waits,
    )


def _record(actor: Actor, site: Site, taken: Sequence[Chosen]) -> tuple[int | None, bool]:
    """The version under which the proposals were recorded, and whether they wait for a second person."""
    assert site.book is not None
    rows = recorded(site.book, [one.proposed for one in taken], actor.now)
    lacking = {(one.row.machine, one.row.product) for one in taken} - {
        (row.machine, row.product) for row in rows
    }
    if lacking:
        raise Conflict(
            f"there is no standard of {', '.join(f'{p} on {m}' for m, p in sorted(lacking, key=str))}"
        )
    said = [to_builtins(standard_row(row)) for row in rows]

    def perform() -> Loaded:
        return put_rows(actor.connection, site.name, "standards", said, author=name_of(actor))

    try:
        only_checked(actor, perform)
        asked = [{"id": one.row.id, "value": str(one.value), "from": one.from_.isoformat()} for one in taken]
        if not agreed(actor, site, ACTION, "standards", said, proposals=asked):
            return None, True
        loaded = perform()
    except PlantRefused as refused:
        raise QuestionError(_told(refused, rows, taken)) from None
    except CloudError as error:
        raise Conflict(str(error)) from None
    told: list[dict[str, Any]] = [to_builtins(_recorded(site, one)) for one in taken]
    actor.audit("standards approved", site.name, proposals=told, version=loaded.version)
    return loaded.version, False


def _told(refused: PlantRefused, rows: Sequence[Standard], taken: Sequence[Chosen]) -> list[Mistake]:
    """Faults of rows as mistakes of the proposals that made them."""
    mistakes = []
    for fault in refused.faults:
        row = rows[min(fault.place.line, len(rows)) - 1]
        at = next(
            at
            for at, one in enumerate(taken)
            if one.row.machine == row.machine and one.row.product == row.product
        )
        mistakes.append(Mistake(f"proposals[{at}].value", f"{fault.message}: {fault.mend}"))
    return mistakes


def _recorded(site: Site, one: Chosen) -> Recorded:
    assert site.book is not None
    stood = site.book.standard(str(one.row.machine), one.row.product, one.from_, "post")
    before: Decimal | None = getattr(stood, COLUMNS[one.row.assumption], None)
    return Recorded(
        id=one.row.id,
        machine=str(one.row.machine),
        product=str(one.row.product),
        column=COLUMNS[one.row.assumption],
        before=before or Decimal(0),
        after=one.value,
        from_=one.from_,
    )
