"""Walks from a base to the actual figures: the bars, exact, and what a unit of cost weighs in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from cloud_api.answers.bridge_factors import LIST_PRICE, MIX, STANDARD_VS_BUDGET, VOLUME, Factor, factor_of
from cloud_api.answers.bridge_sides import UNUSED, Costs, Makes, Side
from cloud_api.answers.cells import Cell, Sheet
from cloud_api.answers.grouping import Key
from cloud_api.answers.question import Question
from cloud_api.interpret.bridge_levers import Lever, Levers, Sides, Sums, cost_levers, unit_cost_levers
from cloud_api.interpret.money import exactly
from cloud_api.interpret.variance import SPLIT, Variance

ZERO = Fraction(0)
Place = tuple[str, str]
"""Site and machine."""

Step = tuple[Factor, Key]
"""A bar: its factor and its group."""

Weight = Callable[[Makes | None], Lever]
"""What a unit of cost of a product weighs in the bar of its cause, at the base and at the end."""


def narrowed(question: Question, names: Sequence[str], bars: Sequence[Step]) -> Question:
    """The question for some bars alone, as far as these of its groups tell them apart."""
    wanted = dict(question.wanted)
    for name in names:
        at = question.by.index(name)
        values = {group[at] for _, group in bars}
        wanted[name] = tuple(sorted(values, key=lambda one: (one is None, str(one))))
    return replace(question, wanted=wanted)


@dataclass(slots=True)
class Walk:
    """start + bars = end, exact; in the measure's own sign. `planning` of a bar where a standard stands
    behind it. `made` are the good units of both sides; `weight` of entries in the bars of their causes (0
    where a bar is not made of entries)."""

    by: tuple[str, ...]
    weight: Weight
    bars: dict[Step, Fraction] = field(default_factory=dict)
    planning: dict[Step, Fraction] = field(default_factory=dict)
    starts: dict[Key, Fraction] = field(default_factory=dict)
    ends: dict[Key, Fraction] = field(default_factory=dict)
    products: dict[tuple[str, Key], dict[Makes | None, Fraction]] = field(default_factory=dict)
    made: tuple[Decimal | None, Decimal] = (None, Decimal(0))

    @property
    def start(self) -> Fraction:
        """The figure of the base."""
        return sum(self.starts.values(), ZERO)

    @property
    def end(self) -> Fraction:
        """The actual figure."""
        return sum(self.ends.values(), ZERO)

    def add(self, factor: Factor, group: Key, amount: Fraction, of: Makes | None = None) -> None:
        """Adds to a bar; of what product, where the bar has no cause."""
        if not amount:
            return
        self.bars[factor, group] = self.bars.get((factor, group), ZERO) + amount
        if factor.cause is None:
            by_product = self.products.setdefault((factor.name, group), {})
            by_product[of] = by_product.get(of, ZERO) + amount

    def stand(self, group: Key, start: Fraction = ZERO, end: Fraction = ZERO) -> None:
        """Adds to the figures at both ends."""
        self.starts[group] = self.starts.get(group, ZERO) + start
        self.ends[group] = self.ends.get(group, ZERO) + end

    def turned(self) -> Walk:
        """The same walk for a margin: what costs less is worth more."""
        weight = self.weight

        def other(makes: Makes | None) -> Lever:
            lever = weight(makes)
            return Lever(-lever.start, -lever.end)

        def turn(amounts: Mapping[Any, Fraction]) -> dict[Any, Fraction]:
            return {key: -amount for key, amount in amounts.items()}

        return Walk(
            by=self.by,
            weight=other,
            bars=turn(self.bars),
            planning=turn(self.planning),
            starts=turn(self.starts),
            ends=turn(self.ends),
            products={key: turn(amounts) for key, amounts in self.products.items()},
            made=self.made,
        )


class Levering:
    """Levers of each product between two sides."""

    def __init__(self, start: Mapping[Makes, Decimal], end: Mapping[Makes, Decimal], per_unit: bool) -> None:
        self.start, self.end = start, end
        self.volume: Sides = (_whole(start), _whole(end))
        self._of = unit_cost_levers if per_unit else cost_levers
        self._known: dict[Makes | None, Levers] = {}

    def of(self, makes: Makes | None) -> Levers:
        """The levers of a product, or of what has none. Raises ValueError without units for a unit cost."""
        if makes not in self._known:
            units = (ZERO, ZERO)
            if makes is not None:
                units = (Fraction(self.start.get(makes, 0)), Fraction(self.end.get(makes, 0)))
            self._known[makes] = self._of(units, self.volume)
        return self._known[makes]


def _whole(units: Mapping[Makes, Decimal]) -> Fraction:
    return sum((Fraction(made) for made in units.values()), ZERO)


@exactly
def between(start: Side, end: Side, by: tuple[str, ...], per_unit: bool) -> Walk:
    """From one window to another: volume, mix, and the change of each cause's unit cost."""
    levering = Levering(start.units, end.units, per_unit)

    walk = Walk(by, lambda makes: levering.of(makes).rate, made=(start.volume, end.volume))
    costs = _both(start.costs, end.costs)
    _move_units(walk, levering, costs)
    sums: Sums[Step] = Sums()
    for makes, by_factor in costs.items():
        lever = levering.of(makes).rate
        rate = lever.weights()
        for factor, pairs in by_factor.items():
            for group, (before, after) in pairs.items():
                if factor.cause is None:
                    walk.add(factor, group, lever.of(Fraction(before), Fraction(after)), makes)
                else:
                    sums.add((factor, group), rate, before, after)
    walk.bars.update(sums.wholes())
    return walk


