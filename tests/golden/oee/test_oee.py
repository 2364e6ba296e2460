"""The published OEE example through plant model, backfill and REST."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.integration.api.serving import client, served, told

HERE = Path(__file__).parent
PUBLISHED = {
    "availability": Decimal("0.888095"),
    "performance": Decimal("0.861081"),
    "quality_ratio": Decimal("0.978050"),
    "oee": Decimal("0.747937"),
}


def test_the_published_ratios_come_out(plain_database: str) -> None:
    told(plain_database, "oee", HERE / "plant", [HERE / "history.csv"])
    with served(plain_database) as address, client(address) as http:
        answer = http.get("/v1/kpis", params={"by": "machine"}).json(parse_float=Decimal)
    for figures in (answer["total"], *answer["rows"]):
        assert {name: figures[name] for name in PUBLISHED} == PUBLISHED
        assert figures["effectiveness"] == figures["performance"]
        assert (figures["produced"], figures["good"], figures["scrap"]) == (19271, 18848, 423)
        assert (figures["planned_busy_h"], figures["production_h"]) == (7, Decimal("6.216667"))
        assert figures["nee"] == figures["oee"]
        assert figures["technical_efficiency"] == figures["availability"]
        assert (figures["setup_rate"], figures["rework_ratio"], figures["no_standard"]) == (0, 0, 0)
        assert figures["worker_efficiency"] == Decimal("0.888095")
