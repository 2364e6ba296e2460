"""Every answer of the mill as a table: the rows of the API, its totals beside them."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import httpx
import pyarrow.parquet as parquet
import pytest
from openpyxl import load_workbook

PATHS = {
    "products": ("product", "actual_cost"),
    "constraints": ("machine", "relief_per_hour"),
    "orders": ("order", "actual_to_date"),
    "kpis?by=machine": ("machine", "good"),
    "ranking?from=2026-03-02&to=2026-03-03&base=standard": ("value", "change"),
}


@pytest.mark.parametrize("path", PATHS)
def test_tables_hold_the_rows_of_the_answer(http: httpx.Client, path: str) -> None:
    name, figure = PATHS[path]
    join = "&" if "?" in path else "?"
    rows = http.get(f"/v1/{path}").json(parse_float=Decimal)["rows"]
    expected = [(row[name], row[figure]) for row in rows]
    assert expected
    text = http.get(f"/v1/{path}{join}format=csv").text
    told = list(csv.DictReader(io.StringIO(text)))
    assert [(row[name] or None, Decimal(row[figure])) for row in told] == expected
    table = parquet.read_table(io.BytesIO(http.get(f"/v1/{path}{join}format=parquet").content)).to_pylist()
    assert [(row[name], Decimal(row[figure])) for row in table] == expected
    book = load_workbook(io.BytesIO(http.get(f"/v1/{path}{join}format=xlsx").content))
    assert book.worksheets[0].max_row == len(expected) + 1
