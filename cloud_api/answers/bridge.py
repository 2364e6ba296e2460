"""Why did it change: from a base to the actual figure, bar by bar, nothing left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from msgspec import UNSET
from psycopg import Connection

from cloud_api.answers.bridge_base import base_name, base_question, walk_of
from cloud_api.answers.bridge_factors import Factor
from cloud_api.answers.bridge_sides import Side
from cloud_api.answers.bridge_walks import Step, Walk
from cloud_api.answers.envelope import envelope
from cloud_api.answers.grouping import Key, evidence
from cloud_api.answers.owners import owner_of
from cloud_api.answers.question import FILTERS, Question
from cloud_api.answers.shapes import CountedAt
from cloud_api.answers.shapes.bridge import Aside, Bridge, BridgeBar, BridgeGroup, GoodUnits
from cloud_api.answers.standing import window
from cloud_api.interpret.money import CONTEXT, exactly, parts_of, shown, whole_and_parts

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Told:
    """A walk with its figures rounded so that they still add up, whole and in each group."""

    steps: tuple[Step, ...]
    amounts: dict[Step, Decimal]
    start: Decimal
    end: Decimal
    starts: dict[Key, Decimal]


def bridge(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Bridge:
    """The bridge of a question; raises QuestionError where it has no base or no figure."""
    measure = question.options.get("measure", "unit_cost")
    base = base_question(question)
    walk, end, start, _ = walk_of(connection, question, base, measure)
    figures = rounded(walk)
    base_from, base_to = (None, None) if base is None else window(base)
    return Bridge(
        **envelope(connection, question, now),
        measure=measure,
        base=base_name(question),
        base_from=base_from,
        base_to=base_to,
        start=figures.start,
        end=figures.end,
        change=figures.end - figures.start,
        good_units=_good_units(walk),
        counted_at=[
            CountedAt(site=site, line=line, machine=machine, good_units=good)
            for (site, line, machine), good in sorted(end.counted.items())
        ],
        bars=_bars(question, base, walk, figures),
        groups=_groups(question, walk, figures) if question.by else UNSET,
        aside=_aside(end, start),
        statement="",
        statement_links=[],
    )


@exactly
def rounded(walk: Walk) -> Told:
    """Every bar rounded once: bars add up to the change, and those of a group to its own."""
    steps = tuple(sorted((step for step in walk.bars), key=_place))
    start, end = shown(decimal(walk.start)), shown(decimal(walk.end))
    amounts = parts_of(end - start, [decimal(walk.bars[step]) for step in steps]) if steps else []
    groups = list(walk.starts)
    starts = parts_of(start, [decimal(walk.starts[group]) for group in groups]) if groups else []
    return Told(
        steps,
        dict(zip(steps, amounts, strict=True)),
        start,
        end if steps else start,
        dict(zip(groups, starts, strict=True)),
    )


def decimal(exact: Fraction) -> Decimal:
    """An exact figure with 40 digits."""
    return CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def _place(step: Step) -> tuple[object, ...]:
    factor, group = step
    return (*factor.place, tuple((value is None, str(value)) for value in group))


def _bars(question: Question, base: Question | None, walk: Walk, figures: Told) -> list[BridgeBar]:
    bars = []
    for step in figures.steps:
        factor, group = step
        amount = figures.amounts[step]
        planning = _planning(walk, step, base is None)
        bars.append(
            BridgeBar(
                **_columns(question.by, group),
                **_cell(question.by, factor, group),
                factor=factor.name,
                amount=amount,
                owner=owner_of(factor),
                planning=planning,
                operational=None if planning is None else amount - planning,
                persistence=None,
                explained_share=None,
                evidence=[],
                segments=segments_of(question, factor, group),
                base_segments=None if base is None else segments_of(base, factor, group),
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


def _cell(by: Sequence[str], factor: Factor, group: Key) -> dict[str, str | None]:
    said = dict(zip(by, group, strict=True))
    return {"resource": said.get("resource", factor.resource), "cause": said.get("cause", factor.cause)}


def segments_of(question: Question, factor: Factor, group: Key) -> str:
    """The address of the segments behind a bar: of its cause, in its group."""
    said = dict(zip(question.by, group, strict=True))
    cell = _cell(question.by, factor, group)
    said |= {
        name: value for name, value in cell.items() if value is not None and value in _known(name, value)
    }
    names = [name for name in FILTERS if name in said and said[name] != "revenue"]
    return evidence(question, names, tuple(said[name] for name in names))


def _known(name: str, value: str) -> tuple[str, ...]:
    """What may be filtered by: 'list_price' and 'revenue' are none of the ledger."""
    return () if value in ("revenue", "list_price") else (value,)


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
