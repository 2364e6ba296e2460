"""Bridges of random plants and of the worked cases, against the reference reading of the same files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud_api.interpret.shapley import shapley
from tests.golden.cost.cases import CostCase, cost_cases, measured
from tests.integration.api.serving import client, served, told
from tests.reference import Result, compute
from tests.reference.clock import microseconds, moment_of
from tests.reference.plants import make_plant

Sides = tuple[Fraction, Fraction]
ZERO = Fraction(0)
ROUNDING = Fraction(1, 1000)
"""Bars are rounded to 4 decimals so that they add up: some of them by a step more."""
PARTS = ("lot_size", "sequence", "duration")
UNUSED = {("machine", "idle"), ("machine", "waiting")}


def ask(http: httpx.Client, **parameters: str) -> dict[str, Any]:
    answer = http.get("/v1/bridge", params=parameters)
    assert answer.status_code == 200, answer.text
    bridge: dict[str, Any] = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
    assert bridge["start"] + sum(bar["amount"] for bar in bridge["bars"]) == bridge["end"]
    for bar in bridge["bars"]:
        assert sum(row["amount"] for row in bar["evidence"]) == bar["amount"]
    return bridge


def window(span: tuple[int, int]) -> dict[str, str]:
    return {"from": moment_of(span[0]).isoformat(), "to": moment_of(span[1]).isoformat()}


def cells_of(bridge: dict[str, Any]) -> dict[tuple[str, str], Fraction]:
    """Bars by resource and cause, parts of a changeover together."""
    sums: dict[tuple[str, str], Fraction] = {}
    for bar in bridge["bars"]:
        key = (bar["resource"], bar["cause"])
        sums[key] = sums.get(key, ZERO) + Fraction(bar["amount"])
    return sums


def differ(found: Mapping[Any, Fraction], expected: Mapping[Any, Fraction]) -> list[str]:
    return [
        f"{key}: {float(found.get(key, ZERO))}, reference {float(expected.get(key, ZERO))}"
        for key in {*found, *expected}
        if abs(found.get(key, ZERO) - expected.get(key, ZERO)) > ROUNDING
    ]


def standard_walk(result: Result) -> dict[tuple[str, str], Fraction]:
    cells = result.variances(("resource", "cause"))
    return {(str(key[0]), str(key[1])): cell.variance for key, cell in cells.items() if cell.variance}


def walk_between(start: Result, end: Result, per_unit: bool) -> dict[str, Fraction]:
    """Volume, mix and each cause by Shapley's own definition, one product and cause a game."""
    by = ("line", "product", "resource", "cause")
    costs = tuple(side.costs(by) for side in (start, end))
    units = tuple(
        {key: row["counted"] for key, row in side.output(("line", "product")).items() if row["counted"]}
        for side in (start, end)
    )
    volume = tuple(sum(made.values(), ZERO) for made in units)
    bars: dict[str, Fraction] = {}

    def add(name: str, amount: Fraction) -> None:
        bars[name] = bars.get(name, ZERO) + amount

    for key in {*costs[0], *costs[1]}:
        line, product, resource, cause = key
        if per_unit and (resource, cause) in UNUSED:
            continue
        name = f"{resource}/{cause}" if cause in ("price", "usage") else str(cause)
        cost = tuple(side.get(key, ZERO) for side in costs)
        made = tuple(side.get((line, product), ZERO) if product is not None else ZERO for side in units)
        for at, sign in ((0, -1), (1, 1)):
            if not made[at]:
                add(name, sign * cost[at] / (volume[at] if per_unit else 1))
        rates = [amount / count if count else None for amount, count in zip(cost, made, strict=True)]
        known = [rate for rate in rates if rate is not None]
        if not known:
            continue
        rate = tuple(known[0] if one is None else one for one in rates)
        share = tuple(count / whole if whole else ZERO for count, whole in zip(made, volume, strict=True))
        quantities: dict[str, tuple[Fraction, ...]] = {"mix": share, name: rate}
        if not per_unit:
            quantities["volume"] = volume

        def value(switched: frozenset[str], of: Mapping[str, tuple[Fraction, ...]] = quantities) -> Fraction:
            product_of = Fraction(1)
            for factor, sides in of.items():
                product_of *= sides[factor in switched]
            return product_of

        for factor, amount in shapley(list(quantities), value).items():
            add(factor, amount)
    return bars