Pairs = dict[Makes | None, dict[Factor, dict[Key, list[Decimal]]]]
"""Costs at the start and at the end, by product, factor and group."""


def _both(start: Costs, end: Costs) -> Pairs:
    costs: Pairs = {}
    for at, side in enumerate((start, end)):
        for (makes, cell), groups in side.items():
            pairs = costs.setdefault(makes, {}).setdefault(factor_of(*cell), {})
            for group, amount in groups.items():
                pair = pairs.get(group)
                if pair is None:
                    pair = pairs[group] = [Decimal(0), Decimal(0)]
                pair[at] += amount
    return costs


def _move_units(walk: Walk, levering: Levering, costs: Pairs) -> None:
    """Volume and mix, which move all causes of a product alike; and the figures at both ends."""
    moves: Sums[Step] = Sums()
    figures: Sums[tuple[int, Key]] = Sums()
    for makes, by_factor in costs.items():
        wholes: dict[Key, list[Decimal]] = {}
        for pairs in by_factor.values():
            for group, pair in pairs.items():
                whole = wholes.get(group)
                if whole is None:
                    whole = wholes[group] = [Decimal(0), Decimal(0)]
                whole[0] += pair[0]
                whole[1] += pair[1]
        levers = levering.of(makes)
        units = [(Factor(VOLUME), levers.volume.weights()), (Factor(MIX), levers.mix.weights())]
        ends = [Lever(1 / levers.per[0]).weights(), Lever(end=1 / levers.per[1]).weights()]
        for group, (before, after) in wholes.items():
            walk.stand(group)
            for factor, weights in units:
                moves.add((factor, group), weights, before, after)
                if moved := weights.moved(before, after):
                    by_product = walk.products.setdefault((factor.name, group), {})
                    by_product[makes] = Fraction(moved) / weights.per
            for at, weights in enumerate(ends):
                figures.add((at, group), weights, before, after)
    walk.bars.update(moves.wholes())
    for (at, group), amount in figures.wholes():
        (walk.ends if at else walk.starts)[group] = amount


def from_standard(sheet: Sheet, by: tuple[str, ...], volume: Decimal, per_unit: bool) -> Walk:
    """From the flexed standard to the actual cost: the variances. The start is the allowance."""
    per = Fraction(volume) if per_unit else Fraction(1)
    walk = Walk(by, lambda _: Lever(ZERO, 1 / per), made=(volume, volume))
    for group, cell, variance in cells_of(sheet, by, per_unit):
        walk.stand(group, Fraction(variance.allowance) / per, Fraction(variance.actual) / per)
        add_variance(walk, group, cell, variance, per)
    return walk


def cells_of(sheet: Sheet, by: tuple[str, ...], per_unit: bool) -> list[tuple[Key, Cell, Variance]]:
    """Cells of a sheet by the groups of a question, without unused capacity where a unit cost is asked."""
    found = []
    for (key, cell), variance in sheet.cells.items():
        if per_unit and cell in UNUSED:
            continue
        said = {**dict(zip(sheet.by, key, strict=True)), "resource": cell[0], "cause": cell[1]}
        found.append((tuple(said[name] for name in by), cell, variance))
    return found


