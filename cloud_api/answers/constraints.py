"""Where to invest: the constraint of each line, how stable it is, what masks it, what an hour is worth."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.absorbed import Spend, absorbed, spend_of
from cloud_api.answers.constraints_times import BUSY, Times, noted, overridden_us, times_of, views_of
from cloud_api.answers.constraints_worth import Worth, worth_of
from cloud_api.answers.envelope import envelope
from cloud_api.answers.facts import machines_at
from cloud_api.answers.grouping import evidence
from cloud_api.answers.paging import one_page
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.answers.shapes.constraints import ConstraintRow, Constraints, Prop, View, Views
from cloud_api.answers.standing import data_spans
from cloud_api.interpret.constraints import (
    Bearing,
    ConstraintShare,
    Moment,
    leader,
    leaders,
    relief_limit,
    shares,
)
from cloud_api.interpret.money import exactly, shown
from cloud_api.interpret.rounding import measured
from cloud_api.store.times import to_us
from shared.units import hours_in

ZERO = Decimal(0)
CLEARLY = Decimal("1.05")
"""Regular load of a masked constraint against that of the one that is seen, at least."""

REGULAR = "without_overtime"
LEAST_STOCK, MOST_STOCK = Decimal("0.02"), Decimal("0.9")
"""Units out of stock against those made, between which they are told."""

DEMAND = Decimal("0.1")
"""Share of scheduled time without an order from which on orders lack, not capacity."""


@exactly
def constraints(
    connection: Connection[Any], question: Question, sees_money: bool, now: datetime
) -> Constraints:
    """Machines line by line, the constraint first; and the absorbed cost of each line."""
    about = envelope(connection, question, now)
    window = span_of_data(connection, question)
    if window is None:
        return Constraints(**about, rows=[], absorbed=[])
    bounded = replace(question, from_us=window[0], to_us=window[1])
    spend = spend_of(connection, bounded)
    rows: list[ConstraintRow] = []
    for site in question.sites:
        for name in site.lines:
            machines = _in_a_row(site, [one for one in machines_at(bounded, site) if one.line == name])
            if machines:
                rows += _Line(connection, bounded, site, name, machines, window, spend).rows()
    page, cursor = one_page(rows, question)
    return Constraints(
        **about, next_cursor=cursor, rows=page, absorbed=absorbed(connection, bounded, spend, window)
    )


def _in_a_row(site: Site, machines: Sequence[Machine]) -> list[Machine]:
    """Machines of one line in the order in which products pass them."""
    places = (
        {one.id: at for line in site.book.lines.values() for at, one in enumerate(line.machines)}
        if site.book
        else {}
    )
    return sorted(machines, key=lambda one: places.get(one.name, 0))


def span_of_data(connection: Connection[Any], question: Question) -> tuple[int, int] | None:
    """The window of a question as far as there is data; None where there is none."""
    ids = [machine.machine_id for machine in question.machines]
    spans = [(to_us(first), to_us(last)) for first, last in data_spans(connection, ids)]
    if not spans:
        return None
    begin = min(first for first, _ in spans) if question.from_us is None else question.from_us
    end = max(last for _, last in spans) if question.to_us is None else question.to_us
    return (begin, end) if begin < end else None


@dataclass(frozen=True, slots=True)
class Standing:
    """One machine before it is told."""

    machine: Machine
    times: Times
    views: Mapping[str, Mapping[str, ConstraintShare]]
    worth: Worth

    @property
    def name(self) -> str:
        """Its name."""
        return self.machine.name

    @property
    def load(self) -> Decimal:
        """Regular load, 0 where no time is scheduled."""
        return self.times.share(BUSY, regular=True) or ZERO

    @property
    def stock(self) -> Decimal:
        """Units out of the stock behind it against those that it made, where it could not have made them in
        regular time; 0 where that is next to nothing, or so much that a counter must be wrong."""
        share = self.worth.stock
        return share if LEAST_STOCK <= share <= MOST_STOCK and self.load * (1 + share) > 1 else ZERO

    @property
    def need(self) -> Decimal:
        """Regular load if it had made all that left the line."""
        return self.load * (1 + self.stock)

    def seen_us(self, view: str) -> int:
        """Its time as the constraint in a view."""
        share = self.views[view].get(self.name)
        return 0 if share is None else share.time_us

    @property
    def bearing(self) -> Bearing:
        """What it could still do."""
        free_us = self.times.of("waiting", "idle", scheduled=True)
        return Bearing(machine=self.name, rate=self.worth.rate or ZERO, free_h=hours_in(free_us))


class _Line:
    """The machines of one line."""

    def __init__(
        self,
        connection: Connection[Any],
        question: Question,
        site: Site,
        line: str,
        machines: Sequence[Machine],
        window: tuple[int, int],
        spend: Spend,
    ) -> None:
        self.question, self.site, self.line, self.spend = question, site, line, spend
        found = views_of(connection, machines, window)
        views = {view: shares(moments) for view, moments in found.items()}
        times = times_of(connection, machines, window)
        narrow = replace(question, sites=(site,), wanted={**question.wanted, "line": (line,)})
        worth = worth_of(connection, narrow, site, machines, times)
        self.machines = [Standing(one, times[one.name], views, worth[one.name]) for one in machines]
        self.row = [one.name for one in machines]
        self.constraint = leader(views["all_time"], self.row)
        self.loaded = max(self.machines, key=lambda one: one.need).name if len(self.machines) > 1 else None
        self.led = self._led(found["all_time"], window)
        self.overridden = overridden_us(connection, machines, window)
        self.notes = noted(connection, machines, window)

    def _led(self, found: Sequence[Moment], window: tuple[int, int]) -> dict[str, Decimal]:
        """Share of the production days with a constraint on which each machine led."""
        days = []
        day = self.site.day_of(window[0])
        while (begin := self.site.day_start_us(day)) < window[1]:
            day += dt.timedelta(days=1)
            days.append((max(begin, window[0]), min(self.site.day_start_us(day), window[1])))
        told = [name for name in leaders(found, days, self.row) if name is not None]
        counts: dict[str, int] = defaultdict(int)
        for name in told:
            counts[name] += 1
        return {one.name: Decimal(counts[one.name]) / len(told) for one in self.machines if told}

    def rows(self) -> list[ConstraintRow]:
        """The constraint first, then by the time that each was one."""

        def rank(one: Standing) -> tuple[bool, Decimal, Decimal]:
            share = one.views["all_time"].get(one.name)
            both = ZERO if share is None else share.sole + share.shifting
            return (one.name != self.constraint, -both, -one.load)

        return [self._row(one) for one in sorted(self.machines, key=rank)]

    def _row(self, one: Standing) -> ConstraintRow:
        views = Views(**{view: _view(found, one.name) for view, found in one.views.items()})
        is_constraint = one.name == self.constraint
        limit = self._limit(one) if is_constraint else None
        worth = one.worth.at_constraint if is_constraint else one.worth.elsewhere
        scheduled = one.times.of(scheduled=True)
        idle = one.times.of("idle", scheduled=True)
        total = None
        if is_constraint and worth is not None:
            lost = hours_in(one.times.of("down", "changeover", scheduled=True))
            total = shown(worth * (lost if limit is None else min(lost, limit[0])))
        return ConstraintRow(
            site=self.site.name,
            line=self.line,
            machine=one.name,
            is_constraint=is_constraint,
            sole_share=views.all_time.sole_share,
            shifting_share=views.all_time.shifting_share,
            utilisation=measured(one.times.share(BUSY)),
            regular_load=measured(one.times.share(BUSY, regular=True)),
            stability=measured(self.led.get(one.name)),
            views=views,
            masked=self._is_masked(one),
            masked_by=self._props(one),
            waiting_h=_hours(one.times.of("waiting", scheduled=True)),
            idle_h=_hours(idle),
            demand_limited=bool(scheduled) and idle >= DEMAND * scheduled,
            good_per_hour=measured(one.worth.rate),
            relief_per_hour=None if worth is None else shown(worth),
            relief_hours=None if limit is None else measured(limit[0]),
            next_constraint=None if limit is None else limit[1],
            relief_total=total,
            segments=evidence(self.question, ("site", "machine"), (self.site.name, one.name)),
        )

    def _is_masked(self, one: Standing) -> bool:
        """Whether it would be the constraint without what holds it up: clearly the highest regular load, by
        time beyond its regular hours or by what came out of stock, yet another machine is as much the
        constraint in regular time."""
        own = one.seen_us(REGULAR)
        others = [other for other in self.machines if other is not one and other.seen_us(REGULAR) >= own]
        if one.name != self.loaded or not others or not (one.times.beyond_us or one.stock):
            return False
        return one.need >= CLEARLY * max(other.load for other in others)

    def _limit(self, one: Standing) -> tuple[Decimal, str] | None:
        return relief_limit(one.bearing, [other.bearing for other in self.machines if other is not one])

    def _props(self, one: Standing) -> list[Prop]:
        """What holds a machine up, dearest first."""
        where = (self.site.name, self.line, one.name)
        notes = dict(self.notes.get(one.name, {}))
        hours = {"overtime": one.times.beyond_us, "override": self.overridden.get(one.name, 0)}
        hours["stock"] = int(one.times.of("running", "changeover", "down") * one.stock)
        props = []
        for name, kind in (
            ("overtime", "overtime"),
            ("rework", None),
            ("crew", "reassigned_labour"),
            ("expedites", "expedited"),
            ("override", None),
            ("stock", None),
        ):
            amount = self.spend.amounts.get((*where, name), ZERO)
            told = notes.pop(kind, 0) if kind else 0
            if told or hours.get(name, amount > 0):
                props.append(
                    Prop(
                        by=name.removesuffix("s") if name == "expedites" else name,
                        hours=_hours(hours[name]) if name in hours else None,
                        amount=None if name in ("override", "stock") else shown(amount),
                        notes=told,
                    )
                )
        props += [Prop(by=kind, hours=None, amount=None, notes=count) for kind, count in notes.items()]
        return sorted(props, key=lambda prop: -(prop.amount or ZERO))


def _view(found: Mapping[str, ConstraintShare], machine: str) -> View:
    if not found:
        return View(sole_share=None, shifting_share=None)
    share = found.get(machine)
    return View(
        sole_share=measured(ZERO if share is None else share.sole),
        shifting_share=measured(ZERO if share is None else share.shifting),
    )


def _hours(us: int) -> Decimal:
    return measured(hours_in(us))
