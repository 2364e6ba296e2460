"""Every path in every format: the same rows, of the right types, cell by cell as JSON has them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import openpyxl
import polars
import pyarrow.parquet as pq
import pytest

from cloud_api.answers.spreadsheets import guarded
from cloud_api.api.endpoint import Endpoint
from cloud_api.api.endpoints import ENDPOINTS
from tests.integration.api.conftest import Shop
from tests.integration.api.serving import client

Row = Mapping[str, Any]
MEMBERS = ("rows", "bars")
SITE = ZoneInfo("Europe/Berlin")
"""Of the shop: a workbook shows times as its clocks do."""

CHANGING = {"/keys"}
"""What tells when a key was used last, which asking changes."""


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Columns of a row as files have them, of lists nothing."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            found[prefix + name] = value
    return found


def of_json(answer: httpx.Response) -> list[Row]:
    said = answer.json(parse_float=Decimal)
    name = next((name for name in MEMBERS if isinstance(said.get(name), list)), None)
    return [flat(row) for row in ([said] if name is None else said[name])]


def same(told: Any, expected: Any) -> bool:
    """Whether a cell of a file is what JSON has."""
    if expected in (None, ""):
        return told in (None, "")
    if isinstance(expected, bool):
        return str(told).lower() == str(expected).lower()
    if isinstance(expected, int | Decimal):
        number = Decimal(expected)
        return abs(Decimal(str(told)) - number) <= abs(number) * Decimal("1e-12")
    if isinstance(told, dt.datetime) and len(expected) == 10:
        return told.isoformat() == f"{expected}T00:00:00"
    if isinstance(told, dt.datetime):
        off = (told if told.tzinfo else told.replace(tzinfo=SITE)) - dt.datetime.fromisoformat(expected)
        return abs(off) < dt.timedelta(milliseconds=1)
    if isinstance(told, dt.date):
        return bool(told.isoformat() == expected)
    return bool(told == expected)


def differing(told: Sequence[Row], expected: Sequence[Row]) -> list[Any]:
    assert len(told) == len(expected)
    return [
        (name, row.get(name), value)
        for row, wanted in zip(told, expected, strict=True)
        for name, value in wanted.items()
        if not same(row.get(name), value)
    ][:5]


def things(said: Mapping[str, Any], name: str) -> int:
    """How many things the lists of a name hold, in the rows of an answer or beside them."""
    member = next((one for one in MEMBERS if isinstance(said.get(one), list)), None)
    rows = [said] if member is None else [*said[member], {**said, member: None}]
    found = 0
    for row in rows:
        held: Any = row
        for part in name.split("."):
            held = held.get(part) if isinstance(held, dict) else None
        found += len(held or [])
    return found


def listed(sheet: Any) -> int:
    return int(sheet.max_row) - 1


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.path)
def test_every_file_tells_what_json_tells(shop: Shop, endpoint: Endpoint) -> None:
    if endpoint.path in CHANGING or "format" not in endpoint.parameters:
        return
    query = httpx.QueryParams(endpoint.example)
    if "site" in endpoint.parameters:
        query = query.set("site", "tiny")
    with client(shop.address, shop.keys["finance"]) as http:
        answers = {
            format_: http.get(f"/v1{endpoint.path}", params=query.set("format", format_))
            for format_ in ("json", "csv", "xlsx", "parquet")
        }
    assert {answer.status_code for answer in answers.values()} == {200}, answers["json"].text[:300]
    expected = of_json(answers["json"])
    text = answers["csv"].content.decode()
    assert text.replace("\r\n", "").count("\r") == 0
    lines = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    words = [
        {name: guarded(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in expected
    ]
    assert differing(lines, words) == []
    book = openpyxl.load_workbook(io.BytesIO(answers["xlsx"].content))
    assert book.sheetnames[:3] == ["answer", "about", "definitions"]
    assert book["answer"].freeze_panes == "A2"
    head, *body = list(book["answer"].iter_rows(values_only=True))
    told: list[Row] = [dict(zip(map(str, head), row, strict=True)) for row in body]
    assert differing(told, expected) == []
    for row, wanted in zip(told, expected, strict=True):
        for name, value in wanted.items():
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                assert isinstance(row[name], int | float | Decimal), name
    defined = {row[0]: row[1] for row in book["definitions"].iter_rows(min_row=2, values_only=True)}
    assert set(head) <= set(defined)
    for sheet in book.worksheets[3:]:
        assert listed(sheet) == things(answers["json"].json(), sheet.title), sheet.title
    assert all(defined.values())
    table = pq.read_table(io.BytesIO(answers["parquet"].content)).to_pylist()
    assert differing(table, expected) == []
    assert polars.read_parquet(io.BytesIO(answers["parquet"].content)).to_dicts() == table
