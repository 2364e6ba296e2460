"""Drawn lines of several machines in a row: what decides output, what hides that, and what products truly
cost, through REST. `FLOWS` and `SEED` draw more."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.serving import client, served, told
from tests.simulation.flow import MULTIPLIER, Flow, Row
from tests.simulation.flow_course import Course, account, beyond_h, from_stock, gains, samples

FLOWS = int(os.environ.get("FLOWS", "1"))
SEED = int(os.environ.get("SEED", "5"))
CLEAR = 0.03
"""Share of output by which a machine that is faster must make more to be the constraint for sure."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the service says of one line: its machines by name, and its absorbed cost."""

    machines: dict[str, dict[str, Any]]
    absorbed: dict[str, Any]

    @property
    def lead(self) -> list[str]:
        """The constraint."""
        return [name for name, one in self.machines.items() if one["is_constraint"]]

    @property
    def masked(self) -> list[str]:
        """Machines that something hides."""
        return [name for name, one in self.machines.items() if one["masked"]]

    def props(self, name: str) -> dict[str, dict[str, Any]]:
        """What holds a machine up."""
        return {one["by"]: one for one in self.machines[name]["masked_by"]}

    def time(self, name: str, view: str) -> float:
        """Share of time as the constraint."""
        found = self.machines[name]["views"][view]
        return float(found["sole_share"] + found["shifting_share"])


@pytest.mark.timeout(120 + 40 * FLOWS)
@pytest.mark.parametrize("seed", range(SEED, SEED + FLOWS))
def test_what_decides_output_and_what_hides_it(plain_database: str, tmp_path: Path, seed: int) -> None:
    flow = Flow(seed)
    lived = [(row, Course(flow, row)) for row in flow.rows]
    rows = sorted((one for _, course in lived for one in samples(flow, course)), key=lambda one: one[0])
    plant, history = flow.write(tmp_path, rows)
    told(plain_database, flow.site, plant, [history])
    with served(plain_database) as address, client(address) as http:
        answer = http.get("/v1/constraints").json()
        products = {row["product"]: row for row in http.get("/v1/products").json()["rows"]}
    lines: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in answer["rows"]:
        lines[one["line"]][one["machine"]] = one
    absorbed = {one["line"]: one for one in answer["absorbed"]}
    for row, course in lived:
        _judge(flow, row, course, Told(lines[row.name], absorbed[row.name]))
        own = account(flow, course)
        for product, cost in own.cost.items():
            assert products[product]["good_units"] == own.good[product]
            assert products[product]["actual_unit_cost"] == pytest.approx(cost / own.good[product], rel=0.005)


def _judge(flow: Flow, row: Row, course: Course, line: Told) -> None:
    slow, after = row.stations[row.slow].name, row.stations[row.next_].name
    if row.story in ("plain", "starved"):
        more = gains(flow, row)
        assert max(more) == more[row.slow] > CLEAR
        assert (line.lead, line.masked) == ([slow], []), row
        assert all(line.time(slow, view) > 0.5 for view in ("all_time", "scheduled", "without_overtime"))
        assert not any(line.props(name) for name in line.machines)
        return
    # Seen, or said to be hidden: it does not hide where the other one waits now and then.
    assert line.masked == [slow] or (line.masked, line.lead) == ([], [slow]), row
    assert line.lead[0] in (slow, after)
    assert not any("overtime" in line.props(name) for name in line.machines if name != slow)
    load = line.machines[slow]["regular_load"]
    if row.story == "stock":
        busy = load * flow.hours * flow.days
        stock = line.props(slow)["stock"]["hours"]
        assert stock == pytest.approx(busy * from_stock(course, row.slow), rel=0.01)
        return
    extra = beyond_h(flow, row, course)
    prop = line.props(slow)["overtime"]
    assert prop["hours"] == pytest.approx(extra, rel=0.002)
    premium = extra * row.stations[row.slow].crew * flow.wage * (MULTIPLIER - 1)
    if flow.by == "off":
        assert prop["amount"] == pytest.approx(premium, rel=0.002)
        assert line.absorbed["overtime"] == pytest.approx(premium, rel=0.002)
    else:
        assert prop["amount"] >= premium * 0.998
