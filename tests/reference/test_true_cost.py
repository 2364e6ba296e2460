"""Unit costs and key figures of random plants, through load, backfill and REST, against the reference."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.serving import client, served, told
from tests.reference import Result, compute
from tests.reference.agreement import Api
from tests.reference.plants import make_plant
from tests.reference.true_cost import TrueCost, key_figures, true_costs

UNIT = Fraction(3, 10_000)
SIX = Fraction(1, 1_000_000)


@pytest.mark.parametrize("seed", [2, 17])
def test_products_and_key_figures_agree(plain_database: str, tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path, days=2)
    told(plain_database, made.site, made.directory, list(made.histories))
    with served(plain_database) as address, client(address) as http:
        for window in (made.window, made.odd_window):
            result = compute(made.directory, made.histories, *window)
            api = Api(http, result, made.site)
            costs_agree(api.body("/v1/products"), result)
            rows = {row["machine"]: row for row in api.rows("/v1/kpis", by="machine")}
            for machine, row in rows.items():
                figures_agree(key_figures(result, machine), row)


def costs_agree(body: dict[str, Any], result: Result) -> None:
    products, rest = true_costs(result)
    rows = {row["product"]: row for row in body["rows"]}
    assert set(rows) == {name for name, own in products.items() if own.actual or own.good}
    for name, row in rows.items():
        one_agrees(row, products[name])
    apart = body["unused_capacity"] + body["idle_labour"] + body["unassigned"]
    assert (
        sum(row["actual_cost"] for row in body["rows"]) + sum(row["amount"] for row in apart) == body["total"]
    )
    assert close(body["total"], sum(own.actual for own in products.values()) + sum(rest.values()))
    idle = sum(amount for (_, *cell), amount in rest.items() if tuple(cell) == ("labour", "idle"))
    assert close(Fraction(sum(row["amount"] for row in body["idle_labour"])), idle)


def one_agrees(row: dict[str, Any], own: TrueCost) -> None:
    assert close(row["actual_cost"], own.actual)
    assert Fraction(row["good_units"]) == own.good
    for cause, amount in own.burden.items():
        assert close(row["burden"].get(cause, 0), amount), cause
    if not own.good:
        assert row["actual_unit_cost"] is None
        return
    assert close(row["actual_unit_cost"], own.actual / own.good)
    if own.standard:
        assert close(row["standard_unit_cost"], own.standard / own.good)
        assert close(row["averaged_unit_cost"], (own.averaged + own.material) / own.good)
    assert close(row["margin"], Fraction(row["revenue"]) - own.actual)


def figures_agree(expected: dict[str, Fraction | None], row: dict[str, Any]) -> None:
    for name, figure in expected.items():
        assert (row[name] is None) == (figure is None), name
        assert figure is None or abs(Fraction(row[name]) - figure) <= SIX, name


def close(told_: Any, exact: Fraction) -> bool:
    return abs(Fraction(told_) - exact) <= UNIT
