"""One tap on a draft: it is right, and becomes a note; or it is not, and is never shown again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cloud_api.acts.actor import Actor, Conflict, Missing
from cloud_api.acts.notes import LONGEST, checked, keep, noted, number, too_long
from cloud_api.answers.decisions import Draft, draft_row, drafts_of
from cloud_api.answers.decisions_words import draft_said
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question, QuestionError
from cloud_api.answers.shapes.decisions import Confirmation, Decided, Dismissal
from cloud_api.answers.shapes.notes import NewNote
from cloud_api.store.statements import statement

ONGOING = timedelta(hours=2)
"""What the data showed within so long before the present has no end yet."""


def confirm_decision(actor: Actor, body: Confirmation) -> Decided:
    """Makes a note of a draft. Raises Missing, QuestionError, Conflict."""
    site, draft = _held(actor)
    if draft.status == "confirmed" and draft.note is not None and body.request is not None:
        return _decided(actor, site, draft.id, body.lang)
    _refuse_decided(draft)
    machine = next(one.name for one in site.machines if one.machine_id == draft.machine_id)
    ongoing = draft.ends_at > actor.now - ONGOING
    told = NewNote(
        kind=draft.kind,
        text=draft_said(draft.sign, draft.detail, body.lang) if body.text is None else body.text,
        machine=machine,
        product=draft.product,
        order=draft.order,
        from_=draft.starts_at.isoformat(),
        to=body.to or (None if ongoing else draft.ends_at.isoformat()),
        trade_off=body.trade_off,
        expected_effect=body.expected_effect,
        author=body.author,
        request=body.request,
    )
    note_id, new = keep(actor, site, replace(checked(actor, site, told), decision=draft.id))
    decided = {"decision": draft.id, "status": "confirmed", "now": actor.now, "note": note_id}
    actor.connection.execute(statement("context.decide"), decided)
    if new:
        said = {"decision": draft.id, "note": note_id, "kind": draft.kind}
        actor.audit("decision confirmed", site.name, **said, before=draft.status, after="confirmed")
    return _decided(actor, site, draft.id, body.lang)


def dismiss_decision(actor: Actor, body: Dismissal) -> Decided:
    """Sets a draft aside for good. Raises Missing, QuestionError, Conflict."""
    site, draft = _held(actor)
    if mistakes := list(too_long("why", body.why, LONGEST["text"])):
        raise QuestionError(mistakes)
    if draft.status != "dismissed":
        _refuse_decided(draft)
        decided = {"decision": draft.id, "status": "dismissed", "now": actor.now, "note": None}
        actor.connection.execute(statement("context.decide"), decided)
        said = {"decision": draft.id, "kind": draft.kind, "why": body.why}
        actor.audit("decision dismissed", site.name, **said, before=draft.status, after="dismissed")
    return _decided(actor, site, draft.id, body.lang)


def _refuse_decided(draft: Draft) -> None:
    if draft.status != "detected":
        raise Conflict(f"decision {draft.id} was {draft.status} before")


def _held(actor: Actor) -> tuple[Site, Draft]:
    """The draft that the path names, held until the transaction ends. Raises Missing."""
    decision_id = number(actor.path["id"], "decision")
    actor.connection.execute(statement("context.lock_decision"), {"decision": decision_id})
    return _draft(actor, decision_id)


def _draft(actor: Actor, decision_id: int) -> tuple[Site, Draft]:
    sites = actor.places.sites
    found = drafts_of(actor.connection, Question(sites=sites), actor.now, decision=decision_id)
    if not found:
        raise Missing(f"there is no decision {decision_id}")
    return next(site for site in sites if site.name == found[0].site), found[0]


def _decided(actor: Actor, site: Site, decision_id: int, lang: str) -> Decided:
    _, draft = _draft(actor, decision_id)
    return Decided(
        decision=draft_row(site, draft, actor.now, lang),
        noted=None if draft.note is None else noted(actor, site, draft.note, lang),
    )
