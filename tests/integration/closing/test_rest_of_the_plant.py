"""Quality, maintenance, actuals and confirmations: what they move, what they explain, what they reconcile."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from cloud_api.work.recompute_command import run
from tests.integration.api.serving import told as told_of
from tests.integration.closing.months import (
    asked,
    bring,
    by_cause,
    day,
    finance,
    history,
    load,
    write_plant,
)
from tests.reference.workshop import Workshop, write_csv

QUALITY = """\
time,machine,product,order,units,disposition,reason
2026-01-30T13:20:00+01:00,m1,P,A1,10,scrap,crack
2026-01-31T13:20:00+01:00,m1,P,A1,4,rework,
2026-01-31T13:30:00+01:00,m1,P,A1,30,hold,
2026-02-01T09:00:00+01:00,m1,P,A1,12,release,
"""
MAINTENANCE = """\
start,end,machine,kind,cost,in_rate,text
2026-01-30T10:15:00+01:00,2026-01-30T10:45:00+01:00,m1,repair,80,false,bearing
"""
ACTUALS = """\
month,cost_centre,resource,amount,hours
2026-01,C1,machine,2200,20
2026-01,C1,labour,3500,110
2026-01,C1,energy,100,
2026-01,C9,machine,50,1
"""
CONFIRMATIONS = """\
time,order,machine,good,scrap
2026-01-31T15:00:00+01:00,A1,m1,600,10
"""


@pytest.fixture
def told(plain_database: str, tmp_path: Path) -> str:
    load(plain_database, write_plant(tmp_path))
    bring(plain_database, tmp_path, history())
    return plain_database


def test_late_scrap_reprices_the_order_that_made_the_units(told: str, tmp_path: Path) -> None:
    with finance(told) as http:
        before, good = by_cause(http, "2026-01", order="A1"), counted(http)
        load(told, write_plant(tmp_path, quality=QUALITY))
        after = by_cause(http, "2026-01", order="A1")
        moved = {cell: after[cell] - before.get(cell, Decimal(0)) for cell in after}
        # 10 units scrapped and 4 sent round again, of 36 s and 0.1 kWh: 100 and 2 x 30 an hour, 0.2 a kWh.
        assert {cell: amount for cell, amount in moved.items() if amount} == {
            ("machine", "production"): Decimal(-14),
            ("machine", "scrap"): Decimal(10),
            ("machine", "rework"): Decimal(4),
            ("labour", "production"): Decimal("-8.4"),
            ("labour", "scrap"): Decimal(6),
            ("labour", "rework"): Decimal("2.4"),
            ("energy", "production"): Decimal("-0.28"),
            ("energy", "scrap"): Decimal("0.2"),
            ("energy", "rework"): Decimal("0.08"),
        }
        assert counted(http) == good - 14
        crack = asked(http, "costs", period="2026-01", reason="crack")
        assert crack["total"] == 0
        evidence = asked(http, "segments", period="2026-01", cause="production", order="A1")
        assert sum(row["amount"] for row in evidence["rows"]) == evidence["total"]
    assert run(told, prove_=True, say=print, complain=print) == 0


def test_what_is_decided_after_the_last_sample_counts_and_moves_on_with_the_data(
    told: str, tmp_path: Path
) -> None:
    quality = "time,machine,product,order,units,disposition,reason\n"
    quality += "2026-02-03T09:10:00+01:00,m1,P,A1,10,scrap,\n"
    with finance(told) as http:
        load(told, write_plant(tmp_path, quality=quality))
        assert scrap_by_day(http) == {"2026-02-02": 10}
        assert run(told, prove_=True, say=print, complain=print) == 0
        bring(told, tmp_path, day("2026-02-03", 80, 2304), "later")
        assert scrap_by_day(http) == {"2026-02-03": 10}
    assert run(told, prove_=True, say=print, complain=print) == 0


def scrap_by_day(http: httpx.Client) -> dict[str, Decimal]:
    rows = asked(http, "costs", by="day", cause="scrap", resource="machine")["rows"]
    return {row["day"]: row["amount"] for row in rows if row["amount"]}


def counted(http: httpx.Client) -> Decimal:
    good: Decimal = asked(http, "variances", period="2026-01")["good_units"]
    return good


def test_maintenance_explains_the_stop_that_it_overlaps(told: str, tmp_path: Path) -> None:
    with finance(told) as http:
        assert asked(http, "confidence", period="2026-01")["confidence"]["reason_coverage"] == 0
        load(told, write_plant(tmp_path, maintenance=MAINTENANCE))
        row = asked(http, "segments", period="2026-01", reason="maintenance: repair")["rows"][0]
        assert (row["from"], row["to"]) == ("2026-01-30T09:15:00Z", "2026-01-30T09:45:00Z")
        assert asked(http, "confidence", period="2026-01")["confidence"]["reason_coverage"] == Decimal("0.25")
        assert by_cause(http, "2026-01")["other", "downtime"] == 80


def test_the_walk_from_the_floor_to_the_erp(told: str, tmp_path: Path) -> None:
    files = {"actuals": ACTUALS, "confirmations": CONFIRMATIONS, "quality": QUALITY}
    load(told, write_plant(tmp_path, **files))
    with finance(told) as http:
        said = asked(http, "reconciliation", month="2026-01")
        assert said == asked(http, "reconciliation")
        assert said["floor"] == asked(http, "costs", period="2026-01")["total"]
        assert said["erp"] == 5850
        walk = {
            (step["item"], step["cost_centre"], step["resource"]): step["amount"] for step in said["walk"]
        }
        # The floor: two days of 8 machine hours at 100, and people at 31.
        rows = {row["resource"]: row for row in said["rows"] if row["cost_centre"] == "C1"}
        assert (rows["machine"]["floor"], rows["machine"]["floor_hours"]) == (1600, 16)
        assert walk["capacity not scheduled", "C1", "machine"] == 400
        assert walk["rates not final", "C1", "machine"] == 200
        assert walk["no machine of the floor has this cost centre", "C9", "machine"] == 50
        hours, floor = rows["labour"]["floor_hours"], rows["labour"]["floor"]
        assert walk["paid hours not at a machine", "C1", "labour"] == (110 - hours) * 31
        assert floor == hours * 31
        assert said["remainder"] == 100 - rows["energy"]["floor"]
        assert said["floor"] + sum(walk.values()) + said["remainder"] == said["erp"]
        assert {step["owner"] for step in said["walk"]} == {"planning", "controlling", "production"}
        lacking = said["counts_not_confirmed"][0]
        assert (lacking["floor_good"], lacking["confirmed_good"]) == (2 * 320 + 4 - 14, 600)
        assert lacking["amount"] > 0
        held = said["on_hold"][0]
        assert (held["units"], held["since"]) == (18, "2026-01-31T12:30:00Z")
        assert http.get("/v1/reconciliation", params={"month": "2026-13"}).status_code == 400


def test_units_that_the_erp_lacks_are_worth_what_the_line_put_into_them(
    plain_database: str, tmp_path: Path
) -> None:
    """A unit of P through m1 may cost 0.6 + 0.6 + 0.05 + 1 + 0.6, through m2 1.55 more."""
    shop = Workshop(tmp_path / "shop")
    shop.second_machine()
    for machine, good in (("m1", 95), ("m2", 90)):
        shop.say("08:00", "order", "O1", machine)
        shop.run("08:00", "10:00", machine=machine)
        shop.say("09:30", "good_count", good, machine)
        at = "2026-03-02T12:00:00Z"
        shop.tables["confirmations.csv"].append((at, "O1", machine, str(good - 10), "0"))
    history = tmp_path / "history.csv"
    write_csv(history, ("time", "machine", "role", "value", "quality"), shop.samples)
    told_of(plain_database, "workshop", shop.write(tmp_path / "workshop"), [history])
    with finance(plain_database) as http:
        rows = asked(http, "reconciliation", month="2026-03")["counts_not_confirmed"]
    assert {row["machine"]: row["amount"] for row in rows} == {"m1": Decimal("28.5"), "m2": 44}
