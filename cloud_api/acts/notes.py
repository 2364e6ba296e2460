"""Keeping, correcting and withdrawing notes. What was said before stays in the audit.

A locked period refuses all of it for the time that a note explains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET

from cloud_api.access.roles import KeyRole
from cloud_api.acts.actor import Actor, Conflict, Missing
from cloud_api.answers.explanation import effect_of
from cloud_api.answers.notes import by_id, day_end, said_by
from cloud_api.answers.places import Places, Site
from cloud_api.answers.question import Mistake, QuestionError, near, read
from cloud_api.answers.shapes.notes import CorrectedNote, NewNote, Noted, NoteRow, Withdrawal
from cloud_api.interpret.matching import NOTE_KINDS
from cloud_api.store import context
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us

LONGEST = {"text": 4000, "trade_off": 1000, "expected_effect": 1000, "author": 100, "request": 100}
"""Characters of what a person writes."""
NAME = 200
"""Characters of a name: a machine, a line, a product, an order."""
_MOST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A note before it is kept: checked, its times in microseconds UTC. `to_us` None: no end of its own."""

    kind: str
    text: str
    from_us: int
    to_us: int | None
    machine: str | None = None
    line: str | None = None
    product: str | None = None
    order: str | None = None
    trade_off: str | None = None
    expected_effect: str | None = None
    author: str | None = None
    released: bool = False
    causes: tuple[str, ...] | None = None
    request: str | None = None
    question: int | None = None
    like_of: int | None = None
    decision: int | None = None


def add_note(actor: Actor, body: NewNote) -> Noted:
    """Keeps a note. Raises QuestionError with every mistake, Conflict in a locked period."""
    site = actor.site(body.site)
    draft = checked(actor, site, body)
    note_id, new = keep(actor, site, draft)
    if new:
        actor.audit("note added", site.name, note=note_id, before=None, after=_kept(draft))
    return noted(actor, site, note_id)


def correct_note(actor: Actor, body: CorrectedNote) -> Noted:
    """Says parts of a note anew. Raises Missing, QuestionError, Conflict."""
    site, before = held(actor)
    if before.withdrawn_at is not None:
        raise Conflict(f"note {before.id} was withdrawn; add a new one")
    changes = {
        name: value
        for name, value in msgspec.structs.asdict(body).items()
        if value is not UNSET and name != "from_"
    }
    said = NewNote(
        **{
            **{name: getattr(before, name) for name in _SAID},
            "author": _author(actor, before.id),
            "line": None if before.machine else before.line,
            "from_": before.from_.isoformat() if body.from_ is UNSET else body.from_,
            "to": None if before.to is None else before.to.isoformat(),
            **changes,
        }
    )
    draft = checked(actor, site, said)
    refuse_locked(site, *_reach(site, before))
    refuse_locked(site, *reach_of(site, draft))
    old = _stored(actor, before.id)
    actor.connection.execute(
        statement("context.change_note"), {**_columns(draft), "note": before.id, "now": actor.now}
    )
    actor.audit("note corrected", site.name, note=before.id, before=old, after=_stored(actor, before.id))
    return noted(actor, site, before.id)


def withdraw_note(actor: Actor, body: Withdrawal) -> Noted:
    """Withdraws a note, and with an answer all that it reached: it stays, and explains nothing any more.
    Raises Missing, QuestionError, Conflict."""
    site, before = held(actor)
    if mistakes := list(too_long("why", body.why, LONGEST["text"])):
        raise QuestionError(mistakes)
    refuse_locked(site, *_reach(site, before))
    withdraw(actor, site, [before.id], body.why)
    return noted(actor, site, before.id)


def withdraw(actor: Actor, site: Site, notes: list[int], why: str) -> list[int]:
    """Withdraws living notes and the notes that reach further for them; gives their ids."""
    named = context.with_likes(actor.connection, notes)
    done = actor.connection.execute(
        statement("context.withdraw_notes"), {"notes": named, "now": actor.now}
    ).fetchall()
    gone = sorted(row[0] for row in done)
    if gone:
        actor.audit("notes withdrawn", site.name, notes=gone, why=why, before="living", after="withdrawn")
    return gone


