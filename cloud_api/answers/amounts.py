"""Amounts of the ledger by any of its dimensions, without quantities: what bridges and variances add up.

Money in the site's currency, exact. A machine is grouped by the first of its line where only lines are asked
for, so that the database adds up what nobody tells apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any

from psycopg import Connection

from cloud_api.answers.bridge_factors import APART
from cloud_api.answers.grouping import Key, filters, needs
from cloud_api.answers.ledger import MOST_GROUPS, PARTS, sums_of, too_many
from cloud_api.answers.memory import remembered
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.posting import read_ledger
from cloud_api.answers.question import FILTERS, Question
from cloud_api.answers.window import days_at
from cloud_api.interpret.money import CONTEXT
from cloud_api.store.statements import statement

_COLUMNS = ("product", "order", "shift", "resource", "cause", "reason")
"""What a statement tells of a group, before site, line and machine."""

RESOURCE_OF_FACTOR = "resource of factor"
"""A group besides those of a question: the resource where a cause means another thing for each, else none."""

_ORDER = (
    "site",
    "line",
    "product",
    "resource",
    RESOURCE_OF_FACTOR,
    "cause",
    "machine",
    "order",
    "shift",
    "reason",
)

NOWHERE = (None, None)
"""Line and machine of an amount that belongs to no machine."""


def amounts_of(
    connection: Connection[Any], question: Question, beside: Question | None = None
) -> Mapping[Key, Decimal]:
    """Amounts by the groups of a question, as `ledger.sums_of` has them; read once for any order of these.

    `beside`: the same question of another window, which is read in the same pass."""
    by = in_order(question.by)
    own = question.grouped(*by)
    if beside is None:
        amounts = _amounts(connection, own)
    else:
        windows = sorted((own, beside.grouped(*by)), key=lambda one: (one.from_us or 0, one.to_us or 0))
        amounts = _both(connection, windows[0], windows[1])[0 if windows[0] is own else 1]
    if by == question.by:
        return amounts
    key_of = taken(by, question.by)
    return {key_of(key): amount for key, amount in amounts.items()}


def in_order(by: Iterable[str]) -> tuple[str, ...]:
    """Groups in the order in which they are read."""
    return tuple(sorted(set(by), key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER)))


@remembered
def _amounts(connection: Connection[Any], question: Question) -> Mapping[Key, Decimal]:
    if not _has_whole_days(question):
        return _summed(connection, question)
    return _read(connection, question, None)[0]


@remembered
def _both(
    connection: Connection[Any], first: Question, second: Question
) -> tuple[Mapping[Key, Decimal], Mapping[Key, Decimal]]:
    if not (_has_whole_days(first) and _has_whole_days(second)):
        return _amounts(connection, first), _amounts(connection, second)
    return _read(connection, first, second)


def _summed(connection: Connection[Any], question: Question) -> dict[Key, Decimal]:
    """From the sums of a window that cuts hours."""
    sums = sums_of(connection, question.grouped(*_plain(question.by)))
    if RESOURCE_OF_FACTOR not in question.by:
        return {key: sum_.amount for key, sum_ in sums.items()}
    at, cause = question.by.index(RESOURCE_OF_FACTOR), question.by.index("cause")
    amounts: dict[Key, Decimal] = {}
    for key, sum_ in sums.items():
        own = key if key[cause] in APART else (*key[:at], None, *key[at + 1 :])
        amounts[own] = CONTEXT.add(amounts[own], sum_.amount) if own in amounts else sum_.amount
    return amounts


def _plain(by: Sequence[str]) -> tuple[str, ...]:
    return tuple("resource" if name == RESOURCE_OF_FACTOR else name for name in by)


def _has_whole_days(question: Question) -> bool:
    """Whether sums by production day tell what is asked."""
    days = (days_at(site, question.from_us, question.to_us) for site in question.sites)
    return None not in days and set(_plain(question.by)) <= set(FILTERS)


def _read(
    connection: Connection[Any], question: Question, beside: Question | None
) -> tuple[dict[Key, Decimal], dict[Key, Decimal]]:
    own: dict[Key, Decimal] = {}
    others: dict[Key, Decimal] = {}
    for site in question.sites:
        for key, amount, other in _of_site(connection, question, beside, site):
            if amount is not None:
                own[key] = CONTEXT.add(own[key], amount) if key in own else amount
            if other is not None:
                others[key] = CONTEXT.add(others[key], other) if key in others else other
        if max(len(own), len(others)) > MOST_GROUPS:
            raise too_many()
    return own, others


def _of_site(
    connection: Connection[Any], question: Question, beside: Question | None, site: Site
) -> Iterator[tuple[Key, Decimal | None, Decimal | None]]:
    machines = [machine for machine in question.machines if machine.site == site.name]
    places: dict[int | None, tuple[Any, Any]] = {one.machine_id: (one.line, one.name) for one in machines}
    own = _days(site, question)
    other = own if beside is None else _days(site, beside)
    parameters = {
        "site": site.name,
        "machines": [machine.machine_id for machine in machines],
        "heads": heads(machines, "machine" in question.by),
        "first_day": own[0],
        "end_day": own[1],
        "beside": beside is not None,
        "first_beside": other[0],
        "end_beside": other[1],
        **filters(question),
        **needs(_plain(question.by)),
        "apart": list(APART) if RESOURCE_OF_FACTOR in question.by else None,
    }
    in_parts = PARTS & {*question.by, *question.wanted}
    name = "amounts.by_part" if in_parts else "amounts.by_day"
    if "order" in question.by:
        connection.execute(statement("amounts.many_groups"))
    key_of = taken((*_COLUMNS, "site", "line", "machine"), _plain(question.by))
    for machine_id, *said, amount, beside_it in read_ledger(connection, name, parameters, site.has_closed):
        yield key_of((*said, site.name, *places.get(machine_id, NOWHERE))), amount, beside_it


def _days(site: Site, question: Question) -> tuple[dt.date | None, dt.date | None]:
    days = days_at(site, question.from_us, question.to_us)
    assert days is not None
    return days


def heads(machines: Sequence[Machine], apart: bool) -> list[int]:
    """The machine that stands for each, by its number from 1: itself or the first of its line; 0 for none."""
    found = [0] * max((machine.machine_id for machine in machines), default=0)
    first: dict[str | None, int] = {}
    for machine in machines:
        head = machine.machine_id if apart else first.setdefault(machine.line, machine.machine_id)
        found[machine.machine_id - 1] = head
    return found


def taken(names: Sequence[str], by: Sequence[str]) -> Callable[[tuple[Any, ...]], Key]:
    """Takes the key of a group out of values with these names."""
    places = [names.index(name) for name in by]
    if not places:
        return lambda _: ()
    if len(places) == 1:
        return lambda said: (said[places[0]],)
    return itemgetter(*places)
