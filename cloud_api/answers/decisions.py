"""Decisions: told by people or shown by the data, with what the ledger measured of their effect.

The effect is the variance of the cells that the kind can move, on the machines of the decision, by whole
production days: before, during, after. It is a comparison of days, not a proof of cause.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
from psycopg import Connection

from cloud_api.answers.cells import sheet_of
from cloud_api.answers.decisions_words import draft_said
from cloud_api.answers.envelope import envelope
from cloud_api.answers.notes import found
from cloud_api.answers.options import Option
from cloud_api.answers.paging import one_page
from cloud_api.answers.places import Site
from cloud_api.answers.question import Question, told
from cloud_api.answers.questions import LANG
from cloud_api.answers.shapes.decisions import DecisionRow, Decisions, Measured
from cloud_api.answers.shapes.notes import NoteRow
from cloud_api.interpret.matching import NOTE_KINDS, moves
from cloud_api.interpret.money import CONTEXT, shown
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us
from shared.units import HOUR_US

KINDS = tuple(kind for kind in NOTE_KINDS if kind not in ("cause", "other"))
"""Kinds of notes that are decisions."""
STATUSES = ("all", "detected", "confirmed", "known", "dismissed")
OPTIONS = (
    LANG,
    Option("status", "Only decisions of this status; dismissed ones only by name.", "word", STATUSES, "all"),
    Option("measured", "Whether effects are measured.", "word", ("yes", "no"), "yes"),
)
AROUND = 5
"""Production days before and after a decision that it is held against."""
ENOUGH_DAYS = 3
"""Days after its end that tell whether a decision still runs."""
_NO_CONTROL = frozenset({"fix", "judgement"})
"""Kinds whose effect is not expected to end with them."""
STILL = dt.timedelta(hours=2)
"""What the data showed within so long before the present goes on."""
ZERO = Decimal(0)
_DAY = dt.timedelta(days=1)
Days = dict[tuple[str, dt.date, str, str], Decimal]


@dataclass(frozen=True, slots=True)
class Draft:
    """A stored draft."""

    id: int
    site: str
    machine_id: int
    kind: str
    sign: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    product: str | None
    order: str | None
    detail: dict[str, str]
    drafted_at: dt.datetime
    status: str
    note: int | None


def decisions(
    connection: Connection[Any], question: Question, sees_money: bool, now: dt.datetime
) -> Decisions:
    """Decisions of the machines asked for, the newest first; effects where amounts are shown."""
    rows = listed(connection, question, now)
    page, next_cursor = one_page(rows, question)
    if sees_money and question.options.get("measured", "yes") == "yes":
        page = measured(connection, question, page, now)
    said = envelope(connection, question, now)
    if not sees_money:
        said["currency"] = None
    return Decisions(**said, next_cursor=next_cursor, rows=page)


def listed(connection: Connection[Any], question: Question, now: dt.datetime) -> list[DecisionRow]:
    """Every decision of a question, unmeasured: notes of people, and drafts that no note confirms."""
    lang, status = question.options.get("lang", "en"), question.options.get("status", "all")
    sites = {site.name: site for site in question.sites}
    drafts = drafts_of(connection, question, now)
    asked = replace(question, options={})
    kept = [note for note in found(connection, asked) if note.kind in KINDS]
    by_note = {draft.note: draft for draft in drafts if draft.note is not None}
    rows = [_note_row(note, by_note.get(note.id), drafts, sites[note.site], now) for note in kept]
    rows += [
        draft_row(sites[draft.site], draft, now, lang)
        for draft in drafts
        if draft.note is None and (draft.status == "detected" or draft.status == status)
    ]
    rows = [row for row in rows if status in ("all", row.status)]
    return sorted(rows, key=lambda row: (row.from_, row.note or 0, row.id or 0), reverse=True)


def drafts_of(
    connection: Connection[Any], question: Question, now: dt.datetime, *, decision: int | None = None
) -> list[Draft]:
    """Stored drafts of the machines and the window of a question, whatever became of them."""
    parameters = {
        "machines": [machine.machine_id for machine in question.machines],
        "decision": decision,
        "now": now,
        "from": None if question.from_us is None else from_us(question.from_us),
        "to": None if question.to_us is None else from_us(question.to_us),
        "status": "all",
    }
    return [Draft(*row) for row in connection.execute(statement("context.decisions"), parameters).fetchall()]


def draft_row(site: Site, draft: Draft, now: dt.datetime, lang: str) -> DecisionRow:
    """A draft as it is told."""
    machine = next(one for one in site.machines if one.machine_id == draft.machine_id)
    return DecisionRow(
        id=draft.id,
        note=draft.note,
        site=site.name,
        line=machine.line,
        machine=machine.name,
        kind=draft.kind,
        from_=draft.starts_at,
        to=draft.ends_at,
        product=draft.product,
        order=draft.order,
        status=draft.status,  # type: ignore[arg-type]
        text=draft_said(draft.sign, draft.detail, lang),
        trade_off=None,
        expected_effect=None,
        in_force=draft.ends_at > now - STILL,
        expired_running=False,
        measured=None,
        segments=_segments(site, machine.name, machine.line, draft.starts_at, draft.ends_at),
    )


def _note_row(
    note: NoteRow, draft: Draft | None, drafts: Sequence[Draft], site: Site, now: dt.datetime
) -> DecisionRow:
    ended = note.to is not None and note.to <= now
    machines = {machine.machine_id: machine for machine in site.machines}
    goes_on = [
        one
        for one in drafts
        if one.kind == note.kind
        and note.to is not None
        and one.starts_at < note.to + STILL
        and one.ends_at > note.to + STILL
        and one.site == note.site
        and (note.machine or machines[one.machine_id].name) == machines[one.machine_id].name
        and (note.line is None or machines[one.machine_id].line == note.line)
    ]
    return DecisionRow(
        id=None if draft is None else draft.id,
        note=note.id,
        site=note.site,
        line=note.line,
        machine=note.machine,
        kind=note.kind,
        from_=note.from_,
        to=note.to,
        product=note.product,
        order=note.order,
        status="known" if draft is None else "confirmed",
        text=note.text,
        trade_off=note.trade_off,
        expected_effect=note.expected_effect,
        in_force=not ended and note.from_ <= now,
        expired_running=ended and bool(goes_on),
        measured=None,
        segments=note.segments,
    )


def measured(
    connection: Connection[Any], question: Question, rows: Sequence[DecisionRow], now: dt.datetime
) -> list[DecisionRow]:
    """The same rows with their effect; one look at the ledger for all of one site."""
    found_: dict[str, Days] = {}
    for site in question.sites:
        own = [row for row in rows if row.site == site.name]
        if own and site.book is not None:
            found_[site.name] = _by_day(connection, question, site, own, now)
    sites = {site.name: site for site in question.sites}
    return [
        with_effect(row, _effect(sites[row.site], row, found_[row.site], now), sites[row.site], now)
        if row.site in found_
        else row
        for row in rows
    ]


def _by_day(
    connection: Connection[Any],
    question: Question,
    site: Site,
    rows: Sequence[DecisionRow],
    now: dt.datetime,
) -> Days:
    """Variance by machine, production day and cell around some decisions."""
    first = min(site.day_of(to_us(row.from_)) for row in rows) - 3 * AROUND * _DAY
    last = site.day_of(to_us(now))
    asked = replace(
        question,
        sites=(site,),
        from_us=site.day_start_us(first),
        to_us=site.day_start_us(last + _DAY),
        period=None,
        wanted={},
        options={},
    )
    sheet = sheet_of(connection, asked.grouped("machine", "day"))
    return {
        (machine, day, *cell): variance.actual - variance.allowance
        for ((machine, day), cell), variance in sheet.cells.items()
        if machine is not None and day is not None
    }


def _effect(site: Site, row: DecisionRow, days: Days, now: dt.datetime) -> Measured:
    machines = {
        machine.name
        for machine in site.machines
        if row.machine in (None, machine.name) and (row.machine or row.line in (None, machine.line))
    }
    totals: dict[dt.date, Decimal] = {}
    for (machine, day, resource, cause), amount in days.items():
        if machine in machines:
            part = amount if moves(row.kind, resource, cause) else ZERO
            totals[day] = CONTEXT.add(totals.get(day, ZERO), part)
    first = site.day_of(to_us(row.from_))
    end = min(now if row.to is None else row.to, now)
    last = max(first, site.day_of(max(to_us(end) - 1, to_us(row.from_))))
    worked = sorted(totals)
    before = [totals[day] for day in worked if day < first][-AROUND:]
    during = [totals[day] for day in worked if first <= day <= last]
    after = [totals[day] for day in worked if day > last][:AROUND]
    means = [_mean(part) for part in (before, during, after)]
    acted = after if row.kind == "fix" else during
    effect = None
    if before and acted:
        effect = CONTEXT.subtract(sum(acted, ZERO), CONTEXT.multiply(means[0] or ZERO, Decimal(len(acted))))
    told_ = [None if mean is None else shown(mean) for mean in means]
    return Measured(
        before=told_[0],
        during=told_[1],
        after=told_[2],
        effect=None if effect is None else shown(effect),
        days=len(acted),
        days_after=len(after),
    )


def with_effect(row: DecisionRow, effect: Measured, site: Site, now: dt.datetime) -> DecisionRow:
    """The row with its effect; one that is over and whose effect stays still runs."""
    running = row.expired_running or (row.to is not None and row.to <= now and _stays(row, effect, site))
    return msgspec.structs.replace(row, measured=effect, expired_running=running)


def _stays(row: DecisionRow, effect: Measured, site: Site) -> bool:
    """Whether a decision that cost something material goes on after its end: some days later at least half of
    it is still there."""
    if row.status == "detected" or row.kind in _NO_CONTROL or effect.days_after < ENOUGH_DAYS:
        return False
    before, during, after = effect.before, effect.during, effect.after
    if before is None or during is None or after is None or effect.effect is None:
        return False
    material = site.plant.materiality_amount if site.plant else None
    return effect.effect >= (material or ZERO) and during > before and after - before >= (during - before) / 2


def _mean(values: Iterable[Decimal]) -> Decimal | None:
    kept = list(values)
    return CONTEXT.divide(sum(kept, ZERO), Decimal(len(kept))) if kept else None


def _segments(site: Site, machine: str | None, line: str | None, from_: dt.datetime, to: dt.datetime) -> str:
    where = [("site", site.name)]
    if machine is not None or line is not None:
        where.append(("machine", machine) if machine is not None else ("line", line or ""))
    start = to_us(from_) // HOUR_US * HOUR_US
    where += [("from", told(start) or ""), ("to", told(to_us(to)) or "")]
    return f"/v1/segments?{urlencode(where)}"
