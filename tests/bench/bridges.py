"""How long a bridge takes over a year of fifty machines, against the bare sum of the same year; and verdicts,
assumptions and the forecast of the same plant, asked first and asked again.

Two years of daily sums of every cell, with shift, order and reason besides, and of hourly output; hourly
entries and a segment a minute in the dearest week of each year, where the evidence comes from."""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg

from tests.bench.timing import timed
from tests.conftest import Servers
from tests.integration.api.serving import served, told

LINES, MACHINES = 10, 5
ENDS = datetime(2026, 1, 1, 12, tzinfo=UTC)
SITE = """\
site: works
time_zone: Europe/Berlin
currency: EUR
calendar:
  day_start: "06:00"
  shifts:
    - {name: A, days: [mon, tue, wed, thu, fri, sat, sun], start: "06:00", end: "14:00"}
    - {name: B, days: [mon, tue, wed, thu, fri, sat, sun], start: "14:00", end: "22:00"}
    - {name: C, days: [mon, tue, wed, thu, fri, sat, sun], start: "22:00", end: "06:00"}
labour: [{from: 2024-01-01, standard: 30, actual: 31}]
energy: [{from: 2024-01-01, standard: 0.2, actual: 0.25}]
lines:
"""
CELLS = (
    ("machine", "production", 55),
    ("labour", "production", 22),
    ("energy", "production", 4),
    ("machine", "speed_loss", 9),
    ("labour", "speed_loss", 5),
    ("machine", "scrap", 2),
    ("machine", "downtime", 8),
    ("labour", "downtime", 4),
    ("machine", "changeover", 5),
    ("labour", "changeover", 3),
    ("machine", "idle", 6),
    ("labour", "idle", 3),
    ("energy", "usage", 1),
    ("labour", "price", 1),
)
"""Resource, cause, amount an hour."""
ASKED = tuple(
    (f"bridge of {measure} against {base}", f"/v1/bridge?base={base}&measure={measure}{more}")
    for base, measure, more in (
        ("previous", "unit_cost", ""),
        ("previous", "total_cost", ""),
        ("previous", "margin", ""),
        ("previous", "total_cost", "&by=machine"),
        ("previous", "total_cost", "&by=shift"),
        ("previous", "total_cost", "&by=order"),
        ("previous", "total_cost", "&by=reason"),
        ("standard", "unit_cost", ""),
        ("standard", "total_cost", ""),
        ("budget", "total_cost", ""),
    )
)

PLANT = (
    ("verdicts of every machine", "/v1/verdicts?to=2026-01-01"),
    ("verdicts of every machine, a year back", "/v1/verdicts?from=2025-01-01&to=2026-01-01"),
    ("assumptions", "/v1/assumptions?to=2026-01-01"),
    ("forecast", "/v1/forecast"),
)
"""Asked as of the end of the year."""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        servers = Servers(Path(folder))
        try:
            for url in servers.new_database("plain", servers.template):
                told(url, "works", write_plant(Path(folder)), [write_history(Path(folder))])
                fill(url)
                print_table(url)
        finally:
            servers.stop()
    return 0


def write_plant(folder: Path) -> Path:
    directory = folder / "works"
    directory.mkdir()
    lines, standards, budget = [SITE], [], []
    for line in range(LINES):
        machines = ", ".join(
            f"{{id: m-{line}-{at}, rate: [{{from: 2024-01-01, standard: 90, actual: 91}}]}}"
            for at in range(MACHINES)
        )
        lines.append(f"  - {{id: line-{line}, machines: [{machines}]}}\n")
        for product in range(4):
            budget.append(f"{product}-{line}")
            for at in range(MACHINES):
                standards.append(f"P{product},m-{line}-{at},2024-01-01,36,1,0.02,0,20,400,0.95,0.1\n")
    (directory / "site.yaml").write_text("".join(lines))
    head = (
        "product,machine,from,ideal_cycle_s,crew,scrap_rate,rework_rate,changeover_min,lot_size,"
        "availability,energy_kwh\n"
    )
    (directory / "standards.csv").write_text(head + "".join(standards))
    prices = "".join(f"P{product},2024-01-01,{12 + product}\n" for product in range(4))
    (directory / "products.csv").write_text("product,from,sales_price\n" + prices)
    rows = "".join(
        f"2025-{month:02},P{product},m-{line}-{at},15000,1.5\n"
        for month in range(1, 13)
        for product in range(4)
        for line in range(LINES)
        for at in range(MACHINES)
    )
    (directory / "budget.csv").write_text("month,product,machine,good_units,unit_cost\n" + rows)
    return directory


def write_history(folder: Path) -> Path:
    """A row of each machine, so that it is there."""
    path = folder / "history.csv"
    rows = "".join(
        f"2024-01-02T06:00:00Z,m-{line}-{at},state,idle\n" for line in range(LINES) for at in range(MACHINES)
    )
    path.write_text("time,machine,role,value\n" + rows)
    return path


def fill(url: str) -> None:
    """What two years leave behind."""
    with psycopg.connect(url, autocommit=True) as connection:
        for command in (*_sums(), *_dear_weeks(), *_after()):
            connection.execute(command.encode())


DAY = "((hour at time zone 'Europe/Berlin') - interval '6 hours')::date"
SHIFT = (
    "(array['A','B','C'])"
    "[1 + extract(hour from (hour at time zone 'Europe/Berlin') - interval '6 hours')::int / 8]"
)
ORDER = "'O' || extract(week from {})"


