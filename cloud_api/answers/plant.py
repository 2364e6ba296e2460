"""The plant model as it counts now: its tables, site.yaml, its versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from psycopg import Connection

from cloud_api.answers.options import Option
from cloud_api.answers.paging import one_page
from cloud_api.answers.question import Mistake, Question, QuestionError
from cloud_api.answers.shapes.plant import (
    PlantChange,
    PlantDifferences,
    PlantTable,
    PlantTables,
    PlantVersion,
    PlantVersions,
    SiteDocument,
)
from cloud_api.store import plant
from cloud_api.store.plant import StoredRow
from cloud_api.store.statements import statement

SITE_KINDS = frozenset({"site", "calendar", "labour", "energy", "line", "machine", "rate"})
DIFFERENCES = (
    Option("older", "Number of the earlier version, as in /v1/plant/versions.", "text"),
    Option("newer", "Number of the later one.", "text"),
)
Document = dict[str, Any]
Answer = Callable[[Connection[Any], Question, bool, datetime], msgspec.Struct]


def tables(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> PlantTables:
    """Every table of the sites asked for, with the number of its rows."""
    found: list[PlantTable] = []
    versions: list[int] = []
    for site in question.sites:
        counted: dict[str, list[datetime]] = {}
        for row in current(connection, site.name):
            table = "site" if row.kind in SITE_KINDS else row.kind
            counted.setdefault(table, []).append(row.recorded_at)
        found += [
            PlantTable(site=site.name, table=table, rows=len(times), recorded_at=max(times))
            for table, times in sorted(counted.items(), key=lambda pair: (pair[0] != "site", pair[0]))
        ]
        version = plant.latest_version(connection, site.name)
        versions += [] if version is None else [version]
    return PlantTables(version=max(versions, default=None), rows=found)


def versions(
    connection: Connection[Any], question: Question, sees_money: bool, now: datetime
) -> PlantVersions:
    """Loads and changes of the sites asked for, newest first."""
    sites = [site.name for site in question.sites]
    rows = [
        PlantVersion(**dict(zip(PlantVersion.__struct_fields__, row, strict=True)))
        for row in connection.execute(statement("plant.versions"), {"sites": sites})
    ]
    page, cursor = one_page(rows, question)
    return PlantVersions(next_cursor=cursor, rows=page)


def differences(
    connection: Connection[Any], question: Question, sees_money: bool, now: datetime
) -> PlantDifferences:
    """What a version says otherwise than an earlier one. Raises QuestionError for versions that are none."""
    site = _one(question)
    known = sorted(
        row[1] for row in connection.execute(statement("plant.versions"), {"sites": [site]}).fetchall()
    )
    newer = _number(question, "newer", known) or (known[-1] if known else None)
    before = [version for version in known if newer is not None and version < newer]
    older = _number(question, "older", known) or (before[-1] if before else None)
    if older is not None and newer is not None and older > newer:
        raise QuestionError([Mistake("older", f"is version {older}, which is newer than {newer}")])
    states = [_at(connection, site, version, question.withheld) for version in (older, newer)]
    rows = [
        PlantChange(
            file="site.yaml" if kind in SITE_KINDS else f"{kind}.csv",
            part=kind,
            key=list(key),
            before=states[0].get((kind, key)),
            after=states[1].get((kind, key)),
        )
        for kind, key in sorted(states[0].keys() | states[1].keys())
        if states[0].get((kind, key)) != states[1].get((kind, key))
    ]
    page, cursor = one_page(rows, question)
    return PlantDifferences(
        older=older, newer=newer, withheld=sorted(question.withheld), next_cursor=cursor, rows=page
    )


def _one(question: Question) -> str:
    modelled = [site for site in question.sites if site.book is not None]
    if len(modelled) != 1:
        names = ", ".join(site.name for site in modelled) or "there is none with a plant model"
        raise QuestionError([Mistake("site", f"name one site: {names}")])
    return modelled[0].name


def _number(question: Question, name: str, known: list[int]) -> int | None:
    text = question.options.get(name)
    if text is None:
        return None
    if text not in map(str, known):
        raise QuestionError([Mistake(name, f"{text!r} is no version; see /v1/plant/versions")])
    return int(text)


def _at(
    connection: Connection[Any], site: str, version: int | None, withheld: frozenset[str]
) -> dict[tuple[str, tuple[str, ...]], Document]:
    """What each row said at a version, the last recording; none of a resource that is withheld."""
    if version is None:
        return {}
    return {
        (row.kind, row.key): {name: value for name, value in row.body.items() if name != "source"}
        for row in plant.rows_at(connection, site, version)
        if row.kind not in withheld and row.body.get("resource") not in withheld
    }


def rows_of(table: str, row: type[msgspec.Struct], answer: type[msgspec.Struct]) -> Answer:
    """What answers with the rows of a table, in its order; `row` and `answer` are their shapes. Rows of a
    resource that the reader may not see are left out and named in `withheld`."""

    def rows(connection: Connection[Any], question: Question, sees_money: bool, now: datetime) -> Any:
        found = []
        for site in question.sites:
            for stored in current(connection, site.name):
                if stored.kind == table and stored.body.get("resource") not in question.withheld:
                    said = {name: value for name, value in stored.body.items() if name != "source"}
                    found.append(msgspec.convert({"site": site.name, **said}, row, strict=False))
        page, cursor = one_page(found, question)
        return answer(next_cursor=cursor, withheld=sorted(question.withheld), rows=page)

    return rows


def site_document(
    connection: Connection[Any], question: Question, sees_money: bool, now: datetime
) -> SiteDocument:
    """site.yaml of the one site asked for. Raises QuestionError where the question names more."""
    name = _one(question)
    withheld = sorted({"labour"} & question.withheld)
    version = plant.latest_version(connection, name)
    assert version is not None
    document = document_of(name, current(connection, name), withheld)
    return SiteDocument(site=name, version=version, withheld=withheld, document=document)


def current(connection: Connection[Any], site: str) -> list[StoredRow]:
    """The last recording of each row that counts."""
    return list({(row.kind, row.key): row for row in plant.rows(connection, site)}.values())


def document_of(site: str, rows: Iterable[StoredRow], without: Iterable[str]) -> Document:
    """The rows of a site.yaml as the document that gives them; parts that are empty are left out."""
    kinds: dict[str, list[StoredRow]] = {}
    for row in rows:
        kinds.setdefault(row.kind, []).append(row)
    said = kinds["site"][-1].body
    document: Document = {
        "site": site,
        "time_zone": said["time_zone"],
        "currency": said["currency"],
        "calendar": _calendar(kinds["calendar"][-1].body),
        "fiscal": _filled(said["fiscal"]),
        "labour": [_dated(row) for row in kinds.get("labour", ())],
        "materiality": _filled(said["materiality"]),
        "labour_variable": said["labour_variable"],
        "intervention_min": said["intervention_min"],
        "four_eyes": said.get("four_eyes", False),
        "floor": said.get("floor"),
        "energy": [_dated(row) for row in kinds.get("energy", ())],
        "lines": _lines(kinds),
    }
    left = set(without)
    return {name: part for name, part in document.items() if name not in left and part not in (None, {}, [])}


def _calendar(said: Mapping[str, Any]) -> Document:
    return {
        "day_start": said["day_start"],
        "shifts": [_shift(shift) for shift in said["shifts"]],
        "exceptions": [
            {**_filled(day), "shifts": [_shift(shift) for shift in day["shifts"]]}
            if day["shifts"]
            else {"date": day["date"], "closed": day["closed"]}
            for day in said["exceptions"]
        ],
    }


def _shift(said: Mapping[str, Any]) -> Document:
    shift = {name: value for name, value in said.items() if value not in (None, [])}
    return {**shift, **({"breaks": [dict(part) for part in said["breaks"]]} if said.get("breaks") else {})}


def _lines(kinds: Mapping[str, list[StoredRow]]) -> list[Document]:
    rates: dict[str, list[Document]] = {}
    for row in kinds.get("rate", ()):
        rates.setdefault(row.key[0], []).append(_dated(row))
    lines = sorted(kinds.get("line", ()), key=lambda row: int(str(row.body["position"])))
    machines = sorted(kinds.get("machine", ()), key=lambda row: int(str(row.body["position"])))
    return [
        {
            "id": line.key[0],
            **_filled({"name": line.body.get("name")}),
            "machines": [
                {
                    "id": row.key[0],
                    **_filled({"name": row.body.get("name"), "cost_centre": row.body["cost_centre"]}),
                    **_filled({"counters": _counters(row.body["counters"])}),
                    "rate": rates.get(row.key[0], []),
                }
                for row in machines
                if row.body["line"] == line.key[0]
            ],
        }
        for line in lines
    ]


def _counters(said: Any) -> Document:
    return {role: _filled(rule) for role, rule in said.items()}


def _dated(row: StoredRow) -> Document:
    assert isinstance(row.effective, date)
    said = {name: value for name, value in row.body.items() if name != "source"}
    return {"from": row.effective.isoformat(), **_filled(said)}


def _filled(said: Any) -> Document:
    return {name: value for name, value in said.items() if value not in (None, "", {}, [])}
