"""The same rows as JSON, CSV, Excel and Parquet; text that looks like a formula stays text."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import httpx
import openpyxl
import pyarrow.parquet as pq
import pytest

ADDRESS = "/v1/costs?from=2026-03-02&to=2026-03-05&by=product,cause"


def test_csv_tells_the_same_and_runs_no_formula(http: httpx.Client) -> None:
    json = http.get(ADDRESS).json(parse_float=Decimal)
    answer = http.get(f"{ADDRESS}&format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["plantledger-total"] == str(json["total"])
    assert answer.headers["plantledger-confidence"] == json["confidence"]["grade"]
    assert answer.headers["plantledger-computed-through"] == json["computed_through"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [Decimal(row["amount"]) for row in rows] == [row["amount"] for row in json["rows"]]
    assert {row["product"] for row in rows} == {"P", "'=Q", ""}


def test_excel_holds_numbers_as_numbers_and_text_as_text(http: httpx.Client) -> None:
    json = http.get(ADDRESS).json(parse_float=Decimal)
    answer = http.get(ADDRESS, headers={
        "Accept": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    })  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    head, *rows = list(book["answer"].iter_rows(values_only=True))
    amounts = [row[head.index("amount")] for row in rows]
    assert [Decimal(str(amount)).quantize(Decimal("0.0001")) for amount in amounts] == [
        row["amount"] for row in json["rows"]
    ]
    cells = [row[head.index("product")] for row in book["answer"].iter_rows(min_row=2)]
    assert {cell.value for cell in cells} == {"P", "=Q", None}
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    about = dict(book["about"].iter_rows(max_col=2, values_only=True))
    assert about["currency"] == "EUR"
    assert about["confidence.grade"] == json["confidence"]["grade"]


def test_parquet_keeps_money_exact(http: httpx.Client) -> None:
    json = http.get(ADDRESS).json(parse_float=Decimal)
    answer = http.get(f"{ADDRESS}&format=parquet")
    table = pq.read_table(io.BytesIO(answer.content))
    assert sum(table["amount"].to_pylist()) == json["total"]
    assert table.schema.metadata[b"status"] == b"provisional"


def test_a_table_without_rows_has_its_header(http: httpx.Client) -> None:
    lines = http.get("/v1/plant/bill?format=csv").text.splitlines()
    assert lines == ["site,product,machine,material,from,quantity"]
    table = pq.read_table(io.BytesIO(http.get("/v1/plant/bill?format=parquet").content))
    assert table.column_names == lines[0].split(",")


@pytest.mark.parametrize(
    "path", ["costs", "variances", "segments", "samples", "confidence", "agents", "periods"]
)
@pytest.mark.parametrize("format_", ["csv", "xlsx", "parquet"])
def test_every_answer_comes_in_every_format(http: httpx.Client, path: str, format_: str) -> None:
    answer = http.get(f"/v1/{path}?format={format_}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{path}.{format_}"'


@pytest.mark.parametrize(
    ("accept", "content"),
    [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml;q=0.9", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("application/json;q=0.1, text/csv;q=0.9", "text/csv; charset=utf-8"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("image/png", "application/problem+json"),
    ],
)
def test_accept_chooses_where_format_does_not(http: httpx.Client, accept: str, content: str) -> None:
    assert http.get("/v1/costs", headers={"Accept": accept}).headers["content-type"] == content