def _sums() -> tuple[str, ...]:
    """Daily sums of every cell, and hourly output."""
    cells = ", ".join(f"('{resource}', '{cause}', {amount})" for resource, cause, amount in CELLS)
    days = "generate_series('2024-01-01'::date, '2025-12-31', '1 day') as day"
    dear = "case when extract(doy from day) between 300 and 306 then 3 else 1 end"
    hours = "generate_series('2024-01-01T05:00Z'::timestamptz, '2026-01-01T04:00Z', '1 hour') as hour"
    return (
        "alter table entries disable trigger user",
        "alter table outputs disable trigger user",
        "insert into entry_days select 'works', machine_id, day, 'P' || extract(doy from day)::int % 4, "
        f"resource, cause, 'h', 24 * each * {dear} * (0.9 + 0.2 * random())::numeric(12, 11), 24, 24, "
        f"{ORDER.format('day')} "
        f"from machines, {days}, (values {cells}) as c (resource, cause, each) on conflict do nothing",
        f"insert into outputs select 'works', machine_id, hour, {DAY}, hour::date, 'running', product, own, "
        f"product, own, null, {SHIFT}, 'scheduled', false, false, 1, 3600000000, 0, 0, "
        "78 + (5 * random())::int, 2, 0, 5, false, '[]', '[]', false, null, 1 "
        f"from machines, (select hour, 'P' || extract(doy from {DAY})::int % 4 as product, "
        f"{ORDER.format(DAY)} as own from {hours}) as made",
    )


def _dear_weeks() -> tuple[str, ...]:
    """Hourly entries, and a segment a minute, of the dearest week of each year."""
    cells = ", ".join(f"('{resource}', '{cause}', {amount})" for resource, cause, amount in CELLS)
    years = "(values ('2024-01-01T05:00Z'::timestamptz), ('2025-01-01T05:00Z')) as y (year)"
    span = "year + interval '299 days', year + interval '306 days'"
    return (
        f"insert into entries select 'works', machine_id, hour, {DAY}, 'P1', 'O1', {SHIFT}, 'jam', null, "
        "resource, cause, null, 3 * each * (0.9 + 0.2 * random())::numeric(12, 11), 1, 'h', 90, null, 1, "
        f"false from machines, (select generate_series({span}, '1 hour') as hour from {years}) as h, "
        f"(values {cells}) as c (resource, cause, each)",
        "insert into segments select machine_id, date_trunc('hour', hour), hour, hour + interval '1 minute', "
        f"{DAY}, hour::date, (array['running', 'down', 'running', 'changeover'])"
        "[1 + extract(minute from hour)::int % 4], 'P1', 'O1', 'P1', 'O1', 'jam', 'A', 'scheduled', false, "
        "false, 1, 60000000, 0, 0, 1, 0, 0, 0.1, false, '[]', '[]', false "
        f"from machines, (select generate_series({span}, '1 minute') as hour from {years}) as t "
        "on conflict do nothing",
    )


def _after() -> tuple[str, ...]:
    tables = ("entries", "outputs", "segments", "entry_days", "entry_parts", "output_days")
    keys = "site, machine_id, production_day, effective, product, order_id, made_product, made_order, shift"
    return (
        "insert into entry_parts select site, machine_id, production_day, product, "
        "order_id, shift, case cause when 'downtime' then 'jam' end, resource, "
        "cause, unit, amount * part, quantity / 3, abs(amount) * part, 8 from entry_days, "
        "(values ('A', 0.3), ('B', 0.3), ('C', 0.4)) as s (shift, part)",
        f"insert into output_days select {keys}, sum(good), sum(scrap), sum(rework), sum(duration_us), "
        f"sum(duration_us), 0, sum(crew * duration_us), count(*) from outputs group by {keys}",
        "alter table entries enable trigger user",
        "alter table outputs enable trigger user",
        "update machine_spans set last_sample = '2026-01-01T05:00Z'",
        *(f"vacuum analyze {table}" for table in tables),
    )


def print_table(url: str) -> None:
    with psycopg.connect(url) as connection:
        query = "select cause, sum(amount) from entry_days where production_day >= '2025-01-01' group by 1"
        bare = timed(lambda: connection.execute(query).fetchall())
    sys.stdout.write(f"{'bare sum by cause of the same year':<46}{bare * 1000:>9.0f} ms      1.0 x\n")
    with served(url, now=ENDS) as address, httpx.Client(base_url=address, timeout=300) as http:
        gc.freeze()  # as the service does when it is loaded
        for name, asked in ASKED:
            path = f"{asked}&from=2025-01-01&to=2026-01-01"
            answer = http.get(path)
            assert answer.status_code == 200, answer.text
            took = timed(lambda path=path: http.get(path))
            by = path.partition("&by=")[2].partition("&")[0]
            told_as = f"{name} by {by}" if by else name
            sys.stdout.write(f"{told_as:<46}{took * 1000:>9.0f} ms {took / bare:>8.1f} x\n")
        for name, asked in PLANT:
            began = time.perf_counter()
            answer = http.get(asked)
            first = time.perf_counter() - began
            assert answer.status_code == 200, answer.text
            again = timed(lambda asked=asked: http.get(asked))
            sys.stdout.write(f"{name:<46}{first * 1000:>9.0f} ms first {again * 1000:>6.0f} ms again\n")


if __name__ == "__main__":
    sys.exit(main())
