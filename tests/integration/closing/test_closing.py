"""A period is closed, then data comes late, then a standard is corrected."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from cloud_api.work.recompute_command import run
from tests.integration.closing.months import (
    SITE,
    STANDARDS,
    asked,
    bring,
    by_cause,
    finance,
    history,
    late_scrap,
    load,
    write_plant,
)

PATHS = (("costs", "resource,cause"), ("costs", "order,shift,hour"), ("variances", "product,resource,cause"))


def figures(http: httpx.Client, **window: str) -> list[Any]:
    told = [asked(http, path, by=by, **window) for path, by in PATHS]
    return [(one["total"], one["rows"]) for one in told]


@pytest.fixture
def closed(plain_database: str, tmp_path: Path) -> str:
    load(plain_database, write_plant(tmp_path))
    bring(plain_database, tmp_path, history())
    with finance(plain_database) as http:
        assert http.post("/v1/periods/2026-01/close", json={}).json()["status"] == "closed"
    return plain_database


def test_late_data_is_an_adjustment_and_a_corrected_standard_is_none(closed: str, tmp_path: Path) -> None:
    with finance(closed) as http:
        before = figures(http, period="2026-01")
        standing = asked(http, "confidence", period="2026-01")["confidence"]["coverage"]
        february = asked(http, "costs", period="2026-02")["total"]

        bring(closed, tmp_path, late_scrap(), "late")
        assert figures(http, period="2026-01") == before
        assert asked(http, "confidence", period="2026-01")["confidence"]["coverage"] == standing
        january, booked_in = asked(http, "periods")["rows"][:2]
        assert (january["status"], booked_in["id"]) == ("closed", "2026-02")
        late = {(row["resource"], row["cause"]): row["amount"] for row in january["adjustments"]}
        # 10 scrapped units of 36 s: 0.1 h of the machine at 100 and of two people at 30 go from speed loss to
        # scrap, and each unit is assumed to take 0.1 kWh at 0.2.
        assert late == {
            ("machine", "scrap"): Decimal(10),
            ("machine", "speed_loss"): Decimal(-10),
            ("labour", "scrap"): Decimal(6),
            ("labour", "speed_loss"): Decimal(-6),
            ("energy", "scrap"): Decimal("0.2"),
        }
        assert {row["booked_in"] for row in january["adjustments"]} == {"2026-02"}
        assert january["adjusted"] == booked_in["booked"] == Decimal("0.2")
        assert asked(http, "costs", period="2026-02")["total"] == february + Decimal("0.2")

        faster = STANDARDS.replace(",36,", ",30,")
        load(closed, write_plant(tmp_path, standards=faster), correction=True)
        assert figures(http, period="2026-01") == before
        assert asked(http, "periods")["rows"][0] == january
        assert_the_year_adds_up(http)
    assert_proved(closed)


def assert_proved(url: str) -> None:
    """Frozen figures are what the close recorded, and what follows from the samples that it knew; with their
    adjustments, what the samples give now."""
    lines: list[str] = []
    assert run(url, prove_=True, say=lines.append, complain=lines.append) == 0, lines
    assert "tiny m1: closed periods equal the replay of what was known at their close" in lines
    with psycopg.connect(url) as connection:
        connection.execute("alter table entries disable trigger all")
        connection.execute("update entries set amount = amount + 1 where cause = 'downtime'")
    assert run(url, prove_=True, say=lines.append, complain=lines.append) == 1
    assert "2026-01 machine/downtime: closed with" in "".join(lines)
    assert "machine/downtime: the replay has -1" in "".join(lines)


def test_a_sum_that_still_holds_does_not_hide_what_was_moved(closed: str) -> None:
    """An amount that is put into another hour leaves the recorded sums as they were; the replay tells."""
    with psycopg.connect(closed) as connection:
        connection.execute("alter table entries disable trigger all")
        for sign, date in ((1, "2026-01-30"), (-1, "2026-01-31")):
            connection.execute(
                "update entries set amount = amount + %s where cause = 'downtime' and resource = 'machine' "
                "and production_day = %s",
                (sign, date),
            )
    lines: list[str] = []
    assert run(closed, prove_=True, say=lines.append, complain=lines.append) == 1
    told = [line for line in lines if line.startswith("a closed figure does not follow")]
    assert [line.split(": ", 1)[1] for line in told] == [
        "tiny 2026-01 m1 2026-01-30T09:00Z machine/downtime: the replay has -1.000000000000",
        "tiny 2026-01 m1 2026-01-31T09:00Z machine/downtime: the replay has +1.000000000000",
    ]
    assert not [line for line in lines if "closed with" in line]


def assert_the_year_adds_up(http: httpx.Client) -> None:
    """Months add up to the year, on both bases, which differ in the months alone."""
    year = {"from": "2026-01-01", "to": "2027-01-01", "by": "period"}
    for path, column in (("costs", "amount"), ("variances", "actual"), ("variances", "variance")):
        posted, event = asked(http, path, **year), asked(http, path, **year, basis="event")
        assert posted["total"] == event["total"]
        for told in (posted, event):
            whole = told["total"] if path == "costs" else told["total"][column]
            assert sum(row[column] for row in told["rows"]) == whole
            for row in told["rows"]:
                alone = asked(http, path, period=row["period"], basis=told["basis"])["total"]
                assert abs((alone if path == "costs" else alone[column]) - row[column]) <= Decimal("0.0001")


def test_where_they_belong(closed: str, tmp_path: Path) -> None:
    with finance(closed) as http:
        frozen = by_cause(http, "2026-01")
        bring(closed, tmp_path, late_scrap(), "late")
        moved = by_cause(http, "2026-01", basis="event")
        assert moved["machine", "scrap"] == Decimal(10)
        assert moved["machine", "speed_loss"] == frozen["machine", "speed_loss"] - 10
        assert ("machine", "scrap") not in by_cause(http, "2026-02", basis="event")
        assert by_cause(http, "2026-02")["machine", "scrap"] == Decimal(10)
        rows = asked(http, "segments", period="2026-01", basis="event", cause="scrap")
        assert sum(row["amount"] for row in rows["rows"]) == rows["total"] == Decimal("16.2")


LATE_ORDER = """\
2026-01-31T11:12:00+01:00,m1,state,running
2026-01-31T11:12:00+01:00,m1,order,A2
2026-01-31T11:48:00+01:00,m1,state,idle
"""
"""36 minutes of another order, told after the close."""


def test_key_figures_and_orders_follow_the_basis(closed: str, tmp_path: Path) -> None:
    """What came late counts in the open period, or on basis event where it belongs; months add up to the
    year on both."""
    with finance(closed) as http:
        frozen = asked(http, "kpis", period="2026-01")["total"]
        bring(closed, tmp_path, late_scrap() + LATE_ORDER, "late")
        assert asked(http, "kpis", period="2026-01")["total"] == frozen
        assert asked(http, "kpis", period="2026-02")["total"]["scrap"] == 10
        told = asked(http, "kpis", period="2026-01", basis="event")["total"]
        assert told["scrap"] == 10
        assert told["production_h"] == frozen["production_h"] + Decimal("0.6")
        assert asked(http, "kpis", period="2026-02", basis="event")["total"]["scrap"] == 0
        year = {"from": "2026-01-01", "to": "2027-01-01"}
        for basis in ("posting", "event"):
            whole = asked(http, "kpis", **year, basis=basis)["total"]
            parts = asked(http, "kpis", **year, by="period", basis=basis)["rows"]
            for name in ("production_h", "planned_busy_h", "produced", "scrap"):
                assert sum(row[name] for row in parts) == whole[name]
        assert orders_of(http, "2026-01", "posting") == {"A1"}
        assert orders_of(http, "2026-02", "posting") == {"A1", "A2"}
        assert orders_of(http, "2026-01", "event") == {"A1", "A2"}
        assert orders_of(http, "2026-02", "event") == {"A1"}


def orders_of(http: httpx.Client, period: str, basis: str) -> set[str]:
    return {row["order"] for row in asked(http, "orders", period=period, basis=basis)["rows"]}


def test_an_order_keeps_the_standard_of_the_closed_days_that_made_it(closed: str, tmp_path: Path) -> None:
    with finance(closed) as http:
        (order,) = asked(http, "orders")["rows"]
        allowed = asked(http, "variances", order="A1")["total"]["allowance"]
        assert order["standard_cost"] == allowed
        load(closed, write_plant(tmp_path, standards=STANDARDS.replace(",36,", ",30,")), correction=True)
        after = asked(http, "variances", order="A1")["total"]["allowance"]
        assert after < allowed
        (order,) = asked(http, "orders")["rows"]
        assert order["standard_cost"] == after
        whole = asked(http, "variances", product="P")["total"]["allowance"]
        (made,) = asked(http, "products")["rows"]
        assert abs(made["standard_unit_cost"] * made["good_units"] - whole) < Decimal("0.1")


def test_a_later_standard_splits_only_what_is_open(closed: str, tmp_path: Path) -> None:
    with finance(closed) as http:
        january = asked(http, "variances", period="2026-01")["total"]
        february = asked(http, "variances", period="2026-02")["total"]
        load(closed, write_plant(tmp_path, standards=STANDARDS.replace(",36,", ",30,")))
        assert asked(http, "variances", period="2026-01")["total"] == january
        after = asked(http, "variances", period="2026-02")["total"]
        assert after["variance"] == february["variance"]
        assert after["planning"] != february["planning"] == 0
        assert_the_year_adds_up(http)


def test_late_charges_and_late_actual_prices_are_adjustments(closed: str, tmp_path: Path) -> None:
    charges = (
        "time,machine,product,order,cause,amount,text\n2026-01-31T10:00:00+01:00,m1,P,A1,expedite,250,van\n"
    )
    dearer = SITE.replace("standard: 100, actual: 100", "standard: 100, actual: 104")
    with finance(closed) as http:
        before = figures(http, period="2026-01")
        load(closed, write_plant(tmp_path, charges=charges, site=dearer))
        assert figures(http, period="2026-01") == before
        late = {
            (row["resource"], row["cause"]): row["amount"]
            for row in asked(http, "periods")["rows"][0]["adjustments"]
        }
        assert late == {("other", "expedite"): Decimal(250), ("machine", "price"): Decimal(64)}
        load(closed, write_plant(tmp_path, charges=charges.replace("250", "200"), site=dearer))
        late = {
            (row["resource"], row["cause"]): row["amount"]
            for row in asked(http, "periods")["rows"][0]["adjustments"]
        }
        assert late["other", "expedite"] == Decimal(200)
        assert_the_year_adds_up(http)


def test_a_closed_period_stays_closed(closed: str) -> None:
    with finance(closed) as http:
        for what in ("lock", "unlock", "close"):
            assert http.post(f"/v1/periods/2026-01/{what}", json={}).status_code == 409
        assert http.post("/v1/periods/2026-03/close", json={}).status_code == 409
        assert http.post("/v1/periods/nonsense/close", json={}).status_code == 404
    with psycopg.connect(closed) as connection:
        for meddling in (
            "delete from entries",
            "update periods set status = 'locked'",
            "delete from outputs",
        ):
            with pytest.raises(psycopg.errors.RaiseException), connection.transaction():
                connection.execute(meddling.encode())


def test_a_locked_period_keeps_its_plant_model_and_takes_late_data(
    plain_database: str, tmp_path: Path
) -> None:
    load(plain_database, write_plant(tmp_path))
    bring(plain_database, tmp_path, history())
    with finance(plain_database) as http:
        assert http.post("/v1/periods/2026-01/lock", json={}).json()["status"] == "locked"
        before = figures(http, period="2026-01")
        load(
            plain_database,
            write_plant(tmp_path, standards=STANDARDS.replace(",36,", ",30,")),
            correction=True,
        )
        assert figures(http, period="2026-01") == before
        assert asked(http, "costs", period="2026-01")["status"] == "locked"
        bring(plain_database, tmp_path, late_scrap(), "late")
        assert by_cause(http, "2026-01")["machine", "scrap"] == Decimal(10)
        assert http.post("/v1/periods/2026-01/unlock", json={}).json()["status"] == "provisional"
        assert http.post("/v1/periods/2026-01/close", json={}).json()["status"] == "closed"


def test_four_eyes(plain_database: str, tmp_path: Path) -> None:
    load(plain_database, write_plant(tmp_path, site=f"{SITE}four_eyes: true\n"))
    bring(plain_database, tmp_path, history())
    with finance(plain_database) as one, finance(plain_database) as other:
        for _ in range(2):
            asked_for = one.post("/v1/periods/2026-01/close", json={}).json()
            assert (asked_for["status"], asked_for["waits_for_second_person"]) == ("provisional", True)
        assert asked(one, "periods")["rows"][0]["waits_for_second_person"].startswith("key ")
        assert other.post("/v1/periods/2026-01/close", json={}).json()["status"] == "closed"
        assert asked(one, "periods")["rows"][0]["waits_for_second_person"] is None
    with psycopg.connect(plain_database) as connection:
        done = connection.execute("select action from audit where action like 'period%' order by audit_id")
        assert [row[0] for row in done] == [
            "period close asked for",
            "period close approved",
            "period closed",
        ]
