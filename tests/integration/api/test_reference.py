"""Answers against an independent computation from raw samples, cell by cell, over drawn plants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx
import pytest

from tests.conftest import Servers
from tests.integration.api.serving import client, served, told
from tests.reference.comparison import cells_of_rows, differences
from tests.reference.plants import MadePlant, make_plant
from tests.reference.result import Result, compute

SEEDS = (3, 6)
GROUPINGS = (
    (),
    ("resource", "cause"),
    ("machine", "resource", "cause"),
    ("product", "order", "cause"),
    ("line", "shift", "cause"),
    ("day",),
)
Served = tuple[MadePlant, httpx.Client]


@pytest.fixture(scope="module", params=SEEDS)
def plant(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    made = make_plant(request.param, tmp_path_factory.mktemp("plant"))
    for url in servers.new_database("plain", servers.template):
        told(url, made.site, made.directory, list(made.histories))
        with served(url) as address, client(address) as http:
            yield made, http


@pytest.fixture(scope="module", params=["whole", "odd"])
def asked(request: pytest.FixtureRequest, plant: Served) -> tuple[httpx.Client, tuple[int, int], Result]:
    made, http = plant
    window = made.window if request.param == "whole" else made.odd_window
    recorded = int(datetime.now(UTC).timestamp() * 1_000_000)
    return http, window, compute(made.directory, made.histories, *window, recorded_at=recorded)


def instant(us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).isoformat()


def get(http: httpx.Client, path: str, window: tuple[int, int], by: tuple[str, ...] = ()) -> dict[str, Any]:
    parameters = {"from": instant(window[0]), "to": instant(window[1])}
    if by:
        parameters |= {"by": ",".join(by), "limit": "100000"}
    answer = http.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return dict(answer.json(parse_float=Decimal))


@pytest.mark.parametrize("by", GROUPINGS, ids="-".join)
def test_costs_are_those_of_the_reference(
    asked: tuple[httpx.Client, tuple[int, int], Result], by: tuple[str, ...]
) -> None:
    http, window, reference = asked
    answer = get(http, "/v1/costs", window, by)
    assert differences(reference.costs(by), cells_of_rows(answer["rows"], by)) == []
    assert sum(row["amount"] for row in answer["rows"]) == answer["total"]


@pytest.mark.parametrize("by", GROUPINGS, ids="-".join)
def test_variances_are_those_of_the_reference(
    asked: tuple[httpx.Client, tuple[int, int], Result], by: tuple[str, ...]
) -> None:
    http, window, reference = asked
    answer = get(http, "/v1/variances", window, by)
    cells = reference.variances(by)
    for name in ("actual", "allowance", "variance", "planning", "operational"):
        told = {key: getattr(cell, name) for key, cell in cells.items()}
        assert differences(told, cells_of_rows(answer["rows"], by, name)) == [], name
        assert sum(row[name] for row in answer["rows"]) == answer["total"][name]
    for row in answer["rows"]:
        assert row["actual"] - row["allowance"] == row["variance"] == row["planning"] + row["operational"]


def test_changeover_parts_are_those_of_the_reference(
    asked: tuple[httpx.Client, tuple[int, int], Result],
) -> None:
    http, window, reference = asked
    by = ("machine", "resource", "cause")
    answer = get(http, "/v1/variances", window, by)
    for part in ("lot_size", "duration", "sequence"):
        expected = {
            key: cell.parts.get(part, Fraction(0))
            for key, cell in reference.variances(by).items()
            if cell.parts
        }
        rows = [{**row, part: row["parts"].get(part)} for row in answer["rows"]]
        assert differences(expected, cells_of_rows(rows, by, part)) == [], part
    for row in answer["rows"]:
        if row["parts"]:
            assert sum(row["parts"].values()) == row["variance"]


def test_one_machine_stands_for_itself(asked: tuple[httpx.Client, tuple[int, int], Result]) -> None:
    http, window, reference = asked
    for machine in reference.histories:
        parameters = {"from": instant(window[0]), "to": instant(window[1]), "machine": machine, "by": "cause"}
        answer = http.get("/v1/variances", params=parameters).json(parse_float=Decimal)
        expected = {
            key: cell.variance for key, cell in reference.variances(("cause",), machine=machine).items()
        }
        assert differences(expected, cells_of_rows(answer["rows"], ("cause",), "variance")) == []


def test_output_counts_at_the_end_of_the_line(asked: tuple[httpx.Client, tuple[int, int], Result]) -> None:
    http, window, reference = asked
    for (product,), sums in reference.output(("product",)).items():
        if product is None or not sums["counted"]:
            continue
        parameters = {"from": instant(window[0]), "to": instant(window[1]), "product": product}
        answer = http.get("/v1/variances", params=parameters).json(parse_float=Decimal)
        assert Fraction(answer["good_units"]) == sums["counted"]
        assert sum(Fraction(one["good_units"]) for one in answer["counted_at"]) == sums["counted"]


def test_reasons_of_stops_are_those_of_the_reference(
    asked: tuple[httpx.Client, tuple[int, int], Result],
) -> None:
    http, window, reference = asked
    by = ("machine", "reason", "cause")
    answer = get(http, "/v1/costs", window, by)
    stops = {key: amount for key, amount in reference.costs(by).items() if key[-1] == "downtime"}
    told = {key: amount for key, amount in cells_of_rows(answer["rows"], by).items() if key[-1] == "downtime"}
    assert differences(stops, told) == []


def test_confidence_is_that_of_the_reference(asked: tuple[httpx.Client, tuple[int, int], Result]) -> None:
    http, window, reference = asked
    answer, expected = get(http, "/v1/confidence", window), reference.confidence()
    share = Fraction(1, 1_000_000)
    assert abs(Fraction(answer["coverage"]) - expected.coverage) <= share
    assert abs(Fraction(answer["unexplained_share"]) - expected.unexplained_share) <= share
    reasons = 1 if answer["reason_coverage"] is None else answer["reason_coverage"]
    assert abs(Fraction(reasons) - expected.reason_coverage) <= share
    assert answer["grade"] == expected.grade
    missing = sorted(((row["product"], row["machine"]) for row in answer["missing_standards"]), key=str)
    assert missing == sorted(expected.missing_standards, key=str)
