"""Why did it change: from a base to the actual figure, bar by bar, nothing left over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from msgspec import UNSET
from psycopg import Connection

from cloud_api.answers.bridge_base import base_name, base_question, data_share, walk_of
from cloud_api.answers.bridge_context import Context, context_of
from cloud_api.answers.bridge_evidence import Evidence, evidence_of
from cloud_api.answers.bridge_links import Links, cell_of
from cloud_api.answers.bridge_rounding import Told, decimal
from cloud_api.answers.bridge_sides import Side
from cloud_api.answers.bridge_statement import statement
from cloud_api.answers.bridge_walks import Step, Walk
from cloud_api.answers.confidence import CAUSAL, trust
from cloud_api.answers.envelope import envelope
from cloud_api.answers.grouping import Key
from cloud_api.answers.ledger import unexplained_of
from cloud_api.answers.memory import remembered
from cloud_api.answers.owners import bar_owner
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.bridge import Aside, Bridge, BridgeBar, BridgeGroup, GoodUnits
from cloud_api.answers.shapes.ledger import Confidence, CountedAt
from cloud_api.answers.standing import window
from cloud_api.interpret.money import CONTEXT, shown, whole_and_parts

ZERO = Decimal(0)


def bridge(
    connection: Connection[Any],
    question: Question,
    sees_money: bool,
    now: datetime,
    *,
    explained: bool = True,
) -> Bridge:
    """The bridge of a question, with the explained share of each bar or without; raises QuestionError where
    it has no base or no figure."""
    measure = question.options.get("measure", "unit_cost")
    return _bridge(
        connection, question, base_question(question), base_name(question), measure, explained, now
    )


@remembered
def _bridge(
    connection: Connection[Any],
    question: Question,
    base: Question | None,
    name: str,
    measure: str,
    explained: bool,
    now: datetime,
) -> Bridge:
    """The bridge from a base by its name; links repeat the options that were given first."""
    walked = walk_of(connection, question, base, measure)
    walk, end, start = walked.walk, walked.end, walked.start
    figures, per_unit = walked.figures, measure == "unit_cost"
    evidence = evidence_of(connection, question, base, walked, per_unit)
    context = context_of(connection, question, figures, base is None, per_unit, explained, now)
    bars = _bars(question, base, walk, figures, evidence, context)
    told_of_base = None if base is None or start is None else _trust(connection, base, start, now)
    text = statement(question, base, name, measure, bars, figures, data_share(connection, base))
    base_from, base_to = (None, None) if base is None else window(base)
    return Bridge(
        **envelope(connection, question, now, end.by_cause()),
        measure=measure,
        base=name,
        base_from=base_from,
        base_to=base_to,
        base_confidence=told_of_base,
        start=figures.start,
        end=figures.end,
        change=figures.end - figures.start,
        good_units=_good_units(walk),
        counted_at=[
            CountedAt(site=site, line=line, machine=machine, good_units=good)
            for (site, line, machine), good in sorted(end.counted.items())
        ],
        bars=bars,
        groups=_groups(question, walk, figures) if question.by else UNSET,
        aside=_aside(end, start),
        statement=" ".join(text.sentences),
        statement_links=text.links,
    )


def _trust(connection: Connection[Any], base: Question, start: Side, now: datetime) -> Confidence:
    """How far the base can be trusted; its amounts are known already, unless it asks for some causes only."""
    causal = any(base.names(name) is not None for name in CAUSAL)
    return trust(connection, base, now, None if causal else unexplained_of(start.by_cause()))


def _bars(
    question: Question, base: Question | None, walk: Walk, figures: Told, evidence: Evidence, context: Context
) -> list[BridgeBar]:
    links = Links(question, base is None, evidence.per_unit)
    base_links = None if base is None else Links(base, False, evidence.per_unit)
    bars = []
    for step in figures.steps:
        factor, group = step
        amount = figures.amounts[step]
        planning = _planning(walk, step, base is None)
        segments = links.of(factor, group)
        rows = evidence.rows(step, amount, segments)
        bars.append(
            BridgeBar(
                **_columns(question.by, group),
                **cell_of(question.by, factor, group),
                factor=factor.name,
                amount=amount,
                owner=bar_owner(question, factor, evidence.reasons(step)),
                planning=planning,
                operational=None if planning is None else amount - planning,
                persistence=context.verdicts.get(step),
                explained_share=context.explained(factor, group),
                evidence=rows,
                segments=segments,
                base_segments=None if base_links is None else base_links.of(factor, group),
            )
        )
    return bars


def _planning(walk: Walk, step: Step, of_standard: bool) -> Decimal | None:
    if not of_standard or step[0].cause is None:
        return None
    return shown(decimal(walk.planning.get(step, Fraction(0))))


def _columns(by: Sequence[str], group: Key) -> dict[str, Any]:
    said = dict(zip(by, group, strict=True))
    return {name: value for name, value in said.items() if name not in ("resource", "cause")}


def _groups(question: Question, walk: Walk, figures: Told) -> list[BridgeGroup]:
    changes: dict[Key, Decimal] = dict.fromkeys(figures.starts, ZERO)
    for step, amount in figures.amounts.items():
        changes[step[1]] = changes.get(step[1], ZERO) + amount
    rows = []
    for group in sorted(changes, key=lambda key: tuple((value is None, str(value)) for value in key)):
        start = figures.starts.get(group, ZERO)
        rows.append(
            BridgeGroup(
                **dict(zip(question.by, group, strict=True)),
                start=start,
                end=start + changes[group],
                change=changes[group],
            )
        )
    return rows


def _good_units(walk: Walk) -> GoodUnits:
    step = Decimal("0.000001")
    start, end = walk.made
    return GoodUnits(
        start=None if start is None else start.quantize(step, context=CONTEXT),
        end=end.quantize(step, context=CONTEXT),
    )


def _aside(end: Side, start: Side | None) -> list[Aside]:
    keys = sorted({*end.aside, *(start.aside if start else ())}, key=str)
    _, ends = whole_and_parts([end.aside.get(key, ZERO) for key in keys])
    _, starts = whole_and_parts([start.aside.get(key, ZERO) if start else ZERO for key in keys])
    return [
        Aside(machine=machine, resource=resource, cause=cause, start=before if start else None, end=after)
        for (machine, resource, cause), before, after in zip(keys, starts, ends, strict=True)
    ]
