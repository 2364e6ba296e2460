"""The tie of the active period method through plant model, backfill and REST."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.integration.api.serving import client, served, told

HERE = Path(__file__).parent


def test_two_machines_active_alike_share_the_constraint(plain_database: str) -> None:
    told(plain_database, "tie", HERE / "plant", [HERE / "history.csv"])
    with served(plain_database) as address, client(address) as http:
        rows = http.get("/v1/constraints").json(parse_float=Decimal)["rows"]
    assert {row["machine"] for row in rows} == {"m1", "m2"}
    for row in rows:
        assert (row["sole_share"], row["shifting_share"]) == (0, 1)
        assert row["views"]["scheduled"] == {"sole_share": 0, "shifting_share": 1}
        assert row["utilisation"] == (Decimal(50) / 120).quantize(Decimal("0.000001"))
