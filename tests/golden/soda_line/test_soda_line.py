"""The soda line through plant model, backfill and REST: minutes by factor, efficiency, identities."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from tests.integration.api.serving import client, served, told

HERE = Path(__file__).parent
MINUTES = {2: 160, 3: 42, 4: 225, 5: 57, 6: 332, 7: 254, 8: 145, 9: 17, 10: 49, 11: 33, 12: 74}
RATE = Decimal(90 + 2 * 30)
MACHINE = "filler"


def table(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def history(folder: Path) -> Path:
    """Each batch: it runs for its minimum time, is counted, and stands for each factor in turn."""
    names = {row["factor"]: row["description"] for row in table("factors.csv")}
    least = {row["product"]: int(row["min_batch_min"]) for row in table("products.csv")}
    stops: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in table("downtime.csv"):
        stops[row["batch"]].append((names[row["factor"]], int(row["minutes"])))
    rows: list[tuple[str, ...]] = []

    def say(at: datetime, **roles: str) -> None:
        rows.extend((at.isoformat(), MACHINE, role, value) for role, value in roles.items())

    for number, batch in enumerate(table("batches.csv")):
        at = datetime.fromisoformat(f"{batch['date']}T{batch['start']}").replace(tzinfo=UTC)
        end = at.replace(hour=int(batch["end"][:2]), minute=int(batch["end"][3:]))
        end += timedelta(days=1) if end < at else timedelta()
        if number == 0:
            say(at, good_count="0")
        say(at, state="running", product=batch["product"], order=batch["batch"], reason="")
        at += timedelta(minutes=least[batch["product"]])
        say(at - timedelta(seconds=1), good_count=str(number + 1))
        for reason, minutes in stops[batch["batch"]]:
            say(at, state="down", reason=reason)
            at += timedelta(minutes=minutes)
        assert at == end, batch
        say(at, state="idle", product="", order="", reason="")
    told_last = {(time, role): row for row in rows for time, _, role, _ in [row]}
    path = folder / "history.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("time", "machine", "role", "value"), *told_last.values()])
    return path


def get(http: httpx.Client, address: str) -> dict[str, Any]:
    answer = http.get(address)
    assert answer.status_code == 200, answer.text
    return dict(answer.json(parse_float=Decimal))


def test_published_minutes_and_identities_come_out(plain_database: str, tmp_path: Path) -> None:
    told(plain_database, "soda", HERE / "plant", [history(tmp_path)])
    with served(plain_database) as address, client(address) as http:
        stops = get(http, "/v1/costs?resource=machine&cause=downtime&by=reason")
        costs = get(http, "/v1/costs?by=resource,cause")
        variances = get(http, "/v1/variances?by=resource,cause")
        products = get(http, "/v1/products")
        figures = get(http, "/v1/kpis?by=product")["rows"]
    names = {row["description"]: int(row["factor"]) for row in table("factors.csv")}
    minutes = {names[row["reason"]]: row["quantity"] * 60 for row in stops["rows"]}
    assert {factor: round(told_) for factor, told_ in minutes.items()} == MINUTES
    assert sum(MINUTES.values()) == 1388

    own = [row for row in figures if row["product"] is not None]
    running, busy = (sum(row[name] for row in own) for name in ("production_h", "planned_busy_h"))
    assert (round(running * 60, 2), round(busy * 60, 2)) == (2470, 3858)
    assert round(running / busy, 6) == Decimal("0.640228")
    assert sum(row["good"] for row in own) == 38

    taken = {row["product"]: row["actual_cost"] for row in products["rows"]}
    assert sum(taken.values()) == round(RATE * 3858 / 60, 4)
    apart = products["unused_capacity"] + products["idle_labour"] + products["unassigned"]
    assert sum(taken.values()) + sum(row["amount"] for row in apart) == products["total"] == costs["total"]
    assert variances["total"]["allowance"] == RATE * 2470 / 60
    assert variances["total"]["variance"] == costs["total"] - RATE * 2470 / 60
    assert sum(row["variance"] for row in variances["rows"]) == variances["total"]["variance"]
    assert all(row["standard_unit_cost"] <= row["actual_unit_cost"] for row in products["rows"])
