"""Questions to the floor as they are asked: the dearest first, none of a machine that is down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from psycopg import Connection

from cloud_api.answers.envelope import envelope
from cloud_api.answers.options import Option
from cloud_api.answers.paging import one_page
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question, told
from cloud_api.answers.questions_words import LANGUAGES, choice_word, question_said, rule_said
from cloud_api.answers.shapes.questions import Choice, QuestionRow, Questions
from cloud_api.interpret.matching import silent_reasons
from cloud_api.interpret.money import shown
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us

LANG = Option("lang", "Language of what is asked.", "word", LANGUAGES, "en")
STATUS = Option(
    "status",
    "open: asked now; answered; gone: nobody answered in time; all.",
    "word",
    ("open", "answered", "gone", "all"),
    "open",
)
OPTIONS = (LANG, STATUS)
DONT_KNOW = "dont_know"
OTHER = "other"
CHOICES = 6
"""Reasons to tap; two more say something else or nothing."""

Standing = Literal["open", "held", "answered", "gone"]


@dataclass(frozen=True, slots=True)
class Now:
    """What a machine is in at an instant. `waits`: earlier hours are still to be interpreted."""

    machine: Machine
    state: str
    from_: datetime
    to: datetime
    product: str | None
    order: str | None
    reason: str | None
    waits: bool

    @property
    def is_down(self) -> bool:
        """Whether nobody there has time for a question."""
        return self.state == "down"


def questions(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Questions:
    """Questions of the machines asked for, the dearest first."""
    status = question.options.get("status", "open")
    rows = asked(connection, question, sees_money, now, status, question.options.get("lang", "en"))
    page, next_cursor = one_page(rows, question)
    recent = question
    if question.from_us is None:
        recent = replace(question, from_us=to_us(now - timedelta(days=1)))
    said = envelope(connection, recent, now)
    if not sees_money and not any(row.amount is not None for row in page):
        said["currency"] = None
    return Questions(**said, next_cursor=next_cursor, rows=page)


def asked(
    connection: Connection[Any], question: Question, sees_money: bool, now: datetime, status: str, lang: str
) -> list[QuestionRow]:
    """Every question of a status, the dearest first; while a machine is down its questions are not open. Its
    amount holds wages, so who may not read these is told none."""
    sees_money = sees_money and not question.withheld
    machines = {machine.machine_id: machine for machine in question.machines}
    parameters = {
        "machines": list(machines),
        "question": None,
        "now": now,
        "status": status,
        "from": None if question.from_us is None else from_us(question.from_us),
        "to": None if question.to_us is None else from_us(question.to_us),
    }
    stored = connection.execute(statement("context.questions"), parameters).fetchall()
    down = {key for key, one in states(connection, list(machines.values()), now).items() if one.is_down}
    sites = {site.name: site for site in question.sites}
    seen = reasons_seen(connection, sorted({row[2] for row in stored}), now)
    rows = [
        question_row(sites[row[1]], machines[row[2]], row, sees_money, now, row[2] in down, seen, lang)
        for row in stored
    ]
    return [row for row in rows if status != "open" or row.status == "open"]


def one_question(
    connection: Connection[Any],
    sites: Sequence[Site],
    question: int,
    sees_money: bool,
    now: datetime,
    lang: str,
) -> QuestionRow | None:
    """A question by its id, where it is of one of the sites."""
    machines = {machine.machine_id: machine for site in sites for machine in site.machines}
    parameters = {"machines": list(machines), "question": question, "now": now, "status": "all"}
    parameters |= {"from": None, "to": None}
    row = connection.execute(statement("context.questions"), parameters).fetchone()
    if row is None:
        return None
    site = next(site for site in sites if site.name == row[1])
    machine = machines[row[2]]
    down = any(one.is_down for one in states(connection, [machine], now).values())
    seen = reasons_seen(connection, [machine.machine_id], now)
    return question_row(site, machine, row, sees_money, now, down, seen, lang)


def question_row(
    site: Site,
    machine: Machine,
    row: tuple[Any, ...],
    sees_money: bool,
    now: datetime,
    is_down: bool,
    seen: Mapping[int, Sequence[str]],
    lang: str,
) -> QuestionRow:
    """A stored question as it is told."""
    question_id, _, _, _, state, cause, starts_at, ends_at, reason, product, order, shift = row[:12]
    amount, hours, spans, pattern, asked_at, gone_at, answered_at, answer, note_id, _ = row[12:]
    status: Standing = "held" if is_down else "open"
    if answered_at is not None:
        status = "answered"
    elif gone_at <= now:
        status = "gone"
    plant = site.plant
    shows = sees_money or (plant is not None and plant.floor_shows_money)
    where = {"site": site.name, "machine": machine.name}
    where |= {"from": told(to_us(starts_at)) or "", "to": told(to_us(ends_at)) or ""}
    length = pattern.rpartition("|")[2]
    begin = starts_at.astimezone(site.book.almanac.zone) if site.book is not None else starts_at
    return QuestionRow(
        id=question_id,
        site=site.name,
        line=machine.line,
        machine=machine.name,
        from_=starts_at,
        to=ends_at,
        state=state,
        cause=cause,
        reason=reason,
        product=product,
        order=order,
        shift=shift,
        amount=shown(amount) if shows else None,
        hours=hours,
        spans=spans,
        question=question_said(machine.name, state, begin, hours, spans, length, lang),
        rule=rule_said(machine.name, length, spans, lang),
        choices=choices(site, machine, state, seen.get(machine.machine_id, ()), lang),
        asked_at=asked_at,
        gone_at=gone_at,
        status=status,
        answer=(answer or DONT_KNOW) if answered_at is not None else None,
        note=note_id,
        segments=f"/v1/segments?{urlencode(where)}",
    )


def choices(site: Site, machine: Machine, state: str, seen: Sequence[str], lang: str) -> list[Choice]:
    """Answers to tap: reasons of the machine, the most frequent of the last weeks first, then the declared;
    something else; don't know."""
    silent = silent_reasons(site.plant)
    declared = () if site.plant is None else site.plant.reasons
    names = [*seen, *sorted(row.reason for row in declared if row.machine in (None, machine.name))]
    if state == "unknown":
        names = ["connection", "power", "maintenance"]
    kept = [name for name in dict.fromkeys(names) if name not in silent and name.casefold() != OTHER]
    return [
        *(Choice(answer=name, word=choice_word(name, lang)) for name in kept[:CHOICES]),
        Choice(answer=OTHER, word=choice_word(OTHER, lang)),
        Choice(answer=DONT_KNOW, word=choice_word(DONT_KNOW, lang)),
    ]


def states(connection: Connection[Any], machines: Sequence[Machine], now: datetime) -> dict[int, Now]:
    """What each machine is in at an instant; machines without data are left out."""
    by_id = {machine.machine_id: machine for machine in machines}
    rows = connection.execute(statement("context.states"), {"machines": list(by_id), "now": now})
    return {row[0]: Now(by_id[row[0]], *row[1:]) for row in rows.fetchall()}


def reasons_seen(connection: Connection[Any], machines: Sequence[int], now: datetime) -> dict[int, list[str]]:
    """Reasons and answers of the last four weeks by machine, the most frequent first."""
    found: dict[int, list[str]] = {}
    rows = connection.execute(statement("context.reasons_seen"), {"machines": list(machines), "now": now})
    for machine_id, reason, _ in rows:
        found.setdefault(machine_id, []).append(reason)
    return found
