"""How a product ran on the machines of its line in a window: what a what-if is tried on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from psycopg import Connection

from cloud_api.answers.edges import edge_outputs
from cloud_api.answers.places import Machine, Site
from cloud_api.answers.question import Question
from cloud_api.answers.window import window_at
from cloud_api.interpret.allowance import Allowances
from cloud_api.interpret.plant import Standard
from cloud_api.interpret.standards import Book
from cloud_api.interpret.whatif import BUSY, Run
from cloud_api.store.statements import statement
from shared.units import HOUR_US, hours_in

ZERO = Decimal(0)


@dataclass(slots=True)
class Tally:
    """Sums of one machine and product: microseconds by state, people x microseconds, units, changeovers."""

    time_us: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    people_us: Decimal = ZERO
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    rework: Decimal = ZERO
    changeovers: int = 0

    def run(self, standard: Standard, unit: dict[str, Decimal]) -> Run:
        """As the what-if takes it."""
        whole = sum(self.time_us.values())
        return Run(
            good=self.good,
            scrap=self.scrap,
            rework=self.rework,
            hours={state: hours_in(time) for state, time in self.time_us.items()},
            crew=self.people_us / whole if whole else ZERO,
            cycle_s=standard.ideal_cycle_s,
            changeovers=self.changeovers,
            unit=unit,
        )


@dataclass(slots=True)
class Runs:
    """Tallies by machine and product (None: of no product), and scheduled hours but planned stops, and idle
    ones among them, by machine."""

    by: dict[tuple[str, str | None], Tally] = field(default_factory=lambda: defaultdict(Tally))
    free_us: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    idle_us: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def busy_h(self, machine: str) -> Decimal:
        """Hours that all products took of a machine."""
        times = (
            time
            for (name, _), tally in self.by.items()
            if name == machine
            for state, time in tally.time_us.items()
            if state in BUSY
        )
        return Decimal(sum(times)) / HOUR_US

    def scheduled_h(self, machine: str) -> Decimal:
        """Scheduled hours of a machine but planned stops."""
        return hours_in(self.free_us[machine])


def runs_of(connection: Connection[Any], question: Question, site: Site, machines: Iterable[Machine]) -> Runs:
    """How everything ran on some machines of a site in the window of a question."""
    names = {machine.machine_id: machine.name for machine in machines}
    span = window_at(site, question.from_us, question.to_us)
    parameters = {
        "site": site.name,
        "machines": list(names),
        **span.bounds(),
        "posting": question.basis == "posting",
    }
    runs = Runs()
    for row in connection.execute(statement("whatif.runs"), parameters):
        _take(runs, names[row[0]], *row[1:])
    known = set(names.values())
    for one in edge_outputs(connection, question, site):
        if one.machine in known:
            turns = sum(turn.count for turn in one.changeovers)
            scheduled = one.calendar == "scheduled"
            people = one.crew * one.duration_us
            _take(runs, one.machine, one.product, one.made_product, one.state, scheduled, one.duration_us,
                  people, one.good, one.scrap, one.rework, turns)  # fmt: skip
    return runs


def _take(
    runs: Runs,
    machine: str,
    product: str | None,
    made_product: str | None,
    state: str,
    scheduled: bool,
    time_us: int,
    people_us: Decimal,
    good: Decimal,
    scrap: Decimal,
    rework: Decimal,
    turns: int,
) -> None:
    if scheduled or state in ("running", "changeover"):
        timed = runs.by[machine, product]
        timed.time_us[state] += time_us
        timed.people_us += people_us
    if scheduled and state != "planned_stop":
        runs.free_us[machine] += time_us
    if scheduled and state == "idle":
        runs.idle_us[machine] += time_us
    runs.by[machine, product].changeovers += turns
    made = runs.by[machine, made_product]
    made.good += good
    made.scrap += scrap
    made.rework += rework


def unit_run(book: Book, standard: Standard, site: Site, question: Question) -> dict[str, Decimal]:
    """What the standard allows for one unit that runs, by resource: a scrapped one costs as much."""
    assert question.to_us is not None
    date = book.effective(question.to_us - 1)
    cells = Allowances(book).of(standard.machine, standard.product, None, date)
    return {resource: amount for (resource, cause), amount in cells.items() if cause == "production"}
