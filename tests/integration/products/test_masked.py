"""A constraint that overtime hides: m1 needs four hours beyond its shift every day, m2 is never at rest.

In scheduled time m2 is the constraint that is seen; by regular load it is m1 (11.5 of 8 hours), held up by
overtime and a third person. m2 stops twice a day for two minutes, and m1 is named in a note.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg

from tests.integration.api.serving import client, served, told

SITE = """\
site: press-shop
time_zone: UTC
currency: EUR
calendar:
  shifts:
    - {name: D, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}
    - {name: O, days: [mon, tue, wed, thu, fri], start: "14:00", end: "18:00", overtime: true}
labour: [{from: 2026-01-01, standard: 30, actual: 30, overtime_multiplier: 1.5}]
energy: [{from: 2026-01-01, standard: 0.2, actual: 0.2}]
intervention_min: 4
lines:
  - id: one
    machines:
      - {id: m1, rate: [{from: 2026-01-01, standard: 90, actual: 90}]}
      - {id: m2, rate: [{from: 2026-01-01, standard: 60, actual: 60}]}
"""
STANDARDS = """\
product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,availability,energy_kwh
P,m1,2026-01-01,36,2,0,0,0,,1,0
P,m2,2026-01-01,30,1,0,0,0,,1,0
"""
DAYS = 2


def write(folder: Path) -> tuple[Path, Path]:
    plant = folder / "press-shop"
    plant.mkdir()
    (plant / "site.yaml").write_text(SITE, encoding="utf-8")
    (plant / "standards.csv").write_text(STANDARDS, encoding="utf-8")
    (plant / "orders.csv").write_text(
        "order,product,machine,planned_start,planned_end,quantity\n"
        "X0,P,m2,2026-03-02T06:00:00Z,2026-03-02T12:00:00Z,1000\n"
        "X1,P,m2,2026-03-03T06:00:00Z,2026-03-03T12:00:00Z,900\n",
        encoding="utf-8",
    )
    (plant / "products.csv").write_text("product,from,sales_price\nP,2026-01-01,5\n", encoding="utf-8")
    rows: list[tuple[str, ...]] = []

    def say(day: int, clock: str, machine: str, role: str, value: str) -> None:
        hours, minutes = map(int, clock.split(":"))
        at = datetime(2026, 3, 2 + day, tzinfo=UTC) + timedelta(hours=hours, minutes=minutes)
        rows.append((at.isoformat(), machine, role, value))

    for day in range(DAYS):
        for machine in ("m1", "m2"):
            say(day, "6:00", machine, "product", "P")
            say(day, "6:00", machine, "order", f"X{day}")
            say(day, "6:00", machine, "good_count", str(day * 900))
            say(day, "13:00", machine, "good_count", str(day * 900 + 900))
        say(day, "6:00", "m1", "crew", "3")
        for clock, state in (
            ("6:00", "running"),
            ("13:30", "waiting"),
            ("14:00", "running"),
            ("18:00", "idle"),
        ):
            say(day, clock, "m1", "state", state)
        for clock, state in (("6:00", "running"), ("9:00", "down"), ("9:02", "running"), ("11:59", "down"),
                             ("12:01", "running"), ("14:00", "idle")):  # fmt: skip
            say(day, clock, "m2", "state", state)
    say(DAYS - 1, "18:00", "m2", "state", "idle")
    history = folder / "history.csv"
    with history.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("time", "machine", "role", "value"), *sorted(rows)])
    return plant, history


def test_overtime_that_hides_a_constraint_is_told(plain_database: str, tmp_path: Path) -> None:
    plant, history = write(tmp_path)
    told(plain_database, "press-shop", plant, [history])
    with psycopg.connect(plain_database) as connection:
        connection.execute(
            "insert into notes (site, kind, text, machine, starts_at) "
            "values ('press-shop', 'workaround', 'fed by hand', 'm1', '2026-03-02T07:00Z')"
        )
    with served(plain_database) as address, client(address) as http:
        answer = http.get("/v1/constraints").json(parse_float=Decimal)
        orders = http.get("/v1/orders").json(parse_float=Decimal)["rows"]
        work = http.get("/v1/products").json(parse_float=Decimal)["rows"][0]["supervision"]
    rows = {row["machine"]: row for row in answer["rows"]}
    m1, m2 = rows["m1"], rows["m2"]
    assert (m2["is_constraint"], m2["sole_share"], m2["stability"]) == (True, Decimal("0.666667"), 1)
    assert m2["views"]["without_overtime"]["sole_share"] == 1
    assert (m1["regular_load"], m2["regular_load"]) == (Decimal("1.4375"), 1)
    assert (m1["masked"], m2["masked"]) == (True, False)
    props = {prop["by"]: prop for prop in m1["masked_by"]}
    assert set(props) == {"overtime", "crew", "workaround"}
    # Four hours of three people a day at half a wage more; a third person for 12 hours a day.
    assert (props["overtime"]["hours"], props["overtime"]["amount"]) == (8, DAYS * 4 * 3 * 15)
    assert props["crew"]["amount"] == DAYS * 12 * 30
    assert props["workaround"]["notes"] == 1
    # An hour less of m1 saves three people at one and a half wages.
    assert m1["relief_per_hour"] == 3 * 45
    (line,) = answer["absorbed"]
    # One person stands idle at m2 all through the overtime shift.
    assert (line["overtime"], line["crew"]) == (DAYS * (180 + 60), DAYS * 360)
    assert line["amount"] == DAYS * 600
    assert (work["short_stops"], work["notes"]) == (2 * DAYS, 1)
    # 900 of 1000 made when m2 went home; it makes another order the day after.
    assert [(row["state"], row["completion"], row["forecast"]) for row in orders] == [
        ("left", "2026-03-02T14:00:00Z", False),
        ("done", "2026-03-03T13:00:00Z", False),
    ]
    assert [row["late_h"] for row in orders] == [2, 1]
    assert work["amount"] == 5 * 4 * 30 / Decimal(60)