def checked(actor: Actor, site: Site, body: NewNote) -> Draft:
    """The note that a body describes. Raises QuestionError with every mistake."""
    if site.bound is not None and not body.machine and not body.line and len(site.bound) == 1:
        body = msgspec.structs.replace(body, line=next(iter(site.bound)))
    mistakes = [
        *_mistakes(site, body),
        *(mistake for name, most in LONGEST.items() for mistake in too_long(name, getattr(body, name), most)),
        *(mistake for name in ("product", "order") for mistake in too_long(name, getattr(body, name), NAME)),
    ]
    from_us_, to_us_ = to_us(actor.now), None
    try:
        from_us_, to_us_ = window(site, body.from_, body.to, from_us_)
    except QuestionError as error:
        mistakes += error.mistakes
    if mistakes:
        raise QuestionError(mistakes)
    said = {name: getattr(body, name) or None for name in _OPTIONAL}
    return Draft(
        kind=body.kind, text=body.text, from_us=from_us_, to_us=to_us_, released=body.released, **said
    )


def window(site: Site, from_: str | None, to: str | None, now_us: int) -> tuple[int, int | None]:
    """Begin and end as a body says them: RFC 3339, or a production day. Raises QuestionError."""
    given = [(name, value) for name, value in (("from", from_), ("to", to)) if value]
    asked = read(given, Places((site,)), allowed=("from", "to"))
    begin = now_us if asked.from_us is None else asked.from_us
    if asked.to_us is not None and asked.to_us <= begin:
        raise QuestionError([Mistake("to", "is not after the begin of the note; `to` is exclusive")])
    return begin, asked.to_us


def keep(actor: Actor, site: Site, draft: Draft) -> tuple[int, bool]:
    """Stores a note; its id, and whether it is new: a request that was kept before gives its note again.
    Raises Conflict in a locked period."""
    known = context.note_of_request(actor.connection, site.name, draft.request)
    if known is not None:
        return known, False
    refuse_locked(site, *reach_of(site, draft))
    more = {
        "causes": None if draft.causes is None else list(draft.causes),
        "request": draft.request,
        "question": draft.question,
        "like_of": draft.like_of,
        "decision": draft.decision,
    }
    made = context.add_note(actor.connection, site.name, actor.now, **_columns(draft), **more)
    if made is not None:
        return made, True
    known = context.note_of_request(actor.connection, site.name, draft.request)
    assert known is not None
    return known, False


def refuse_locked(site: Site, from_us_: int, to_us_: int) -> None:
    """Raises Conflict where a locked or closed period lies in [from_us_, to_us_)."""
    for period in site.periods:
        if period.status != "provisional" and period.from_us < to_us_ and period.to_us > from_us_:
            raise Conflict(
                f"period {period.name} is {period.status}: its notes and answers stay as they are; "
                "name a time in an open period"
            )


def held(actor: Actor) -> tuple[Site, NoteRow]:
    """The note that the path names, held until the transaction ends. Raises Missing."""
    note_id = number(actor.path["id"], "note")
    actor.connection.execute(statement("context.lock_note"), {"note": note_id})
    rows = by_id(actor.connection, actor.places.sites, [note_id], frozenset())
    if not rows:
        raise Missing(f"there is no note {note_id}")
    site = next(site for site in actor.places.sites if site.name == rows[0].site)
    if site.bound is not None and rows[0].line not in site.bound:
        raise Missing(f"there is no note {note_id}")
    return site, rows[0]


def number(text: str, what: str) -> int:
    """An id in a path. Raises Missing for what is none."""
    if not text.isascii() or not text.isdigit() or int(text) > _MOST_ID:
        raise Missing(f"there is no {what} {text}")
    return int(text)