@pytest.mark.parametrize("seed", [3, 14])
def test_random_plants_agree(plain_database: str, tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path, days=2)
    told(plain_database, made.site, made.directory, list(made.histories))
    begin, end = made.odd_window
    middle = begin + (end - begin) // 2
    first, last = (
        compute(made.directory, made.histories, *span) for span in ((begin, middle), (middle, end))
    )
    base = {"base_from": moment_of(begin).isoformat(), "base_to": moment_of(middle).isoformat()}
    with served(plain_database) as address, client(address) as http:
        for result, span in (
            (last, (middle, end)),
            (compute(made.directory, made.histories, *made.window), made.window),
        ):
            bridge = ask(http, base="standard", measure="total_cost", by="resource", **window(span))
            assert differ(cells_of(bridge), standard_walk(result)) == []
        asked = {**window((middle, end)), **base}
        for measure, per_unit in (("total_cost", False), ("unit_cost", True)):
            if per_unit and not all(
                any(row["counted"] for row in side.output(("line",)).values()) for side in (first, last)
            ):
                continue
            expected = walk_between(first, last, per_unit)
            for by in ("", "machine,product", "shift,reason"):
                bridge = ask(http, measure=measure, by=by, **asked)
                found: dict[str, Fraction] = {}
                for bar in bridge["bars"]:
                    found[bar["factor"]] = found.get(bar["factor"], ZERO) + Fraction(bar["amount"])
                assert differ(found, expected) == [], (measure, by)


@pytest.mark.parametrize(
    "case", [case for case in cost_cases() if case.measures()], ids=lambda case: case.name
)
def test_published_variances_are_the_bars(plain_database: str, case: CostCase) -> None:
    site = "".join(
        line.partition(":")[2].strip()
        for line in (case.plant / "site.yaml").read_text(encoding="utf-8").splitlines()
        if line.startswith("site:")
    )
    told(plain_database, site, case.plant, list(case.histories))
    start, end = case.window_text
    with served(plain_database) as address, client(address) as http:
        bridge = ask(http, base="standard", measure="total_cost", by="resource", **{"from": start, "to": end})
    cells = cells_of(bridge)
    for name, resource, causes, variance in case.measures():
        assert abs(measured(cells, resource, causes) - variance) <= ROUNDING, name


def test_the_worked_days_agree(plain_database: str) -> None:
    (case,) = [case for case in cost_cases() if case.name == "three_days"]
    told(plain_database, "three-days", case.plant, list(case.histories))
    cut = "2026-03-09T06:00:00-04:00"
    (begin, end), middle = case.window, microseconds(moment_of(0).fromisoformat(cut))
    first = compute(case.plant, case.histories, microseconds(begin), middle)
    last = compute(case.plant, case.histories, middle, microseconds(end))
    asked = {"base_from": case.window_text[0], "base_to": cut, "from": cut, "to": case.window_text[1]}
    with served(plain_database) as address, client(address) as http:
        for measure, per_unit in (("total_cost", False), ("unit_cost", True)):
            bridge = ask(http, measure=measure, **asked)
            found = {bar["factor"]: Fraction(bar["amount"]) for bar in bridge["bars"]}
            assert differ(found, walk_between(first, last, per_unit)) == []
        parts = ask(http, base="standard", measure="total_cost", machine="press", product="B",
                    **{"from": case.window_text[0], "to": case.window_text[1]})  # fmt: skip
    bars = {bar["factor"]: bar["amount"] for bar in parts["bars"]}
    assert set(PARTS) <= bars.keys()
