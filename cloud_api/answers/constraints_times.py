"""How each machine of a line spent a window: the times and spans that constraints are told from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.places import Machine
from cloud_api.interpret.constraints import ACTIVE, ActivePeriod, Moment, moments, walk
from cloud_api.store.statements import statement
from cloud_api.store.times import from_us, to_us

BUSY = ("running", "changeover", "down")
VIEWS = ("all_time", "scheduled", "without_overtime")
"""Views of a constraint: of all time, of scheduled time, of that without overtime. Each keeps to the kinds of
time from its place on, as `active_bounds` numbers them."""


@dataclass(slots=True)
class Times:
    """Time of one machine in microseconds, by (state, calendar status, overtime)."""

    by: dict[tuple[str, str, bool], int] = field(default_factory=dict)

    def of(self, *states: str, scheduled: bool = False, regular: bool = False) -> int:
        """Time in some states (none named: in all)."""
        return sum(
            time
            for (state, calendar, overtime), time in self.by.items()
            if (not states or state in states)
            and (not scheduled or calendar == "scheduled")
            and (not regular or not overtime)
        )

    @property
    def beyond_us(self) -> int:
        """Running and changing over in overtime or outside all shifts."""
        return sum(
            time
            for (state, calendar, overtime), time in self.by.items()
            if state in ("running", "changeover") and (overtime or calendar == "off")
        )

    @property
    def paid_us(self) -> int:
        """Time that costs: scheduled, and outside it running or changing over."""
        return sum(
            time
            for (state, calendar, _), time in self.by.items()
            if calendar == "scheduled" or state in ("running", "changeover")
        )

    def share(self, states: Sequence[str], *, regular: bool = False) -> Decimal | None:
        """Time in some states against scheduled time without planned stops. `regular`: time whenever it was,
        against scheduled time without overtime."""
        whole = self.of(scheduled=True, regular=regular)
        whole -= self.of("planned_stop", scheduled=True, regular=regular)
        return Decimal(self.of(*states, scheduled=not regular)) / whole if whole else None


def times_of(
    connection: Connection[Any], machines: Sequence[Machine], window: tuple[int, int]
) -> dict[str, Times]:
    """The time of some machines in [from, to)."""
    names = {machine.machine_id: machine.name for machine in machines}
    found: dict[str, Times] = defaultdict(Times)
    for machine_id, state, calendar, overtime, time in connection.execute(
        statement("products.capacity_times"), _asked(names, window)
    ):
        found[names[machine_id]].by[state, calendar, overtime] = time
    return found


def views_of(
    connection: Connection[Any], machines: Sequence[Machine], window: tuple[int, int]
) -> dict[str, list[Moment]]:
    """The constraint of a line over time, by view."""
    names = {machine.machine_id: machine.name for machine in machines}
    asked = {**_asked(names, window), "active": sorted(ACTIVE)}
    periods: dict[str, list[ActivePeriod]] = {view: [] for view in VIEWS}
    begun = dict.fromkeys(VIEWS, 0)
    for machine_id, begin, kind, end, before in connection.execute(
        statement("products.active_bounds"), asked
    ):
        for least, view in enumerate(VIEWS):
            was, is_on = before is not None and before >= least, kind is not None and kind >= least
            if was and is_on and end == begin:
                continue
            if was:
                until = min(to_us(end), window[1])
                periods[view].append(ActivePeriod(begun[view], until, names[machine_id]))
            if is_on:
                begun[view] = max(to_us(begin), window[0])
    return {view: moments(walk(found)) for view, found in periods.items()}


def overridden_us(
    connection: Connection[Any], machines: Sequence[Machine], window: tuple[int, int]
) -> dict[str, int]:
    """Time with a speed override above 100 %, by machine."""
    names = {machine.machine_id: machine.name for machine in machines}
    rows = connection.execute(statement("products.override_time"), _asked(names, window))
    return {names[machine_id]: time for machine_id, time in rows}


def noted(
    connection: Connection[Any], machines: Sequence[Machine], window: tuple[int, int]
) -> Mapping[str, dict[str, int]]:
    """Notes in force that tell of props: number by machine and kind."""
    names = {machine.machine_id: machine.name for machine in machines}
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for machine_id, kind, count in connection.execute(
        statement("products.props_noted"), _asked(names, window)
    ):
        found[names[machine_id]][kind] = count
    return found


def _asked(names: Mapping[int, str], window: tuple[int, int]) -> dict[str, Any]:
    return {"machines": list(names), "from": from_us(window[0]), "to": from_us(window[1])}
