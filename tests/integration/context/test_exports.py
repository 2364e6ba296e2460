"""Notes, questions, decisions and the present as files, in every format."""

from __future__ import annotations

import csv
import io

import httpx
import pyarrow.parquet
import pytest
from openpyxl import load_workbook

from tests.integration.context.conftest import Workshop
from tests.integration.context.test_decisions import Drafted, drafted
from tests.integration.context.test_questions import Raise, raised

__all__ = ["drafted", "raised"]


@pytest.mark.parametrize("path", ["notes", "questions", "decisions", "now"])
def test_context_leaves_in_every_format(
    workshop: Workshop, raised: Raise, drafted: Drafted, finance: httpx.Client, path: str
) -> None:
    raised("09:25")
    drafted("2026-03-05T12:00:00+01:00")
    note = {
        "site": "tiny",
        "kind": "fix",
        "machine": "cut",
        "text": "=1+1",
        "from": "2026-03-04",
        "to": "2026-03-05",
    }
    assert finance.post("/v1/notes", json=note).status_code == 201
    address = f"/v1/{path}?site=tiny"
    rows = finance.get(address).json()["rows"]
    assert rows
    table = list(csv.DictReader(io.StringIO(finance.get(f"{address}&format=csv").text)))
    sheet = load_workbook(io.BytesIO(finance.get(f"{address}&format=xlsx").content)).worksheets[0]
    parquet = pyarrow.parquet.read_table(io.BytesIO(finance.get(f"{address}&format=parquet").content))
    assert len(table) == sheet.max_row - 1 == parquet.num_rows == len(rows)
    assert {row["machine"] for row in table} == {row["machine"] for row in rows}
    assert not any(value.startswith("=") for row in table for value in row.values())


@pytest.mark.parametrize("path", ["notes", "questions", "decisions", "now"])
def test_a_strange_request_is_told_what_is_wrong(
    workshop: Workshop, finance: httpx.Client, path: str
) -> None:
    assert finance.get(f"/v1/{path}?lang=fr&author=Ana&person=Ana").status_code == 400
    assert finance.get(f"/v1/{path}?cursor=%00").status_code == 400 or path == "now"
    for body in (b"", b"[]", b"{", b'{"answer": 5}', b'{"kind": "fix", "from": "9999-99-99"}'):
        for target in (
            "/v1/notes",
            "/v1/questions/1/answer",
            "/v1/decisions/1/confirm",
            "/v1/notes/x/withdraw",
        ):
            assert finance.post(target, content=body).status_code in (400, 404), (target, body)
    assert finance.get("/v1/notes?q=%27%3A%26|!()").status_code == 200
