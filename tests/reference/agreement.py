"""Asks a served API for the cells of a plant and tells where they differ from the reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import httpx

from .clock import moment_of
from .comparison import Key, cells_of_rows, differences
from .result import Result

GROUPINGS = (
    ("resource", "cause"),
    ("machine", "resource", "cause"),
    ("product", "order"),
    ("line", "shift", "resource", "cause"),
    ("day", "resource", "cause"),
    ("hour", "machine"),
)
FIGURES = ("actual", "allowance", "variance", "planning", "operational")
MOST_ROWS = 10_000


def asked(
    http: httpx.Client, path: str, result: Result, by: Sequence[str], site: str, **more: str
) -> list[Any]:
    """All rows of an answer over the result's window."""
    start, end = (moment_of(at).astimezone(UTC).isoformat() for at in result.window)
    rows: list[Any] = []
    cursor: str | None = None
    while True:
        query = {"from": start, "to": end, "site": site, **more}
        query |= {"by": ",".join(by)} if by else {}
        query |= {"cursor": cursor} if cursor else {}
        answer = http.get(path, params=query)
        if answer.status_code != httpx.codes.OK:
            raise AssertionError(f"{path}: {answer.status_code}: {answer.text}")
        body = answer.json()
        rows += body["rows"]
        cursor = body.get("next_cursor")
        if not cursor:
            return rows


def compared(key: Key, by: Sequence[str]) -> Key:
    """A key with its times in one spelling."""
    return tuple(
        value.replace("Z", "+00:00") if name == "hour" and value else value
        for name, value in zip(by, key, strict=True)
    )


def disagreements(http: httpx.Client, result: Result, site: str) -> list[str]:
    """Cells of costs and variances that differ; empty when the API agrees with the reference."""
    told = []
    for by in GROUPINGS:
        answered = cells_of_rows(asked(http, "/v1/costs", result, by, site), by)
        answered = {compared(key, by): amount for key, amount in answered.items()}
        told += [f"costs by {by} {text}" for text in differences(result.costs(by), answered)]
        rows = asked(http, "/v1/variances", result, by, site)
        cells = result.variances(by)
        for figure in FIGURES:
            answered = {compared(key, by): amount for key, amount in cells_of_rows(rows, by, figure).items()}
            ours = {key: getattr(cell, figure) for key, cell in cells.items()}
            told += [f"{figure} by {by} {text}" for text in differences(ours, answered)]
    return told
