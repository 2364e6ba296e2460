"""Two sites, at one of them two lines, all told by names that give them away; and twins of them that differ
in money alone."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloud_api.answers.places import Atlas
from cloud_api.store.pool import connect
from cloud_api.work.decisions import draft_decisions
from cloud_api.work.questions import raise_questions
from tests.integration.api.serving import told

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
FIRST = datetime(2026, 3, 2, 6, tzinfo=UTC)
ASKED = (datetime(2026, 3, 4, 9, tzinfo=UTC), datetime(2026, 3, 4, 12, tzinfo=UTC))
OWN, OTHER, ABROAD = "own", "zzline", "yyline"
MARKS = {"line": "zz", "site": "yy"}
"""What stands in every name of the other line, and of the other site."""
LINES = {"home": {OWN: "saw", OTHER: "zzpress"}, "yysite": {ABROAD: "yymill"}}
ORDERS = "order,product,machine,planned_start,planned_end,quantity\n"


def model(site: str, money: int, wages: int) -> dict[str, str]:
    """Files of a plant model; every price times `money`, every wage times `wages`."""
    lines = "".join(
        f"  - {{id: {line}, machines: [{{id: {machine}, cost_centre: {machine}-cc, "
        f"rate: [{{from: 2026-01-01, standard: {91 * money}, actual: {93 * money}}}]}}]}}\n"
        for line, machine in LINES[site].items()
    )
    text = f"""\
site: {site}
time_zone: UTC
currency: EUR
calendar: {{shifts: [{{name: D, days: [mon, tue, wed, thu, fri], start: "06:00", end: "14:00"}}]}}
labour: [{{from: 2026-01-01, standard: {31 * wages}, actual: {33 * wages}, overtime_multiplier: 1.5}}]
energy: [{{from: 2026-01-01, standard: {money}, actual: {money * 2}}}]
materiality: {{amount: 1, share: 0.00001}}
lines:
{lines}"""
    files = {"site.yaml": text}
    tables = {
        "standards": "product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,"
        "availability,energy_kwh\n",
        "bill": "product,machine,material,from,quantity\n",
        "prices": "material,from,standard,actual\n",
        "products": "product,from,sales_price\n",
        "orders": ORDERS,
        "budget": "month,product,machine,good_units,unit_cost\n",
    }
    for machine in LINES[site].values():
        tables["standards"] += f"{machine}-p,{machine},2026-01-01,36,2,0.02,0,10,100,0.95,0.5\n"
        tables["bill"] += f"{machine}-p,{machine},{machine}-steel,2026-01-01,2\n"
        tables["prices"] += f"{machine}-steel,2026-01-01,{2 * money},{3 * money}\n"
        tables["products"] += f"{machine}-p,2026-01-01,{17 * money}\n"
        tables["orders"] += (
            f"{machine}-o,{machine}-p,{machine},2026-03-02T06:00:00Z,2026-03-04T14:00:00Z,900\n"
        )
        tables["budget"] += f"2026-03-01,{machine}-p,{machine},900,{9 * money}\n"
    return files | {f"{name}.csv": text for name, text in tables.items()}


def history(folder: Path, site: str) -> Path:
    """Three days of every machine: running, a stop without a reason and one with, scrap, overtime."""
    path = folder / f"{site}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("time", "machine", "role", "value"))
        for machine in LINES[site].values():
            table.writerows(_days(machine))
    return path


def _days(machine: str) -> list[tuple[str, str, str, str]]:
    rows: list[tuple[str, str, str, str]] = []
    for day in range(3):
        at = FIRST + timedelta(days=day)

        def say(hour: float, at: datetime = at, **roles: object) -> None:
            moment = (at + timedelta(hours=hour)).isoformat()
            rows.extend((moment, machine, role, str(value)) for role, value in roles.items())

        say(0, state="running", product=f"{machine}-p", order=f"{machine}-o", crew=3)
        say(0, good_count=1000 + 600 * day, scrap_count=50 + 40 * day)
        for hour in range(1, 9):
            say(hour, good_count=1000 + 600 * day + 70 * hour, scrap_count=50 + 40 * day + 5 * hour)
        say(2.1, state="down")
        say(2.6, state="running")
        say(4.1, state="down", reason=f"{machine}-jam")
        say(4.4, state="running", reason="")
        say(9, state="idle")
    return sorted(rows)


def build(url: str, folder: Path, *, money: int = 1, wages: int = 1) -> None:
    """Both sites, interpreted, with questions and drafts as of NOW."""
    for site in LINES:
        plant = folder / site
        plant.mkdir(parents=True)
        for name, text in model(site, money, wages).items():
            (plant / name).write_text(text, encoding="utf-8")
        told(url, site, plant, [history(folder, site)])
    with connect(url) as connection:
        for place in Atlas().places(connection).sites:
            for at in ASKED:
                raise_questions(connection, place, at)
            draft_decisions(connection, place, NOW)
