"""Answering a question, and taking an answer back, in whole or only where it reached further than asked."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cloud_api.acts.actor import Actor, Conflict, Missing
from cloud_api.acts.notes import (
    LONGEST,
    NAME,
    Draft,
    keep,
    number,
    own_lines,
    refuse_locked,
    shows_money,
    too_long,
    withdraw,
)
from cloud_api.answers.explanation import effect_of
from cloud_api.answers.notes import by_id, day_end, said_by
from cloud_api.answers.places import Site
from cloud_api.answers.question import Mistake, QuestionError
from cloud_api.answers.questions import DONT_KNOW, OTHER, one_question
from cloud_api.answers.questions_stops import asked_of, open_stops
from cloud_api.answers.shapes.questions import Answer, Answered, Like, QuestionRow, Undo
from cloud_api.interpret.asking import Asked, days_explained, like
from cloud_api.interpret.matching import silent_reasons
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us
from cloud_api.work.questions import explain_like


def answer_question(actor: Actor, body: Answer) -> Answered:
    """Answers a question; what it explains is told. Raises Missing, QuestionError, Conflict where it was
    answered before or nobody is asked any more."""
    question_id = _held(actor)
    site, row = _row(actor, question_id, body.lang)
    if row.status == "answered":
        if body.request is not None and _request(actor, question_id) == body.request:
            return _answered(actor, site, question_id, body.lang)
        raise Conflict(f"question {question_id} was answered before; undo that answer first")
    _check(body)
    if row.status == "gone":
        raise Conflict(f"question {question_id} is older than a day; keep a note instead: POST /v1/notes")
    refuse_locked(site, to_us(row.from_), to_us(row.to))
    note_id = None if _says_nothing(site, body) else _note(actor, site, row, body)
    until = _like_until(actor, site, row) if body.like and note_id is not None else None
    actor.connection.execute(
        statement("context.answer"),
        {
            "question": question_id,
            "now": actor.now,
            "answer": None if body.answer == DONT_KNOW else body.answer,
            "note": note_id,
            "like_until": None if until is None else from_us(until),
            "request": body.request,
        },
    )
    if until is not None and note_id is not None:
        _carry_on(actor, site, row, note_id, until)
    after = {"answer": body.answer, "note": note_id}
    actor.audit("question answered", site.name, question=question_id, before=None, after=after)
    return _answered(actor, site, question_id, body.lang)


def undo_answer(actor: Actor, body: Undo) -> Answered:
    """Takes back what an answer explained besides its own stop, or the whole answer: then the question is
    open again until it is a day old. Raises Missing, Conflict."""
    question_id = _held(actor)
    site, row = _row(actor, question_id, body.lang)
    if row.status != "answered":
        raise Conflict(f"question {question_id} has no answer to undo")
    refuse_locked(site, to_us(row.from_), to_us(row.to))
    same = {"question": question_id}
    if body.what == "like":
        likes = actor.connection.execute(statement("context.likes"), same).fetchall()
        actor.connection.execute(statement("context.end_like"), same)
        withdraw(actor, site, [note for *_, note in likes], "undone: like")
    else:
        actor.connection.execute(statement("context.reopen"), same)
        if row.note is not None:
            withdraw(actor, site, [row.note], "undone: answer")
    said = {"question": question_id, "what": body.what, "before": row.answer}
    actor.audit("answer undone", site.name, **said, after=row.answer if body.what == "like" else None)
    return _answered(actor, site, question_id, body.lang)


def _check(body: Answer) -> None:
    mistakes = [
        *too_long("answer", body.answer, NAME),
        *(
            mistake
            for name in ("text", "author", "request")
            for mistake in too_long(name, getattr(body, name), LONGEST[name])
        ),
    ]
    if not body.answer.strip():
        mistakes.append(Mistake("answer", f"is empty; send one of the choices, or {DONT_KNOW}"))
    if mistakes:
        raise QuestionError(mistakes)


def _says_nothing(site: Site, body: Answer) -> bool:
    """Whether an answer explains nothing: don't know, or something else without a word on what."""
    silent = body.answer.casefold() == OTHER or body.answer in silent_reasons(site.plant)
    return body.answer == DONT_KNOW or (silent and not body.text.strip())


def _note(actor: Actor, site: Site, row: QuestionRow, body: Answer) -> int:
    words = body.text if body.answer == OTHER else ": ".join(filter(None, (body.answer, body.text)))
    draft = Draft(
        kind="cause",
        text=words,
        from_us=to_us(row.from_),
        to_us=to_us(row.to),
        machine=row.machine,
        author=body.author,
        causes=(row.cause,),
        question=row.id,
    )
    return keep(actor, site, draft)[0]


def _like_until(actor: Actor, site: Site, row: QuestionRow) -> int:
    """The end of the production days that the answer is for."""
    days = days_explained(_asked(actor, site, row).pattern)
    last = site.day_of(to_us(row.from_)) + dt.timedelta(days=days - 1)
    return day_end(site, site.day_start_us(last))


def _asked(actor: Actor, site: Site, row: QuestionRow) -> Asked:
    stored = actor.connection.execute(statement("context.pattern"), {"question": row.id}).fetchone()
    assert stored is not None
    return asked_of(site, row.machine, stored)


def _carry_on(actor: Actor, site: Site, row: QuestionRow, note_id: int, until_us: int) -> None:
    """Explains stops like the one asked about, as far as they are known by now."""
    machines = [machine for machine in site.machines if machine.name == row.machine]
    before = _asked(actor, site, row)
    since = min(before.day_from_us, before.since_us)
    stops = open_stops(actor.connection, site, machines, since, min(until_us, to_us(actor.now)))
    explain_like(actor.connection, site, row.id, note_id, like(stops, before, until_us), actor.now)


def _answered(actor: Actor, site: Site, question_id: int, lang: str) -> Answered:
    row = one_question(actor.connection, [site], question_id, actor.principal.sees_money, actor.now, lang)
    assert row is not None
    notes = [] if row.note is None else by_id(actor.connection, [site], [row.note], own_lines(actor, site))
    said = [] if row.note is None else said_by(actor.connection, site, row.note)
    likes: list[tuple[Any, ...]] = actor.connection.execute(
        statement("context.likes"), {"question": question_id}
    ).fetchall()
    return Answered(
        question=row,
        note=notes[0] if notes else None,
        explains=effect_of(actor.connection, site, said, shows_money(actor, site), lang),
        like=[Like(machine=machine, from_=start, to=end, note=note) for machine, start, end, note in likes],
    )


def _held(actor: Actor) -> int:
    """The question that the path names, held until the transaction ends. Raises Missing."""
    question_id = number(actor.path["id"], "question")
    found = actor.connection.execute(statement("context.lock_question"), {"question": question_id}).fetchone()
    if found is None:
        raise Missing(f"there is no question {question_id}")
    return question_id


def _request(actor: Actor, question_id: int) -> str | None:
    row = actor.connection.execute(statement("context.lock_question"), {"question": question_id}).fetchone()
    return None if row is None else row[1]


def _row(actor: Actor, question_id: int, lang: str) -> tuple[Site, QuestionRow]:
    sites = actor.places.sites
    row = one_question(actor.connection, sites, question_id, actor.principal.sees_money, actor.now, lang)
    if row is None:
        raise Missing(f"there is no question {question_id}")
    return next(site for site in sites if site.name == row.site), row
