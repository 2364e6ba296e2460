"""Activities and unused capacity of the published example through plant model, backfill and REST."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.integration.api.serving import client, served, told

HERE = Path(__file__).parent
START = datetime(2026, 3, 2, tzinfo=UTC)
ACTIVITIES = (("order", 490, 8), ("inquiry", 14, 44), ("credit check", 25, 50))
PRACTICAL_MINUTES = 7000


def history(folder: Path) -> Path:
    """Activity after activity, each counted within its minutes, then idle to the end of the capacity."""
    rows: list[tuple[str, ...]] = [("time", "machine", "role", "value")]

    def say(minute: int, role: str, value: object) -> None:
        rows.append(((START + timedelta(minutes=minute)).isoformat(), "desk", role, str(value)))

    minute = count = 0
    say(0, "good_count", 0)
    for product, quantity, minutes in ACTIVITIES:
        say(minute, "state", "running")
        say(minute, "product", product)
        count, minute = count + quantity, minute + quantity * minutes
        say(minute - 1, "good_count", count)
    say(minute, "state", "idle")
    say(PRACTICAL_MINUTES, "state", "idle")
    path = folder / "history.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_the_published_amounts_come_out(plain_database: str, tmp_path: Path) -> None:
    told(plain_database, "tdabc", HERE / "plant", [history(tmp_path)])
    with served(plain_database) as address, client(address) as http:
        answer = http.get("/v1/products").json(parse_float=Decimal)
    costs = {row["product"]: row["actual_cost"] for row in answer["rows"]}
    assert costs == {"order": 3136, "inquiry": Decimal("492.8"), "credit check": 1000}
    assert sum(costs.values()) == Decimal("4628.80")
    (unused,) = answer["unused_capacity"]
    assert (unused["cause"], unused["amount"]) == ("idle", Decimal("971.20"))
    assert round(unused["hours"] * 60, 3) == 1214
    assert answer["total"] == 5600
    assert {row["product"]: row["actual_unit_cost"] for row in answer["rows"]} == {
        name: Decimal(minutes) * Decimal("0.8") for name, _, minutes in ACTIVITIES
    }
