"""The product's answers against the reference: every cell of random plants and of the worked cases."""

import csv
import os
import random
from fractions import Fraction
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cloud_api.ingest.backfill import backfill
from cloud_api.plant.load import load_directory
from cloud_api.store.pool import connect
from cloud_api.work.worker import Worker
from tests.golden.cost.cases import CostCase, cost_cases, measured
from tests.integration.api.serving import client, served, told
from tests.reference import Result, compute, crosswise
from tests.reference.agreement import Api, disagreements
from tests.reference.clock import microseconds
from tests.reference.comparison import cells_of_rows
from tests.reference.plants import MadePlant, make_plant
from tests.reference.tables import read_plant
from tests.reference.workshop import write_csv

SEEDS = range(int(os.environ.get("PLANTLEDGER_TEST_REST_PLANTS", "5")))
"""Random plants in each run of the suite; 200 are for a quiet hour."""
RECORDED_LATE = 1_780_000_000_000_000
"""An instant after every day of the random plants that are loaded twice (May 2026)."""


def differing(url: str, result: Result, site: str) -> list[str]:
    with served(url) as address, client(address) as http:
        return disagreements(http, result, site)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_cell_agrees(plain_database: str, tmp_path: Path, seed: int) -> None:
    """Whole window, off the hour grid (with drawn groups and filters, and key figures), and one day."""
    made = make_plant(seed, tmp_path, days=2)
    told(plain_database, made.site, made.directory, list(made.histories))
    for window in (made.window, made.odd_window, made.day_window):
        result = compute(made.directory, made.histories, *window)
        with served(plain_database) as address, client(address) as http:
            assert disagreements(http, result, made.site) == []
            if window == made.odd_window:
                assert crosswise.disagreements(Api(http, result, made.site), seed) == []


@pytest.mark.parametrize(("seed", "window"), [(107, "odd_window"), (121, "odd_window"), (1072, "day_window")])
def test_what_was_missing_in_a_cut_hour_is_told(
    plain_database: str, tmp_path: Path, seed: int, window: str
) -> None:
    made = make_plant(seed, tmp_path, days=1)
    told(plain_database, made.site, made.directory, list(made.histories))
    result = compute(made.directory, made.histories, *getattr(made, window))
    assert differing(plain_database, result, made.site) == []


@pytest.mark.parametrize("seed", [121, 128])
def test_every_cell_agrees_on_each_kind_of_server(database: str, tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path, days=1)
    told(database, made.site, made.directory, list(made.histories))
    result = compute(made.directory, made.histories, *made.window)
    assert differing(database, result, made.site) == []


@pytest.mark.parametrize("seed", [132, 139])
def test_halves_reversed_with_duplicates_give_the_same(
    plain_database: str, tmp_path: Path, seed: int
) -> None:
    """The later half first, interpreted, then the earlier, with one row in twenty sent again."""
    made = make_plant(seed, tmp_path, days=1)
    with connect(plain_database) as connection:
        load_directory(connection, made.directory)
    for part in halves_reversed(made, tmp_path):
        backfill(plain_database, made.site, [part])
        with connect(plain_database, autocommit=True) as connection:
            Worker(plain_database).drain(connection)
    result = compute(made.directory, made.histories, *made.window)
    assert differing(plain_database, result, made.site) == []


def halves_reversed(made: MadePlant, folder: Path) -> list[Path]:
    clock = read_plant([(made.directory, 0)]).clock
    rows = []
    for history in made.histories:
        with history.open(encoding="utf-8", newline="") as file:
            rows += [tuple(row) for row in list(csv.reader(file))[1:]]
    draw = random.Random(made.seed)
    rows.sort(key=lambda row: clock.instant(row[0]))
    half = len(rows) // 2
    parts = []
    for name, own in (("later", rows[half:]), ("earlier", rows[:half])):
        again = draw.sample(rows, len(rows) // 20)
        write_csv(folder / f"{name}.csv", ("time", "machine", "role", "value", "quality"), own + again)
        parts.append(folder / f"{name}.csv")
    return parts


@pytest.mark.parametrize("seed", [143, 150])
def test_revised_standards_split_planning_from_operational_alike(
    plain_database: str, tmp_path: Path, seed: int
) -> None:
    """The same plant with other numbers is loaded after the data: ex-post for all its days."""
    made = make_plant(seed, tmp_path / "one", days=1)
    other = revised(made, tmp_path / "other")
    told(plain_database, made.site, made.directory, list(made.histories))
    told(plain_database, made.site, other, [])
    loads = [(made.directory, RECORDED_LATE), (other, RECORDED_LATE + 1)]
    result = compute(loads, made.histories, *made.window)
    assert any(cell.planning for cell in result.variances(("resource", "cause")).values())
    assert differing(plain_database, result, made.site) == []


def revised(made: MadePlant, folder: Path) -> Path:
    """The plant with each standard, bill and standard rate or price a quarter higher; nothing else
    differs."""
    folder.mkdir(parents=True)
    for path in made.directory.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for name, columns in (
        ("standards.csv", ("ideal_cycle_s", "crew", "energy_kwh")),
        ("bill.csv", ("quantity",)),
        ("prices.csv", ("standard",)),
    ):
        if not (folder / name).exists():
            continue
        with (folder / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            for column in columns:
                row[column] = str(float(row[column]) * 1.25)
        write_csv(folder / name, list(rows[0]), [list(row.values()) for row in rows])
    yaml = YAML(typ="safe", pure=True)
    site = yaml.load(folder / "site.yaml")
    machines = [machine for line in site["lines"] for machine in line["machines"]]
    for row in [
        *site["labour"],
        *site["energy"],
        *(rate for machine in machines for rate in machine["rate"]),
    ]:
        row.setdefault("actual", row["standard"])
        row["standard"] = row["standard"] * 1.25
    yaml.dump(site, folder / "site.yaml")
    return folder


@pytest.mark.parametrize("case", cost_cases(), ids=lambda case: case.name)
def test_worked_cases_come_out(plain_database: str, case: CostCase) -> None:
    site = case.name.replace("_", "-")
    told(plain_database, site, case.plant, list(case.histories))
    start, end = (microseconds(moment) for moment in case.window)
    result = compute(case.plant, case.histories, start, end)
    with served(plain_database) as address, client(address) as http:
        assert disagreements(http, result, site) == []
        by = ("resource", "cause")
        rows = Api(http, result, site).rows("/v1/variances", by=",".join(by))
    cells = cells_of_rows(rows, by, "variance")
    for name, resource, causes, variance in case.measures():
        assert abs(measured(cells, resource, causes) - variance) <= Fraction(1, 1000), name
