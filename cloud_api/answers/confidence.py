"""Can I trust the number: what is known of the data behind a question, and its grade."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers import ledger
from cloud_api.answers.edges import edge_missing, edge_outputs, missing_between
from cloud_api.answers.grouping import filters
from cloud_api.answers.memory import remembered
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.posting import read_ledger
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.ledger import (
    Confidence,
    ConfidenceAnswer,
    Finding,
    Grade,
    Missing,
    MissingStandard,
)
from cloud_api.answers.standing import data_spans, standing, window
from cloud_api.answers.window import HOUR, days_at, hours_kept, window_at
from cloud_api.interpret.confidence import grade, trust_facts
from cloud_api.interpret.model import Output
from cloud_api.interpret.money import CONTEXT
from cloud_api.store.evidence import BELIEVED_US
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, hour_of, to_us

ZERO = Decimal(0)
SHARE = Decimal("0.000001")
CAUSAL = ("resource", "cause", "reason")
"""Filters that a share of causes must not see."""


def confidence(
    connection: Connection[Any], question: Question, sees_money: bool, now: datetime
) -> ConfidenceAnswer:
    """What every answer says in short, by itself."""
    found = trust(connection, question, now)
    said = standing(connection, question)
    from_, to = window(question)
    fields = {name: getattr(found, name) for name in found.__struct_fields__}
    return ConfidenceAnswer(
        **fields,
        status=said.status,
        from_=from_,
        to=to,
        computed_through=said.computed_through,
        pending_hours=said.pending_hours,
        confidence=found,
    )


def trust(
    connection: Connection[Any],
    question: Question,
    now: datetime,
    known: tuple[Decimal, Decimal] | None = None,
) -> Confidence:
    """Confidence of the machines, the window and the filters of a question.

    `known`: what `unexplained` gives, where the caller has it already.
    """
    behind = _behind(connection, question.without(*CAUSAL).grouped(), now)
    part, whole = unexplained(connection, question) if known is None else known
    share_unexplained = share(abs(part), abs(whole)) if whole else None
    return Confidence(
        grade=_grade(
            behind.coverage, share_unexplained, behind.reasons, behind.worst_count, bool(behind.standards)
        ),
        coverage=behind.coverage,
        unexplained_share=share_unexplained,
        reason_coverage=behind.reasons,
        count_closure=behind.worst_count,
        clock_offset_s=behind.clock,
        late_rows=behind.late,
        missing_standards=behind.standards,
        missing=behind.missing,
        findings=behind.findings,
    )


@dataclass(frozen=True, slots=True)
class Behind:
    """What is known of the data behind a question, whatever causes it asks for."""

    coverage: Decimal | None
    reasons: Decimal | None
    worst_count: Decimal | None
    clock: Decimal | None
    late: int
    standards: list[MissingStandard]
    missing: list[Missing]
    findings: list[Finding]


@remembered
def _behind(connection: Connection[Any], question: Question, now: datetime) -> Behind:
    scheduled = trusted = stops = reasoned = 0
    late = 0
    standards: list[MissingStandard] = []
    missing: list[Missing] = []
    findings: list[Finding] = []
    counts: list[Decimal] = []
    for site in question.sites:
        machines = [machine for machine in question.machines if machine.site == site.name]
        parameters = _parameters(question, site, machines)
        row = _times(connection, question, site, parameters)
        cut = trust_facts(_cut(connection, question, site))
        trusted += row[0] + cut.trusted_us
        stops += row[1] + cut.stop_us
        reasoned += row[2] + cut.reasoned_us
        scheduled += _scheduled_us(connection, question, site, machines, now)
        late += _one(connection, "trust_late", parameters)[0]
        lacking, others = _missing(connection, question, site, parameters)
        standards += lacking
        missing += others
        findings += [*_findings(connection, parameters), *_silences(connection, question, parameters)]
        counts += _count_differences(connection, site, machines)
    return Behind(
        coverage=min(share(trusted, scheduled), Decimal(1)) if scheduled else None,
        reasons=share(reasoned, stops) if stops else None,
        worst_count=max(counts, default=None),
        clock=_one(connection, "trust_clocks", {"sites": [site.name for site in question.sites]})[0],
        late=late,
        standards=standards,
        missing=missing,
        findings=findings,
    )


def _grade(
    coverage: Decimal | None,
    unexplained: Decimal | None,
    reasons: Decimal | None,
    counts: Decimal | None,
    lacking: bool,
) -> Grade:
    """The worst measure decides; one that has nothing to measure bounds nothing."""
    full = Decimal(1)
    return grade(  # type: ignore[return-value]
        full if coverage is None else coverage,
        ZERO if unexplained is None else unexplained,
        full if reasons is None else reasons,
        counts,
        lacking,
    )


def share(part: int | Decimal, whole: int | Decimal) -> Decimal:
    """part / whole with 6 decimals, cut off so that no bound is reached by rounding up."""
    return CONTEXT.divide(Decimal(part), Decimal(whole)).quantize(SHARE, "ROUND_DOWN", CONTEXT)


def _parameters(question: Question, site: Site, machines: Sequence[Machine]) -> dict[str, Any]:
    span = window_at(site, question.from_us, question.to_us)
    return {
        "site": site.name,
        "machines": [machine.machine_id for machine in machines],
        **span.bounds(),
        **filters(question),
    }


def _times(
    connection: Connection[Any], question: Question, site: Site, parameters: dict[str, Any]
) -> tuple[int, int, int]:
    """Trusted time, stops and reasoned stops of the stored hours, microseconds."""
    days = days_at(site, question.from_us, question.to_us)
    recut = question.basis == "event" and site.book is not None and site.book.chapters
    if days is None or question.names("shift") is not None or recut:
        late = site.has_closed and question.basis == "event"
        found = [*read_ledger(connection, "answers.trust_times", parameters, late)]
        trusted, stops, reasoned = (sum(column) for column in zip(*found, strict=True))
    else:
        whole = {**parameters, "first_day": days[0], "end_day": days[1]}
        trusted, stops, reasoned = _one(connection, "trust_times_by_day", whole)
    return trusted, stops, reasoned


def _cut(connection: Connection[Any], question: Question, site: Site) -> Iterator[Output]:
    """Facts of the hours that the window cuts, in the shifts asked for."""
    shifts = question.names("shift")
    for output in edge_outputs(connection, question, site):
        if shifts is None or output.shift in shifts:
            yield output


def _one(connection: Connection[Any], what: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(statement(f"answers.{what}"), parameters).fetchone()
    assert row is not None
    return row


def _scheduled_us(
    connection: Connection[Any], question: Question, site: Site, machines: Sequence[Machine], now: datetime
) -> int:
    """Scheduled time of machines with data: from their first sample to the end of the window, at most to now;
    where the question leaves the end open, to the last data of any of them."""
    if site.book is None:
        return 0
    spans = data_spans(connection, [machine.machine_id for machine in machines])
    end = min(to_us(now), max((to_us(last) for _, last in spans), default=0))
    if question.to_us is not None:
        end = min(to_us(now), question.to_us)
    shifts = question.names("shift")
    total = 0
    known: dict[int, int] = {}
    for first_sample, _ in spans:
        start = max(to_us(first_sample), question.from_us or 0)
        if start >= end:
            continue
        if start not in known:
            known[start] = sum(
                span.to_us - span.from_us
                for span in site.book.almanac.spans(start, end)
                if span.status == "scheduled" and (shifts is None or span.shift in shifts)
            )
        total += known[start]
    return total


def unexplained(connection: Connection[Any], question: Question) -> tuple[Decimal, Decimal]:
    """Amount of cause unexplained, and total, of what a question asks for whatever its causes; nothing where
    its sites have several currencies."""
    if len({site.currency for site in question.sites if site.currency is not None}) > 1:
        return ZERO, ZERO
    whole = question.without(*CAUSAL).grouped("cause")
    sums = ledger.sums_of(connection, whole)
    return ledger.unexplained_of((cause, sum_.amount) for (cause,), sum_ in sums.items())


def _missing(
    connection: Connection[Any], question: Question, site: Site, parameters: dict[str, Any]
) -> tuple[list[MissingStandard], list[Missing]]:
    """What the plant model lacked: standards machine by machine, all else by subject."""
    dates: dict[tuple[str, str, str], set[date]] = defaultdict(set)
    span = window_at(site, question.from_us, question.to_us)
    whole, cut = hours_kept(span, question.from_us, question.to_us)
    for machine, kind, subject, found in _lacked(connection, parameters, *whole):
        dates[machine, kind, subject].update(found)
    for begin, end in cut:
        hour = from_us(hour_of(begin))
        names = frozenset(row[0] for row in _lacked(connection, parameters, hour, hour + HOUR))
        for machine, lacked in (
            missing_between(connection, question, site, begin, end, names) if names else ()
        ):
            dates[machine, lacked.kind, lacked.subject].add(lacked.date)
    for machine, lacked in edge_missing(connection, question, site):
        dates[machine, lacked.kind, lacked.subject].add(lacked.date)
    standards: list[MissingStandard] = []
    others: dict[tuple[str, str], set[date]] = defaultdict(set)
    for (machine, kind, subject), days in sorted(dates.items()):
        if kind in ("standard", "product"):
            product = subject if kind == "standard" else None
            standards.append(
                MissingStandard(machine=machine, product=product, since=min(days), days=len(days))
            )
        else:
            others[kind, subject] |= days
    return standards, [
        Missing(kind=kind, subject=subject, since=min(days), days=len(days))
        for (kind, subject), days in others.items()
    ]


def _lacked(
    connection: Connection[Any], parameters: dict[str, Any], first: datetime | None, end: datetime | None
) -> list[tuple[Any, ...]]:
    asked = {**parameters, "first_hour": first, "end_hour": end}
    return connection.execute(statement("answers.trust_missing"), asked).fetchall()


def _findings(connection: Connection[Any], parameters: dict[str, Any]) -> list[Finding]:
    rows = connection.execute(statement("answers.trust_findings"), parameters)
    return [
        Finding(machine=machine, kind=kind, subject=subject, detail=detail, count=count)
        for machine, kind, subject, detail, count in rows
    ]


def _silences(
    connection: Connection[Any], question: Question, parameters: dict[str, Any]
) -> Iterator[Finding]:
    """Machines whose files end long before an agent begins, where the window touches the time between."""
    for machine, last, first in connection.execute(statement("answers.trust_silences"), parameters):
        believed = to_us(last) + BELIEVED_US
        begins = question.from_us is None or to_us(first) > question.from_us
        if believed < to_us(first) and begins and (question.to_us is None or believed < question.to_us):
            detail = f"no data since {last:%Y-%m-%dT%H:%MZ} until {first:%Y-%m-%dT%H:%MZ}"
            yield Finding(machine=machine, kind="silence", subject="history", detail=detail, count=1)


def _count_differences(connection: Connection[Any], site: Site, machines: Sequence[Machine]) -> list[Decimal]:
    """|floor - confirmed| / confirmed of each confirmed order and machine, over the order's whole life."""
    if site.plant is None or not site.plant.confirmations:
        return []
    ids = {machine.name: machine.machine_id for machine in machines}
    confirmed: dict[tuple[str, int], Decimal] = {}
    for row in site.plant.confirmations:
        if row.machine in ids:
            key = (row.order, ids[row.machine])
            confirmed[key] = confirmed.get(key, ZERO) + row.good
    parameters = {
        "site": site.name,
        "machines": list(ids.values()),
        "orders": sorted({order for order, _ in confirmed}),
    }
    floor = {
        (order, machine): good
        for order, machine, good in connection.execute(statement("answers.trust_counts"), parameters)
    }
    return [
        share(abs(units - floor.get(key, ZERO)), units) if units else Decimal(bool(floor.get(key)))
        for key, units in confirmed.items()
    ]
