"""Asks a served API about a plant and tells where its answers differ from the reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import httpx

from .clock import microseconds, moment_of
from .comparison import Key, cells_of_rows, differences
from .result import Result

GROUPINGS = (
    ("resource", "cause"),
    ("machine", "product", "order", "shift", "resource", "cause", "day"),
    ("line", "week"),
    ("hour", "machine"),
)
FIGURES = ("actual", "allowance", "variance", "planning", "operational")
PARTS = ("lot_size", "duration", "sequence")
PARTED = ("machine", "resource", "cause")
SHARES = ("coverage", "unexplained_share", "reason_coverage")
SHARE_UNIT = Fraction(1, 1000)
SEGMENT_TEXTS = ("machine", "state", "product", "order", "shift", "calendar")
SEGMENT_SUMS = ("good", "scrap", "rework", "energy_kwh", "amount")


class Api:
    """A served API, asked about one site over one window."""

    def __init__(self, http: httpx.Client, result: Result, site: str) -> None:
        self.http, self.result, self.site = http, result, site

    def body(self, path: str, **query: str) -> dict[str, Any]:
        """One answer, its numbers as they are written."""
        start, end = (moment_of(at).astimezone(UTC).isoformat() for at in self.result.window)
        answer = self.http.get(path, params={"from": start, "to": end, "site": self.site, **query})
        if answer.status_code != httpx.codes.OK:
            raise AssertionError(f"{path} {query}: {answer.status_code}: {answer.text}")
        return answer.json(parse_float=Decimal)

    def rows(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The rows of all pages of an answer."""
        rows: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            body = self.body(path, **query, **more)
            rows += body["rows"]
            if not body.get("next_cursor"):
                return rows
            more = {"cursor": body["next_cursor"]}


def disagreements(http: httpx.Client, result: Result, site: str) -> list[str]:
    """Everything that differs, as sentences; empty when the API agrees with the reference."""
    api = Api(http, result, site)
    told = [text for by in GROUPINGS for text in costs(api, by) + variances(api, by)]
    return told + reasons(api) + parts(api) + output(api) + segments(api) + confidence(api)


def grouped(by: Sequence[str]) -> dict[str, str]:
    return {"by": ",".join(by)} if by else {}


def spelled(cells: dict[Key, Fraction], by: Sequence[str]) -> dict[Key, Fraction]:
    """Keys with their hours in one spelling."""
    return {
        tuple(
            datetime.fromisoformat(value).astimezone(UTC).isoformat() if name == "hour" and value else value
            for name, value in zip(by, key, strict=True)
        ): amount
        for key, amount in cells.items()
    }


def costs(api: Api, by: Sequence[str]) -> list[str]:
    answered = cells_of_rows(api.rows("/v1/costs", **grouped(by)), by)
    found = differences(api.result.costs(by), spelled(answered, by))
    return [f"costs by {by} {text}" for text in found]


def variances(api: Api, by: Sequence[str]) -> list[str]:
    rows = api.rows("/v1/variances", **grouped(by))
    cells = api.result.variances(by)
    told = []
    for figure in FIGURES:
        ours = {key: getattr(cell, figure) for key, cell in cells.items()}
        found = differences(ours, spelled(cells_of_rows(rows, by, figure), by))
        told += [f"{figure} by {by} {text}" for text in found]
    return told


def reasons(api: Api) -> list[str]:
    """Reasons of all that cost."""
    by = ("machine", "reason", "cause")
    answered = cells_of_rows(api.rows("/v1/costs", **grouped(by)), by)
    return [f"costs by {by} {text}" for text in differences(api.result.costs(by), answered)]


def parts(api: Api) -> list[str]:
    rows = api.rows("/v1/variances", **grouped(PARTED))
    cells = api.result.variances(PARTED)
    told = []
    for part in PARTS:
        answered = cells_of_rows([row | {part: row["parts"].get(part)} for row in rows], PARTED, part)
        ours = {key: cell.parts.get(part, Fraction(0)) for key, cell in cells.items()}
        told += [f"part {part} {text}" for text in differences(ours, answered)]
    return told


def output(api: Api) -> list[str]:
    answered = Fraction(str(api.body("/v1/variances")["good_units"]))
    ours = api.result.output().get((), {}).get("counted", Fraction(0))
    return [] if answered == ours else [f"good units: reference {ours}, answered {answered}"]


def segments(api: Api) -> list[str]:
    """Bounds, state, places and sums of the segments of each machine. Reasons are compared by their cost."""
    answered = sorted(
        (segment_of(row) for row in joined(api.rows("/v1/segments"))), key=lambda row: (row[0], row[1])
    )
    ours = sorted(reference_segments(api.result), key=lambda row: (row[0], row[1]))
    told = [f"segment: reference {one}" for one in ours if one[:3] not in {row[:3] for row in answered}]
    told += [f"segment: answered {one}" for one in answered if one[:3] not in {row[:3] for row in ours}]
    if told:
        return told
    for mine, theirs in zip(ours, answered, strict=True):
        if mine[3:-1] != theirs[3:-1]:
            told.append(f"segment: reference {mine}, answered {theirs}")
        sums = zip(SEGMENT_SUMS, mine[-1], theirs[-1], strict=True)
        told += [
            f"segment {mine[:3]} {name}: reference {float(a)}, answered {float(b)}"
            for name, a, b in sums
            if abs(a - b) > SHARE_UNIT
        ]
    return told


def joined(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbours that differ in their reason alone, which is compared apart."""
    found: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: (row["machine"], row["from"])):
        alike = [*SEGMENT_TEXTS, "crew"]
        if found and found[-1]["to"] == row["from"] and all(found[-1][n] == row[n] for n in alike):
            sums = {name: (found[-1][name] or 0) + (row[name] or 0) for name in SEGMENT_SUMS}
            found[-1] |= {"to": row["to"], **sums}
        else:
            found.append(dict(row))
    return found


def segment_of(row: dict[str, Any]) -> tuple[Any, ...]:
    start, end = (microseconds(datetime.fromisoformat(row[name])) for name in ("from", "to"))
    texts = tuple(row[name] for name in SEGMENT_TEXTS)
    crew = None if row["crew"] is None else Fraction(str(row["crew"]))
    sums = tuple(Fraction(str(row[name] or 0)) for name in SEGMENT_SUMS)
    return (texts[0], start, end, *texts[1:], crew, sums)


def reference_segments(result: Result) -> list[tuple[Any, ...]]:
    rows = [
        {name: getattr(segment, name) for name in (*SEGMENT_TEXTS, *SEGMENT_SUMS, "crew")}
        | {name: moment_of(at).isoformat() for name, at in (("from", segment.start), ("to", segment.end))}
        for segment in result.segments
    ]
    return [segment_of(row) for row in joined(rows)]


def confidence(api: Api) -> list[str]:
    """Shares, grade and missing standards."""
    answered, ours = api.body("/v1/confidence"), api.result.confidence()
    told = []
    for name in SHARES:
        share = answered[name]
        mine = getattr(ours, name)
        if share is not None and abs(Fraction(str(share)) - abs(mine)) > SHARE_UNIT:
            told.append(f"{name}: reference {float(mine)}, answered {share}")
    if answered["grade"] != ours.grade:
        told.append(f"grade: reference {ours.grade}, answered {answered['grade']}")
    missing = sorted({(row["product"] or "", row["machine"]) for row in answered["missing_standards"]})
    mine = sorted((product or "", machine) for product, machine in ours.missing_standards)
    if missing != mine:
        told.append(f"missing standards: reference {mine}, answered {missing}")
    return told
