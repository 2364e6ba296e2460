"""Finance's views against the API: every cell, and the doors of who reads them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from cloud_api.access import readers
from cloud_api.answers.fiscal import fiscal_periods
from cloud_api.errors import CloudError
from cloud_api.plant.load import load_directory
from cloud_api.store.migrations import migrate
from tests.integration.api.conftest import Shop
from tests.integration.api.serving import client, served, told
from tests.integration.api.shop import write_plant
from tests.reference.plants import make_plant

KEYS = ("machine", "product", "order", "shift", "resource", "cause", "day")
CENT = Decimal("0.001")
REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)


def asked(http: httpx.Client, path: str, *figures: str) -> dict[tuple[Any, ...], list[Decimal]]:
    rows: dict[tuple[Any, ...], list[Decimal]] = {}
    cursor: dict[str, str] = {}
    while True:
        query = {"by": ",".join(KEYS), "limit": "100000", **cursor}
        body = http.get(path, params=query).json(parse_float=Decimal)
        for row in body["rows"]:
            rows[tuple(row[key] for key in KEYS)] = [Decimal(row[figure]) for figure in figures]
        if not body["next_cursor"]:
            return rows
        cursor = {"cursor": body["next_cursor"]}


def viewed(url: str, view: str, *figures: str) -> dict[tuple[Any, ...], list[Decimal]]:
    sums: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(figures))
    columns = "machine, product, order_id, shift, resource, cause, day::text"
    with psycopg.connect(url) as connection:
        for row in connection.execute(f"select {columns}, {', '.join(figures)} from {view}".encode()):
            key, amounts = row[: len(KEYS)], row[len(KEYS) :]
            sums[key] = [total + amount for total, amount in zip(sums[key], amounts, strict=True)]
    return sums


def differing(api: dict[Any, list[Decimal]], view: dict[Any, list[Decimal]]) -> list[Any]:
    none = [Decimal(0)] * 3
    return [
        (key, api.get(key), view.get(key))
        for key in api.keys() | view.keys()
        if any(abs(a - b) > CENT for a, b in zip(api.get(key, none), view.get(key, none), strict=False))
    ]


def test_the_views_say_what_the_api_says(shop: Shop, http: httpx.Client) -> None:
    assert differing(asked(http, "/v1/costs", "amount"), viewed(shop.url, "fin_costs", "amount")) == []
    figures = ("actual", "allowance", "variance")
    view = viewed(shop.url, "fin_variances", *figures)
    assert differing(asked(http, "/v1/variances", *figures), view) == []


@pytest.mark.parametrize("seed", [3, 9])
def test_they_do_of_any_plant(plain_database: str, tmp_path: Path, seed: int) -> None:
    made = make_plant(seed, tmp_path, days=2)
    told(plain_database, made.site, made.directory, list(made.histories))
    figures = ("actual", "allowance", "variance")
    with served(plain_database) as address, client(address) as http:
        api = asked(http, "/v1/variances", *figures)
    assert differing(api, viewed(plain_database, "fin_variances", *figures)) == []


def test_every_column_is_explained(shop: Shop) -> None:
    with psycopg.connect(shop.url) as connection:
        said = connection.execute(readers.statement("finance.columns")).fetchall()
    assert len({view for view, *_ in said}) >= 9
    assert [row for row in said if not row[1] or not row[4]] == []


def test_a_reader_reads_the_views_and_nothing_else(plain_database: str) -> None:
    with psycopg.connect(plain_database) as connection:
        name = f"reader_{connection.info.dbname[-8:]}"
        url = readers.create(connection, name)
        connection.commit()
        with pytest.raises(CloudError, match="taken"):
            readers.create(connection, name)
    try:
        with psycopg.connect(url, autocommit=True) as reader:
            for view in readers.views(reader):
                reader.execute(f"select count(*) from {view}".encode())
            for command in ("select * from keys", "select * from entries", "create table mine (x int)"):
                with pytest.raises(REFUSED):
                    reader.execute(command.encode())
    finally:
        with psycopg.connect(plain_database) as connection:
            readers.drop(connection, name)
            with pytest.raises(CloudError, match="not a reader"):
                readers.drop(connection, name)


def test_a_reader_that_builds_writes_in_its_own_schema_only(plain_database: str) -> None:
    with psycopg.connect(plain_database) as connection:
        name = f"builder_{connection.info.dbname[-8:]}"
        url = readers.create(connection, name, builds=True)
    try:
        with psycopg.connect(url, autocommit=True) as builder:
            builder.execute("create table costs as select * from fin_costs")
            builder.execute("create view named as select * from public.fin_variances")
            made = builder.execute("select schemaname from pg_tables where tablename = 'costs'").fetchall()
            assert made == [(name,)]
            for command in (
                "create table public.mine (x int)",
                "create schema another",
                "select * from keys",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    builder.execute(command.encode())
        with psycopg.connect(plain_database) as connection, pytest.raises(CloudError, match="taken"):
            readers.create(connection, name)
    finally:
        with psycopg.connect(plain_database) as connection:
            readers.drop(connection, name)
            left = connection.execute("select 1 from pg_namespace where nspname = %s", [name]).fetchall()
    assert left == []


def test_every_column_is_of_a_type_that_clients_take(shop: Shop) -> None:
    """Npgsql, which Power BI reads with, fails on a number of more than 28 digits; a number of no stated
    scale comes with any."""
    with psycopg.connect(shop.url) as connection:
        said = connection.execute(readers.statement("finance.columns")).fetchall()
        longest = connection.execute(
            "select max(length(translate(variance::text, '-.', ''))) from fin_variances"
        ).fetchone()
    types = {type_ for _, _, _, type_, _ in said}
    assert types <= {
        "text", "date", "boolean", "integer", "numeric(38,10)", "timestamp with time zone",
        "timestamp without time zone",
    }  # fmt: skip
    assert longest is not None
    assert longest[0] <= 28
    columns = {(view, column) for view, _, column, _, _ in said}
    assert ("fin_segments", "starts_local") in columns
    assert ("fin_sites", "currency") in columns


def test_times_of_the_site_stand_beside_instants(shop: Shop) -> None:
    query = """
        select count(*),
               count(*) filter (where starts_local is distinct from starts_at at time zone time_zone)
        from fin_segments join fin_sites using (site)
    """
    with psycopg.connect(shop.url) as connection:
        assert (
            connection.execute("select time_zone from fin_sites where site = 'tiny'").fetchone() is not None
        )
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    assert row[0] > 0
    assert row[1] == 0


def test_readers_of_before_read_what_the_views_became(empty_database: str) -> None:
    migrate(empty_database, through=16)
    with psycopg.connect(empty_database) as connection:
        name = f"before_{connection.info.dbname[-8:]}"
        url = readers.create(connection, name)
    try:
        migrate(empty_database)
        with psycopg.connect(url) as reader:
            for view in readers.views(reader):
                reader.execute(f"select count(*) from {view}".encode())
    finally:
        with psycopg.connect(empty_database) as connection:
            readers.drop(connection, name)


def test_days_and_periods_are_those_of_the_api(shop: Shop, http: httpx.Client) -> None:
    told = http.get("/v1/periods", params={"site": "tiny"}).json()["rows"]
    costs = http.get("/v1/costs", params={"site": "tiny", "by": "period"}).json(parse_float=Decimal)["rows"]
    with psycopg.connect(shop.url) as connection:
        periods = connection.execute(
            "select period, starts_at, ends_at, status from fin_periods where site = 'tiny'"
        ).fetchall()
        sums = connection.execute(
            "select period, sum(amount) from fin_costs join fin_days using (site, day) group by period"
        ).fetchall()
        all_of_it = connection.execute("select sum(amount) from fin_costs").fetchone()
    assert periods
    shown = {row["id"]: (row["from"], row["to"], row["status"]) for row in told}
    for name, first, end, status in periods:
        assert shown[name] == (f"{first:%Y-%m-%dT%H:%M:%SZ}", f"{end:%Y-%m-%dT%H:%M:%SZ}", status)
    assert {name: round(amount, 4) for name, amount in sums} == {
        row["period"]: row["amount"] for row in costs if row["amount"]
    }
    assert all_of_it is not None
    assert sum(amount for _, amount in sums) == all_of_it[0], "each day lies in one period"


@pytest.mark.parametrize(
    ("pattern", "start"),
    [
        ("calendar", None),
        ("calendar", dt.date(2020, 4, 1)),
        ("4-4-5", dt.date(2026, 1, 1)),
        ("4-5-4", dt.date(2024, 2, 29)),
        ("5-4-4", dt.date(2023, 10, 2)),
    ],
)
def test_periods_are_laid_down_as_the_api_does(
    plain_database: str, tmp_path: Path, pattern: str, start: dt.date | None
) -> None:
    fiscal = {"pattern": pattern, "year_start": start and start.isoformat()}
    with psycopg.connect(plain_database) as connection:
        load_directory(connection, write_plant(tmp_path))
        connection.execute(
            "update plant_rows set body = jsonb_set(body, '{fiscal}', %s) where kind = 'site'",
            [Jsonb(fiscal)],
        )
        laid = connection.execute(
            "select period, first_day, end_day from fiscal_periods order by first_day"
        ).fetchall()
    assert laid == fiscal_periods(pattern, start)


@pytest.mark.parametrize("name", ["", "Power BI", "x;drop", "1x", "é"])
def test_a_reader_has_a_plain_name(plain_database: str, name: str) -> None:
    with psycopg.connect(plain_database) as connection, pytest.raises(CloudError, match="no name"):
        readers.create(connection, name)
