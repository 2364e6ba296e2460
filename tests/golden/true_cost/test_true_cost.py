"""Unit cost and constraint of a simulated line, as found by the service, against its own account."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.true_cost.simulation import Line, write
from tests.integration.api.serving import client, served, told

DAYS = 4


@pytest.mark.parametrize(("seed", "slow"), [(5, "m1"), (11, "m2")])
def test_the_true_cost_is_found(plain_database: str, tmp_path: Path, seed: int, slow: str) -> None:
    line = Line(seed, slow, DAYS)
    line.run()
    plant, history = write(line, tmp_path)
    told(plain_database, "simulated", plant, [history])
    with served(plain_database) as address, client(address) as http:
        products = {row["product"]: row for row in http.get("/v1/products").json()["rows"]}
        machines = {row["machine"]: row for row in http.get("/v1/constraints").json()["rows"]}
    assert set(products) == {"A", "B"}
    for name, row in products.items():
        assert row["good_units"] == pytest.approx(line.account.good[name], rel=0.005)
        assert row["actual_unit_cost"] == pytest.approx(line.account.unit_cost(name), rel=0.01)
    # B changes over for 40 minutes every 60 units: the average hides it.
    assert products["B"]["actual_unit_cost"] > products["B"]["averaged_unit_cost"] * 1.1
    assert products["A"]["actual_unit_cost"] < products["A"]["averaged_unit_cost"]
    assert [name for name, row in machines.items() if row["is_constraint"]] == [slow]
    assert machines[slow]["stability"] >= 0.5
