"""Paths of context: notes, questions to the floor, decisions that the data shows."""

from __future__ import annotations

from cloud_api.access.roles import Area
from cloud_api.acts import decisions as deciding
from cloud_api.acts import notes as acts
from cloud_api.acts import questions as answering
from cloud_api.answers import decisions, notes, now, questions
from cloud_api.answers.shapes import decisions as decided
from cloud_api.answers.shapes import notes as shapes
from cloud_api.answers.shapes import now as running
from cloud_api.answers.shapes import questions as asked
from cloud_api.api import parameters
from cloud_api.api.action import Action
from cloud_api.api.endpoint import Endpoint

_PLACES = ("site", "line", "machine", "product", "order")

ENDPOINTS = (
    Endpoint(
        "/notes",
        Area.NOTES,
        (*parameters.WINDOW, *_PLACES, "format", *parameters.PAGE),
        (),
        shapes.Notes,
        "What people said: decisions with their context, causes, fixes",
        "Notes that touch the window, newest first; `q` searches the memory of the site. An author is named "
        "to the own line only, unless released, and is no filter. Example: `/v1/notes?q=guide+pin`.",
        notes.notes,
        notes.OPTIONS,
    ),
    Endpoint(
        "/questions",
        Area.QUESTIONS,
        (*parameters.WINDOW, "site", "line", "machine", "format", *parameters.PAGE),
        (),
        asked.Questions,
        "What the floor should explain, dearest first",
        "At most three a shift of a line, none while the machine is down, gone a day after the stop, none "
        "twice. The floor sees no amount unless site.yaml says `floor: {shows_money: true}`.",
        questions.questions,
        questions.OPTIONS,
    ),
    Endpoint(
        "/now",
        Area.FLOOR,
        ("site", "line", "machine", "format"),
        (),
        running.NowAnswer,
        "What runs now",
        "State, order, good units against what is planned and due, machine by machine. No amounts.",
        now.present,
        now.OPTIONS,
    ),
    Endpoint(
        "/decisions",
        Area.DECISIONS,
        (*parameters.WINDOW, *_PLACES, "format", *parameters.PAGE),
        (),
        decided.Decisions,
        "Decisions: expected against measured, still in force, expired but running",
        "Notes of decisions, and drafts of what the data shows: running in off time, another sequence than "
        "planned, a speed override, another crew than standard, scrap that was accepted. A draft counts as "
        "detected, never as known. Effects are variances of whole production days, before and during.",
        decisions.decisions,
        decisions.OPTIONS,
    ),
)

ACTIONS = (
    Action(
        "POST",
        "/notes",
        Area.NOTES_KEPT,
        shapes.NewNote,
        shapes.Noted,
        "Keep a note",
        "A note explains cells that its kind can move, on the machine, line, product or order it names, from "
        "`from` to `to`, or to the end of the production day. A locked period refuses it (409).",
        acts.add_note,
        201,
        {
            "kind": "workaround",
            "text": "Feeding by hand until the guide is replaced",
            "machine": "press-1",
            "from": "2026-03-02T09:00:00-05:00",
            "to": "2026-03-02T13:00:00-05:00",
            "trade_off": "slower, but no scrap",
        },
    ),
    Action(
        "PATCH",
        "/notes/{id}",
        Area.NOTES_KEPT,
        shapes.CorrectedNote,
        shapes.Noted,
        "Correct a note",
        "What is absent stays, null takes away. The audit keeps what was said before.",
        acts.correct_note,
        200,
        {"to": "2026-03-02T14:00:00-05:00"},
    ),
    Action(
        "POST",
        "/notes/{id}/withdraw",
        Area.NOTES_KEPT,
        shapes.Withdrawal,
        shapes.Noted,
        "Withdraw a note",
        "It stays in the memory, marked, and explains nothing any more; nor does what it reached further.",
        acts.withdraw_note,
        200,
        {"why": "it was the other press"},
    ),
    Action(
        "POST",
        "/questions/{id}/answer",
        Area.ANSWERS,
        asked.Answer,
        asked.Answered,
        "Answer a question",
        "`dont_know` is a full answer: nobody is asked again. What the answer explains is told; stops like "
        "it are explained too, by the rule of the question, unless `like` is false.",
        answering.answer_question,
        200,
        {"answer": "feeder jam", "lang": "en"},
    ),
    Action(
        "POST",
        "/questions/{id}/undo",
        Area.ANSWERS,
        asked.Undo,
        asked.Answered,
        "Take an answer back",
        "`like`: it explains its own stop only. `answer`: the question is open again.",
        answering.undo_answer,
        200,
        {"what": "like"},
    ),
    Action(
        "POST",
        "/decisions/{id}/confirm",
        Area.DECIDED,
        decided.Confirmation,
        decided.Decided,
        "Confirm a drafted decision",
        "It becomes a note, with what you add; what it explains is told.",
        deciding.confirm_decision,
        200,
        {"trade_off": "scrap, but the order leaves today"},
    ),
    Action(
        "POST",
        "/decisions/{id}/dismiss",
        Area.DECIDED,
        decided.Dismissal,
        decided.Decided,
        "Dismiss a drafted decision",
        "It is not drafted again while the same goes on.",
        deciding.dismiss_decision,
        200,
        {"why": "trial run"},
    ),
)
