"""A standard recorded later: planning apart from operational, as the reference has it; the total stays."""

from __future__ import annotations

import csv
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.integration.api.test_reference import get
from tests.reference.comparison import cells_of_rows, differences
from tests.reference.plants import make_plant
from tests.reference.result import compute
from tests.reference.workshop import Workshop, write_csv

GROUPINGS = ((), ("resource", "cause"), ("machine", "product", "cause"), ("order", "shift"), ("day", "line"))


def revised(directory: Path, folder: Path) -> Path:
    """The same plant with slower cycles, more scrap and another crew in the same standards."""
    changed = folder / "revised"
    shutil.copytree(directory, changed)
    path = changed / "standards.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::2]:
        row["ideal_cycle_s"] = str(Decimal(row["ideal_cycle_s"]) * Decimal("1.25"))
        row["scrap_rate"] = "0.0625"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return changed


@pytest.mark.parametrize("seed", [8])
def test_planning_and_operational_are_those_of_the_reference(
    servers: Servers, tmp_path: Path, seed: int
) -> None:
    made = make_plant(seed, tmp_path)
    later = revised(made.directory, tmp_path)
    for url in servers.new_database("plain", servers.template):
        told(url, made.site, made.directory, list(made.histories))
        first = int(datetime.now(UTC).timestamp() * 1_000_000)
        with connect(url) as connection:
            load_directory(connection, later)
        loads = [(made.directory, first), (later, first + 1)]
        with served(url) as address, client(address) as http:
            for window in (made.window, made.odd_window):
                reference = compute(loads, made.histories, *window)
                for by in GROUPINGS:
                    answer = get(http, "/v1/variances", window, by)
                    cells = reference.variances(by)
                    for name in ("actual", "allowance", "planning", "operational"):
                        expected = {key: getattr(cell, name) for key, cell in cells.items()}
                        found = cells_of_rows(answer["rows"], by, name)
                        assert differences(expected, found) == [], (by, name)
                assert answer["total"]["planning"] != 0


def test_a_revised_price_of_material_outside_the_bill_is_cut_anew_too(
    plain_database: str, tmp_path: Path
) -> None:
    """10 kg of dye that no bill names: 20 at the standard known then, 30 at the one recorded last."""
    shop = Workshop(tmp_path / "shop")
    shop.tables["prices.csv"].append(("dye", "2026-01-01", "2", "2"))
    shop.run("08:00", "10:00")
    shop.say("08:00", "material:dye", 100)
    shop.say("09:00", "material:dye", 110)
    history = tmp_path / "history.csv"
    write_csv(history, ("time", "machine", "role", "value", "quality"), shop.samples)
    told(plain_database, "workshop", shop.write(tmp_path / "first"), [history])
    shop.tables["prices.csv"][-1] = ("dye", "2026-01-01", "3", "2")
    told(plain_database, "workshop", shop.write(tmp_path / "last"), [])
    with served(plain_database) as address, client(address) as http:
        rows = http.get("/v1/variances", params={"by": "resource,cause", "resource": "material"}).json()
    cells = {row["cause"]: row for row in rows["rows"]}
    assert [cells["usage"][name] for name in ("variance", "planning", "operational")] == [20, -10, 30]
    assert [cells["price"][name] for name in ("variance", "planning", "operational")] == [0, 10, -10]