def noted(actor: Actor, site: Site, note_id: int, lang: str = "en") -> Noted:
    """A note as it stands, and what it explains together with the notes that reach further for it."""
    row = by_id(actor.connection, [site], [note_id], own_lines(actor, site))[0]
    return Noted(
        note=row,
        explains=effect_of(
            actor.connection, site, said_by(actor.connection, site, note_id), shows_money(actor, site), lang
        ),
    )


def shows_money(actor: Actor, site: Site) -> bool:
    """Whether amounts may stand in what the actor is told."""
    plant = site.plant
    return actor.principal.sees_money or (plant is not None and plant.floor_shows_money)


def reach_of(site: Site, draft: Draft) -> tuple[int, int]:
    """The time that a note explains."""
    return draft.from_us, day_end(site, draft.from_us) if draft.to_us is None else draft.to_us


_SAID = ("kind", "text", "machine", "line", "product", "order", "trade_off", "expected_effect", "released")
_OPTIONAL = ("machine", "line", "product", "order", "trade_off", "expected_effect", "author", "request")


def _reach(site: Site, row: NoteRow) -> tuple[int, int]:
    return to_us(row.from_), to_us(row.explains_to)


def _mistakes(site: Site, body: NewNote) -> Iterator[Mistake]:
    if body.kind not in NOTE_KINDS:
        kinds = ", ".join(NOTE_KINDS)
        yield Mistake("kind", f"{body.kind!r} is not one of {kinds}{near(body.kind, NOTE_KINDS)}")
    if body.kind == "other" and not body.text.strip():
        yield Mistake("text", "is empty; a note of kind other says what it is about")
    lines = {machine.name: machine.line for machine in site.machines}
    if body.machine and body.machine not in lines:
        yield Mistake("machine", f"{body.machine!r} is not known at {site.name}{near(body.machine, lines)}")
    if body.line and body.line not in site.lines:
        yield Mistake("line", f"{body.line!r} is not known at {site.name}{near(body.line, site.lines)}")
    elif site.bound is not None and not body.machine and not body.line:
        yield Mistake("line", f"is missing; name one of {', '.join(sorted(site.bound))}")
    elif body.machine and body.line and lines.get(body.machine) not in (None, body.line):
        yield Mistake("line", f"{body.machine!r} is a machine of line {lines[body.machine]!r}; leave one out")


def too_long(name: str, value: str | None, most: int) -> Iterator[Mistake]:
    """Mistakes of a text that a person writes."""
    if value is None:
        return
    if len(value) > most:
        yield Mistake(name, f"has {len(value)} characters; write at most {most}")
    if "\0" in value:
        yield Mistake(name, "holds a character of code 0; leave it out")


def _columns(draft: Draft) -> dict[str, Any]:
    names = (
        "kind",
        "text",
        "machine",
        "line",
        "product",
        "order",
        "trade_off",
        "expected_effect",
        "author",
        "released",
    )
    return {
        **{name: getattr(draft, name) for name in names},
        "starts_at": from_us(draft.from_us),
        "ends_at": None if draft.to_us is None else from_us(draft.to_us),
    }


def _kept(draft: Draft) -> dict[str, Any]:
    """A note as the audit keeps it."""
    said = {name: value for name, value in _columns(draft).items() if value is not None}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in said.items()}


def _stored(actor: Actor, note_id: int) -> dict[str, Any]:
    """A note as it is stored, for the audit."""
    row = actor.connection.execute(statement("context.stored_note"), {"note": note_id}).fetchone()
    assert row is not None
    return {name: value for name, value in row[0].items() if value is not None}


def _author(actor: Actor, note_id: int) -> str | None:
    row = actor.connection.execute(statement("context.author"), {"note": note_id}).fetchone()
    return row[0] if row else None


def own_lines(actor: Actor, site: Site) -> frozenset[str | None]:
    """Lines whose authors the actor may know."""
    return frozenset(site.lines) if actor.principal.role is KeyRole.FLOOR else frozenset()