def add_variance(walk: Walk, group: Key, cell: Cell, variance: Variance, per: Fraction) -> None:
    """The bars of one variance: a changeover of machine or labour in its parts. Of these `lot_size` and
    `sequence` have no planning of their own: all planning stands in `duration`."""
    planning = Fraction(variance.planning) / per
    if cell[0] in SPLIT and cell[1] == "changeover":
        for part, amount in variance.parts().items():
            walk.add(factor_of(*cell, part), group, Fraction(amount) / per)
        step = (factor_of(*cell, "duration"), group)
    else:
        walk.add(factor_of(*cell), group, Fraction(variance.variance) / per)
        step = (factor_of(*cell), group)
    if planning:
        walk.planning[step] = walk.planning.get(step, ZERO) + planning


@dataclass(frozen=True, slots=True)
class Budgeted:
    """A budget over a window: good units by product, cost by group and product (None: of no product)."""

    units: Mapping[Makes, Decimal]
    cost: Mapping[tuple[Makes | None, Key], Decimal]
    fixed: Mapping[Key, Decimal]


@dataclass(frozen=True, slots=True)
class Standing:
    """Standard cost, or value at list price, of what was made: by group and product."""

    factor: Factor
    cost: Mapping[tuple[Makes | None, Key], Decimal]


def from_budget(
    budgets: tuple[tuple[Budgeted, Standing], ...],
    sheet: Sheet,
    units: Mapping[Makes, Decimal],
    by: tuple[str, ...],
    per_unit: bool,
) -> Walk:
    """From budget: volume, mix, standard (and list price) against budget, then the variances.

    `budgets`: budgeted cost with the standard cost of what was made, and where a margin is asked budgeted
    revenue with the value at list price."""
    budget = budgets[0][0]
    levering = Levering(budget.units, units, per_unit)
    per = levering.volume if per_unit else (Fraction(1), Fraction(1))
    volumes = tuple(sum(made.values(), Decimal(0)) for made in (budget.units, units))
    walk = from_standard(sheet, by, volumes[1], per_unit)
    walk.starts.clear()
    walk.made = (volumes[0], volumes[1])
    for planned, standard in budgets:
        _flex(walk, planned, standard, levering)
        for group, amount in planned.fixed.items():
            fixed = Fraction(amount)
            walk.stand(group, fixed / per[0])
            walk.add(Factor(VOLUME), group, fixed / per[1] - fixed / per[0])
            walk.add(standard.factor, group, -fixed / per[1])
        if standard.factor.name == LIST_PRICE:
            for (_, group), amount in standard.cost.items():
                walk.stand(group, end=Fraction(amount) / per[1])
    return walk


def _flex(walk: Walk, planned: Budgeted, standard: Standing, levering: Levering) -> None:
    """Volume and mix at budget unit cost, then the standard against it; what was not budgeted enters at
    standard."""
    for (makes, group), amount in planned.cost.items():
        before = Fraction(amount)
        levers = levering.of(makes)
        made = ZERO if makes is None else Fraction(levering.start.get(makes, 0))
        flexed = before * Fraction(levering.end.get(makes, 0)) / made if makes and made else before
        _step(walk, levers, group, makes, before, flexed)
        walk.add(standard.factor, group, -flexed / levers.per[1], makes)
        walk.stand(group, before / levers.per[0])
    for (makes, group), amount in standard.cost.items():
        after = Fraction(amount)
        levers = levering.of(makes)
        if makes is not None and not levering.start.get(makes, 0):
            _step(walk, levers, group, makes, ZERO, after)
        else:
            walk.add(standard.factor, group, after / levers.per[1], makes)


def _step(
    walk: Walk, levers: Levers, group: Key, makes: Makes | None, before: Fraction, after: Fraction
) -> None:
    """Volume and mix of a cost whose unit cost stays; what has no units moves with the volume."""
    loose: Lever = levers.rate
    walk.add(Factor(VOLUME), group, levers.volume.of(before, after) + loose.of(before, after), makes)
    walk.add(Factor(MIX), group, levers.mix.of(before, after), makes)


STANDARD = Factor(STANDARD_VS_BUDGET)
LISTED = Factor(LIST_PRICE)
