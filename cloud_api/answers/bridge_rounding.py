"""Bars rounded so that they still add up: of each factor whole first, then of its groups within it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from cloud_api.answers.bridge_factors import Factor
from cloud_api.answers.bridge_walks import Step, Walk
from cloud_api.answers.grouping import Key
from cloud_api.interpret.money import CONTEXT, exactly, parts_of, shown

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Told:
    """A walk with its figures rounded: start + amounts = end. A factor is the same however it is cut."""

    steps: tuple[Step, ...]
    amounts: dict[Step, Decimal]
    start: Decimal
    end: Decimal
    starts: dict[Key, Decimal]
    units: Decimal


def decimal(exact: Fraction) -> Decimal:
    """An exact figure with 40 digits."""
    return CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator))


@exactly
def rounded(walk: Walk) -> Told:
    """Every figure of a walk, rounded once."""
    start, end = shown(decimal(walk.start)), shown(decimal(walk.end))
    by_factor: dict[Factor, list[Step]] = {}
    for step in sorted(walk.bars, key=_place):
        by_factor.setdefault(step[0], []).append(step)
    wholes = [sum((walk.bars[step] for step in steps), Fraction(0)) for steps in by_factor.values()]
    amounts: dict[Step, Decimal] = {}
    for steps, whole in zip(
        by_factor.values(), _parts(end - start, [decimal(one) for one in wholes]), strict=True
    ):
        parts = _parts(whole, [decimal(walk.bars[step]) for step in steps])
        amounts.update(zip(steps, parts, strict=True))
    groups = list(walk.starts)
    starts = _parts(start, [decimal(walk.starts[group]) for group in groups])
    return Told(
        steps=tuple(amounts),
        amounts=amounts,
        start=start,
        end=end if amounts else start,
        starts=dict(zip(groups, starts, strict=True)),
        units=walk.made[1],
    )


def _parts(whole: Decimal, parts: list[Decimal]) -> list[Decimal]:
    return parts_of(whole, parts) if parts else []


def _place(step: Step) -> tuple[object, ...]:
    factor, group = step
    return (*factor.place, tuple((value is None, str(value)) for value in group))
